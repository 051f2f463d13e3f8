"""Place and route of our Verilog by nextpnr: what to run, and the numbers in its report.

``nextpnr-xilinx`` (openXC7) wants a chip database, named by ``XNORFLOW_CHIPDB``; ``nextpnr-himbaechel``
(YosysHQ, uarch xilinx) knows its devices by name. Both write the same report, described in nextpnr's
``docs/report.md``. A network has more ports than a small package has pins, so it is placed
behind two shift registers (``xnf_pins``) whose registers are in the counts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xnorflow.base.device import device_of, orderable
from xnorflow.base.errors import ConfigError, ReportError, ToolNotFound
from xnorflow.base.files.atomic import write_text
from xnorflow.base.files.plain import read_json
from xnorflow.base.processes.programs import INSTALL, find_tool, run_tool
from xnorflow.tools.report import Stage, SynthReport, Timing, Usage
from xnorflow.tools.yosys.run import FLAT

TOOLS = ("nextpnr-xilinx", "nextpnr-himbaechel")
CHIPDB = "XNORFLOW_CHIPDB"
PINS_TOP, PINS_CLOCK = "xnf_pins", "clk"
PORTS = (PINS_CLOCK, "rst", "s", "m")
XDC, _REPORT = "pins.xdc", "report.json"
# bels of the report: what they are, and how many of them one of ours is. A LUT site is two bels.
BELS = {"lut": {"SLICE_LUTX": 1}, "ff": {"SLICE_FFX": 1}, "carry4": {"CARRY4": 1}, "dsp": {"DSP48E1": 1},
        "bram18": {"RAMB18E1": 1, "RAMB36E1": 2}}  # fmt: skip
LUT_BELS = 2


@dataclass(frozen=True)
class PlacePlan:
    """What to run: the program, its arguments, and the files it reads beside the netlist."""

    tool: str
    arguments: tuple[str, ...]
    files: Mapping[str, str]


def find_nextpnr() -> str:
    """Return the name of the nextpnr that is installed and can be used.

    Raises:
        ToolNotFound: there is none, or its chip database is not named; says how to get it.
    """
    tool = next((name for name in TOOLS if find_tool(name) is not None), None)
    if tool is None:
        raise ToolNotFound(f"not placed or routed: neither {' nor '.join(TOOLS)} is in PATH; {INSTALL[TOOLS[0]]}")
    if tool == TOOLS[0] and not Path(os.environ.get(CHIPDB, "")).is_file():
        got = os.environ.get(CHIPDB)
        raise ToolNotFound(
            f"not placed or routed: {tool} needs a chip database; set {CHIPDB} to its .bin file, got {got!r}"
        )
    return tool


def plan_nextpnr(tool: str, part: str, clock_mhz: float, seed: int = 1) -> PlacePlan:
    """Return what places and routes a netlist on a part.

    Raises:
        ConfigError: the device file names no pins for the part's package.
    """
    chipdb = os.environ.get(CHIPDB)
    common = ("--json", FLAT, "--report", _REPORT, "--freq", f"{clock_mhz:g}", "--seed", str(seed))
    if tool == TOOLS[0]:
        database: tuple[str, ...] = ("--chipdb", str(chipdb), "--xdc", XDC)
    else:
        database = ("--device", orderable(part), *(("--chipdb", chipdb) if chipdb else ()), "-o", f"xdc={XDC}")
    return PlacePlan(tool, (*database, *common, "--timing-allow-fail"), {XDC: _constraints(part, clock_mhz)})


def _constraints(part: str, clock_mhz: float) -> str:
    name = orderable(part).lower()
    pins = next((pins for package, pins in device_of(part).pins.items() if name.startswith(package.lower())), None)
    if pins is None:
        raise ConfigError(f"no pins are known for {name}; add four to `pins` of its file in xnorflow/devices/")
    lines = [f"create_clock -period {1000 / clock_mhz:.3f} -name {PINS_CLOCK} [get_ports {PINS_CLOCK}]"]
    for port, pin in zip(PORTS, pins, strict=True):
        lines += [
            f"set_property LOC {pin} [get_ports {port}]",
            f"set_property IOSTANDARD LVCMOS33 [get_ports {port}]",
        ]
    return "\n".join(lines) + "\n"


def place_and_route(plan: PlacePlan, folder: Path, part: str, timeout_s: float | None = None) -> SynthReport:
    """Run nextpnr in ``folder``, where the netlist stands, and read its report.

    Raises:
        ToolFailed: it found no placement or no routes; the message has its last lines.
        ReportError: it left no report, or one without a clock.
    """
    (folder / _REPORT).unlink(missing_ok=True)
    for name, text in plan.files.items():
        write_text(folder / name, text)
    program = find_tool(plan.tool)
    assert program is not None, "find_nextpnr found it"
    run_tool([program, *plan.arguments], cwd=folder, log=folder / "nextpnr.log", timeout_s=timeout_s)
    if not (folder / _REPORT).is_file():
        raise ReportError(
            f"{folder / _REPORT}: {plan.tool} ended well but left no report; it may be too old for --report"
        )
    return parse_report(folder / _REPORT, part, plan.tool)


def parse_report(path: Path, part: str, tool: str) -> SynthReport:
    """Read what ``--report`` wrote: of several clocks the one with the least room.

    LUTs are bels, of which a LUT site has two: their number is the most sites that can be in use.

    Raises:
        ReportError: a field is missing or is no number.
    """
    document = read_json(path)
    try:
        clocks = [(float(clock["achieved"]), float(clock["constraint"])) for clock in document["fmax"].values()]
        achieved, wanted = min(clocks, key=lambda clock: clock[0] / clock[1])
        used, available = (_usage(document["utilization"], side) for side in ("used", "available"))
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise ReportError(f"{path}: not a nextpnr report, field {error} is missing or wrong") from error
    timing = Timing(clock_ns=1000 / wanted, estimated_ns=1000 / achieved, slack_ns=1000 / wanted - 1000 / achieved)
    sites = (available.lut or 0) // LUT_BELS
    available = Usage(lut=sites, ff=available.ff, bram18=available.bram18, dsp=available.dsp)
    return SynthReport(Stage.ROUTED, tool, None, PINS_TOP, orderable(part), used, timing, available)


def _usage(utilization: Mapping[str, Mapping[str, int]], side: str) -> Usage:
    """Return the counts of one side; a bel may be named after its cell twice, as RAMB36E1_RAMB36E1."""
    amounts: dict[str, int] = {}
    for field, kinds in BELS.items():
        found = [
            kinds[kind] * int(row[side])
            for name, row in utilization.items()
            if (kind := name.split("_RAMB")[0].split("_DSP")[0]) in kinds
        ]
        amounts[field] = max(found) if side == "available" and field == "bram18" else sum(found)
    return Usage(**amounts)
