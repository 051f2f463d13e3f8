"""README and docs/ do what they say: every Python block and every command runs, or says what it needs."""

import re
import shutil
import subprocess
import sys

import pytest
from conftest import NETWORKS, ROOT, needs_qkeras
from doc_pages import BLOCK, PAGES, named_commands, python_blocks, shown_commands, yaml_blocks

from xnorflow.base.device import load_device
from xnorflow.cli.main import _parser, main
from xnorflow.flow.config_file import load_config
from xnorflow.sources.training.train import build_network

# what stands for a value of the reader's own
PLACEHOLDERS = {"CONFIG": "hls_configs/digits.yaml", "DIR": "data", "N": "3", "CYCLES": "64", "FOLDER": "runs"}
SHOWN = [(page, command) for page in PAGES for command in shown_commands(page)]
# these compile a simulation
SLOW = ("run hls_configs/digits-verilog", "simulate hls_configs/digits-verilog", "trace hls_configs/")
NAMED = [(page, command) for page in PAGES for command in named_commands(page)]


def name_of(value):
    return value.stem if hasattr(value, "stem") else str(value)


def timed(page, command):
    """The pair as a test's parameter, marked where it takes long."""
    marks = [pytest.mark.slow] if any(start in str(command) for start in SLOW) else []
    return pytest.param(page, command, marks=marks)


def filled(command):
    return [PLACEHOLDERS.get(word, word).replace("<name>", "digits") for word in command.words]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A folder with what a reader's checkout has, to run things in."""
    needs_qkeras()
    pytest.importorskip("sklearn")
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("hls_configs", "keras_models"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def test_pages_have_something_to_run():
    assert sum(len(python_blocks(page)) for page in PAGES) >= 5
    assert len(SHOWN) > 15 and len(NAMED) > 10


@pytest.mark.parametrize("page", [page for page in PAGES if python_blocks(page)], ids=name_of)
def test_python_blocks_run_in_a_plain_process(checkout, package_env, page):
    program = "\n\n".join(python_blocks(page))
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, env=package_env, capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("block", [block for page in PAGES for block in yaml_blocks(page)])
def test_yaml_blocks_are_read(tmp_path, block):
    """A device file as it stands; of settings each line by itself, for they are alternatives."""
    path = tmp_path / "shown.yaml"
    path.write_text(block, encoding="utf-8")
    if "parts:" in block:
        assert load_device(path).parts
        return
    for line in block.splitlines():
        path.write_text(f"part: xc7z010clg400-1\n{line}\n", encoding="utf-8")
        assert load_config(path).part


def test_every_block_is_of_a_kind_that_is_tested():
    languages = {language for page in PAGES for language, _ in BLOCK.findall(page.read_text(encoding="utf-8"))}
    assert languages == {"", "python", "yaml"}


@pytest.mark.parametrize(("page", "command"), [timed(*shown) for shown in SHOWN], ids=name_of)
def test_shown_command_runs(checkout, monkeypatch, capsys, page, command):
    program, *words = filled(command)
    if command.needs:
        pytest.skip(f"needs {command.needs}")
    if program == "make":
        pytest.skip("set-up itself, which continuous integration runs")
    assert program == "xnorflow"
    monkeypatch.chdir(checkout)
    assert main(words) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(("page", "command"), [*SHOWN, *NAMED], ids=name_of)
def test_command_is_one_that_exists(page, command):
    program, *words = filled(command)
    if program == "xnorflow":
        # a command that is only named, such as `xnorflow fit --check`, would take a configuration or a project
        whole = words[0] in ("doctor", "devices") or any(not word.startswith("-") for word in words[1:])
        assert _parser().parse_args(words if whole else [*words, "hls_configs/digits.yaml"]).command
    elif program == "python":
        assert (ROOT / words[0]).is_file()
    elif program == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    else:
        assert all((ROOT / word).exists() for word in words if word.startswith("tests/"))


def test_network_of_the_readme_can_be_built(tmp_path):
    needs_qkeras()
    (network,) = [block for block in python_blocks(ROOT / "README.md") if "def build" in block]
    path = tmp_path / "wide.py"
    path.write_text(network)
    model = build_network(path, (28, 28, 1), 10)
    assert model.output_shape == (None, 10)
    assert model.get_layer("dense1").units == 1024


def test_every_shipped_network_is_in_the_readme():
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"| {name} |" in table for name in NETWORKS)
