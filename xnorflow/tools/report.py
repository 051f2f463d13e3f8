"""What tools found out about a design: numbers only, each with the stage it comes from.

``None`` stands for a number that the source does not give; it is never shown as 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from xnorflow.base.files.plain import Count, Seconds
from xnorflow.base.resources import Counts


class Stage(str, Enum):
    """Where a number comes from, the surer the later."""

    ESTIMATED = "estimated"
    HLS = "HLS report"
    YOSYS = "Yosys"
    SYNTHESISED = "synthesised"
    PLACED = "placed"
    ROUTED = "routed"


@dataclass(frozen=True)
class Usage:
    """Cells of a design or of one module.

    Attributes:
        lut: LUTs used as logic and as memory together.
        lutram: those of ``lut`` that are memory or shift registers.
        bram18: block RAM in 18 Kb halves.
        uram: UltraRAM blocks.
    """

    lut: Count | None = None
    lutram: Count | None = None
    ff: Count | None = None
    carry4: Count | None = None
    muxf: Count | None = None
    bram18: Count | None = None
    dsp: Count | None = None
    uram: Count | None = None

    @property
    def counts(self) -> Counts[int | None]:
        """What runs out on a part."""
        return Counts(self.lut, self.ff, self.bram18, self.dsp)


@dataclass(frozen=True)
class Timing:
    """Speed of a design.

    Attributes:
        clock_ns: period asked for.
        estimated_ns: period the tool expects to reach.
        latency_cycles: smallest and largest number of cycles from first input to last output; one is None
            where a source tells the other alone.
        interval_cycles: smallest and largest number of cycles between two images, likewise.
        slack_ns: worst setup slack against ``clock_ns`` (HLS: less the clock uncertainty).
        uncertainty_ns: what HLS keeps back of the period for Vivado.
        hold_slack_ns: worst hold slack.
        pipeline: HLS pipeline type, such as "yes", "none", "dataflow" or "loop rewind(...)".
    """

    clock_ns: float | None = None
    estimated_ns: float | None = None
    latency_cycles: tuple[int | None, int | None] | None = None
    interval_cycles: tuple[int | None, int | None] | None = None
    slack_ns: float | None = None
    uncertainty_ns: float | None = None
    hold_slack_ns: float | None = None
    pipeline: str | None = None


@dataclass(frozen=True)
class Power:
    """What a power report expects, in watts."""

    total_w: float | None = None
    dynamic_w: float | None = None
    static_w: float | None = None


@dataclass(frozen=True)
class Depth:
    """The most logic between two registers, counted in a netlist: no time, let alone a clock.

    Attributes:
        lut_levels: LUTs one behind the other on any path.
        carry_chains: carry chains on any path.
        start: register or input where the deepest path begins.
        end: cell at its end.
    """

    lut_levels: Count
    carry_chains: Count
    start: str
    end: str


@dataclass(frozen=True)
class LogicDelay:
    """Yosys' own estimate of the slowest path between two registers: its cells, no wires, so no clock.

    Attributes:
        longest_ns: nanoseconds that the cells of that path take.
        start: type and name of the path's first cell.
        end: type and name of its last.
        unknown: types of cells that have no delays in the estimate, so no path through them.
    """

    longest_ns: Seconds
    start: str
    end: str
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slices:
    """Slices that a netlist needs, counted before placing.

    Attributes:
        control_sets: different triples of clock, clock enable and set/reset among its registers.
        registers: slices that the registers need by themselves.
        least: no placer can do with fewer.
        likely: with each register beside the LUT that feeds it and nothing unrelated in a slice.
    """

    control_sets: Count
    registers: Count
    least: Count
    likely: Count


@dataclass(frozen=True)
class SynthReport:
    """What one tool says of one design, of the whole and of each module.

    Attributes:
        stage: where in the flow the numbers come from.
        tool: "Vivado HLS", "Vitis HLS", "Vivado" or "Yosys".
        version: the tool's, such as "2019.2".
        top: the design.
        part: the device in the tool's own spelling; ``part_name`` gives the orderable name.
        usage: cells of the whole design.
        timing: its speed.
        available: cells of the device.
        modules: cells of each instance; one below another is named ``parent/child`` where the report
            tells.
        module_timing: speed of each instance.
        power: watts, from a power report only.
        depth: logic between registers, counted in a netlist of Yosys.
        logic_delay: Yosys' estimate of the slowest path's cells.
        slices: slices, counted in a netlist of Yosys.
    """

    stage: Stage
    tool: str
    version: str | None
    top: str
    part: str | None
    usage: Usage
    timing: Timing = Timing()
    available: Usage = Usage()
    modules: Mapping[str, Usage] = field(default_factory=dict)
    module_timing: Mapping[str, Timing] = field(default_factory=dict)
    power: Power | None = None
    depth: Depth | None = None
    logic_delay: LogicDelay | None = None
    slices: Slices | None = None

    @property
    def part_name(self) -> str | None:
        """The part as it is ordered: ``7z020clg400-1`` and ``xc7z020-clg400-1`` -> xc7z020clg400-1."""
        if self.part is None:
            return None
        name = self.part.strip().lower()
        name = name if re.match(r"x[acq]", name) else f"xc{name}"
        return re.sub(r"^(x[acq][a-z0-9]+)-(?=[a-z]{2,4}\d{3,4})", r"\1", name)
