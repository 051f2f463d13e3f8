"""Integer types that no input can overflow, proven from the layer shapes, and no wider than that.

A layer's largest sum is ``n_in`` times the largest input value. Where both input and weights are
single bits hls4ml's kernel counts the equal bits (0 to n_in) and then turns the count into the
sum ``2 * count - n_in``; elsewhere it adds up the signed products themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from xnorflow.config import BuildConfig
from xnorflow.spec import LayerSpec, NetSpec, ScoreSpec


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


@dataclass(frozen=True)
class LayerTypes:
    """Types of one layer: the accumulator, and the sums the threshold is compared with."""

    accum: IntType
    result: IntType


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


def input_type(spec: NetSpec) -> IntType:
    """Return the type of one input value: +1/-1, or 0 to 255."""
    return IntType(2, signed=True) if spec.input.bits == 1 else IntType(8, signed=False)


def reads_bits(spec: NetSpec, layer: LayerSpec) -> bool:
    """Whether the layer's input arrives as single bits (every layer but the first)."""
    return layer is not spec.layers[0]


def solve_types(spec: NetSpec, layer: LayerSpec) -> LayerTypes:
    """Return the narrowest types of a layer that no input overflows."""
    largest = spec.max_abs_sum(layer)
    accum = smallest_type(0, layer.n_in) if reads_bits(spec, layer) else smallest_type(-largest, largest)
    lowest, highest = -largest, largest
    if not isinstance(layer, ScoreSpec):
        # the comparison takes place in this type, and a neuron that never fires has a threshold above every sum
        lowest = min(lowest, int(layer.thresholds.min()))
        highest = max(highest, int(layer.thresholds.max()))
    return LayerTypes(accum, smallest_type(lowest, highest))


def types_of(spec: NetSpec, layer: LayerSpec, config: BuildConfig) -> LayerTypes:
    """Return the types a build uses: the solved ones, but for what ``precision`` replaces."""
    solved = solve_types(spec, layer)
    asked = config.precision.get(layer.name)
    if asked is None:
        return solved
    return LayerTypes(
        parse_type(asked.accum) if asked.accum else solved.accum,
        parse_type(asked.result) if asked.result else solved.result,
    )


def fixed_type(values: list[int], fraction_bits: int) -> FixedType:
    """Return the narrowest signed fixed-point type for values in units of ``2 ** -fraction_bits``."""
    kind = smallest_type(min(*values, -1), max(values))
    return FixedType(max(kind.bits, fraction_bits + 1), fraction_bits)


def narrower_than_needed(spec: NetSpec, config: BuildConfig) -> list[str]:
    """Return a sentence for each type of ``precision`` that some input can overflow."""
    found = []
    for layer in spec.layers:
        solved, used = solve_types(spec, layer), types_of(spec, layer, config)
        for name in ("accum", "result"):
            need, have = getattr(solved, name), getattr(used, name)
            if have.lowest > need.lowest or have.highest < need.highest:
                found.append(
                    f"precision.{layer.name}.{name} is {have.cpp}, but the layer needs {need.cpp}; "
                    "remove it from the configuration"
                )
    return found
