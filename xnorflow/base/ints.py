"""Integer and fixed-point types of C++, and the narrowest ones for given numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class IntType:
    """An integer type of a number of bits."""

    bits: int
    signed: bool

    @property
    def lowest(self) -> int:
        """Smallest value it holds."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """Largest value it holds."""
        return (1 << (self.bits - 1 if self.signed else self.bits)) - 1

    @property
    def cpp(self) -> str:
        """Name in C++."""
        return f"ap_{'' if self.signed else 'u'}int<{self.bits}>"

    @property
    def hls4ml(self) -> str:
        """Name in an hls4ml configuration."""
        return self.cpp.removeprefix("ap_")


@dataclass(frozen=True)
class FixedType:
    """A signed fixed-point type: ``bits`` in all, ``fraction_bits`` of them behind the point."""

    bits: int
    fraction_bits: int

    @property
    def hls4ml(self) -> str:
        """Name in an hls4ml configuration."""
        return f"fixed<{self.bits},{self.bits - self.fraction_bits}>"


def smallest_type(lowest: int, highest: int) -> IntType:
    """Return the narrowest type that holds every integer from ``lowest`` to ``highest``."""
    if lowest >= 0:
        return IntType(max(1, highest.bit_length()), signed=False)
    return IntType(1 + max(max(highest, 0).bit_length(), (-lowest - 1).bit_length()), signed=True)


def parse_type(text: str) -> IntType:
    """Return the type that a C++ name such as ``ap_int<11>`` stands for."""
    match = re.fullmatch(r"ap_(u?)int<(\d+)>", text)
    if match is None:
        raise ValueError(f"not an integer type: {text}")
    return IntType(int(match[2]), signed=not match[1])


def fixed_type(values: list[int], fraction_bits: int) -> FixedType:
    """Return the narrowest signed fixed-point type for values in units of ``2 ** -fraction_bits``."""
    kind = smallest_type(min(*values, -1), max(values))
    return FixedType(max(kind.bits, fraction_bits + 1), fraction_bits)
