"""Bits in 64-bit words: XNOR and popcount, and pooling as OR."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    pass


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


def or_pool(bits: Bits, pool: tuple[int, int]) -> Bits:
    """OR over windows of shape ``pool``, dropping rows and columns that fill no window."""
    if pool == (1, 1):
        return bits
    height, width = pool
    n, rows, columns, channels = bits.shape
    cut = bits[:, : rows // height * height, : columns // width * width]
    windows = cut.reshape(n, rows // height, height, columns // width, width, channels)
    pooled: Bits = np.logical_or.reduce(windows, axis=(2, 4))
    return pooled
