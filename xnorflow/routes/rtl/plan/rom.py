"""Weight memories: which bits stand in block RAM and which in LUTs, and their Verilog.

A memory holds the columns of the weight words that differ: a bit that is the same in every word is
wiring, and a bit that is the same as another one in every word shares its column. Each block RAM is an
array of its own. So what a synthesis finds to build is what is planned here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xnorflow.base.arrays import Integers
from xnorflow.base.device import RAMB18_RATIOS
from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.weights import BitMatrix, weight_bits

# Up to this depth a LUT holds a bit of every word.
LUT_DEPTH = 64
# Up to this depth one with two outputs holds a bit of every word twice.
PAIR_DEPTH = 32
# LUTs that are given up for a RAMB18
LUTS_PER_BLOCK = 12
# sources of constant bits
ZERO, ONE = -1, -2


@dataclass(frozen=True, eq=False)
class Memory:
    """The weight memory of one layer.

    Attributes:
        columns: what it holds, shape (words, columns).
        source: for each bit of a word its column, or ``ZERO`` or ``ONE``.
        start_columns: the last columns, which hold start values.
        block_columns: the first columns, which stand in block RAM; the others are LUTs.
    """

    columns: BitMatrix
    source: Integers
    start_columns: int
    block_columns: int = 0

    @property
    def words(self) -> int:
        """Words."""
        return int(self.columns.shape[0])

    @property
    def lut_columns(self) -> int:
        """Columns in LUTs."""
        return int(self.columns.shape[1]) - self.block_columns

    @property
    def bram18(self) -> int:
        """RAMB18."""
        return blocks_of(self.block_columns, self.words)


def memory_of(layer: LayerPlan) -> Memory:
    """Return the weight memory of a layer, all of it in LUTs."""
    bits = weight_bits(layer)
    packed = np.ascontiguousarray(np.packbits(bits, axis=0).T)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, same = np.unique(keys, return_index=True, return_inverse=True)
    first_of: Integers = first[same.ravel()]
    constant = (bits == bits[0]).all(axis=0)
    held = np.flatnonzero((first_of == np.arange(len(keys))) & ~constant)
    place = np.full(len(keys), ZERO, np.int64)
    place[held] = np.arange(len(held))
    source = np.where(constant, np.where(bits[0] == 1, ONE, ZERO), place[first_of])
    return Memory(bits[:, held], source, int((held >= layer.pe * layer.simd).sum()))


def block_of(words: int) -> tuple[int, int]:
    """Return the columns that a block of memory holds, ``words`` deep, and the RAMB18 that it takes: one."""
    for width, depth in RAMB18_RATIOS:
        if words <= depth:
            return width, 1
    return 1, -(-words // RAMB18_RATIOS[-1][1])


def blocks_of(columns: int, words: int) -> int:
    """Return the RAMB18 of so many columns."""
    width, each = block_of(words)
    return -(-columns // width) * each


def columns_in(blocks: int, words: int) -> int:
    """Return the columns that so many RAMB18 hold."""
    width, each = block_of(words)
    return blocks // each * width


@dataclass(frozen=True)
class Rom:
    """The columns of a weight memory as their cost depends on them.

    Attributes:
        words: words.
        columns: columns.
        starts: of these, the last ones, start values.
        luts: LUTs of a column of more than 32 words: one per 64 words.
        start_luts: LUTs of a column of start values, which are 0 but in a group's first word.
    """

    words: int
    columns: int
    starts: int
    luts: int
    start_luts: int

    def luts_beside(self, held: int) -> int:
        """Return the LUTs of the columns that are left where ``held`` columns stand in block RAM."""
        left = self.columns - held
        if self.words <= PAIR_DEPTH:
            return -(-left // 2)
        starts = min(left, self.starts)
        return (left - starts) * self.luts + starts * self.start_luts

    def saved(self, held: int) -> float:
        """Return the LUTs per RAMB18 that the next block saves where ``held`` columns stand in block RAM."""
        width, each = block_of(self.words)
        return (self.luts_beside(held) - self.luts_beside(min(self.columns, held + width))) / each

    @property
    def block_columns(self) -> int:
        """Columns whose blocks save more than ``LUTS_PER_BLOCK`` each."""
        width, _ = block_of(self.words)
        held = -(-self.columns // width) * width
        while held and self.saved(held - width) <= LUTS_PER_BLOCK:
            held -= width
        return min(held, self.columns)


def wired_inputs(memory: Memory, pe: int, simd: int) -> int:
    """Return how many inputs meet a weight that is always -1: of a memory of one word, those that are looked at."""
    return int((memory.source[: pe * simd].reshape(simd, pe) == ONE).any(axis=1).sum())


def rom_of(layer: LayerPlan, columns: int, starts: int) -> Rom:
    """Return the weight memory of a layer with so many columns, of which so many hold start values."""
    words, chunks, groups = layer.reuse_factor, layer.chunks, layer.groups
    luts = -(-(1 << (words - 1).bit_length()) // LUT_DEPTH)
    # of an array where chunks are a power of two, one LUT sees for all columns that it is the first one
    sparse = -(-groups // 32) if chunks & (chunks - 1) == 0 else 1 + groups // 4
    return Rom(words, columns, starts, luts, luts if chunks == 1 else min(luts, sparse))


def choose_memories(layers: Sequence[LayerPlan], bram36: float) -> list[Memory]:
    """Give block RAM, as far as ``bram36`` goes, block by block to the memory where it saves most LUTs."""
    halves, memories = int(2 * bram36), [memory_of(layer) for layer in layers]
    roms = [
        rom_of(layer, one.columns.shape[1], one.start_columns) for layer, one in zip(layers, memories, strict=True)
    ]
    held = [0] * len(roms)
    while True:
        savings = [
            rom.saved(now) if block_of(rom.words)[1] <= halves else 0 for rom, now in zip(roms, held, strict=True)
        ]
        best = max(range(len(roms)), key=savings.__getitem__)
        if savings[best] <= LUTS_PER_BLOCK:
            return [replace(memory, block_columns=now) for memory, now in zip(memories, held, strict=True)]
        width, each = block_of(roms[best].words)
        held[best] = min(roms[best].columns, held[best] + width)
        halves -= each
