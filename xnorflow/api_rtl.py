"""The public Python functions behind ``synth --backend yosys`` and ``trace``."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow import api
from xnorflow.backends.nextpnr import find_nextpnr
from xnorflow.backends.yosys import yosys_package
from xnorflow.compare import require_equal
from xnorflow.config import BuildConfig
from xnorflow.data import Split
from xnorflow.device import part_values
from xnorflow.errors import ConfigError, ToolNotFound
from xnorflow.files import atomic_path, check_target, writing
from xnorflow.flow import Announce, Step, complete, hold, prepare
from xnorflow.folders import make
from xnorflow.job import EXTRACT, Run
from xnorflow.report import SynthReport
from xnorflow.rtl import NetPlan
from xnorflow.rtl.simulate import run as simulate
from xnorflow.rtl.simulate import write_design
from xnorflow.rtl.verilator import build as compile_design
from xnorflow.rtl.watch import compare_rtl
from xnorflow.runreport import RtlRow, SynthRow
from xnorflow.specfile import spec_sha256
from xnorflow.steps import StepResult
from xnorflow.steps_rtl import RTLSIM_TOOLS, Counted, Routed, plan_of, route_step, rtl_rows, synth_step
from xnorflow.tools import check_time_limit, require_all

YOSYS, ROUTE, TRACE = "06-yosys", "07-route", "trace"


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


def synth_yosys(
    config: str | Path | BuildConfig,
    *,
    cycles: int | None = None,
    timeout_s: float | None = None,
    announce: Announce = lambda step: None,
    **options: Any,
) -> YosysRun:
    """Synthesize a project's network as Verilog, and place and route it where nextpnr is installed.

    Args:
        config: a YAML file or a BuildConfig, of either route.
        cycles: cycles per image to fold for; by default the configuration's foldings, or 256.
        timeout_s: time limit of each program.
        announce: called after each step.
        **options: as ``api.make_job`` takes them.

    Raises:
        ConfigError: foldings that cannot be, ``cycles`` where the configuration has foldings, or a time limit
            that is none.
        ToolNotFound: Yosys is missing.
        ToolFailed: a program failed.
    """
    check_time_limit(timeout_s)
    job = api.make_job(config, **options).keeping_network()
    build, yosys = as_verilog(job.config), (yosys_package,)
    with hold(job, EXTRACT, yosys) as state:
        prepare(state, EXTRACT, announce, yosys)
        job.config.check_layers(state.spec)
        plan = plan_of(state.spec, build, cycles)
        inputs = _inputs(plan, build)

        def count(run: Run) -> StepResult:
            return run.step(YOSYS, inputs, lambda folder: synth_step(plan, build, folder, timeout_s), kind=Counted)

        complete(state, {YOSYS: Step(count, yosys)}, announce)
        routed, missing = None, ""
        try:
            tool = find_nextpnr()
        except ToolNotFound as error:
            missing = str(error)
        else:
            sources = sorted((job.project / YOSYS / "verilog").glob("*.v"))

            def route(run: Run) -> StepResult:
                wanted = {**inputs, "tool": tool, "clock_mhz": build.clock_mhz}

                def work(folder: Path) -> Routed:
                    return route_step(plan, build, sources, tool, folder, timeout_s)

                return run.step(ROUTE, wanted, work, kind=Routed)

            complete(state, {ROUTE: Step(route, yosys)}, announce)
            routed = state.result(ROUTE).values["routed"]
        counted = state.result(YOSYS)
    synth = counted.values["synth"]
    return YosysRun(rtl_rows(plan), plan.interval_cycles, plan.latency_cycles, synth, routed, missing)


def _inputs(plan: NetPlan, build: BuildConfig) -> dict[str, Any]:
    settings = {"bram36": build.rtl.bram36, "registers_every": build.rtl.registers_every}
    folding = {layer.spec.name: [layer.pe, layer.simd] for layer in plan.layers}
    return {"spec": spec_sha256(plan.spec), "folding": folding, **settings, **part_values(build.part)}


def trace(
    config: str | Path | BuildConfig,
    output: str | Path,
    *,
    image: int = 0,
    cycles: int | None = None,
    announce: Announce = lambda step: None,
    **options: Any,
) -> NetPlan:
    """Simulate one test image and write every signal of every cycle to a VCD file.

    Args:
        config: a YAML file or a BuildConfig, of either route.
        output: the VCD file.
        image: number of the test image.
        cycles: as for ``synth_yosys``.
        announce: called after each step that its network needs.
        **options: as ``api.make_job`` takes them.

    Raises:
        ConfigError: there is no such image.
        DataError: the file can't be written, said before the work.
        Mismatch: the simulated scores are not the golden model's; the first layer that differs is named.
        ToolNotFound: Verilator, make or g++ is missing.
    """
    check_target(output)
    require_all(RTLSIM_TOOLS)
    job = api.make_job(config, **options).keeping_network()
    with hold(job, EXTRACT) as state:
        test = state.data.test
        if not 0 <= image < len(test.images):
            raise ConfigError(f"image must be 0 to {len(test.images) - 1}, got {image}")
        chosen = Split(test.images[image : image + 1], test.labels[image : image + 1])
        prepare(state, EXTRACT, announce)
        job.config.check_layers(state.spec)
        plan = plan_of(state.spec, as_verilog(job.config), cycles)
        folder = job.project / TRACE
        make(folder)
        with atomic_path(Path(output)) as partial, writing(folder):
            sources = write_design(plan, folder)
            program = compile_design(sources, folder, trace=True)
            result = simulate(program, plan, chosen.images, trace=partial)
        compared = compare_rtl(plan, sources, chosen, result, folder)
    require_equal(compared)
    return plan


def as_verilog(config: BuildConfig) -> BuildConfig:
    """Return a configuration for the Verilog route; how an HLS project is folded and typed is dropped."""
    return dataclasses.replace(config, hls=None)
