"""Counts bits by counter cells on the LUT6 and carry chain: a heap of bits becomes one number.

A heap has a column per power of two; column c holds bits of weight ``2**c``. Every stage replaces
bits by the outputs of counters that have the same sum, until no column holds more than three bits;
one adder of two or three numbers ends it. There is a register behind each ``registers_every`` stages. A number
may join the heap some cycles later than its bits.

Cells (``verilog/xnf_*.v``), with LUTs and the bits they remove:

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

Heights = tuple[int, ...]

# numbers that one adder can take
MOST_ADDED = 3


@dataclass(frozen=True)
class CounterCell:
    """One counter: ``taken`` bits of the columns ``column`` and ``column + 2`` to ``outputs`` bits."""

    kind: str
    column: int
    taken: tuple[int, int]
    outputs: int
    luts: int


@dataclass(frozen=True)
class CounterPlan:
    """The stages that reduce a heap.

    Attributes:
        heights: bits per column at the start; the sum is taken modulo ``2 ** len(heights)``.
        stages: the cells of each stage; bits that no cell takes pass on.
        levels: bits per column before each stage, and before the adder.
        registers_every: stages between two registers.
        addend_bits: bits of the number that joins the heap.
        lag: cycles by which this number comes after the other bits.
    """

    heights: Heights
    stages: tuple[tuple[CounterCell, ...], ...]
    levels: tuple[Heights, ...]
    registers_every: int = 1
    addend_bits: int = 0
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


def plan(heights: Sequence[int], registers_every: int = 1, addend_bits: int = 0, lag: int = 0) -> CounterPlan:
    """Choose the counters for a heap, and for a number of ``addend_bits`` bits that comes ``lag`` cycles later.

    While a column holds six bits or more only the six-bit counters work, for they remove the most
    bits per LUT; what they leave passes to the next stage.
    """
    now, joins = tuple(heights), lag * registers_every
    stages: list[tuple[CounterCell, ...]] = []
    levels: list[Heights] = []
    while True:
        if len(stages) == joins:
            now = tuple(height + (column < addend_bits) for column, height in enumerate(now))
        levels.append(now)
        if max(now) <= MOST_ADDED and len(stages) >= joins:
            return CounterPlan(tuple(heights), tuple(stages), tuple(levels), registers_every, addend_bits, lag)
        stages.append(tuple(_wide_stage(now) if max(now) >= 6 else _narrow_stage(now)))
        now = next_heights(now, stages[-1])


def next_heights(heights: Heights, cells: Sequence[CounterCell]) -> Heights:
    """Return the bits per column behind a stage; carries out of the last column are dropped."""
    after = list(heights)
    for cell in cells:
        after[cell.column] -= cell.taken[0]
        if cell.taken[1]:
            after[cell.column + 2] -= cell.taken[1]
        for column in range(cell.column, min(cell.column + cell.outputs, len(after))):
            after[column] += 1
    return tuple(after)


def _wide_stage(heights: Heights) -> list[CounterCell]:
    left, cells = [*heights, 0, 0], []
    for column in range(len(heights)):
        while left[column] >= 6:
            second = 6 if left[column + 2] >= 6 else 0
            left[column] -= 6
            left[column + 2] -= second
            cells.append(_six(column, 6, second))
    return cells


def _six(column: int, first: int, second: int) -> CounterCell:
    if second:
        return CounterCell("xnf_606", column, (first, second), 5, 4)
    return CounterCell("xnf_63", column, (first, 0), 3, 2)


def _narrow_stage(heights: Heights) -> list[CounterCell]:
    """Take just enough bits of each column that the adder can take what is left and the carries that come in."""
    left, coming, cells = list(heights), [0] * (len(heights) + 5), []
    for column in range(len(heights)):
        while left[column] >= 3 and coming[column] + left[column] > MOST_ADDED:
            wide = left[column] >= 5
            cell = (
                CounterCell("xnf_63", column, (5, 0), 3, 2) if wide else CounterCell("xnf_32", column, (3, 0), 2, 1)
            )
            left[column] -= cell.taken[0]
            for target in range(column, column + cell.outputs):
                coming[target] += 1
            cells.append(cell)
    return cells
