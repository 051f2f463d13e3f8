"""Counts of what runs out on an FPGA: one shape for what a part has, what a design takes, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from xnorflow.base.errors import ConfigError

_T = TypeVar("_T")
U = TypeVar("U")
V = TypeVar("V")

# the order in which resources stand everywhere
KINDS = ("lut", "ff", "bram18", "dsp")


@dataclass(frozen=True)
class Counts(Generic[_T]):
    """A value for each kind of resource: a number, a band, or None where a source does not tell (never 0 then).

    Attributes:
        lut: LUTs, as logic and as memory.
        ff: registers.
        bram18: block RAM in 18 Kb halves.
        dsp: DSP blocks.
    """

    lut: _T
    ff: _T
    bram18: _T
    dsp: _T

    @staticmethod
    def each(value: U) -> Counts[U]:
        """Return the same value for every kind."""
        return Counts(value, value, value, value)

    def __getitem__(self, kind: str) -> _T:
        """Return the value of one of ``KINDS``.

        Raises:
            KeyError: another kind.
        """
        found: _T = vars(self)[kind]
        return found

    def items(self) -> tuple[tuple[str, _T], ...]:
        """Return kinds and their values, in the order of ``KINDS``."""
        return tuple(zip(KINDS, self.values(), strict=True))

    def values(self) -> tuple[_T, _T, _T, _T]:
        """Return the values in the order of ``KINDS``."""
        return self.lut, self.ff, self.bram18, self.dsp

    def map(self, change: Callable[[_T], U]) -> Counts[U]:
        """Return what becomes of each value."""
        return Counts(change(self.lut), change(self.ff), change(self.bram18), change(self.dsp))

    def join(self, other: Counts[U], merge: Callable[[_T, U], V]) -> Counts[V]:
        """Return what becomes of each value and the other's of the same kind."""
        return Counts(*(merge(one, two) for one, two in zip(self.values(), other.values(), strict=True)))

    def __add__(self, other: Counts[_T]) -> Counts[_T]:
        """Return the sums; what either does not tell is not told of the sum."""
        return self.join(other, _added)

    def scaled(self: Counts[int], factor: float) -> Counts[int]:
        """Return so many times as much, rounded down."""
        return self.map(lambda count: int(count * factor))

    def over(self: Counts[int], limit: Counts[int]) -> Counts[int]:
        """Return by how much each count is above its limit; 0 where it is not."""
        return self.join(limit, lambda count, most: max(0, count - most))

    def within(self: Counts[int], limit: Counts[int]) -> bool:
        """Whether no count is above its limit."""
        return self.over(limit) == NONE


def _added(one: Any, two: Any) -> Any:
    return None if one is None or two is None else one + two


# nothing of anything
NONE = Counts.each(0)


# by resource: the least, the likely and the largest factor from one count to another
Ratios = Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True)
class Band:
    """A count with the range it may really have."""

    low: int
    likely: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.likely <= self.high:
            raise ConfigError(f"a band must rise from 0 on, got {self.low}, {self.likely}, {self.high}")

    def __add__(self, other: Band) -> Band:
        return Band(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def at(self, level: str) -> int:
        """Return the count at ``low``, ``likely`` or ``high``."""
        return {"low": self.low, "likely": self.likely, "high": self.high}[level]

    def times(self, low: float, likely: float, high: float) -> Band:
        """Return the band of the product with an independent factor.

        The factor's range and the band's own are independent errors, so they add in quadrature of
        logarithms: ``ln(high / likely)**2`` of the two are summed, and likewise below.
        """
        middle = self.likely * likely
        ends = [math.log(max(1, count)) for count in (self.low, self.likely, self.high)]
        above = math.hypot(ends[2] - ends[1], math.log(high / likely))
        below = math.hypot(ends[1] - ends[0], math.log(likely / low))
        low, high = middle * math.exp(-below), middle * math.exp(above)
        # logarithms may turn 660 into 660.0000001
        return Band(int(low + 1e-6), round(middle), max(round(middle), math.ceil(high - 1e-6)))


def exactly(value: int) -> Band:
    """Return the band of a count that is known."""
    return Band(value, value, value)


NO_CELLS = Counts.each(exactly(0))


def counts_at(bands: Counts[Band], level: str) -> Counts[int]:
    """Return the counts at the ``low``, ``likely`` or ``high`` end of their bands."""
    return bands.map(lambda band: band.at(level))
