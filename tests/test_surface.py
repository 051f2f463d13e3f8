"""What users import and call: the lazy front door, real signatures, and one configuration and one job per command."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from house_sources import SOURCES, TREES, module_of

import xnorflow
from xnorflow import api
from xnorflow.base.errors import DataError
from xnorflow.base.files.yaml_file import load_yaml
from xnorflow.cli.main import main
from xnorflow.fitting import question
from xnorflow.flow import config_file, job
from xnorflow.flow import synth as synth_flow

DIGITS, VERILOG = ROOT / "hls_configs/digits.yaml", ROOT / "hls_configs/digits-verilog.yaml"
FLOW = ("train", "extract", "write", "simulate", "run", "synth", "trace")


def test_import_loads_nothing_but_the_front_door(package_env):
    code = "import sys; before = set(sys.modules); import xnorflow; print(*set(sys.modules) - before)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=package_env, check=True)
    # not even typing: it would take more than the rest
    assert set(ended.stdout.split()) == {"xnorflow"}


def test_type_checkers_and_python_are_offered_the_same():
    tree = ast.parse((ROOT / "xnorflow/__init__.py").read_text(encoding="utf-8"))
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    said = {alias.asname: node.module for node in typed.body for alias in node.names}
    assert {name: f"xnorflow.{module}" for name, module in xnorflow._HOME.items()} == said
    for name, module in said.items():
        assert getattr(xnorflow, name) is getattr(sys.modules[module], name)
        assert name in dir(xnorflow)


def test_what_is_not_offered_is_said():
    with pytest.raises(AttributeError, match="module 'xnorflow' has no attribute 'colour'"):
        xnorflow.colour  # noqa: B018


@pytest.mark.parametrize("name", FLOW)
def test_functions_show_each_of_their_arguments(name):
    parameters = inspect.signature(getattr(api, name)).parameters
    assert not [item for item in parameters.values() if item.kind is item.VAR_KEYWORD]
    options = inspect.signature(job.make_job).parameters
    assert [parameters[key].default for key in options if key != "config"] == [
        item.default for key, item in options.items() if key != "config"
    ]


@pytest.mark.parametrize("name", FLOW)
def test_an_argument_that_is_none_is_refused_by_its_name(name):
    with pytest.raises(TypeError, match=rf"{name}\(\) has no argument 'colour'; it takes config, "):
        getattr(api, name)(DIGITS, colour=1)


@pytest.mark.parametrize(
    "command",
    [
        ["train", DIGITS],
        ["write", DIGITS],
        ["simulate", VERILOG],
        ["run", VERILOG],
        ["synth", DIGITS],
        ["synth", DIGITS, "--backend", "yosys"],
        ["synth", VERILOG],
        ["trace", VERILOG, "-o", "x.vcd"],
        ["fit", DIGITS],
        ["fit", VERILOG, "--check"],
        ["explore", DIGITS],
    ],
    ids=lambda command: " ".join(Path(word).stem for word in command),
)
def test_a_configuration_is_loaded_and_a_job_made_once(tmp_path, monkeypatch, command):
    """Up to where its work begins, which is left out."""
    loaded, made, make = [], [], job.Job.__init__

    def count(self, *args, **named):
        made.append(self)
        make(self, *args, **named)

    def stop(*args, **named):
        raise DataError("here the work begins")

    monkeypatch.setattr(config_file, "load_yaml", lambda *a: loaded.append(a) or load_yaml(*a))
    monkeypatch.setattr(job.Job, "__init__", count)
    monkeypatch.setattr("xnorflow.flow.state.load_dataset", stop)
    monkeypatch.setattr(question, "_network", stop)
    monkeypatch.setattr(synth_flow, "tools_of", lambda *a: ())
    monkeypatch.chdir(tmp_path)
    assert main([*map(str, command), "--project", "p"]) == 2
    assert (len(loaded), len(made)) == (1, 1)


@pytest.mark.parametrize("kind", [str, Path])
def test_every_door_takes_text_and_paths(tmp_path, kind):
    config = xnorflow.load_config(kind(DIGITS))
    xnorflow.write_config(config, kind(tmp_path / "again.yaml"), "written")
    assert xnorflow.load_config(tmp_path / "again.yaml") == config
    work = xnorflow.make_job(kind(DIGITS), project=kind(tmp_path / "p"), model=kind(tmp_path / "n.h5"))
    assert (work.project, work.model) == (tmp_path / "p", tmp_path / "n.h5")
    assert len(api.init(kind(tmp_path / "laid"))) > 10


# what a page or a script of the user's own may call; other modules hand on what these made of a path
DOORS = [
    "api.init", "api.data", "api.report", "api.calibrate", "api.trace", "api.explore", "job.make_job",
    "config_file.load_config", "config_file.write_config", "spec_file.save_spec", "spec_file.load_spec",
    "extract.extract_file", "device.load_device", "train.build_network", "train.train_network",
    "project.write_project", "project.load_project", "hls.simulate.simulate_csim", "build.build", "build.lint",
    "rtl.simulate.simulate_rtl", "rtl.simulate.write_design", "watch.compare_rtl", "run.synthesize",
    "read.read_report", "pareto.plot", "report.load_report", "report.save_report",
    "calibration.write_calibration", "calibration.load_calibration", "question.fit_question",
    "sets.load_dataset",
]  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_public_doors_say_that_they_take_text(door):
    module, _, name = door.rpartition(".")
    paths = [path for path in SOURCES if f".{module_of(path)}".endswith(f".{module}")]
    functions = [node for path in paths for node in TREES[path].body if getattr(node, "name", "") == name]
    assert len(functions) == 1
    arguments = functions[0].args
    hints = {item.arg: ast.unparse(item.annotation) for item in [*arguments.args, *arguments.kwonlyargs]}
    found = {key: hint for key, hint in hints.items() if "Path" in hint}
    both = ("str | Path", "Path | str", "PathLike")
    # the Verilog files are those that write_design gave
    ours = ("sources", "like")
    wrong = {key: hint for key, hint in found.items() if key not in ours and not any(one in hint for one in both)}
    assert wrong == {}
