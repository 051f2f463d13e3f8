"""Weight memories: which bits stand in block RAM and which in LUTs, and their Verilog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xnorflow.rtl.plan import LayerPlan
from xnorflow.rtl.text import KEEP, literal, unused
from xnorflow.rtl.weights import weight_words

# A RAMB18 reads 36 bits per cycle and a RAMB36 72, up to 512 words deep.
HALF_BITS, HALF_DEPTH = 36, 512
# Up to this depth a LUT holds a bit of every word.
LUT_DEPTH = 64
ZERO, ONE = "1'b0", "1'b1"


@dataclass(frozen=True)
class MemoryChoice:
    """How many of a word's low bits stand in block RAM; the others are LUTs."""

    block_bits: int


def choose_memories(layers: Sequence[LayerPlan], bram36: float) -> list[MemoryChoice]:
    """Give block RAM, as far as ``bram36`` goes, to the memories that would cost most LUTs per bit.

    A memory of one word is wiring. A rest too narrow for a RAMB18 goes into LUTs where it is shallow.
    """
    halves = int(2 * bram36)
    blocks = [0] * len(layers)
    order = sorted(range(len(layers)), key=lambda index: -layers[index].reuse_factor)
    for index in order:
        layer = layers[index]
        depth = layer.reuse_factor
        if depth <= 4:
            continue
        rows = -(-depth // HALF_DEPTH)
        wanted, rest = divmod(layer.word_bits, HALF_BITS)
        if rest * -(-depth // LUT_DEPTH) > HALF_BITS // 2:
            wanted += 1
        given = min(wanted, halves // rows)
        halves -= given * rows
        blocks[index] = min(layer.word_bits, given * HALF_BITS)
    return [MemoryChoice(bits) for bits in blocks]


def rom_module(layer: LayerPlan, memory: MemoryChoice) -> str:
    """Return the weight memory of a layer: one word per address, one cycle later."""
    words, bits, address_bits = weight_words(layer), layer.word_bits, layer.address_bits
    lines = [
        f"// Weights of layer {layer.index}: {len(words)} words of {bits} bits,",
        f"// the low {memory.block_bits} of them in block RAM. A word is {layer.pe} rows of {layer.simd}",
        f"// weights (1 for -1), then {layer.pe} start values of {layer.sum_bits} bits.",
        f"{KEEP if len(words) > 1 else ''} module rom_{layer.name} (".lstrip(),
        "    input  wire clk,",
        f"    input  wire [{address_bits - 1}:0] address,",
        f"    output wire [{bits - 1}:0] word",
        ");",
    ]
    constant = f"    assign word = {literal(words[0], bits)};"
    if len(words) == 1:
        return "\n".join([*lines, *unused("unused", "clk", "address"), constant, "endmodule"]) + "\n"
    block = memory.block_bits
    if block:
        lines += _memory("block", "block", words, 0, block, address_bits)
    if block < bits:
        lines += _logic(words, block, bits - block, address_bits)
    return "\n".join([*lines, "endmodule"]) + "\n"


def _logic(words: Sequence[int], low: int, width: int, address_bits: int) -> list[str]:
    """Return a memory of LUTs: cells, a LUT for each two bits of 32 words, or the array that they stand for."""
    array = _memory("logic", "logic", words, low, width, address_bits)
    if len(words) > LUT_DEPTH:
        return array
    columns = [sum((word >> (low + bit) & 1) << place for place, word in enumerate(words)) for bit in range(width)]
    # equal columns, such as start values of 0, share a LUT
    unique = list(dict.fromkeys(columns))
    pins = [f"address[{pin}]" if pin < address_bits else ZERO for pin in range(6)]
    if len(words) <= LUT_DEPTH // 2:
        unique += [0] * (len(unique) % 2)
        cells = [_pair(n, unique[n], unique[n + 1], pins[:5]) for n in range(0, len(unique), 2)]
    else:
        cells = [_single(n, column, pins) for n, column in enumerate(unique)]
    place = {column: n for n, column in enumerate(unique)}
    read = ", ".join(f"cell_d[{place[column]}]" for column in reversed(columns))
    return [
        "`ifdef XNF_CELLS",
        f"    wire [{len(unique) - 1}:0] cell_d;",
        f"    reg [{width - 1}:0] cell_q;",
        *cells,
        f"    always @(posedge clk) cell_q <= {{{read}}};",
        f"    assign word[{low + width - 1}:{low}] = cell_q;",
        "`else",
        *array,
        "`endif",
    ]


def _pair(number: int, first: int, second: int, pins: Sequence[str]) -> str:
    """Return a LUT that holds two columns of 32 words: one by each output."""
    init = literal(second << 32 | first, 64)
    outputs = f".O5(cell_d[{number}]), .O6(cell_d[{number + 1}])"
    return f"    LUT6_2 #(.INIT({init})) m{number} ({outputs}, {_inputs([*pins, ONE])});"


def _single(number: int, column: int, pins: Sequence[str]) -> str:
    return f"    LUT6 #(.INIT({literal(column, 64)})) m{number} (.O(cell_d[{number}]), {_inputs(pins)});"


def _inputs(pins: Sequence[str]) -> str:
    return ", ".join(f".I{number}({pin})" for number, pin in enumerate(pins))


def _memory(name: str, style: str, words: Sequence[int], low: int, width: int, address_bits: int) -> list[str]:
    mask = (1 << width) - 1
    # unused addresses repeat the first word, so that a LUT memory needs no decoder for them
    full = [*words, *([words[0]] * ((1 << address_bits) - len(words)))] if style != "block" else list(words)
    return [
        f'    (* rom_style = "{style}" *)',
        f"    reg [{width - 1}:0] {name}_rom [0:{len(full) - 1}];",
        f"    reg [{width - 1}:0] {name}_q;",
        "    initial begin",
        *(f"        {name}_rom[{i}] = {literal((word >> low) & mask, width)};" for i, word in enumerate(full)),
        "    end",
        f"    always @(posedge clk) {name}_q <= {name}_rom[address];",
        f"    assign word[{low + width - 1}:{low}] = {name}_q;",
    ]
