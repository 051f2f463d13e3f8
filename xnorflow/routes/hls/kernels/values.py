"""What a binary layer reads: numbers ``lowest + step * u`` with ``u`` of a few bits, in whole units.

A neuron's kernel counts hits: for every input the bits of ``u`` that equal the weight's bit, bit p
worth ``2 ** p``. With weight +1 that is ``u``, with -1 it is ``largest_u - u``, so the sum of
(input x weight) is ``step * hits`` and a constant that depends on the weights alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.ints import IntType, smallest_type
from xnorflow.net.layers import LayerSpec
from xnorflow.net.spec import NetSpec


@dataclass(frozen=True)
class Values:
    """Numbers at the input of a binary layer.

    Attributes:
        planes: bits of ``u``.
        step: difference of neighbouring numbers, 1 or 2 units.
        lowest: the lowest number, in units.
        fraction_bits: a unit is ``2 ** -fraction_bits``.
    """

    planes: int
    step: int
    lowest: int
    fraction_bits: int = 0

    @property
    def largest_u(self) -> int:
        """Largest ``u``."""
        return (1 << self.planes) - 1

    @property
    def max_abs(self) -> int:
        """Largest magnitude, in units."""
        return max(abs(self.lowest), abs(self.lowest + self.step * self.largest_u))

    def constants(self, weights: NDArray[np.int8]) -> NDArray[np.int64]:
        """Return per neuron what has to be added to ``step * hits``, for weights of shape (n_in, n_out)."""
        negative = (weights < 0).sum(axis=0, dtype=np.int64)
        constants: NDArray[np.int64] = (
            self.lowest * (len(weights) - 2 * negative) - self.step * self.largest_u * negative
        )
        return constants

    def start_values(self, weights: NDArray[np.int8], thresholds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return accumulator starts: with the hits added, 0 or more exactly where the sum reaches the threshold."""
        needed = -((self.constants(weights) - thresholds) // self.step)
        return -np.clip(needed, 0, len(weights) * self.largest_u + 1)

    def thresholds(self, weights: NDArray[np.int8], starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lowest sum with which each neuron of these ``start_values`` gives +1."""
        return self.constants(weights) - self.step * starts

    def accumulator(self, n_in: int) -> IntType:
        """Return the type of a hidden neuron's accumulator: from below a threshold above every sum, to every hit."""
        most = n_in * self.largest_u
        return smallest_type(-(most + 1), most)

    def sum_range(self, weights: NDArray[np.int8]) -> tuple[int, int]:
        """Return the lowest and the highest sum of these weights, shape (n_in, n_out), in units."""
        constants = self.constants(weights)
        return int(constants.min()), int(constants.max()) + self.step * self.largest_u * len(weights)


BIPOLAR = Values(planes=1, step=2, lowest=-1)


def numbers_of(width: int, integer_bits: int, signed: bool) -> Values:
    """Return the numbers of an integer or fixed-point type; +1/-1 for ``int<2>``.

    ``int<2>`` is what hls4ml itself gives binary activations, so at the input it stands for +1/-1 too.
    """
    if signed and width == integer_bits == 2:
        return BIPOLAR
    return Values(width, 1, -(1 << (width - 1)) if signed else 0, width - integer_bits)


def values_read(spec: NetSpec, layer: LayerSpec) -> Values:
    """Return what a layer of a network reads: +1/-1, or pixels of 8 bits."""
    first = layer is spec.layers[0]
    return numbers_of(8, 8, signed=False) if first and spec.input.bits == 8 else BIPOLAR
