"""Yosys' own timing estimate (`sta`): the delays of cells along the slowest path, none of wires.

The delays are those of Yosys' models of the cells, which name their source: the timing files of prjxray for
Artix-7, whose fabric the small Zynq parts share.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from xnorflow.base.errors import ReportError
from xnorflow.tools.report import LogicDelay

REPORT = "sta.txt"
MODELS = Path(__file__).with_name("sta_models.v")
# contents of block RAMs and LUTs: they change no delay, and each different one would be a model of its own
RAM_CONTENTS = [f"INIT_{row:02X}" for row in range(128)] + [f"INITP_{row:02X}" for row in range(16)]
# a module's place in the hierarchy, which dissolving it leaves behind: no cell
NO_CELL = "$scopeinfo"


def estimate_passes(top: str, folder: Path) -> list[str]:
    """Return the Yosys passes that write the estimate of a flat netlist, and spoil it for anything behind them.

    Args:
        top: the design.
        folder: where Yosys runs.
    """
    contents = " ".join(f"-unset {name}" for name in RAM_CONTENTS)
    return [
        # synthesis takes the delays out of the models of cells
        f"delete =* {top} %d",
        "read_verilog -lib -specify +/xilinx/cells_sim.v",
        f'read_verilog -overwrite -lib -specify "{os.path.relpath(MODELS, folder.resolve())}"',
        f"setparam {contents} t:RAMB*",
        "setparam -unset INIT t:LUT? t:FD?E",
        # sta keeps a wire's arrival times in one attribute: a wide wire takes the square of its width
        "splitnets",
        f"tee -q -o {REPORT} sta",
    ]


def read_estimate(path: Path) -> LogicDelay | None:
    """Read what ``sta`` wrote; None where the netlist has no path with a delay.

    Raises:
        ReportError: an arrival time without its path.
    """
    text = path.read_text(encoding="utf-8")
    latest = re.search(r"^Latest arrival time in '.*' is (\d+):$", text, re.MULTILINE)
    if latest is None:
        return None
    lines = text[latest.end() :].split("\n\n")[0].splitlines()
    cells = [found for line in lines if (found := re.fullmatch(r" +\d+ +(.+) \((\w+)\.[^)]*\)", line))]
    if not cells:
        raise ReportError(f"{path}: the path behind `{latest[0]}` is missing")
    end, start = (f"{found[2]} {found[1]}" for found in (cells[0], cells[-1]))
    without = re.findall(r"Module '(.+)' has no timing arcs|Cell type '(.+)' not recognised", text)
    unknown = {name for pair in without for name in pair if name and name != NO_CELL}
    return LogicDelay(int(latest[1]) / 1000, start, end, tuple(sorted(unknown)))
