"""Paths that rights forbid, or that no file can have, given to every option that takes one: one line."""

import contextlib
import os
import shutil

import pytest
from conftest import ROOT

from xnorflow.cli.main import main
from xnorflow.flow.config_file import load_config

CONFIG = "network: {network}\npart: xc7z010clg400-1\ndata: digits\n"
DOORS = {
    "configuration": ["extract", "BAD"],
    "configuration of fit": ["fit", "BAD"],
    "configuration of synth": ["synth", "BAD"],
    "model": ["extract", "good.yaml", "--project", "p", "--model", "BAD"],
    "model of trace": ["trace", "good.yaml", "--project", "p", "--model", "BAD"],
    "project": ["extract", "good.yaml", "--project", "BAD"],
    "project of fit": ["fit", "good.yaml", "--project", "BAD"],
    "project of report": ["report", "BAD"],
    "calibration": ["fit", "good.yaml", "--calibration", "BAD"],
    "report of calibrate": ["calibrate", "BAD"],
    "data": ["data", "BAD"],
    "data of a run": ["extract", "good.yaml", "--project", "p", "--pretrained", "--data", "BAD"],
    "idx files": ["data", "mnist", "--data-dir", "BAD"],
    "network": ["train", "BAD.yaml", "--project", "p"],
    "network of fit": ["fit", "BAD.yaml"],
    "network beside a pretrained one": ["extract", "BAD.yaml", "--project", "p", "--pretrained"],
}
# a file, and a project, in a folder that rights close; a file that rights close itself
CLOSED = {"in a closed folder": "closed/a", "a closed folder": "closed", "a closed file": "secret.npz"}
NAMES = {
    "long": "x" * 300,
    "long folder": "x" * 300 + "/a",
    "long path": "x/" * 3000 + "a",
    "under a file": "secret.npz/a",
    "null": "a\0b",
    "loop": "loop",
    "stray bytes": "a\udcff",
    "control characters": "a\n\x1b[31m/b",
}


@pytest.fixture
def place(tmp_path, monkeypatch, digits_data):
    """Where relative names are looked for, with nothing to read anew from elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "xnorflow.flow.state.load_dataset", lambda name, folder: digits_data if name == "digits" else 1 / 0
    )
    shutil.copy(ROOT / "keras_models/digits.py", "net.py")
    (tmp_path / "good.yaml").write_text(CONFIG.format(network="net.py"))
    load_config(tmp_path / "good.yaml")
    (tmp_path / "secret.npz").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "closed").mkdir()
    for path, rights in ((tmp_path / "secret.npz", 0), (tmp_path / "closed", 0), (tmp_path, 0o777)):
        path.chmod(rights)
    yield tmp_path
    (tmp_path / "closed").chmod(0o700)


@contextlib.contextmanager
def as_anybody():
    """Rights count: root gives its own away."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def check(place, capfd, door, path, whoever=contextlib.nullcontext):
    """Run a command with a path in it; return its only line."""
    if "BAD.yaml" in DOORS[door]:
        (place / "BAD.yaml").write_text(CONFIG.format(network=path))
    before = sorted(place.iterdir())
    with whoever():
        try:
            code = main([path if word == "BAD" else word for word in DOORS[door]])
        except SystemExit as error:
            code = error.code
    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("xnorflow: error: ") and err.count("\n") == 1 and err[:-1].isprintable()
    # the folder of a project is made before its network is looked for
    assert [made for made in sorted(place.iterdir()) if made.name != "p"] == before
    return err


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("door", DOORS)
def test_what_rights_forbid_is_one_line(place, capfd, door, name):
    if (door, name) == ("project of fit", "a closed file"):
        pytest.skip("a project that is no folder has no network, and the shipped one is taken")
    check(place, capfd, door, CLOSED[name], as_anybody)


@pytest.mark.parametrize("name", ["long", "long folder", "long path", "null", "loop"])
@pytest.mark.parametrize("door", [door for door in DOORS if not door.startswith("network")])
def test_a_name_that_no_file_can_have_is_one_line(place, capfd, door, name):
    check(place, capfd, door, NAMES[name])


@pytest.mark.parametrize("name", ["long", "long folder", "long path"])
@pytest.mark.parametrize("door", [door for door in DOORS if door.startswith("network")])
def test_such_a_name_of_a_network_is_one_line(place, capfd, door, name):
    check(place, capfd, door, NAMES[name])


@pytest.mark.parametrize("name", ["under a file", "stray bytes", "control characters"])
@pytest.mark.parametrize("door", [door for door in DOORS if not door.startswith(("network", "project"))])
def test_a_file_that_is_not_there_is_one_line(place, capfd, door, name):
    check(place, capfd, door, NAMES[name])


@pytest.mark.parametrize("door", [["train"], ["fit"], ["trace"], ["synth"]])
def test_an_empty_name_is_no_name(place, capfd, door):
    assert main([*door, "good.yaml", "--project", ""]) == 2
    assert "--project must name a folder, got ''" in capfd.readouterr().err


@pytest.mark.parametrize("command", ["stock", "fit", "train", "synth"])
def test_an_empty_configuration_is_one_line(place, capfd, command):
    assert main([command, ""]) == 2
    assert capfd.readouterr().err.count("\n") == 1
