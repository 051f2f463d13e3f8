"""The steps of the Verilog route, from a NetSpec to counts and measured cycles."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypedDict

from xnorflow.base.device import device_of
from xnorflow.base.errors import ConfigError
from xnorflow.base.files.atomic import write_text
from xnorflow.base.processes.programs import require_tool
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.report import RtlRow, RtlSpeed, SynthRow
from xnorflow.flow.state import Compared, Run, Trace
from xnorflow.flow.step import StepResult
from xnorflow.net.spec import NetSpec
from xnorflow.routes.rtl.build import build, lint, verilator
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.simulate import simulate_rtl, write_design
from xnorflow.routes.rtl.watch import compare_rtl
from xnorflow.routes.rtl.write.network import TOP
from xnorflow.routes.rtl.write.pins import pins_module
from xnorflow.tools import nextpnr
from xnorflow.tools.report import SynthReport
from xnorflow.tools.yosys.run import plan_synthesis, run_passes, synthesize

GENERATE, RTLSIM, YOSYS = "03-generate", "04-rtlsim", "05-yosys"
# beside the route, for a network of either
COUNT, ROUTE = "06-yosys", "07-route"
DEFAULT_CYCLES = 256
# what compiles a network for simulation
RTLSIM_TOOLS: tuple[Callable[[], object], ...] = (
    verilator,
    *(partial(require_tool, name, "the RTL simulation") for name in ("make", "g++")),
)


class Generated(TypedDict):
    """What 03-generate found: the names of the Verilog files."""

    files: tuple[str, ...]


class RtlSimulated(Compared):
    """What 04-rtlsim found."""

    speed: RtlSpeed


class Counted(TypedDict):
    """What a synthesis by Yosys found."""

    synth: SynthRow


class Routed(TypedDict):
    """What placing and routing found."""

    routed: SynthReport


def plan_of(spec: NetSpec, config: BuildConfig, cycles: int | None = None) -> NetPlan:
    """Return the plan of a network: foldings as configured, or chosen for ``cycles`` where there are none.

    Raises:
        ConfigError: a folding for a layer the network does not have, or none for one it has, or
            ``cycles`` beside foldings.
    """
    if config.rtl.folding and cycles is not None:
        raise ConfigError("the configuration has foldings; take them out, or leave the number of cycles out")
    config.check_layers(spec)
    missing = [layer.name for layer in spec.layers if layer.name not in config.rtl.folding]
    if config.rtl.folding and missing:
        raise ConfigError(
            f"folding: layer {missing[0]} has none; give {{pe: P, simd: S}} for every layer, or for none"
        )
    foldings = config.rtl.folding or choose_foldings(spec, cycles if cycles is not None else DEFAULT_CYCLES)
    return plan_network(spec, foldings, registers_every=config.rtl.registers_every)


def rtl_rows(plan: NetPlan) -> tuple[RtlRow, ...]:
    """Return how each layer is folded, and its cycles by formula."""
    return tuple(
        RtlRow(layer.spec.name, layer.n_in, layer.n_out, layer.pe, layer.simd, layer.reuse_factor, layer.cycles)
        for layer in plan.layers
    )


def synth_row(report: SynthReport, config: BuildConfig) -> SynthRow:
    """Return a report's counts beside what the part has."""
    device = device_of(config.part)
    return SynthRow(
        source=report.stage.value,
        tool=f"{report.tool} {report.version or ''}".strip(),
        used=report.usage.counts,
        available=device.resources,
        depth=report.depth,
        logic_delay=report.logic_delay,
        slices=report.slices,
        slices_available=device.slices,
    )


def generate_step(run: Run) -> StepResult:
    """Write the Verilog files of the network and check them with Verilator's lint."""

    def work(trace: Trace, folder: Path) -> Generated:
        verilator()  # where it is missing nothing is written
        plan = plan_of(trace.spec, trace.config)
        sources = write_design(plan, folder / "verilog", trace.config.rtl.bram36)
        lint(sources, folder / "lint")
        return {"files": tuple(path.name for path in sources)}

    plan = plan_of(run.spec, run.config)
    step = run.step(GENERATE, work, kind=Generated)
    run.add(rtl_layers=rtl_rows(plan))
    return step


def rtlsim_step(run: Run) -> StepResult:
    """Compile the Verilog files and run every test image, back to back; compare and measure.

    Where a score differs, the first layer that does is looked for.
    """

    def work(trace: Trace, folder: Path) -> RtlSimulated:
        plan, sources, test = plan_of(trace.spec, trace.config), _verilog(trace), trace.data.test
        program = build(sources, folder)
        started = time.monotonic()
        result = simulate_rtl(program, plan, test.images)
        seconds = time.monotonic() - started
        compared = compare_rtl(plan, sources, test, result, folder, seconds)
        speed = RtlSpeed(plan.interval_cycles, result.interval_cycles, plan.latency_cycles, result.latency_cycles)
        return {"results": (compared,), "speed": speed}

    step = run.step(RTLSIM, work, kind=RtlSimulated)
    run.add(rtl_speed=step.values["speed"])
    run.add_results(step)
    return step


def yosys_step(run: Run) -> StepResult:
    """Synthesize the Verilog files for the part's family and count their cells."""

    def work(trace: Trace, folder: Path) -> Counted:
        report = synthesize(_verilog(trace), TOP, folder, part=trace.config.part)
        return {"synth": synth_row(report, trace.config)}

    step = run.step(YOSYS, work, kind=Counted)
    run.add(synth=step.values["synth"])
    return step


def _verilog(trace: Trace) -> list[Path]:
    """Return the Verilog files that GENERATE has written, in its order."""
    folder, found = trace.made(GENERATE)
    return [folder / "verilog" / name for name in found["files"]]


def count_step(run: Run, config: BuildConfig, cycles: int | None, timeout_s: float | None) -> StepResult:
    """Write the network as Verilog whatever its route, synthesize it and count its cells."""

    def work(trace: Trace, folder: Path) -> Counted:
        plan = plan_of(trace.spec, trace.config, cycles)
        sources = write_design(plan, folder / "verilog", trace.config.rtl.bram36)
        report = synthesize(sources, TOP, folder, part=trace.config.part, timeout_s=timeout_s)
        return {"synth": synth_row(report, trace.config)}

    return run.step(COUNT, work, kind=Counted, config=config, given={"cycles": cycles})


def place_step(run: Run, config: BuildConfig, cycles: int | None, tool: str, timeout_s: float | None) -> StepResult:
    """Synthesize what ``count_step`` wrote with pads, place and route it by nextpnr, and read its report."""

    def work(trace: Trace, folder: Path) -> Routed:
        counted, _ = trace.made(COUNT)
        sources = sorted((counted / "verilog").glob("*.v"))
        order = nextpnr.plan_nextpnr(tool, trace.config.part, trace.config.clock_mhz)
        pins = folder / f"{nextpnr.PINS_TOP}.v"
        write_text(pins, pins_module(plan_of(trace.spec, trace.config, cycles), TOP))
        passes = plan_synthesis([*sources, pins], nextpnr.PINS_TOP, folder, pads=True)
        run_passes(passes, folder, timeout_s=timeout_s)
        return {"routed": nextpnr.place_and_route(order, folder, trace.config.part, timeout_s)}

    return run.step(ROUTE, work, kind=Routed, config=config, given={"cycles": cycles, "tool": tool})
