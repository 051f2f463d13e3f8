"""The Verilog of a counter: its tree of cells, and the quick form that bulk simulation takes."""

from __future__ import annotations

from collections.abc import Sequence

from xnorflow.routes.rtl.plan.counter import CounterCell, CounterPlan, Heights, next_heights
from xnorflow.routes.rtl.write.text import KEEP, framed, instance, ports


def counter_module(name: str, heap: CounterPlan) -> str:
    """Return the module ``name`` that adds up a heap: bits of column 0 first, ``sum`` registered.

    With ``XNF_CELLS`` defined it is the tree of counters, else one loop and a delay of as many
    registers: equal in function, quicker to simulate, larger on the device.
    """
    bits, width = sum(heap.heights), len(heap.heights)
    addend = f"unsigned number to add, {heap.lag} cycles after `bits`"
    lines = [
        f"// Adds {bits} bits, column heights {' '.join(map(str, heap.heights))} (weights 1, 2, 4 ...);",
        f"// the sum, modulo 2**{width}, comes {heap.registers} cycles later.",
        *([f"// `addend` is added to the bits of {heap.lag} cycles ago."] if heap.addend_bits else []),
        f"{KEEP} module {name} (",
        *ports(
            ("input  wire clk", "rising edge"),
            (f"input  wire [{bits - 1}:0] bits", "the columns' bits, column 0 lowest; in every cycle"),
            *([(f"input  wire [{heap.addend_bits - 1}:0] addend", addend)] if heap.addend_bits else []),
            (f"output wire [{width - 1}:0] sum", f"two's complement, {heap.registers} cycles after `bits`"),
        ),
        ");",
        "`ifdef XNF_CELLS",
        *_tree(heap),
        "`else",
        *_loops(heap),
        "`endif",
        "endmodule",
    ]
    return framed(lines)


def _loops(heap: CounterPlan) -> list[str]:
    """Behavioural form: one loop per column, then delay lines, the addend between them."""
    width = len(heap.heights)
    lines = ["    integer i;", f"    reg [{width - 1}:0] total;", "    always @* begin", "        total = 0;"]
    start = 0
    for column, height in enumerate(heap.heights):
        if height:
            term = f"{{{width - 1}'b0, bits[i]}}" if width > 1 else "bits[i]"
            lines.append(
                f"        for (i = {start}; i < {start + height}; i = i + 1) total = total + ({term} << {column});"
            )
        start += height
    lines.append("    end")
    before, early = _delayed("early", "total", width, heap.lag)
    number = f" + {{{width - heap.addend_bits}'b0, addend}}" if width > heap.addend_bits else " + addend"
    whole = [f"    wire [{width - 1}:0] whole = {early}{number if heap.addend_bits else ''};"]
    behind, value = _delayed("delay", "whole", width, heap.registers - heap.lag)
    return [*lines, *before, *whole, *behind, f"    assign sum = {value};"]


def _delayed(line: str, source: str, width: int, cycles: int) -> tuple[list[str], str]:
    """Return a delay line of ``source``, and the value at its end."""
    if cycles == 0:
        return [], source
    bits = cycles * width
    shifted = f"{{{line}[{bits - width - 1}:0], {source}}}" if cycles > 1 else source
    text = [f"    reg [{bits - 1}:0] {line};", f"    always @(posedge clk) {line} <= {shifted};"]
    return text, f"{line}[{bits - 1} -: {width}]"


def _tree(heap: CounterPlan) -> list[str]:
    lines: list[str] = []
    source, heights = "bits", heap.heights
    for index, cells in enumerate([*heap.stages, ()]):
        if heap.addend_bits and index == heap.lag * heap.registers_every:
            lines += _joined(heap, heights, source)
            source = "joined"
        heights, starts = heap.levels[index], _starts(heap.levels[index])
        if index == len(heap.stages):
            break
        after = next_heights(heights, cells)
        target, total = f"s{index + 1}", sum(after)
        lines += [
            f"    wire [{total - 1}:0] w{index + 1};",
            *_stage(index, cells, heights, source, starts, _starts(after)),
        ]
        if (index + 1) % heap.registers_every == 0:
            lines.append(f"    reg  [{total - 1}:0] {target}; always @(posedge clk) {target} <= w{index + 1};")
        else:
            lines.append(f"    wire [{total - 1}:0] {target} = w{index + 1};")
        source, heights = target, after
    return [*lines, *_adder(heap, source)]


