"""The flow, seen at a glance: train, extract, convert, C simulation; each step in its own folder."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from xnorflow.backends.yosys import yosys_package
from xnorflow.config import BuildConfig
from xnorflow.data import DataSet
from xnorflow.device import part_values
from xnorflow.errors import ConfigError, XnorflowError
from xnorflow.files import folder_lock, sha256_file
from xnorflow.hls.convert import find_hls4ml
from xnorflow.inputs import InputSpec
from xnorflow.job import EXTRACT, TRAIN, Compared, Job, NotDone, Run
from xnorflow.rtl.verilator import verilator
from xnorflow.runreport import InputRow, RunReport, save_report
from xnorflow.spec import NetSpec
from xnorflow.specfile import save_spec, spec_sha256
from xnorflow.steps import StepResult
from xnorflow.steps_hls import CONVERT, CSIM, convert_step, csim_step
from xnorflow.steps_rtl import (
    RTLSIM_TOOLS,
    Counted,
    Generated,
    RtlSimulated,
    generate_step,
    plan_of,
    rtl_rows,
    rtlsim_step,
    yosys_step,
)
from xnorflow.steps_train import train_step
from xnorflow.tools import require_all, require_tool

GENERATE, RTLSIM, YOSYS = "03-generate", "04-rtlsim", "05-yosys"


class Extracted(Compared):
    """What 02-extract found: the hash of the golden model, how Keras and it did, and what is doubtful about it."""

    spec: str
    warnings: tuple[str, ...]


def _extract(run: Run) -> StepResult:
    """Extract the golden model and compare it with Keras on every test image."""
    config, test = run.config, run.data.test

    def work(folder: Path) -> dict[str, Any]:
        from xnorflow.accuracy import accuracy_warnings
        from xnorflow.compare import KERAS, compare_scores, simulate_golden
        from xnorflow.extract import extract, keras_classes, keras_scores
        from xnorflow.modelfile import load_model

        model, settings = load_model(run.model_file)
        spec = extract(model, settings or config.input)
        _check_classes(spec, run.data)
        digest = save_spec(spec, folder / "spec.npz")
        expected, golden = simulate_golden(spec, test)
        scores = keras_scores(model, spec, test.images)
        classes = keras_classes(model, spec, test.images, scores)
        keras = compare_scores(KERAS, scores, expected, test.labels, None, classes)
        warnings = accuracy_warnings(model, spec, test, keras.accuracy, known)
        return {"spec": digest, "results": (keras, golden), "warnings": warnings}

    known = _known_accuracy(run)
    inputs = {
        "model": sha256_file(run.model_file),
        "known_accuracy": known,
        "data": run.data.sha256,
        "input_bits": config.input.bits,
        "pixel_threshold": config.input.pixel_threshold,
    }
    step = run.step(EXTRACT, inputs, work, kind=Extracted)
    run.add(spec_sha256=step.values["spec"], input=_input_row(run.spec.input))
    run.add(warnings=step.values["warnings"])
    run.add_results(step)
    return step


def _known_accuracy(run: Run) -> float | None:
    """Return the accuracy on these very images that the network's card has, if any."""
    card = run.report.card
    return card.accuracy.test if card is not None and card.data.sha256 == run.data.sha256 else None


def _input_row(source: InputSpec) -> InputRow:
    thresholds = "their values as they are"
    if source.bits == 1:
        low, high = source.thresholds.min(), source.thresholds.max()
        shared = f"+1 from {', '.join(map(str, source.thresholds[0]))} on"
        thresholds = shared if len(source.thresholds) == 1 else f"each with a threshold of its own, {low} to {high}"
    return InputRow(source.pixels, source.bits_per_pixel, thresholds)


def _check_classes(spec: NetSpec, data: DataSet) -> None:
    if spec.n_classes != data.n_classes:
        raise ConfigError(
            f"network {spec.name} gives {spec.n_classes} scores, but {data.name} has {data.n_classes} classes"
        )


def _generate(run: Run) -> StepResult:
    """Write the Verilog files of the network."""
    plan = plan_of(run.spec, run.config)
    inputs = {"spec": spec_sha256(run.spec), "settings": dataclasses.asdict(run.config.rtl)}
    step = run.step(GENERATE, inputs, lambda folder: generate_step(plan, run.config, folder), kind=Generated)
    run.add(rtl_layers=rtl_rows(plan))
    return step


def _verilog(run: Run) -> tuple[list[Path], dict[str, str]]:
    """Return the Verilog files, and the hash of each."""
    result, folder = run.result(GENERATE), run.job.project / GENERATE / "verilog"
    hashes = {name: digest for name, digest in result.files.items() if name.startswith("verilog")}
    return [folder / name for name in result.values["files"]], hashes


def _rtlsim(run: Run) -> StepResult:
    """Simulate the Verilog files cycle by cycle on every test image."""
    sources, hashes = _verilog(run)
    plan = plan_of(run.spec, run.config)
    inputs = {"files": hashes, "data": run.data.sha256}
    step = run.step(
        RTLSIM, inputs, lambda folder: rtlsim_step(plan, sources, run.data.test, folder), kind=RtlSimulated
    )
    run.add(rtl_speed=step.values["speed"])
    run.add_results(step)
    return step


def _yosys(run: Run) -> StepResult:
    """Synthesize the Verilog files for the part's family and count their cells."""
    sources, hashes = _verilog(run)
    inputs = {"files": hashes, **part_values(run.config.part)}
    step = run.step(YOSYS, inputs, lambda folder: yosys_step(run.config, sources, folder), kind=Counted)
    run.add(synth=step.values["synth"])
    return step


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
COMMON: Steps = {TRAIN: Step(train_step), EXTRACT: Step(_extract)}
HLS_STEPS: Steps = {
    **COMMON,
    CONVERT: Step(convert_step, (find_hls4ml,)),
    CSIM: Step(csim_step, (partial(require_tool, "g++", "the C simulation"),)),
}
VERILOG_STEPS: Steps = {
    **COMMON,
    GENERATE: Step(_generate, (verilator,)),
    RTLSIM: Step(_rtlsim, RTLSIM_TOOLS),
    YOSYS: Step(_yosys, (yosys_package,)),
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


def run(job: Job, until: str | None = None, announce: Announce = lambda step: None) -> RunReport:
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
    with hold(job, until) as state:
        prepare(state, until, announce)
        if not state.worked:
            _save(state)
        return state.report


@contextlib.contextmanager
def hold(job: Job, until: str | None = None, also: Tools = (), *, keeps_network: bool = False) -> Iterator[Run]:
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
        state: what ``hold`` gives.
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
