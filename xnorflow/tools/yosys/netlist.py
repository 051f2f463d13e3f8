"""A synthesized netlist without hierarchy, as Yosys' ``write_json`` leaves it: cells and the bits between them.

The format is Yosys' own (``help write_json``): a bit of a port is the number of a net, or "0", "1", "x", "z".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.base.errors import ReportError
from xnorflow.base.files.plain import read_json

# a netlist has some 2 KB per cell
_MOST_BYTES = 1 << 31
Bit = int | str
Ports = Mapping[str, tuple[Bit, ...]]


@dataclass(frozen=True)
class Cell:
    """One cell: its type, such as ``LUT6``, the bits at its ports, and of a LUT its table, the last entry first."""

    name: str
    kind: str
    inputs: Ports
    outputs: Ports
    table: str = ""

    def bit(self, port: str) -> Bit:
        """Return the bit at an input of one bit; "0" where nothing is connected."""
        return self.inputs.get(port, ("0",))[0]


@dataclass(frozen=True)
class FlatNetlist:
    """All cells of a design, and where its inputs come from.

    Attributes:
        cells: the cells.
        inputs: name of the top module's input behind each net that one drives.
    """

    cells: tuple[Cell, ...]
    inputs: Mapping[Bit, str]


def read_flat(path: Path, top: str) -> FlatNetlist:
    """Read a netlist that ``flatten; write_json`` wrote.

    Raises:
        ReportError: no such module, or a field is missing.
    """
    try:
        module = read_json(path, _MOST_BYTES)["modules"][top]
        cells = tuple(_cell(name, entry) for name, entry in module["cells"].items() if entry["type"] != "$scopeinfo")
        ports = module["ports"].items()
        inputs = {bit: name for name, port in ports if port["direction"] == "input" for bit in port["bits"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{path}: not a flat Yosys netlist of {top}, field {error} is missing") from error
    return FlatNetlist(cells, inputs)


def _cell(name: str, entry: Mapping[str, Mapping[str, Any]]) -> Cell:
    sides: dict[str, dict[str, tuple[Bit, ...]]] = {"input": {}, "output": {}}
    for port, bits in entry["connections"].items():
        sides[str(entry["port_directions"][port])][port] = tuple(bits)
    table = str(entry.get("parameters", {}).get("INIT", ""))
    return Cell(name, str(entry["type"]).lstrip("\\"), sides["input"], sides["output"], table)
