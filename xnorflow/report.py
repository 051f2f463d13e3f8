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


@dataclass(frozen=True)
class LayerMismatch:
    """Where an implementation first departs from the golden model.

    Attributes:
        layer: name of the first layer that differs.
        what: "sums" or "outputs".
        compared: values of that layer that were compared.
        differing: how many of them differ.
        first: the first of them as (image, value within the layer, expected, got).
        advice: what in the configuration would mend it.
    """

    layer: str
    what: str
    compared: int
    differing: int
    first: tuple[tuple[int, int, int, int], ...]
    advice: str


@dataclass(frozen=True)
class SimResult:
    """How one implementation did on the test images, against the golden model.

    Attributes:
        source: which implementation: "Keras", "golden model", "C simulation, library", ...
        images: how many were run.
        accuracy: share of them classified rightly.
        classes_differ: images whose class is not the golden model's.
        scores_differ: images with any score that is not the golden model's.
        seconds: what the run took, without compilation; None where it was not measured.
        mismatch: where the difference begins; None where there is none or it was not sought.
    """

    source: str
    images: int
    accuracy: float
    classes_differ: int
    scores_differ: int
    seconds: float | None = None
    mismatch: LayerMismatch | None = None

    @property
    def agrees(self) -> bool:
        """Whether every score of every image equals the golden model's."""
        return self.scores_differ == 0 and self.classes_differ == 0
