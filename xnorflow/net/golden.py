"""The golden model, bit-packed: XNOR and popcount on 64-bit words, in numpy alone.

For bipolar vectors x and w of n bits, with +1 stored as 1, ``x . w = n - 2 * popcount(x XOR w)``
(Courbariaux et al. 2016, "Binarized Neural Networks", arXiv:1602.02830, section 1.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.net.bits import Bits, or_pool, pack, xor_popcount
from xnorflow.net.inputs import InputSpec
from xnorflow.net.layers import ConvSpec, HiddenSpec, ScoreSpec

# Images per block: keeps one layer's packed words and counts inside the second-level cache.
BLOCK = 64


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """What one layer computes for n images.

    Attributes:
        sums: int64 sums before threshold or normalisation, shape (n, ..., n_out), before pooling.
        output: +1/-1 of a hidden layer after pooling, or the scores.
    """

    sums: NDArray[np.int64]
    output: NDArray[Any]


class _Matrix:
    """A bipolar weight matrix (n_in, n_out), packed once and multiplied many times."""

    def __init__(self, weights: NDArray[np.int8]) -> None:
        self.n_in = weights.shape[0]
        self.words = np.ascontiguousarray(pack(weights.T > 0).T)

    def times_bipolar(self, bits: Bits) -> NDArray[np.int64]:
        """Sums over +1/-1 inputs given as bits, shape (n, n_in) -> (n, n_out)."""
        sums: NDArray[np.int64] = self.n_in - 2 * xor_popcount(pack(bits), self.words).astype(np.int64)
        return sums

    def times_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Sums over 8-bit inputs, one bit plane at a time, shape (n, n_in) -> (n, n_out).

        A plane b of 0/1 bits is half the sum of the bipolar vectors (2b - 1) and all ones, so
        ``b . w = ((2b - 1) . w + 1 . w) / 2``, and both products are XNOR and popcount.
        """
        ones = self.times_bipolar(np.ones((1, self.n_in), np.bool_))
        total = np.zeros((len(pixels), self.words.shape[1]), np.int64)
        for bit in range(8):
            plane = ((pixels >> bit) & 1).astype(np.bool_)
            total += ((self.times_bipolar(plane) + ones) // 2) << bit
        return total


class Evaluator:
    """Evaluates the layers of a network on blocks of images, with its weights packed once."""

    def __init__(self, reads: InputSpec, hidden: Sequence[HiddenSpec], scores: ScoreSpec) -> None:
        self.reads, self.hidden, self.last = reads, hidden, scores
        self.layers = (*hidden, scores)
        self.matrices = [_Matrix(layer.weights.reshape(-1, layer.n_out)) for layer in self.layers]

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the integer scores, shape (n, n_classes)."""
        blocks = [self._block_scores(images[i : i + BLOCK]) for i in range(0, len(images), BLOCK)]
        return np.concatenate([np.zeros((0, self.last.n_out), np.int64), *blocks])

    def _block_scores(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        x = self._input(images)
        for index, layer in enumerate(self.hidden):
            x = self._fire(layer, self._sums(index, x))
        return self.last.normalise(self._sums(-1, x))

    def trace(self, images: NDArray[np.uint8]) -> dict[str, LayerTrace]:
        """Return what every layer computes, by layer name."""
        traces: dict[str, LayerTrace] = {}
        x = self._input(images)
        for index, layer in enumerate(self.hidden):
            sums = self._sums(index, x)
            x = self._fire(layer, sums)
            traces[layer.name] = LayerTrace(sums, np.where(x, np.int8(1), np.int8(-1)))
        sums = self._sums(-1, x)
        traces[self.last.name] = LayerTrace(sums, self.last.normalise(sums))
        return traces

    def _input(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        encoded = self.reads.encode(images)
        return encoded if self.reads.bits == 8 else encoded > 0

    def _times(self, index: int, x: NDArray[Any]) -> NDArray[np.int64]:
        matrix = self.matrices[index]
        return matrix.times_pixels(x) if x.dtype == np.uint8 else matrix.times_bipolar(x)

    def _sums(self, index: int, x: NDArray[Any]) -> NDArray[np.int64]:
        """Sums before the threshold: (n, n_out), or (n, rows, columns, n_out) of a convolution."""
        layer = self.layers[index]
        if not isinstance(layer, ConvSpec):
            return self._times(index, x.reshape(len(x), -1))
        sums = self._times(index, _patches(layer, x))
        return sums.reshape(len(x), *layer.conv_shape(x.shape[1:]))

    @staticmethod
    def _fire(layer: HiddenSpec, sums: NDArray[np.int64]) -> Bits:
        bits: Bits = sums >= layer.thresholds
        return or_pool(bits, layer.pool) if isinstance(layer, ConvSpec) else bits


def _patches(layer: ConvSpec, x: NDArray[Any]) -> NDArray[Any]:
    """Return the window under every kernel position, (n * rows * columns, n_in) in HWC order."""
    height, width = layer.weights.shape[:2]
    # over all axes, as numpy's types know no tuple of axes: (n, rows, columns, 1, 1, kh, kw, channels)
    windows = np.lib.stride_tricks.sliding_window_view(x, (1, height, width, x.shape[3]))
    strided: NDArray[Any] = windows[:, :: layer.strides[0], :: layer.strides[1]]
    return strided.reshape(-1, layer.n_in)
