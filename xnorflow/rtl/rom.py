"""Weight memories: which bits stand in block RAM and which in LUTs, and their Verilog.

A memory holds the columns of the weight words that differ: a bit that is the same in every word is
wiring, and a bit that is the same as another one in every word shares its column. Each block RAM is an
array of its own. So what a synthesis finds to build is what is planned here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xnorflow.device import RAMB18_RATIOS
from xnorflow.rtl.plan import LayerPlan
from xnorflow.rtl.text import KEEP, framed, literal, ports, unused, wrapped
from xnorflow.rtl.weights import Bits, Integers, weight_bits

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


def rom_module(layer: LayerPlan, memory: Memory) -> str:
    """Return the weight memory of a layer: one word per address, one cycle later.

    Columns in LUTs are read by ``lut_address``, a cycle later than the others: the products stand right behind the
    LUTs. Its register is the layer's: beside an array Yosys would make one for each column of it.
    """
    block, count = memory.block_columns, memory.block_columns + memory.lut_columns
    lines = [
        f"// Weights of layer {layer.index}: {memory.words} words of {layer.word_bits} bits, for each of",
        f"// {layer.simd} inputs {layer.pe} weights (1 for -1), then {layer.pe} start values of {layer.sum_bits}",
        f"// bits. Stored are the {count} different columns, {block} of them in block RAM.",
        # wiring joins the layer, which leaves out what is multiplied by 0
        f"{KEEP if count else ''} module rom_{layer.name} (".lstrip(),
        *ports(
            ("input  wire clk", "rising edge"),
            (f"input  wire [{layer.address_bits - 1}:0] address", "number of the word, unsigned; in every cycle"),
            (
                f"input  wire [{layer.address_bits - 1}:0] lut_address",
                "`address` of the cycle before, for the columns in LUTs",
            ),
            (f"output wire [{layer.word_bits - 1}:0] word", "first weight lowest; one cycle after `address`"),
        ),
        ");",
    ]
    parts: list[str] = []
    width, _ = block_of(memory.words)
    for low in range(0, block, width):
        name = f"block{low // width}"
        columns = memory.columns[:, low : min(low + width, block)]
        lines += _array(name, "block", columns, layer.address_bits)
        lines += [
            f"    reg [{columns.shape[1] - 1}:0] {name}_q;",
            f"    always @(posedge clk) {name}_q <= {name}_rom[address];",
        ]
        parts.insert(0, f"{name}_q")
    if memory.lut_columns:
        lines += _logic(memory.columns[:, block:], layer.address_bits)
        parts.insert(0, "luts")
    if parts:
        lines += [f"    wire [{count - 1}:0] columns = {{", *wrapped(parts), "    };"]
    idle = [*([] if block else ["clk", "address"]), *([] if memory.lut_columns else ["lut_address"])]
    lines += unused("unused", *idle) if idle else []
    return framed([*lines, *_word(memory.source), "endmodule"])


def _logic(columns: Bits, address_bits: int) -> list[str]:
    """Return a memory of LUTs: cells, one for each two columns of 32 words, or the array that they stand for."""
    words, count = columns.shape
    wires = f"    wire [{count - 1}:0] luts;"
    array = [*_array("logic", "logic", columns, address_bits), "    assign luts = logic_rom[lut_address];"]
    if words > LUT_DEPTH:
        return [wires, *array]
    contents = [
        int.from_bytes(column.tobytes(), "little") for column in np.packbits(columns, axis=0, bitorder="little").T
    ]
    pins = [f"lut_address[{pin}]" if pin < address_bits else "1'b0" for pin in range(6)]
    if words <= PAIR_DEPTH:
        # the last of an odd number of columns has the LUT to itself
        contents += [0] * (count % 2)
        cells = [_pair(n, contents[n], contents[n + 1], pins[:5]) for n in range(0, count, 2)]
    else:
        cells = [_single(n, content, pins) for n, content in enumerate(contents)]
    return [
        wires,
        "`ifdef XNF_CELLS",
        f"    wire [{len(contents) - 1}:0] bits;",
        *cells,
        f"    assign luts = bits[{count - 1}:0];",
        "`else",
        *array,
        "`endif",
    ]


def _pair(number: int, first: int, second: int, pins: Sequence[str]) -> str:
    """Return a LUT that holds two columns of 32 words: one by each output."""
    one = "1'b1"
    init = literal(second << 32 | first, 64)
    outputs = f".O5(bits[{number}]), .O6(bits[{number + 1}])"
    return f"    LUT6_2 #(.INIT({init})) m{number} ({outputs}, {_inputs([*pins, one])});"


def _single(number: int, column: int, pins: Sequence[str]) -> str:
    return f"    LUT6 #(.INIT({literal(column, 64)})) m{number} (.O(bits[{number}]), {_inputs(pins)});"


def _inputs(pins: Sequence[str]) -> str:
    return ", ".join(f".I{number}({pin})" for number, pin in enumerate(pins))


def _array(name: str, style: str, columns: Bits, address_bits: int) -> list[str]:
    """Return an array with its words."""
    width = columns.shape[1]
    words = [int.from_bytes(row.tobytes(), "little") for row in np.packbits(columns, axis=1, bitorder="little")]
    # unused addresses repeat the lower half, so that a LUT memory needs no decoder for them
    half = 1 << (address_bits - 1)
    full = words if style == "block" else [words[i if i < len(words) else i - half] for i in range(2 * half)]
    return [
        f'    (* rom_style = "{style}" *)',
        f"    reg [{width - 1}:0] {name}_rom [0:{len(full) - 1}];",
        "    initial begin",
        *(f"        {name}_rom[{i}] = {literal(word, width)};" for i, word in enumerate(full)),
        "    end",
    ]


def _word(source: NDArray[np.int64]) -> list[str]:
    """Return the assignment of the word: slices of columns, and constants, highest bit first."""
    return ["    assign word = {", *wrapped(_slices(source)[::-1]), "    };"]


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
