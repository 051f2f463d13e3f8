"""Stand-ins for a vendor's tools."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

import pytest
from vendor_files import ALL

HERE = Path(__file__).parent


FAKES = HERE / "fake_tools"


needs_tcl = pytest.mark.skipif(
    shutil.which("tclsh") is None or shutil.which("g++") is None, reason="the stand-ins need tclsh and g++"
)


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    """Stand-ins on PATH; returns how to say what goes wrong, and the recorded commands."""
    reports = tmp_path / "reports"
    reports.mkdir()
    for name, text in ALL.items():
        (reports / name).write_text(text)
    monkeypatch.setenv("PATH", f"{FAKES}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_REPORTS", str(reports))
    monkeypatch.setenv("FAKE_RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("FAKE_IDS", str(tmp_path / "ids"))

    def set_mode(mode="ok", step=""):
        monkeypatch.setenv("FAKE_MODE", mode)
        monkeypatch.setenv("FAKE_STEP", step)

    set_mode()
    set_mode.record = lambda: (tmp_path / "record").read_text()
    set_mode.ids = tmp_path / "ids"
    yield set_mode
    for number in running(set_mode.ids):
        os.kill(number, signal.SIGKILL)


def running(ids):
    """Those of a hanging stand-in and its child that still run."""
    found = []
    for number in map(int, ids.read_text().split()) if ids.exists() else []:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                found.append(number)
    return found
