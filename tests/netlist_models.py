"""The synthesized netlist with models of its cells, ready for the same simulation as the design.

Simulating it proves that Yosys kept what the counts say: weights, counters, every output.
"""

from __future__ import annotations

import re
from pathlib import Path

from xnorflow.base.errors import ReportError
from xnorflow.base.files.atomic import write_text
from xnorflow.tools.yosys.run import NETLIST, share_folder

# Yosys has no behaviour for block RAM: these models are ours
RAM_MODELS = Path(__file__).with_name("ram_models.v")
OURS = ("RAMB18E1", "RAMB36E1")


def write_models(folder: Path) -> list[Path]:
    """Write the models that the netlist in ``folder`` needs; return netlist and models.

    Raises:
        ReportError: no netlist, or a cell of it has no model.
        ToolNotFound: Yosys is not installed.
    """
    netlist = folder / NETLIST
    if not netlist.exists():
        raise ReportError(f"{netlist} is missing; synthesize first")
    text = netlist.read_text(encoding="utf-8")
    models = _modules((share_folder() / "xilinx" / "cells_sim.v").read_text(encoding="utf-8"))
    own = set(re.findall(r"^module (\\\S+|\w+)", text, re.MULTILINE))
    used = set(re.findall(r"^  ([A-Z][A-Z0-9_]+) (?:#\(|\S+ +\()", text, re.MULTILINE)) - own
    missing = sorted(used - set(models) - set(OURS))
    if missing:
        raise ReportError(f"{netlist}: no model of cell {', '.join(missing)}")
    path = folder / "cell_models.v"
    write_text(path, "\n".join(models[name] for name in sorted(used - set(OURS))))
    return [netlist, path, RAM_MODELS]


def _modules(text: str) -> dict[str, str]:
    """Return the modules of Yosys' cell library by name, without timing."""
    # the simulation reads Verilog-2005, which has no $fatal
    text = re.sub(r'\$fatal\(1, ("[^"]*")\);', r"begin $display(\1); $stop; end", text)
    found = re.findall(r"^module (\w+)(.*?)^endmodule", text, re.MULTILINE | re.DOTALL)
    return {
        name: f"module {name}"
        + re.sub(r"^\s*specify.*?endspecify", "", body, flags=re.MULTILINE | re.DOTALL)
        + "endmodule\n"
        for name, body in found
    }
