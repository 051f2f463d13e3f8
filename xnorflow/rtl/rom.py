"""Weight memories: which bits stand in block RAM and which in LUTs, and their Verilog.

A memory holds the columns of the weight words that differ: a bit that is the same in every word is
wiring, and a bit that is the same as another one in every word shares its column. So what a
synthesis finds to build is what is planned here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xnorflow.device import bram18_bits, bram18_blocks
from xnorflow.rtl.plan import LayerPlan
from xnorflow.rtl.text import WIDTH, literal, unused
from xnorflow.rtl.weights import Bits, Integers, weight_bits

# Up to this depth a LUT holds a bit of every word.
LUT_DEPTH = 64
# LUTs that are given up for a RAMB18
LUTS_PER_BLOCK = 18
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

    columns: Bits
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
        """RAMB18 blocks."""
        return bram18_blocks(self.block_columns, self.words)


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


def blocks_wanted(columns: int, depth: int) -> int:
    """Return the RAMB18 blocks that a memory is worth: the last one not for what a few LUTs hold as well."""
    blocks = bram18_blocks(columns, depth)
    if blocks and (columns - bram18_bits(blocks - 1, depth)) * -(-depth // LUT_DEPTH) <= LUTS_PER_BLOCK:
        return blocks - 1
    return blocks


def choose_memories(layers: Sequence[LayerPlan], bram36: float) -> list[Memory]:
    """Give block RAM, as far as ``bram36`` goes, to the memories that would cost most LUTs per bit."""
    halves = int(2 * bram36)
    memories = [memory_of(layer) for layer in layers]
    for index in sorted(range(len(layers)), key=lambda index: -memories[index].words):
        memory = memories[index]
        given = min(blocks_wanted(memory.lut_columns, memory.words), halves)
        in_blocks = min(memory.lut_columns, bram18_bits(given, memory.words))
        memories[index] = replace(memory, block_columns=in_blocks)
        halves -= memories[index].bram18
    return memories


def rom_module(layer: LayerPlan, memory: Memory) -> str:
    """Return the weight memory of a layer: one word per address, one cycle later."""
    block, count = memory.block_columns, memory.block_columns + memory.lut_columns
    lines = [
        f"// Weights of layer {layer.index}: {memory.words} words of {layer.word_bits} bits, each {layer.pe} rows of",
        f"// {layer.simd} weights (1 for -1), then {layer.pe} start values of {layer.sum_bits} bits. Stored are",
        f"// the {count} different columns, {block} of them in block RAM.",
        f"module rom_{layer.name} (",
        "    input  wire clk,",
        f"    input  wire [{layer.address_bits - 1}:0] address,",
        f"    output wire [{layer.word_bits - 1}:0] word",
        ");",
    ]
    parts = []
    if block:
        lines += _memory("block", memory.columns[:, :block], layer.address_bits)
        parts.append("block_q")
    if memory.lut_columns:
        lines += _memory("logic", memory.columns[:, block:], layer.address_bits)
        parts.insert(0, "logic_q")
    if parts:
        lines.append(f"    wire [{count - 1}:0] columns = {{{', '.join(parts)}}};")
    else:
        lines += unused("unused", "clk", "address")
    return "\n".join([*lines, *_word(memory.source), "endmodule"]) + "\n"


def _memory(style: str, columns: Bits, address_bits: int) -> list[str]:
    width = columns.shape[1]
    words = [int.from_bytes(row.tobytes(), "little") for row in np.packbits(columns, axis=1, bitorder="little")]
    # unused addresses repeat the lower half, so that a LUT memory needs no decoder for them
    half = 1 << (address_bits - 1)
    full = words if style == "block" else [words[i if i < len(words) else i - half] for i in range(2 * half)]
    return [
        f'    (* rom_style = "{style}" *)',
        f"    reg [{width - 1}:0] {style}_rom [0:{len(full) - 1}];",
        f"    reg [{width - 1}:0] {style}_q;",
        "    initial begin",
        *(f"        {style}_rom[{i}] = {literal(word, width)};" for i, word in enumerate(full)),
        "    end",
        f"    always @(posedge clk) {style}_q <= {style}_rom[address];",
    ]


def _word(source: NDArray[np.int64]) -> list[str]:
    """Return the assignment of the word: slices of columns, and constants, highest bit first."""
    lines, line = ["    assign word = {"], "       "
    for item in reversed(_slices(source)):
        if len(line) + len(item) > WIDTH:
            lines.append(line)
            line = "       "
        line += f" {item},"
    return [*lines, line.rstrip(","), "    };"]


def _slices(source: NDArray[np.int64]) -> list[str]:
    """Return the runs of following columns and of constants, lowest bit first."""
    # following columns differ from their places by the same number
    keys = [(value, 0) if value < 0 else (0, value - place) for place, value in enumerate(source.tolist())]
    slices, place = [], 0
    for (value, offset), run in itertools.groupby(keys):
        length = len(list(run))
        if value < 0:
            slices.append(literal(0 if value == ZERO else (1 << length) - 1, length))
        else:
            low = place + offset
            slices.append(f"columns[{low + length - 1}:{low}]" if length > 1 else f"columns[{low}]")
        place += length
    return slices
