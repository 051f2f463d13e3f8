"""The Verilog route: what its three steps do, from a NetSpec to counts and measured cycles."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypedDict

from xnorflow.backends import nextpnr
from xnorflow.backends.yosys import plan_synthesis, run_passes, synthesize
from xnorflow.config import BuildConfig
from xnorflow.data import Split
from xnorflow.device import device_of
from xnorflow.errors import ConfigError
from xnorflow.files import write_text
from xnorflow.job import Compared
from xnorflow.report import SynthReport
from xnorflow.rtl import TOP, NetPlan, choose_foldings, plan_network
from xnorflow.rtl.simulate import run, write_design
from xnorflow.rtl.verilator import build, lint, verilator
from xnorflow.rtl.watch import compare_rtl
from xnorflow.runreport import RtlRow, RtlSpeed, SynthRow
from xnorflow.spec import NetSpec
from xnorflow.tools import require_tool

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


def generate_step(plan: NetPlan, config: BuildConfig, folder: Path) -> Generated:
    """Write the Verilog files into ``folder / "verilog"`` and check them with Verilator's lint."""
    verilator()  # where it is missing nothing is written
    sources = write_design(plan, folder / "verilog", config.rtl.bram36)
    lint(sources, folder / "lint")
    return {"files": tuple(path.name for path in sources)}


def rtlsim_step(plan: NetPlan, sources: list[Path], test: Split, folder: Path) -> RtlSimulated:
    """Compile the Verilog files and run every test image, back to back; compare and measure.

    Where a score differs, the first layer that does is looked for.
    """
    program = build(sources, folder)
    started = time.monotonic()
    result = run(program, plan, test.images)
    seconds = time.monotonic() - started
    compared = compare_rtl(plan, sources, test, result, folder, seconds)
    speed = RtlSpeed(plan.interval_cycles, result.interval_cycles, plan.latency_cycles, result.latency_cycles)
    return {"results": (compared,), "speed": speed}


def yosys_step(config: BuildConfig, sources: list[Path], folder: Path) -> Counted:
    """Synthesize the Verilog files and count their cells."""
    report = synthesize(sources, TOP, folder, part=config.part)
    return {"synth": synth_row(report, config)}


def synth_step(plan: NetPlan, config: BuildConfig, folder: Path, timeout_s: float | None) -> Counted:
    """Write the Verilog files into ``folder / "verilog"``, synthesize them and count their cells."""
    sources = write_design(plan, folder / "verilog", config.rtl.bram36)
    report = synthesize(sources, TOP, folder, part=config.part, timeout_s=timeout_s)
    return {"synth": synth_row(report, config)}


def route_step(
    plan: NetPlan, config: BuildConfig, sources: list[Path], tool: str, folder: Path, timeout_s: float | None
) -> Routed:
    """Synthesize the files with pads, place and route them by nextpnr, and read its report."""
    order = nextpnr.plan_nextpnr(tool, config.part, config.clock_mhz)
    pins = folder / f"{nextpnr.TOP}.v"
    write_text(pins, nextpnr.pins_module(plan, TOP))
    run_passes(plan_synthesis([*sources, pins], nextpnr.TOP, folder, pads=True), folder, timeout_s=timeout_s)
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
