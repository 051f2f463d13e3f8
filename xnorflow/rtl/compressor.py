"""Counts bits by counter cells on the LUT6 and carry chain: a heap of bits becomes one number.

A heap has a column per power of two; column c holds bits of weight ``2**c``. Every stage replaces
bits by the outputs of counters that have the same sum, until no column holds more than three bits;
one adder of two or three numbers ends it. There is a register behind each ``registers_every`` stages. A number
may join the heap some cycles later than its bits.

Cells (``verilog/xnf_cells.v``), with LUTs and the bits they remove:

* ``xnf_606``: six bits of column c and six of column c+2 to five bits: 4 LUTs and a CARRY4, 7 bits
  (Kumm and Zipf 2014, "Efficient High Speed Compression Trees on Xilinx FPGAs").
* ``xnf_63``: six bits of one column to three: 2 LUTs and half a CARRY4, 3 bits.
* ``xnf_32``: the full adder, three bits to two: one LUT with two outputs, 1 bit.
* ``xnf_add3``: the adder of three numbers at the end: a LUT per column, as that of two has
  (Simkins and Philofsky 2007, US patent 7,274,211).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xnorflow.rtl.text import KEEP, instance

Heights = tuple[int, ...]

# numbers that one adder can take
MOST_ADDED = 3


@dataclass(frozen=True)
class Cell:
    """One counter: ``taken`` bits of the columns ``column`` and ``column + 2`` to ``outputs`` bits."""

    kind: str
    column: int
    taken: tuple[int, int]
    outputs: int
    luts: int


@dataclass(frozen=True)
class Plan:
    """The stages that reduce a heap.

    Attributes:
        heights: bits per column at the start; the sum is taken modulo ``2 ** len(heights)``.
        stages: the cells of each stage; bits that no cell takes pass on.
        levels: bits per column before each stage, and before the adder.
        registers_every: stages between two registers.
        late: bits of the number that joins the heap.
        lag: cycles by which this number comes after the other bits.
    """

    heights: Heights
    stages: tuple[tuple[Cell, ...], ...]
    levels: tuple[Heights, ...]
    registers_every: int = 1
    late: int = 0
    lag: int = 0

    @property
    def registers(self) -> int:
        """Registers from the bits to the number: one per full step of stages, one behind the adder."""
        return len(self.stages) // self.registers_every + 1

    @property
    def added(self) -> int:
        """Numbers that the adder at the end takes."""
        return max(self.levels[-1])

    @property
    def lowest(self) -> int:
        """The lowest column that the adder at the end works on."""
        return next((column for column, height in enumerate(self.levels[-1]) if height > 1), len(self.heights))

    @property
    def luts(self) -> int:
        """LUTs of the cells and of the adder, whose carry chain takes a column of one bit as it is."""
        cells = sum(cell.luts for stage in self.stages for cell in stage)
        two = sum(height > 1 for height in self.levels[-1])
        return cells + (len(self.heights) - self.lowest if self.added > 2 else two)


def plan(heights: Sequence[int], registers_every: int = 1, late: int = 0, lag: int = 0) -> Plan:
    """Choose the counters for a heap, and for a number of ``late`` bits that comes ``lag`` cycles later.

    While a column holds six bits or more only the six-bit counters work, for they remove the most
    bits per LUT; what they leave passes to the next stage.
    """
    now, joins = tuple(heights), lag * registers_every
    stages: list[tuple[Cell, ...]] = []
    levels: list[Heights] = []
    while True:
        if len(stages) == joins:
            now = tuple(height + (column < late) for column, height in enumerate(now))
        levels.append(now)
        if max(now) <= MOST_ADDED and len(stages) >= joins:
            return Plan(tuple(heights), tuple(stages), tuple(levels), registers_every, late, lag)
        stages.append(tuple(_wide_stage(now) if max(now) >= 6 else _narrow_stage(now)))
        now = next_heights(now, stages[-1])


def next_heights(heights: Heights, cells: Sequence[Cell]) -> Heights:
    """Return the bits per column behind a stage; carries out of the last column are dropped."""
    after = list(heights)
    for cell in cells:
        after[cell.column] -= cell.taken[0]
        if cell.taken[1]:
            after[cell.column + 2] -= cell.taken[1]
        for column in range(cell.column, min(cell.column + cell.outputs, len(after))):
            after[column] += 1
    return tuple(after)


def _wide_stage(heights: Heights) -> list[Cell]:
    left, cells = [*heights, 0, 0], []
    for column in range(len(heights)):
        while left[column] >= 6:
            second = 6 if left[column + 2] >= 6 else 0
            left[column] -= 6
            left[column + 2] -= second
            cells.append(_six(column, 6, second))
    return cells


def _six(column: int, first: int, second: int) -> Cell:
    if second:
        return Cell("xnf_606", column, (first, second), 5, 4)
    return Cell("xnf_63", column, (first, 0), 3, 2)


def _narrow_stage(heights: Heights) -> list[Cell]:
    """Take just enough bits of each column that the adder can take what is left and the carries that come in."""
    left, coming, cells = list(heights), [0] * (len(heights) + 5), []
    for column in range(len(heights)):
        while left[column] >= 3 and coming[column] + left[column] > MOST_ADDED:
            wide = left[column] >= 5
            cell = Cell("xnf_63", column, (5, 0), 3, 2) if wide else Cell("xnf_32", column, (3, 0), 2, 1)
            left[column] -= cell.taken[0]
            for target in range(column, column + cell.outputs):
                coming[target] += 1
            cells.append(cell)
    return cells


def verilog(name: str, heap: Plan) -> str:
    """Return the module ``name`` that adds up a heap: bits of column 0 first, ``sum`` registered.

    With ``XNF_CELLS`` defined it is the tree of counters, else one loop and a delay of as many
    registers: equal in function, quicker to simulate, larger on the device.
    """
    bits, width = sum(heap.heights), len(heap.heights)
    lines = [
        f"// Adds {bits} bits, column heights {' '.join(map(str, heap.heights))} (weights 1, 2, 4 ...);",
        f"// the sum, modulo 2**{width}, comes {heap.registers} cycles later.",
        *([f"// `late` is added to the bits of {heap.lag} cycles ago."] if heap.late else []),
        f"{KEEP} module {name} (",
        "    input  wire clk,",
        f"    input  wire [{bits - 1}:0] bits,",
        *([f"    input  wire [{heap.late - 1}:0] late,"] if heap.late else []),
        f"    output wire [{width - 1}:0] sum",
        ");",
        "`ifdef XNF_CELLS",
        *_tree(heap),
        "`else",
        *_loops(heap),
        "`endif",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def _loops(heap: Plan) -> list[str]:
    """Behavioural form: one loop per column, then delay lines, the late number between them."""
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
    number = f" + {{{width - heap.late}'b0, late}}" if width > heap.late else " + late"
    whole = [f"    wire [{width - 1}:0] whole = {early}{number if heap.late else ''};"]
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


def _tree(heap: Plan) -> list[str]:
    lines: list[str] = []
    source, heights = "bits", heap.heights
    for index, cells in enumerate([*heap.stages, ()]):
        if heap.late and index == heap.lag * heap.registers_every:
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


def _adder(heap: Plan, source: str) -> list[str]:
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


def _joined(heap: Plan, heights: Heights, source: str) -> list[str]:
    """Return the heap with the bits of ``late`` on top of its columns."""
    parts = []
    for column, (height, start) in enumerate(zip(heights, _starts(heights), strict=True)):
        parts += [f"{source}[{start} +: {height}]"] if height else []
        parts += [f"late[{column}]"] if column < heap.late else []
    return [f"    wire [{sum(heights) + heap.late - 1}:0] joined = {{{', '.join(reversed(parts))}}};"]


def _starts(heights: Heights) -> list[int]:
    return [sum(heights[:column]) for column in range(len(heights))]


def _row(heights: Heights, starts: list[int], source: str, row: int) -> str:
    """Return the number made of the bit ``row`` of every column."""
    bits = [
        f"{source}[{start + row}]" if height > row else "1'b0" for height, start in zip(heights, starts, strict=True)
    ]
    return "{" + ", ".join(reversed(bits)) + "}"


def _stage(
    index: int, cells: Sequence[Cell], heights: Heights, source: str, starts: list[int], targets: list[int]
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
