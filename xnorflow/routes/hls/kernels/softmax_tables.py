"""Tables of a softmax: exp(-x), x from 0 on, and 1 / x, x from 1 to 2; and its sizes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# exp(-16) is nothing beside 1 in 18 bits; a difference of scores is rounded to 1/256
LARGEST_BITS, STEP_BITS = 4, 8
# fraction bits of a probability, and how many more exp(-x) has
PROBABILITY_BITS, GUARD_BITS = 16, 2
INDEX_BITS, INVERSE_BITS = 10, 17


def softmax_numbers(n_in: int, step_bits: int, fraction_bits: int) -> dict[str, int]:
    """Return the sizes of a softmax, by their names in its configuration struct.

    Args:
        n_in: scores.
        step_bits: fraction bits of a score that are looked at.
        fraction_bits: those of a probability.
    """
    return {
        "n_in": n_in,
        "exp_size": 1 << (LARGEST_BITS + step_bits),
        "exp_bits": max(fraction_bits, PROBABILITY_BITS) + GUARD_BITS,
        "inverse_size": 1 << INDEX_BITS,
        "index_bits": INDEX_BITS,
        "inverse_bits": INVERSE_BITS,
        "most_halvings": (n_in - 1).bit_length(),
        "fraction_bits": fraction_bits,
    }


def exponentials(size: int, step_bits: int, fraction_bits: int) -> NDArray[np.int64]:
    """Return exp(-x) of x = 0, 2 ** -step_bits and so on, in units of ``2 ** -fraction_bits``; the last is 0."""
    values = np.exp(-np.arange(size) * 2.0**-step_bits)
    values[-1] = 0
    units: NDArray[np.int64] = np.rint(values * 2.0**fraction_bits).astype(np.int64)
    return units


def inverses(size: int, fraction_bits: int) -> NDArray[np.int64]:
    """Return 1 / x of ``size`` numbers from 1 on, below 2, in units of ``2 ** -fraction_bits``."""
    units: NDArray[np.int64] = np.rint(2.0**fraction_bits / (1 + np.arange(size) / size)).astype(np.int64)
    return units
