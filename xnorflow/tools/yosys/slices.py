"""How many slices a synthesized netlist needs: registers share one only within a control set.

A slice of the 7-series has four LUTs, a CARRY4 and eight registers with one clock, one clock enable
and one set/reset (AMD UG474, "7 Series FPGAs CLB", chapter 2), so n registers of one control set
take ceil(n / 8) slices by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from xnorflow.base.device import SLICE_LUTS, SLICE_REGISTERS
from xnorflow.tools.report import Slices
from xnorflow.tools.yosys.netlist import Bit, Cell, FlatNetlist

# port of the set or reset, and whether it waits for the clock: both kinds can't share a slice
CONTROL = {"FDRE": ("R", True), "FDSE": ("S", True), "FDCE": ("CLR", False), "FDPE": ("PRE", False)}
ControlSet = tuple[Bit, Bit, Bit, bool]


def control_set(cell: Cell) -> ControlSet:
    """Return clock, clock enable, set or reset of a register, and whether that one is synchronous."""
    port, synchronous = CONTROL[cell.kind]
    return cell.bit("C"), cell.bit("CE"), cell.bit(port), synchronous


def count_slices(netlist: FlatNetlist, luts: int) -> Slices:
    """Return the control sets of a netlist, the fewest slices that can hold it and a likely number.

    The fewest: of registers, LUTs and carries, whichever takes most, each packed without a gap. Likely: a
    register stands in the slice of the LUT or carry that feeds it, four of those to a slice; LUTs
    that feed none take slices of their own. A placer that puts unrelated logic into one slice
    does better, one that spreads to shorten wires does worse.

    Args:
        netlist: the netlist.
        luts: its LUTs, those of memories among them.
    """
    registers = [cell for cell in netlist.cells if cell.kind in CONTROL]
    sets = Counter(map(control_set, registers))
    alone = sum(-(-count // SLICE_REGISTERS) for count in sets.values())
    carries = sum(cell.kind == "CARRY4" for cell in netlist.cells)
    sites = _sites(netlist.cells)
    fed = {(control_set(cell), sites[cell.bit("D")]) for cell in registers if cell.bit("D") in sites}
    paired = Counter(key for key, _ in fed)
    together = sum(max(-(-count // SLICE_REGISTERS), -(-paired[key] // SLICE_LUTS)) for key, count in sets.items())
    least = max(alone, -(-luts // SLICE_LUTS), carries)
    rest = max(0, luts - len({site for _, site in fed}))
    return Slices(len(sets), alone, least, max(least, together + -(-rest // SLICE_LUTS)))


def _sites(cells: Iterable[Cell]) -> dict[Bit, str]:
    """Return the LUT site that each bit comes straight from: of a LUT, a LUT memory or a place of a carry chain.

    A carry that is read leaves by the sum of the place above it, whose own sum nothing else needs; the last one of
    a slice has no place above.
    """
    found: dict[Bit, str] = {}
    for cell in cells:
        if cell.kind == "CARRY4":
            found |= {bit: f"{cell.name} {place}" for place, bit in enumerate(cell.outputs.get("CO", ())[:3], 1)}
            found |= {bit: f"{cell.name} {place}" for place, bit in enumerate(cell.outputs.get("O", ()))}
        elif cell.kind.startswith(("LUT", "INV", "SRL", "RAM")) and not cell.kind.startswith("RAMB"):
            found |= {bit: cell.name for bits in cell.outputs.values() for bit in bits}
    return found
