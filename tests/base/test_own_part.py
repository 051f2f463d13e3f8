"""A device file of a user's own, and a configuration that names no network: fit, run, convert and report."""

import dataclasses
import shutil

import pytest
import yaml
from conftest import ROOT

from xnorflow import api
from xnorflow.base.device import device_of, part_values
from xnorflow.base.errors import ConfigError
from xnorflow.cli.main import main
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.config_file import config_to_dict, load_config, write_config
from xnorflow.flow.run import CONVERT
from xnorflow.routes.hls.write.project import PROJECT_NAME

DIGITS = ROOT / "hls_configs/digits.yaml"
OWN = {
    "name": "xc7z999",
    "parts": ["xc7z999clg400-1", "xc7z999clg400-2"],
    "lut": 40_000,
    "ff": 80_000,
    "bram18": 100,
    "dsp": 80,
    "source": "made up for a test",
}


@pytest.fixture
def folder(tmp_path):
    """A folder with a device file, and a configuration that names it and no network."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/my part.yaml").write_text(yaml.safe_dump(OWN))
    document = yaml.safe_load(DIGITS.read_text(encoding="utf-8")) | {"part": "./parts/my part.yaml"}
    del document["network"]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


def test_a_device_file_is_relative_to_the_configuration(folder, monkeypatch):
    monkeypatch.chdir("/")
    config = load_config(folder / "own.yaml")
    assert config.part == str((folder / "parts/my part.yaml").resolve()) and config.network is None
    assert device_of(config.part).name == "xc7z999"
    (folder / "deep").mkdir()
    write_config(config, folder / "deep/again.yaml", "written")
    assert load_config(folder / "deep/again.yaml") == config
    assert yaml.safe_load((folder / "deep/again.yaml").read_text())["part"] == "../parts/my part.yaml"
    assert "network" not in config_to_dict(config)


def test_a_device_file_on_the_command_line(finished, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder / "parts")
    for command in (["fit"], ["fit", "--check"], ["explore"], ["stock"]):
        asked = [command[0], str(DIGITS), *command[1:], "--part", "my part.yaml", "--project", str(finished)]
        assert main(asked) in (0, 1)
        assert "xc7z999" in capsys.readouterr().out
    assert main(["fit", str(DIGITS), "--part", "none.yaml", "--project", str(finished)]) == 2
    assert "none.yaml" in capsys.readouterr().err


def test_a_run_on_ones_own_part_with_a_network_given(finished, folder, capsys):
    project = folder / "project"
    model = shutil.copy(finished / "01-train/digits.h5", folder / "mine.h5")
    assert main(["convert", str(folder / "own.yaml"), "--model", str(model), "--project", str(project)]) == 0
    report = api.report(project)
    assert (report.name, report.part, report.device) == ("mine", "xc7z999clg400-1", "xc7z999")
    written = (project / CONVERT / "project/project.tcl").read_text()
    assert PROJECT_NAME in written and "xc7z999clg400-1" in written
    # the report is read without the file
    shutil.copytree(folder / "parts", folder / "kept")
    shutil.rmtree(folder / "parts")
    capsys.readouterr()
    assert main(["report", str(project)]) == 0
    assert "xc7z999clg400-1" in capsys.readouterr().out
    # a command on the configuration wants it back
    assert main(["convert", str(folder / "own.yaml"), "--project", str(project)]) == 2
    assert "my part.yaml" in capsys.readouterr().err
    shutil.copytree(folder / "kept", folder / "parts")
    # the project has its network: it needs no name, and nothing is done again
    again = api.convert(folder / "own.yaml", project=project)
    assert again.name == "mine" and all(step.reused for step in again.steps)
    assert main(["fit", str(folder / "own.yaml"), "--check", "--project", str(project)]) == 0


def test_what_a_step_depends_on_of_a_part_changes_with_its_file(folder):
    path = str(folder / "parts/my part.yaml")
    before = part_values(path)
    assert before["part"] == "xc7z999clg400-1"
    (folder / "parts/my part.yaml").write_text(yaml.safe_dump(OWN | {"lut": 30_000}))
    assert part_values(path) != before


def test_a_network_that_is_nowhere_is_said_with_the_ways_to_name_one(folder, capsys):
    for command in (["run"], ["train"], ["run", "--pretrained"], ["fit"], ["explore"]):
        asked = [command[0], str(folder / "own.yaml"), *command[1:], "--project", str(folder / "none")]
        assert main(asked) == 2
        message = capsys.readouterr().err
        assert "network is missing" in message and "network: in the configuration" in message and "--model" in message
    assert not (folder / "none/01-train").exists()


def test_the_functions_take_a_configuration_without_a_network(folder):
    config = BuildConfig(None, "zybo-z7-10", data="digits")
    assert config.part == "xc7z010clg400-1"
    assert api.make_job(config, model="nets/mine.keras").name == "mine"
    assert str(api.make_job(config, model="nets/mine.keras").project) == "projects/mine"
    with pytest.raises(ConfigError, match="network is missing"):
        api.make_job(config)
    assert dataclasses.replace(config, part="Basys 3").part == "xc7a35tcpg236-1"
