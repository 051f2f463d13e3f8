"""Compile an hls4ml project with g++, as Vivado HLS' own C simulation does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xnorflow.base.processes.parallel import in_parallel
from xnorflow.base.processes.programs import require_tool, run_tool
from xnorflow.routes.hls.write.project import HlsProject

# Vivado HLS compiles the C simulation as C++11; -fPIC lets the same object serve the library
FLAGS = ("-std=c++11", "-O2", "-fPIC", "-w")


@dataclass(frozen=True)
class Binaries:
    """What was compiled: the library for bulk simulation, and the project's own testbench."""

    library: Path
    testbench: Path


def compile_project(project: HlsProject, folder: Path) -> Binaries:
    """Compile library and testbench into ``folder``, the three sources side by side.

    Raises:
        ToolNotFound: no g++.
        ToolFailed: it failed; the message has its last lines and its log.
    """
    top = project.folder / "firmware" / f"{project.top}.cpp"
    sources = [top, _bridge(project), project.folder / f"{project.top}_test.cpp"]
    objects = in_parallel(lambda source: _compile(project, source, folder), sources)
    top_object, bridge_object, test_object = objects
    binaries = Binaries(folder / f"{project.top}.so", folder / f"{project.top}_test")
    _link([top_object, bridge_object], binaries.library, ["-shared"])
    _link([top_object, test_object], binaries.testbench, [])
    return binaries


def compile_trace_library(project: HlsProject, folder: Path) -> Path:
    """Compile the library that also stores what every layer gives; return its path."""
    sources = [project.folder / f"{project.top}_trace.cpp", _bridge(project)]
    objects = in_parallel(lambda source: _compile(project, source, folder), sources)
    library = folder / f"{project.top}_trace.so"
    _link(objects, library, ["-shared"])
    return library


def _bridge(project: HlsProject) -> Path:
    return project.folder / f"{project.top}_bridge.cpp"


def _compile(project: HlsProject, source: Path, folder: Path) -> Path:
    target = folder / f"{source.stem}.o"
    weights = str((project.folder / "firmware" / "weights").resolve()).replace("\\", "\\\\").replace('"', '\\"')
    argv: list[str | Path] = [
        *FLAGS,
        "-I.",
        "-Ifirmware",
        "-Ifirmware/ap_types",
        f'-DWEIGHTS_DIR="{weights}"',
        "-c",
        source.resolve(),
    ]
    _run_gxx(argv, target, cwd=project.folder, log=folder / f"{source.stem}.log")
    return target


def _link(objects: list[Path], target: Path, flags: list[str]) -> None:
    argv: list[str | Path] = [*flags, *[part.resolve() for part in objects]]
    _run_gxx(argv, target, cwd=target.parent, log=target.with_suffix(".link.log"))


def _run_gxx(arguments: list[str | Path], target: Path, *, cwd: Path, log: Path) -> None:
    # a compiler that is stopped leaves half a file
    part = target.with_name(f"{target.name}.part")
    run_tool([require_tool("g++", "the C simulation"), *arguments, "-o", part.resolve()], cwd=cwd, log=log)
    part.replace(target)
