"""Integer types that no input can overflow, proven from the layer shapes, and no wider than that.

A layer's largest sum is ``n_in`` times the largest input value. Where both input and weights are
single bits hls4ml's kernel counts the equal bits (0 to n_in) and then turns the count into the
sum ``2 * count - n_in``; elsewhere it adds up the signed products themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from xnorflow.base.ints import IntType, parse_type, smallest_type
from xnorflow.net.layers import LayerSpec, ScoreSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.kernels.values import values_read
from xnorflow.routes.hls.settings import XNOR, HlsSettings


@dataclass(frozen=True)
class LayerTypes:
    """Types of one layer: the accumulator, and the sums the threshold is compared with."""

    accum: IntType
    result: IntType


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


def types_of(spec: NetSpec, layer: LayerSpec, settings: HlsSettings) -> LayerTypes:
    """Return the types a build uses: the solved ones, but for what ``precision`` replaces.

    Our own kernel compares with 0 in its accumulator, which is thereby the type of the sums as well.
    """
    if settings.kernel == XNOR:
        return LayerTypes(*[_accumulator(spec, layer)] * 2)
    solved = solve_types(spec, layer)
    asked = settings.precision.get(layer.name)
    if asked is None:
        return solved
    return LayerTypes(
        parse_type(asked.accum) if asked.accum else solved.accum,
        parse_type(asked.result) if asked.result else solved.result,
    )


def _accumulator(spec: NetSpec, layer: LayerSpec) -> IntType:
    values = values_read(spec, layer)
    if not isinstance(layer, ScoreSpec):
        return values.accumulator(layer.n_in)
    lowest, highest = values.sum_range(layer.weights)
    return smallest_type(min(lowest, -1), highest)
