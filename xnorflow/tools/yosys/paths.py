"""How much logic lies between two registers of a synthesized netlist: LUT levels and carry chains.

A path starts at a register, a block RAM, a DSP or an input of the design. Each LUT on it is a level,
a read of LUT RAM or of a shift register too; MUXF7 and MUXF8 stand in the LUT's own slice and are
none. A run of CARRY4 joined by their carries is one chain, however long.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xnorflow.base.errors import ReportError
from xnorflow.tools.report import Depth
from xnorflow.tools.yosys.netlist import Bit, Cell, FlatNetlist

CLOCKED = {"FDRE", "FDSE", "FDCE", "FDPE", "RAMB18E1", "RAMB36E1", "DSP48E1"}
_LEVELS = {
    **dict.fromkeys(("LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6", "INV"), 1),
    **dict.fromkeys(("MUXF7", "MUXF8", "BUFG", "IBUF", "OBUF"), 0),
}
# memories in LUTs: the address ports that each output reads by; what is stored starts a path there
READS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    r"SRL16E|SRLC16E|SRLC32E": {"Q": ("A", "A0", "A1", "A2", "A3")},
    r"RAM32M|RAM64M": {f"DO{port}": (f"ADDR{port}",) for port in "ABCD"},
    r"RAM\d+X1[SD]": {
        port: (by, *(f"{by}{bit}" for bit in range(8))) for port, by in (("O", "A"), ("SPO", "A"), ("DPO", "DPRA"))
    },
}
SUM, CARRY = "O", "CO"


@dataclass(frozen=True)
class Arc:
    """How an output bit of a cell comes about: from these bits, with so many LUT levels more.

    Attributes:
        sources: bits that it depends on.
        levels: LUT levels that the cell adds.
        chained: those of ``sources`` that arrive along a carry chain, or meet none.
        chains: carry chains that the other sources enter.
    """

    cell: Cell
    sources: tuple[Bit, ...]
    levels: int = 0
    chained: frozenset[Bit] = frozenset()
    chains: int = 0


def deepest(netlist: FlatNetlist) -> Depth:
    """Return the most LUT levels and the most carry chains of any path, and where the deepest one runs.

    Raises:
        ReportError: a cell that is not known, or a loop without a register.
    """
    arcs = {bit: arc for cell in netlist.cells for bit, arc in _arcs(cell)}
    found = _depths(arcs)
    levels, chains = (max((depth[part] for depth in found.values()), default=0) for part in (0, 1))
    if not found:
        return Depth(levels, chains, "", "")
    end = bit = max(found, key=lambda bit: (found[bit], str(bit)))
    while bit in arcs and (sources := [source for source in arcs[bit].sources if source in arcs]):
        bit = max(sources, key=lambda source: found[source])
    return Depth(levels, chains, _starts(netlist, arcs, bit), arcs[end].cell.name)


def _starts(netlist: FlatNetlist, arcs: Mapping[Bit, Arc], first: Bit) -> str:
    """Return the name of a register or input before the first cell of a path."""
    sources = set(arcs[first].sources)
    for cell in netlist.cells:
        if cell.kind in CLOCKED and any(sources & set(bits) for bits in cell.outputs.values()):
            return cell.name
    return next((name for bit, name in netlist.inputs.items() if bit in sources), arcs[first].cell.name)


def _depths(arcs: Mapping[Bit, Arc]) -> dict[Bit, tuple[int, int]]:
    """Return the most (LUT levels, carry chains) up to each bit that comes out of logic."""
    found: dict[Bit, tuple[int, int]] = {}
    open_bits: set[Bit] = set()
    for root in arcs:
        stack = [root]
        while stack:
            bit = stack[-1]
            wanted = [source for source in arcs[bit].sources if source in arcs and source not in found]
            if bit in found or not wanted:
                open_bits.discard(bit)
                found.setdefault(bit, _depth(arcs[bit], found))
                stack.pop()
            elif bit in open_bits:
                raise ReportError(f"cell {arcs[bit].cell.name}: a loop of logic without a register")
            else:
                open_bits.add(bit)
                stack += wanted
    return found


def _depth(arc: Arc, found: Mapping[Bit, tuple[int, int]]) -> tuple[int, int]:
    levels = max((found.get(source, (0, 0))[0] for source in arc.sources), default=0)
    chains = max(
        (found.get(source, (0, 0))[1] + (0 if source in arc.chained else arc.chains) for source in arc.sources),
        default=arc.chains,
    )
    return levels + arc.levels, chains


def _arcs(cell: Cell) -> Iterator[tuple[Bit, Arc]]:
    """Yield each output bit that comes out of logic, and how."""
    if cell.kind == "CARRY4":
        yield from _carry(cell)
    elif cell.kind == "LUT6_2":
        yield from _double(cell)
    elif cell.kind in _LEVELS:
        sources = tuple(bit for bits in cell.inputs.values() for bit in bits)
        for bits in cell.outputs.values():
            for bit in bits:
                yield bit, Arc(cell, sources, _LEVELS[cell.kind])
    elif cell.kind not in CLOCKED:
        yield from _reads(cell)


def _double(cell: Cell) -> Iterator[tuple[Bit, Arc]]:
    """LUT6_2: O6 is the whole table, O5 its lower half, in which an input may make no difference."""
    for output, (made,) in cell.outputs.items():
        table = cell.table if output == "O6" else cell.table[32:]
        sources = tuple(bit for port, (bit,) in cell.inputs.items() if _matters(table, 1 << int(port[1:])))
        yield made, Arc(cell, sources, 1)


@functools.lru_cache
def _matters(table: str, step: int) -> bool:
    """Return whether the input whose entries lie ``step`` apart changes a table, which has its last entry first."""
    entries = table[::-1]
    return any(entries[i] != entries[i + step] for i in range(len(entries) - step) if not i & step)


def _reads(cell: Cell) -> Iterator[tuple[Bit, Arc]]:
    ports = next((ports for kinds, ports in READS.items() if re.fullmatch(kinds, cell.kind)), None)
    if ports is None:
        raise ReportError(f"cell {cell.name} of type {cell.kind} is none whose paths xnorflow knows")
    for output, bits in cell.outputs.items():
        sources = tuple(bit for port in ports.get(output, ()) for bit in cell.inputs.get(port, ()))
        for bit in bits:
            yield bit, Arc(cell, sources, 1 if sources else 0)


def _carry(cell: Cell) -> Iterator[tuple[Bit, Arc]]:
    """CARRY4: sum i depends on S up to i and DI below it, carry i on both up to i; S i reaches sum i by no carry."""
    low, s, di = (cell.bit("CI"), cell.bit("CYINIT")), cell.inputs["S"], cell.inputs["DI"]
    chained = frozenset({cell.bit("CI")})
    for place, bit in enumerate(cell.outputs.get(SUM, ())):
        below = _driven(*low, *s[:place], *di[:place])
        own = _driven(s[place])
        yield bit, Arc(cell, (*below, *own), 0, chained | (set(own) - set(below)), 1)
    for place, bit in enumerate(cell.outputs.get(CARRY, ())):
        yield bit, Arc(cell, _driven(*low, *s[: place + 1], *di[: place + 1]), 0, chained, 1)


def _driven(*bits: Bit) -> tuple[Bit, ...]:
    """Leave out constants: nothing arrives by them."""
    return tuple(bit for bit in bits if bit not in ("0", "1", "x"))
