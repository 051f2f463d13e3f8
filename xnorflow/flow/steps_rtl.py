"""The steps of the Verilog route, from a NetSpec to counts and measured cycles."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypedDict

from xnorflow.base.device import device_of, part_values
from xnorflow.base.errors import ConfigError
from xnorflow.base.files.atomic import write_text
from xnorflow.base.processes.programs import require_tool
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.job import Compared, Run
from xnorflow.flow.report import RtlRow, RtlSpeed, SynthRow
from xnorflow.flow.step import StepResult
from xnorflow.net.spec import NetSpec
from xnorflow.net.spec_file import spec_sha256
from xnorflow.routes.rtl.build import build, lint, verilator
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.simulate import simulate_rtl, write_design
from xnorflow.routes.rtl.watch import compare_rtl
from xnorflow.routes.rtl.write.network import TOP
from xnorflow.routes.rtl.write.pins import pins_module
from xnorflow.sources.data.sets import Split
from xnorflow.tools import nextpnr
from xnorflow.tools.report import SynthReport
from xnorflow.tools.yosys.run import plan_synthesis, run_passes, synthesize

GENERATE, RTLSIM, YOSYS = "03-generate", "04-rtlsim", "05-yosys"
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


def write_verilog(plan: NetPlan, config: BuildConfig, folder: Path) -> Generated:
    """Write the Verilog files into ``folder / "verilog"`` and check them with Verilator's lint."""
    verilator()  # where it is missing nothing is written
    sources = write_design(plan, folder / "verilog", config.rtl.bram36)
    lint(sources, folder / "lint")
    return {"files": tuple(path.name for path in sources)}


def simulate_verilog(plan: NetPlan, sources: list[Path], test: Split, folder: Path) -> RtlSimulated:
    """Compile the Verilog files and run every test image, back to back; compare and measure.

    Where a score differs, the first layer that does is looked for.
    """
    program = build(sources, folder)
    started = time.monotonic()
    result = simulate_rtl(program, plan, test.images)
    seconds = time.monotonic() - started
    compared = compare_rtl(plan, sources, test, result, folder, seconds)
    speed = RtlSpeed(plan.interval_cycles, result.interval_cycles, plan.latency_cycles, result.latency_cycles)
    return {"results": (compared,), "speed": speed}


def count_cells(config: BuildConfig, sources: list[Path], folder: Path) -> Counted:
    """Synthesize the Verilog files and count their cells."""
    report = synthesize(sources, TOP, folder, part=config.part)
    return {"synth": synth_row(report, config)}


def count_plan(plan: NetPlan, config: BuildConfig, folder: Path, timeout_s: float | None) -> Counted:
    """Write the Verilog files into ``folder / "verilog"``, synthesize them and count their cells."""
    sources = write_design(plan, folder / "verilog", config.rtl.bram36)
    report = synthesize(sources, TOP, folder, part=config.part, timeout_s=timeout_s)
    return {"synth": synth_row(report, config)}


def place_plan(
    plan: NetPlan, config: BuildConfig, sources: list[Path], tool: str, folder: Path, timeout_s: float | None
) -> Routed:
    """Synthesize the files with pads, place and route them by nextpnr, and read its report."""
    order = nextpnr.plan_nextpnr(tool, config.part, config.clock_mhz)
    pins = folder / f"{nextpnr.PINS_TOP}.v"
    write_text(pins, pins_module(plan, TOP))
    run_passes(plan_synthesis([*sources, pins], nextpnr.PINS_TOP, folder, pads=True), folder, timeout_s=timeout_s)
    return {"routed": nextpnr.place_and_route(order, folder, config.part, timeout_s)}


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
    """Write the Verilog files of the network."""
    plan = plan_of(run.spec, run.config)
    inputs = {"spec": spec_sha256(run.spec), "settings": dataclasses.asdict(run.config.rtl)}
    step = run.step(GENERATE, inputs, lambda folder: write_verilog(plan, run.config, folder), kind=Generated)
    run.add(rtl_layers=rtl_rows(plan))
    return step


def _verilog(run: Run) -> tuple[list[Path], dict[str, str]]:
    """Return the Verilog files, and the hash of each."""
    result, folder = run.result(GENERATE), run.job.project / GENERATE / "verilog"
    hashes = {name: digest for name, digest in result.files.items() if name.startswith("verilog")}
    return [folder / name for name in result.values["files"]], hashes


def rtlsim_step(run: Run) -> StepResult:
    """Simulate the Verilog files cycle by cycle on every test image."""
    sources, hashes = _verilog(run)
    plan = plan_of(run.spec, run.config)
    inputs = {"files": hashes, "data": run.data.sha256}
    step = run.step(
        RTLSIM, inputs, lambda folder: simulate_verilog(plan, sources, run.data.test, folder), kind=RtlSimulated
    )
    run.add(rtl_speed=step.values["speed"])
    run.add_results(step)
    return step


def yosys_step(run: Run) -> StepResult:
    """Synthesize the Verilog files for the part's family and count their cells."""
    sources, hashes = _verilog(run)
    inputs = {"files": hashes, **part_values(run.config.part)}
    step = run.step(YOSYS, inputs, lambda folder: count_cells(run.config, sources, folder), kind=Counted)
    run.add(synth=step.values["synth"])
    return step
