"""The commands that go on from a project's network: synthesis by a vendor's tools or by Yosys, and traces."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xnorflow.base.errors import ConfigError, ToolNotFound
from xnorflow.base.files.atomic import atomic_path, check_target, writing
from xnorflow.base.files.folders import make
from xnorflow.base.processes.programs import check_time_limit, require_all
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.job import EXTRACT, Job
from xnorflow.flow.report import RtlRow, SynthRow
from xnorflow.flow.run import Announce, Step, complete, locked_run, prepare
from xnorflow.flow.steps_hls import CONVERT
from xnorflow.flow.steps_rtl import COUNT, ROUTE, RTLSIM_TOOLS, count_step, place_step, plan_of, rtl_rows
from xnorflow.flow.steps_synth import SYNTH, Synthesis
from xnorflow.routes.compare import require_equal
from xnorflow.routes.rtl.build import build as compile_design
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.simulate import simulate_rtl, write_design
from xnorflow.routes.rtl.watch import compare_rtl
from xnorflow.sources.data.sets import Split
from xnorflow.tools.nextpnr import find_nextpnr
from xnorflow.tools.report import SynthReport
from xnorflow.tools.vivado.run import SynthRun, tools_of
from xnorflow.tools.yosys.run import yosys_package

HLS_TOOL, YOSYS_TOOL = "hls", "yosys"
SYNTH_BACKENDS = (HLS_TOOL, YOSYS_TOOL)
TRACE = "trace"


@dataclass(frozen=True)
class YosysRun:
    """What Yosys, and nextpnr where it is installed, made of a network.

    Attributes:
        layers: how each layer is folded.
        interval_cycles: cycles between two images, by formula.
        latency_cycles: cycles through the network, by formula.
        synth: Yosys' counts beside what the part has.
        routed: nextpnr's counts and clock; None where it is not installed.
        missing: what is missing to place and route; empty where nothing is.
    """

    layers: tuple[RtlRow, ...]
    interval_cycles: int
    latency_cycles: int
    synth: SynthRow
    routed: SynthReport | None
    missing: str


def run_synth(
    job: Job,
    *,
    backend: str | None = None,
    cycles: int | None = None,
    cosim: bool = False,
    export: bool = False,
    vivado: str = "none",
    timeout_s: float | None = None,
    on_step: Callable[[str], None] | None = None,
    announce: Announce,
) -> SynthRun | YosysRun:
    """Synthesize a project's network by the tools of its route, or by ``backend``; see ``api.synth``."""
    if backend is not None and backend not in SYNTH_BACKENDS:
        raise ConfigError(f"backend must be {' or '.join(SYNTH_BACKENDS)}, got {backend!r}")
    verilog = job.config.hls is None
    if backend == YOSYS_TOOL or (verilog and backend is None):
        if cosim or export or vivado != "none":
            raise ConfigError("--cosim, --export and --vivado go with an HLS tool; leave them out for Yosys")
        check_time_limit(timeout_s)
        return _synth_yosys(job, cycles, timeout_s, announce)
    if verilog or cycles is not None:
        what = "this configuration's backend is Verilog" if verilog else "--cycles is for our Verilog"
        raise ConfigError(f"{what}; add --backend yosys, or leave --backend out")
    check_time_limit(timeout_s)
    return _synth_hls(job, Synthesis(cosim, export, vivado, timeout_s, on_step, job.overwrite), announce)


def _synth_hls(job: Job, order: Synthesis, announce: Announce) -> SynthRun:
    """Convert if needed, then run the HLS tool, and Vivado where it is asked for."""
    tools = tools_of(job.config.backend, order.vivado)
    with locked_run(job, CONVERT, tools, keeps_network=True) as state:
        prepare(state, CONVERT, announce, tools)
        complete(state, {SYNTH: Step(order.step, tools)}, announce)
        return order.result(state)


def _synth_yosys(job: Job, cycles: int | None, timeout_s: float | None, announce: Announce) -> YosysRun:
    """Synthesize the network as Verilog, and place and route it where nextpnr is installed."""
    build, yosys = as_verilog(job.config), (yosys_package,)
    with locked_run(job, EXTRACT, yosys, keeps_network=True) as state:
        prepare(state, EXTRACT, announce, yosys)
        job.config.check_layers(state.spec)
        plan = plan_of(state.spec, build, cycles)
        counting = Step(lambda run: count_step(run, build, cycles, timeout_s), yosys)
        complete(state, {COUNT: counting}, announce)
        routed, missing = None, ""
        try:
            tool = find_nextpnr()
        except ToolNotFound as error:
            missing = str(error)
        else:
            routing = Step(lambda run: place_step(run, build, cycles, tool, timeout_s), yosys)
            complete(state, {ROUTE: routing}, announce)
            routed = state.result(ROUTE).values["routed"]
        counted = state.result(COUNT)
    row = counted.values["synth"]
    return YosysRun(rtl_rows(plan), plan.interval_cycles, plan.latency_cycles, row, routed, missing)


def run_trace(job: Job, output: Path, *, image: int = 0, cycles: int | None = None, announce: Announce) -> NetPlan:
    """Simulate one test image and write every signal of every cycle to a VCD file; see ``api.trace``."""
    check_target(output)
    require_all(RTLSIM_TOOLS)
    with locked_run(job, EXTRACT, keeps_network=True) as state:
        test = state.data.test
        if not 0 <= image < len(test.images):
            raise ConfigError(f"image must be 0 to {len(test.images) - 1}, got {image}")
        chosen = Split(test.images[image : image + 1], test.labels[image : image + 1])
        prepare(state, EXTRACT, announce)
        job.config.check_layers(state.spec)
        plan = plan_of(state.spec, as_verilog(job.config), cycles)
        folder = job.project / TRACE
        make(folder)
        with atomic_path(output) as partial, writing(folder):
            sources = write_design(plan, folder)
            program = compile_design(sources, folder, trace=True)
            result = simulate_rtl(program, plan, chosen.images, trace=partial)
        compared = compare_rtl(plan, sources, chosen, result, folder)
    require_equal(compared)
    return plan


def as_verilog(config: BuildConfig) -> BuildConfig:
    """Return a configuration for the Verilog route; how an HLS project is folded and typed is dropped."""
    return dataclasses.replace(config, hls=None)
