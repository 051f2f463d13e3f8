"""What tools found out about a design: numbers only, each with the stage it comes from.

``None`` stands for a number that the source does not give; it is never shown as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


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
    """

    lut: int | None = None
    lutram: int | None = None
    ff: int | None = None
    carry4: int | None = None
    muxf: int | None = None
    bram18: int | None = None
    dsp: int | None = None


@dataclass(frozen=True)
class Timing:
    """Speed of a design.

    Attributes:
        clock_ns: period asked for.
        estimated_ns: period the tool expects to reach.
        latency_cycles: smallest and largest number of cycles from first input to last output.
        interval_cycles: smallest and largest number of cycles between two images.
        slack_ns: worst slack against ``clock_ns``.
    """

    clock_ns: float | None = None
    estimated_ns: float | None = None
    latency_cycles: tuple[int, int] | None = None
    interval_cycles: tuple[int, int] | None = None
    slack_ns: float | None = None


@dataclass(frozen=True)
class SynthReport:
    """What one tool says of one design, of the whole and of each module."""

    stage: Stage
    tool: str
    version: str | None
    top: str
    part: str | None
    usage: Usage
    timing: Timing = Timing()
    available: Usage = Usage()
    modules: Mapping[str, Usage] = field(default_factory=dict)
