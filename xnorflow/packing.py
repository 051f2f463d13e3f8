"""Bit-packed evaluation of a NetSpec: XNOR and popcount on 64-bit words, in numpy alone.

For bipolar vectors x and w of n bits, with +1 stored as 1, ``x . w = n - 2 * popcount(x XOR w)``
(Courbariaux et al. 2016, "Binarized Neural Networks", arXiv:1602.02830, section 1.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from xnorflow.spec import ConvSpec, NetSpec

Words = NDArray[np.uint64]
Bits = NDArray[np.bool_]


def pack(bits: Bits) -> Words:
    """Pack the last axis into little-endian 64-bit words, padded with zeros.

    Shape (..., n) becomes (..., ceil(n / 64)).
    """
    octets = np.packbits(bits, axis=-1, bitorder="little")
    padding = -octets.shape[-1] % 8
    if padding:
        octets = np.concatenate([octets, np.zeros((*octets.shape[:-1], padding), np.uint8)], axis=-1)
    return np.ascontiguousarray(octets).view("<u8")


def xor_popcount(x: Words, weights: Words) -> NDArray[np.int32]:
    """Return the number of differing bits: x (n, words), weights (words, n_out) -> (n, n_out)."""
    counts = np.zeros((len(x), weights.shape[1]), np.int32)
    for word in range(weights.shape[0]):
        counts += np.bitwise_count(x[:, word, None] ^ weights[None, word])
    return counts


class _Matrix:
    """A bipolar weight matrix (n_in, n_out), packed once and multiplied many times."""

    def __init__(self, weights: NDArray[np.int8]) -> None:
        self.n_in = weights.shape[0]
        self.words = np.ascontiguousarray(pack(weights.T > 0).T)

    def times_bipolar(self, bits: Bits) -> NDArray[np.int64]:
        """Sums over +1/-1 inputs given as bits, shape (n, n_in) -> (n, n_out)."""
        return self.n_in - 2 * xor_popcount(pack(bits), self.words).astype(np.int64)

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
    """Evaluates a NetSpec on blocks of images, with its weights packed once."""

    def __init__(self, spec: NetSpec) -> None:
        self.spec = spec
        self.matrices = [_Matrix(layer.weights.reshape(-1, layer.n_out)) for layer in spec.layers]

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the integer scores, shape (n, n_classes)."""
        x = self._input(images)
        for index in range(len(self.spec.hidden)):
            x = self._hidden(index, x)
        return self._scores(x)

    def trace(self, images: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return each hidden layer's +1/-1 output and the scores, by layer name."""
        outputs: dict[str, NDArray[Any]] = {}
        x = self._input(images)
        for index, layer in enumerate(self.spec.hidden):
            x = self._hidden(index, x)
            outputs[layer.name] = np.where(x, np.int8(1), np.int8(-1))
        outputs[self.spec.scores.name] = self._scores(x)
        return outputs

    def _input(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        encoded = self.spec.input.encode(images)
        return encoded if self.spec.input.bits == 8 else encoded > 0

    def _times(self, index: int, x: NDArray[Any]) -> NDArray[np.int64]:
        matrix = self.matrices[index]
        return matrix.times_pixels(x) if x.dtype == np.uint8 else matrix.times_bipolar(x)

    def _hidden(self, index: int, x: NDArray[Any]) -> Bits:
        layer = self.spec.hidden[index]
        if layer.weights.ndim == 2:
            return self._times(index, x.reshape(len(x), -1)) >= layer.thresholds
        return self._convolution(index, layer, x)  # type: ignore[arg-type]

    def _convolution(self, index: int, layer: ConvSpec, x: NDArray[Any]) -> Bits:
        rows, columns, channels = layer.conv_shape(x.shape[1:])
        windows = np.lib.stride_tricks.sliding_window_view(x, layer.weights.shape[:2], axis=(1, 2))
        windows = windows[:, :: layer.strides[0], :: layer.strides[1]]
        # (n, rows, columns, channels, kh, kw) -> HWC patches, in the order of the weights
        patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, layer.n_in)
        bits = self._times(index, patches) >= layer.thresholds
        return or_pool(bits.reshape(len(x), rows, columns, channels), layer.pool)

    def _scores(self, x: NDArray[Any]) -> NDArray[np.int64]:
        return self.spec.scores.normalise(self._times(-1, x.reshape(len(x), -1)))


def or_pool(bits: Bits, pool: tuple[int, int]) -> Bits:
    """OR over windows of shape ``pool``, dropping rows and columns that fill no window."""
    if pool == (1, 1):
        return bits
    height, width = pool
    n, rows, columns, channels = bits.shape
    cut = bits[:, : rows // height * height, : columns // width * width]
    windows = cut.reshape(n, rows // height, height, columns // width, width, channels)
    pooled: Bits = windows.any(axis=(2, 4))
    return pooled
