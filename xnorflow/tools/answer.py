"""Whether counts fit a part: what a count of each stage stands for, and the answers that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType

from xnorflow.base.resources import Band, Counts, Ratios, exactly
from xnorflow.tools.report import Slices, Stage

VIVADO = (Stage.SYNTHESISED, Stage.PLACED, Stage.ROUTED)


ORDER = (Stage.ESTIMATED, Stage.HLS, Stage.YOSYS, *VIVADO)


_SURE = (1.0, 1.0, 1.0)


# final count over the count of the stage: low, likely, high. Vivado's count falls by optimisation after
# synthesis (its own report says so); placed LUT sites were 1.06 to 1.07 times Yosys' cells on two designs
FINAL: Mapping[Stage, Mapping[str, tuple[float, float, float]]] = MappingProxyType(
    {
        Stage.YOSYS: {"lut": (0.95, 1.06, 1.12), "ff": (0.95, 1.0, 1.05)},
        Stage.SYNTHESISED: {"lut": (0.85, 0.97, 1.02), "ff": (0.90, 1.0, 1.05)},
    }
)


# The share of a part's slices that a design may likely need and still be said to fit. By nextpnr-xilinx a design
# that likely needs 47 % of them was placed, one of 68 % was not, and nothing between was tried (docs/fit.md).
PLACED_SLICES = 0.5


class Answer(str, Enum):
    """What can be said."""

    FITS = "fits"
    DOES_NOT_FIT = "does not fit"
    TOO_CLOSE = "too close to say"


def answer_of(final: Band | None, usable: int) -> Answer:
    """Return whether a final count fits, given the range that it may have; None where nothing tells."""
    if final is None:
        return Answer.TOO_CLOSE
    if final.high <= usable:
        return Answer.FITS
    return Answer.DOES_NOT_FIT if final.low > usable else Answer.TOO_CLOSE


def slices_answer(slices: Slices, available: int) -> Answer:
    """Return whether slices, counted before placing, will be enough."""
    if slices.least > available:
        return Answer.DOES_NOT_FIT
    return Answer.FITS if slices.likely <= PLACED_SLICES * available else Answer.TOO_CLOSE


def counts_answer(
    stage: Stage,
    used: Counts[int | None],
    available: Counts[int],
    slices: Slices | None = None,
    slices_available: int | None = None,
) -> Answer:
    """Return whether the counts of one stage fit the whole part: the worst answer of its resources and slices."""
    answers = list(_finals(used, FINAL.get(stage, {})).join(available, answer_of).values())
    if slices is not None and slices_available is not None:
        answers.append(slices_answer(slices, slices_available))
    return worst(answers)


def worst(answers: Iterable[Answer]) -> Answer:
    """Return the answer for all of several resources."""
    found = set(answers)
    return next(answer for answer in (Answer.DOES_NOT_FIT, Answer.TOO_CLOSE, Answer.FITS) if answer in found)


def _finals(counts: Counts[int | None], ratios: Ratios) -> Counts[Band | None]:
    """Return the range of final counts that each count stands for; a kind without a ratio stays as it is."""
    return Counts(
        *(None if count is None else exactly(count).times(*ratios.get(kind, _SURE)) for kind, count in counts.items())
    )
