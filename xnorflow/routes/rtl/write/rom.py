"""Weight memories as Verilog: arrays for block RAM, cells for LUTs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.rom import (
    LUT_DEPTH,
    PAIR_DEPTH,
    ZERO,
    Memory,
    block_of,
)
from xnorflow.routes.rtl.plan.weights import BitMatrix
from xnorflow.routes.rtl.write.text import KEEP, framed, literal, ports, unused, wrapped


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


def _logic(columns: BitMatrix, address_bits: int) -> list[str]:
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


def _array(name: str, style: str, columns: BitMatrix, address_bits: int) -> list[str]:
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
