"""Operators of our kernel in one cycle, counted as the headers build them (docs/kernels.md).

A test compiles a project so that its kernels count themselves, and compares.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

from xnorflow.net.folding import Folding

# from (operator, width in bits) to how many of them; the names are those of the header
Operators = Counter[tuple[str, int]]


def cycle_operators(folding: Folding, planes: int, accum_bits: int) -> Operators:
    """Return the operators that one cycle of a folded layer needs.

    Args:
        folding: neurons and inputs per cycle.
        planes: bits of one input value.
        accum_bits: width of an accumulator.
    """
    found: Operators = Counter()
    for plane in range(planes):
        found["xor_", folding.simd] += 1
        found += Counter(dict(compressor(folding.simd)))
        if plane:
            found["add", folding.simd.bit_length() + plane] += 1
    found["add", accum_bits] += 1
    found["select", accum_bits] += 1
    return Counter({key: count * folding.pe for key, count in found.items()})


@cache
def compressor(bits: int) -> tuple[tuple[tuple[str, int], int], ...]:
    """Return the operators that count the set bits of a word: full adders on thirds of it, then two trees."""
    third = -(-bits // 3)
    found = Counter({("full_adder", third): 1, ("add", bits.bit_length()): 1})
    for _ in range(2):
        found += Counter(dict(tree(third)))
    return tuple(found.items())


@cache
def tree(bits: int) -> tuple[tuple[tuple[str, int], int], ...]:
    """Return the operators of a balanced tree: a counter for every six bits, and adders."""
    if bits <= 6:
        return ((("counter", bits), 1),)
    low = 6 * ((-(-bits // 6) + 1) // 2)
    found = Counter(dict(tree(low))) + Counter(dict(tree(bits - low)))
    found["add", bits.bit_length()] += 1
    return tuple(found.items())
