"""Run a synthesis tool: plan, write, run, read its reports."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from xnorflow.base.errors import ConfigError, ReportError, ToolFailed
from xnorflow.base.files.atomic import write_text
from xnorflow.base.files.folders import claim, discard
from xnorflow.base.processes.programs import check_time_limit, find_tool, require_all, require_tool, run_tool
from xnorflow.tools.report import SynthReport
from xnorflow.tools.vivado.read import read_report
from xnorflow.tools.vivado.tcl import (
    HLS_TOOLS,
    PROJECT,
    SOLUTION,
    HlsJob,
    ToolPlan,
    explain,
    plan_hls,
    plan_vivado,
    step_of,
)

# how much of a log is searched for the cause of a failure
TAIL_BYTES = 200_000
CSIM_RESULTS = Path(PROJECT, SOLUTION, "csim/build/tb_data/csim_results.log")


@dataclass(frozen=True)
class SynthRun:
    """What a run left.

    Attributes:
        hls: the HLS report.
        vivado: Vivado's reports, in the order of the stages.
        csim_results: scores that the C simulation wrote; None where it was left out.
        seconds: what it took.
    """

    hls: SynthReport
    vivado: tuple[SynthReport, ...]
    csim_results: Path | None
    seconds: float


def hls_tool(backend: str) -> str:
    """Return the HLS program of a backend that is installed, or the one to install.

    Raises:
        ConfigError: another backend.
    """
    if backend not in HLS_TOOLS:
        raise ConfigError(f"backend must be {' or '.join(HLS_TOOLS)}, got {backend!r}")
    names = HLS_TOOLS[backend]
    return next((name for name in names if find_tool(name) is not None), names[0])


def plans_of(job: HlsJob, backend: str) -> tuple[ToolPlan, ...]:
    """Return the programs to run, with what each leaves.

    Raises:
        ConfigError: no backend with an HLS tool.
    """
    hls = plan_hls(job, hls_tool(backend))
    return (hls,) if job.vivado == "none" else (hls, plan_vivado(job))


def tools_of(backend: str, vivado: str) -> tuple[Callable[[], object], ...]:
    """Return what looks for the programs that a synthesis needs.

    Raises:
        ConfigError: no backend with an HLS tool.
    """
    names = (hls_tool(backend), *(() if vivado == "none" else ("vivado",)))
    return tuple(partial(require_tool, name, "the synthesis") for name in names)


def synthesise(
    job: HlsJob,
    backend: str,
    folder: Path,
    *,
    timeout_s: float | None = None,
    on_step: Callable[[str], None] | None = None,
) -> SynthRun:
    """Run HLS, and Vivado where the job wants it, in ``folder``.

    Args:
        job: what to do.
        backend: "Vivado" or "Vitis".
        folder: working folder; gets scripts, logs and the tool's project.
        timeout_s: time limit of each program.
        on_step: called with each step as it starts: csim, csynth, cosim, export, synthesise, place,
            route.

    Raises:
        ConfigError: a time limit that is none.
        DataError: the folder is a link or somebody else's.
        ToolNotFound: a program is missing; said before any starts.
        ToolFailed: a program failed; says which step, what its log means, and where the log is.
        ReportError: a report is missing or cut short.
    """
    check_time_limit(timeout_s)
    require_all(tools_of(backend, job.vivado))
    claim(folder)
    # a report of an earlier run must not pass for one of this
    discard(folder / PROJECT)
    seconds = 0.0
    for plan in plans_of(job, backend):
        seconds += _run(plan, folder, timeout_s, on_step)
        _reports(plan, folder)
    return read_run(job, backend, folder, seconds)


def read_run(job: HlsJob, backend: str, folder: Path, seconds: float) -> SynthRun:
    """Read what ``synthesise`` left in its folder.

    Raises:
        ReportError: a report is missing or cut short.
    """
    hls, *vivado = (_reports(plan, folder) for plan in plans_of(job, backend))
    results = folder / CSIM_RESULTS
    if job.csim and not results.is_file():
        raise ReportError(f"{results}: the C simulation wrote no results; its testbench must write this file")
    after = tuple(report for group in vivado for report in group)
    return SynthRun(hls[0], after, results if job.csim else None, seconds)


def _reports(plan: ToolPlan, folder: Path) -> list[SynthReport]:
    return [_read(folder / path) for path in plan.reports if path.suffix != ".xml"]


def _read(path: Path) -> SynthReport:
    if not path.is_file():
        raise ReportError(f"{path}: the tool ended well but left no such report; look into its log")
    return read_report(path)


def _run(plan: ToolPlan, folder: Path, timeout_s: float | None, on_step: Callable[[str], None] | None) -> float:
    for path in plan.reports:
        discard(folder / path)
    for name, text in plan.files.items():
        write_text(folder / name, text)
    log = folder / f"{plan.tool}.log"
    program = require_tool(plan.tool, "the synthesis")
    current = ["start"]

    def see(line: str) -> None:
        step = step_of(line)
        if step is not None:
            current[0] = step
            if on_step is not None:
                on_step(step)

    try:
        return run_tool([program, *plan.arguments], cwd=folder, log=log, timeout_s=timeout_s, on_line=see)
    except ToolFailed as error:
        # the signal or exit code is in the error, not in the log
        meaning = explain(f"{_tail(log)}\n{error}")
        if meaning is None:
            raise ToolFailed(f"step {current[0]}: {error}") from error
        raise ToolFailed(f"step {current[0]} of {plan.tool}: {meaning}; log: {log}") from error


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL_BYTES))
            return stream.read(TAIL_BYTES).decode(errors="replace")
    except OSError:
        return ""