def _adder(heap: CounterPlan, source: str) -> list[str]:
    """Return the adder of the two or three numbers that are left, and the last register."""
    width, heights = len(heap.heights), heap.levels[-1]
    lines = [
        f"    wire [{width - 1}:0] row{row} = {_row(heights, _starts(heights), source, row)};"
        for row in range(max(2, heap.added))
    ]
    value = "row0 + row1"
    if heap.added > 2:
        value, low = "added", heap.lowest
        ports = {port: f"row{row}[{width - 1}:{low}]" for row, port in enumerate("abc")}
        lines += [
            f"    wire [{width - 1}:0] added;",
            *instance("xnf_add3", "add3", {"WIDTH": width - low}, ports | {"y": f"added[{width - 1}:{low}]"}),
            *([f"    assign added[{low - 1}:0] = row0[{low - 1}:0];"] if low else []),
        ]
    register = f"    reg  [{width - 1}:0] total; always @(posedge clk) total <= {value};"
    return [*lines, register, "    assign sum = total;"]


def _joined(heap: CounterPlan, heights: Heights, source: str) -> list[str]:
    """Return the heap with the bits of ``addend`` on top of its columns."""
    parts = []
    for column, (height, start) in enumerate(zip(heights, _starts(heights), strict=True)):
        parts += [f"{source}[{start} +: {height}]"] if height else []
        parts += [f"addend[{column}]"] if column < heap.addend_bits else []
    return [f"    wire [{sum(heights) + heap.addend_bits - 1}:0] joined = {{{', '.join(reversed(parts))}}};"]


def _starts(heights: Heights) -> list[int]:
    return [sum(heights[:column]) for column in range(len(heights))]


def _row(heights: Heights, starts: list[int], source: str, row: int) -> str:
    """Return the number made of the bit ``row`` of every column."""
    bits = [
        f"{source}[{start + row}]" if height > row else "1'b0" for height, start in zip(heights, starts, strict=True)
    ]
    return "{" + ", ".join(reversed(bits)) + "}"


def _stage(
    index: int, cells: Sequence[CounterCell], heights: Heights, source: str, starts: list[int], targets: list[int]
) -> list[str]:
    """Instances of one stage; outputs fill each target column from its bottom, passing bits follow."""
    free, fill, lines, width = list(starts), list(targets), [], len(heights)
    for number, cell in enumerate(cells):
        operands = []
        for port, column, taken in (("a", cell.column, cell.taken[0]), ("b", cell.column + 2, cell.taken[1])):
            if taken:
                operands.append(f".{port}({_slice(source, free[column], taken, 3 if cell.kind == 'xnf_32' else 6)})")
                free[column] += taken
        outputs = []
        for bit in range(cell.outputs):
            column = cell.column + bit
            if column < width:
                outputs.append(f"w{index + 1}[{fill[column]}]")
                fill[column] += 1
            else:
                outputs.append(f"unused{index}_{number}_{bit}")
        dropped = [name for name in outputs if name.startswith("unused")]
        if dropped:
            lines.append("    /* verilator lint_off UNUSEDSIGNAL */")
            lines.append(f"    wire {', '.join(dropped)};")
            lines.append("    /* verilator lint_on UNUSEDSIGNAL */")
        operands.append(f".y({{{', '.join(reversed(outputs))}}})")
        lines.append(f"    {cell.kind} c{index}_{number} ({', '.join(operands)});")
    for column in range(width):
        rest = starts[column] + heights[column] - free[column]
        if rest:
            lines.append(f"    assign w{index + 1}[{fill[column]} +: {rest}] = {source}[{free[column]} +: {rest}];")
    return lines


def _slice(source: str, start: int, taken: int, wanted: int) -> str:
    part = f"{source}[{start} +: {taken}]"
    return part if taken == wanted else f"{{{wanted - taken}'b0, {part}}}"
