"""The flow, seen at a glance: train, extract, convert, C simulation; each step in its own folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from xnorflow.base.errors import ConfigError, XnorflowError
from xnorflow.base.files.atomic import folder_lock
from xnorflow.base.processes.programs import require_all, require_tool
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.job import EXTRACT, TRAIN, Job
from xnorflow.flow.report import RunReport, save_report
from xnorflow.flow.state import NotDone, Run
from xnorflow.flow.step import StepResult
from xnorflow.flow.steps_extract import extract_step
from xnorflow.flow.steps_hls import CONVERT, CSIM, convert_step, csim_step
from xnorflow.flow.steps_rtl import (
    GENERATE,
    RTLSIM,
    RTLSIM_TOOLS,
    YOSYS,
    generate_step,
    rtlsim_step,
    yosys_step,
)
from xnorflow.flow.steps_train import train_step
from xnorflow.routes.hls.write.project import find_hls4ml
from xnorflow.routes.rtl.build import verilator
from xnorflow.tools.yosys.run import yosys_package


@dataclass(frozen=True)
class Step:
    """A step of a route.

    Attributes:
        work: does it, or takes over what an earlier run did.
        tools: each looks for a program or package that the work needs, and raises ToolNotFound.
    """

    work: Callable[[Run], StepResult]
    tools: tuple[Callable[[], object], ...] = ()


Steps = dict[str, Step]
Announce = Callable[[StepResult], None]
Tools = Sequence[Callable[[], object]]
COMMON: Steps = {TRAIN: Step(train_step), EXTRACT: Step(extract_step)}
HLS_STEPS: Steps = {
    **COMMON,
    CONVERT: Step(convert_step, (find_hls4ml,)),
    CSIM: Step(csim_step, (partial(require_tool, "g++", "the C simulation"),)),
}
VERILOG_STEPS: Steps = {
    **COMMON,
    GENERATE: Step(generate_step, (verilator,)),
    RTLSIM: Step(rtlsim_step, RTLSIM_TOOLS),
    YOSYS: Step(yosys_step, (yosys_package,)),
}


def steps_of(config: BuildConfig) -> Steps:
    """Return the steps of a configuration's route, in order."""
    return VERILOG_STEPS if config.hls is None else HLS_STEPS


def write_step(config: BuildConfig) -> str:
    """Return the name of the step that writes the hardware: an HLS project, or Verilog."""
    return GENERATE if config.hls is None else CONVERT


def simulate_step(config: BuildConfig) -> str:
    """Return the name of the step that simulates what was written: C simulation, or RTL simulation."""
    return RTLSIM if config.hls is None else CSIM


def run_flow(job: Job, until: str | None = None, announce: Announce = lambda step: None) -> RunReport:
    """Run every step up to ``until`` and write ``report.json`` to the project folder.

    Args:
        job: what to run on.
        until: name of the last step; all of the configuration's route by default.
        announce: called after each step.

    Returns:
        What these steps found. The file has as well what later ones have found for the very same inputs.

    Raises:
        ConfigError: the route has no such step.
        XnorflowError: as the steps raise it.
    """
    with locked_run(job, until) as state:
        prepare(state, until, announce)
        if not state.worked:
            _save(state)
        return state.report


@contextlib.contextmanager
def locked_run(job: Job, until: str | None = None, also: Tools = (), *, keeps_network: bool = False) -> Iterator[Run]:
    """Hold a project's lock for a run, which a command takes once and whole.

    Args:
        job: what to run on.
        until: name of the last step that the route does; all by default.
        also: looks for tools that the command needs afterwards.
        keeps_network: the network that the project holds is overwritten only by one that the job names.

    Raises:
        ToolNotFound: nothing is done yet and a tool is missing; nothing is written then.
    """
    steps = _until(job.config, until)
    if not os.path.lexists(job.project):
        require_all([*_tools(steps), *also])
    state = Run(job, keeps_network)
    with folder_lock(job.project):
        yield state


def prepare(state: Run, until: str | None, announce: Announce, also: Tools = ()) -> None:
    """Do what is not yet done of the configuration's route, up to ``until``; ``report.json`` is kept true of it.

    Args:
        state: what ``locked_run`` gives.
        until: name of the last step; all by default.
        announce: called after each step.
        also: looks for tools that the command needs afterwards, before anything works.

    Raises:
        XnorflowError: as the steps raise it.
    """
    try:
        complete(state, _until(state.config, until), announce, also)
    finally:
        if state.worked:
            _save(state)


def complete(state: Run, steps: Steps, announce: Announce, also: Tools = ()) -> None:
    """Do steps in their order; before the first that has to work, all tools are looked for."""
    left = dict(steps)
    state.looking = True
    try:
        for name, step in steps.items():
            announce(step.work(state))
            del left[name]
    except NotDone:
        pass
    finally:
        state.looking = False
    if left:
        require_all([*_tools(left), *also])
    for step in left.values():
        announce(step.work(state))


def _until(config: BuildConfig, until: str | None) -> Steps:
    steps = steps_of(config)
    if until is None:
        return steps
    if until not in steps:
        raise ConfigError(f"backend {config.backend} has no step {until}; it has {', '.join(steps)}")
    names = list(steps)
    return {name: steps[name] for name in names[: names.index(until) + 1]}


def _tools(steps: Steps) -> Tools:
    return tuple(tool for step in steps.values() for tool in step.tools)


def _save(state: Run) -> None:
    """Write what the run found, and what its route's other steps have found for the inputs they would have."""
    found = state.report
    state.looking = True
    for name, step in steps_of(state.config).items():
        if name not in state.made:
            # what has no inputs yet, or wrong ones, is not done
            with contextlib.suppress(NotDone, XnorflowError):
                step.work(state)
    save_report(state.report, state.job.project)
    state.report, state.looking = found, False
