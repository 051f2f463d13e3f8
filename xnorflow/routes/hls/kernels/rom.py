"""Weights as words of a ROM: word ``(group, chunk, neuron)`` holds one bit per input, +1 as 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xnorflow.net.folding import Folding


def pack_words(weights: NDArray[np.int8], folding: Folding) -> list[int]:
    """Return the words in the order in which they are read, ``pe`` of them per cycle.

    Args:
        weights: +1/-1, shape (n_in, n_out).
        folding: pe divides n_out, simd divides n_in.
    """
    n_in, n_out = weights.shape
    bits = (weights > 0).T.reshape(n_out // folding.pe, folding.pe, n_in // folding.simd, folding.simd)
    rows = np.packbits(bits.transpose(0, 2, 1, 3).reshape(-1, folding.simd), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def unpack_words(words: Sequence[int], n_in: int, n_out: int, folding: Folding) -> NDArray[np.int8]:
    """Return the weights, shape (n_in, n_out), that ``pack_words`` made words of."""
    size = -(-folding.simd // 8)
    rows = np.frombuffer(b"".join(word.to_bytes(size, "little") for word in words), np.uint8).reshape(-1, size)
    bits = np.unpackbits(rows, axis=1, count=folding.simd, bitorder="little")
    shape = (n_out // folding.pe, n_in // folding.simd, folding.pe, folding.simd)
    folded = bits.reshape(shape).transpose(0, 2, 1, 3).reshape(n_out, n_in).T
    return np.where(folded, np.int8(1), np.int8(-1))
