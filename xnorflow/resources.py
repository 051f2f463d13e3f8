"""Counts of what runs out on an FPGA: one shape for what a part has, what a design takes, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")

# the order in which resources stand everywhere
KINDS = ("lut", "ff", "bram18", "dsp")


@dataclass(frozen=True)
class Counts(Generic[T]):
    """A value for each kind of resource: a number, a band, or None where a source does not tell (never 0 then).

    Attributes:
        lut: LUTs, as logic and as memory.
        ff: registers.
        bram18: block RAM in 18 Kb halves.
        dsp: DSP blocks.
    """

    lut: T
    ff: T
    bram18: T
    dsp: T

    @staticmethod
    def each(value: U) -> Counts[U]:
        """Return the same value for every kind."""
        return Counts(value, value, value, value)

    def __getitem__(self, kind: str) -> T:
        """Return the value of one of ``KINDS``.

        Raises:
            KeyError: another kind.
        """
        found: T = vars(self)[kind]
        return found

    def items(self) -> tuple[tuple[str, T], ...]:
        """Return kinds and their values, in the order of ``KINDS``."""
        return tuple(zip(KINDS, self.values(), strict=True))

    def values(self) -> tuple[T, T, T, T]:
        """Return the values in the order of ``KINDS``."""
        return self.lut, self.ff, self.bram18, self.dsp

    def map(self, change: Callable[[T], U]) -> Counts[U]:
        """Return what becomes of each value."""
        return Counts(change(self.lut), change(self.ff), change(self.bram18), change(self.dsp))

    def join(self, other: Counts[U], merge: Callable[[T, U], V]) -> Counts[V]:
        """Return what becomes of each value and the other's of the same kind."""
        return Counts(*(merge(one, two) for one, two in zip(self.values(), other.values(), strict=True)))

    def __add__(self, other: Counts[T]) -> Counts[T]:
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
