"""``<top>_csynth.rpt`` of Vivado HLS and Vitis HLS, and the module tree of Vitis' ``csynth.rpt``."""

from __future__ import annotations

import re

from xnorflow.backends.xilinx_text import Source, Table, tables
from xnorflow.backends.xilinx_xml import DSP_NAMES
from xnorflow.report import Stage, SynthReport, Timing, Usage

READ = ("Performance Estimates", "Utilization Estimates", "Interface")


def read_csynth(source: Source) -> SynthReport:
    """Read ``<top>_csynth.rpt``.

    Raises:
        ReportError: cut short, or a field is missing or not of its kind.
    """
    found = tables(source, lambda section, item: section in READ and item in ("Summary", "Instance"))
    if not any(table.section == "Interface" and table.rows for table in found):
        raise source.missing("ports in section Interface")
    tool, top = _title(source, r"^== (Vi(?:vado|tis) HLS) Report for '(.+)'\s*$")
    version = source.after(r"^\* Version:\s+(\d{4}\.\d[\d.]*)", "field Version")
    summary = _one(source, found, "Utilization Estimates", "", "Summary")
    total = summary.row("Total")
    if total is None:
        raise source.missing("field Total of the utilisation")
    available = summary.row("Available")
    if available is None:
        raise source.missing("field Available of the utilisation")
    places = _places(source, summary)
    modules = _instances(source, found)
    timing = _timing(source, found)
    return SynthReport(
        stage=Stage.HLS,
        tool=tool,
        version=version,
        top=top,
        part=source.after(r"^\* Target device:\s+(\S+)", "field Target device"),
        usage=_usage(source, total, places),
        timing=_mend_interval(source, timing, tool, version, top),
        available=_usage(source, available, places),
        modules=modules,
        module_timing=_instance_timing(source, found),
    )


def _title(source: Source, pattern: str) -> tuple[str, str]:
    for line in source.lines:
        if match := re.match(pattern, line):
            return match.group(1), match.group(2)
    raise source.missing("title with the name of the design")


def _one(source: Source, found: list[Table], section: str, group: str, item: str) -> Table:
    for table in found:
        if table.section == section and table.group.startswith(group) and table.item == item:
            return table
    raise source.missing(f"table {item} in section {section} {group}".rstrip())


def _places(source: Source, table: Table, *, whole: bool = True) -> dict[str, int | None]:
    places = {
        "lut": table.column("LUT"),
        "ff": table.column("FF"),
        "bram18": table.column("BRAM_18K"),
        "dsp": table.column(*DSP_NAMES),
        "uram": table.column("URAM"),
    }
    for name in ("lut", "ff", "bram18", "dsp"):
        if places[name] is None and whole:
            raise source.missing(f"column {name.upper()} of the utilisation")
    return places


def _usage(source: Source, row: tuple[str, ...], places: dict[str, int | None]) -> Usage:
    cells = {name: None if at is None else source.integer(name.upper(), row[at]) for name, at in places.items()}
    return Usage(**cells)


def _timing(source: Source, found: list[Table]) -> Timing:
    clock = _one(source, found, "Performance Estimates", "Timing", "Summary")
    target, estimated = clock.column("Target"), clock.column("Estimated")
    uncertainty = clock.column("Uncertainty")
    if target is None or estimated is None or not clock.rows:
        raise source.missing("field Target or Estimated of the clock")
    row = clock.rows[0]
    latency = _one(source, found, "Performance Estimates", "Latency", "Summary")
    if not latency.rows:
        raise source.missing("field Latency")
    cycles = _cycles(source, latency.titles, latency.rows[0])
    return Timing(
        clock_ns=source.nanoseconds("clock target", row[target]),
        estimated_ns=source.nanoseconds("clock estimate", row[estimated]),
        latency_cycles=cycles.latency_cycles,
        interval_cycles=cycles.interval_cycles,
        uncertainty_ns=None if uncertainty is None else source.nanoseconds("clock uncertainty", row[uncertainty]),
        pipeline=cycles.pipeline,
    )


def _cycles(source: Source, titles: str, cells: tuple[str, ...]) -> Timing:
    """Read latency, interval and type, the last 5 columns (7 with times in between)."""
    if "Latency" not in titles or "Interval" not in titles or "Pipeline" not in titles:
        raise source.missing("columns Latency, Interval and Pipeline")
    width = 7 if "absolute" in titles else 5
    if len(cells) < width:
        raise source.missing("columns Latency, Interval and Pipeline")
    part = cells[-width:]
    return Timing(
        latency_cycles=_range(source, "latency", part[0], part[1]),
        interval_cycles=_range(source, "interval", part[-3], part[-2]),
        pipeline=_pipeline(part[-1]),
    )


def _pipeline(cell: str) -> str | None:
    # the XML of the same run writes "cycles" where the text has "clock cycles(s)"
    return cell.strip().replace("clock cycles(s)", "cycles") or None


def _range(source: Source, field: str, low: str, high: str) -> tuple[int, int] | None:
    least, most = source.integer(field, low), source.integer(field, high)
    return None if least is None or most is None else (least, most)


def _instances(source: Source, found: list[Table]) -> dict[str, Usage]:
    modules: dict[str, Usage] = {}
    for table in found:
        if table.section != "Utilization Estimates" or table.group != "Detail" or table.item != "Instance":
            continue
        places = _places(source, table)
        for row in table.rows:
            if row[0].strip() != "Total":
                modules[row[0].strip()] = _usage(source, row, places)
    return modules


def _instance_timing(source: Source, found: list[Table]) -> dict[str, Timing]:
    timing: dict[str, Timing] = {}
    for table in found:
        if table.section == "Performance Estimates" and table.group == "Detail" and table.item == "Instance":
            for row in table.rows:
                timing[row[0].strip()] = _cycles(source, table.titles, row)
    return timing


def _mend_interval(source: Source, timing: Timing, tool: str, version: str, top: str) -> Timing:
    """Add the cycle that the text of Vivado HLS 2019 and 2020 leaves out.

    A top function that is not pipelined takes its next input one cycle after its latency: the XML
    of the same run and the text of older versions say so, the text of 2019.1 to 2020.1 repeats the
    latency. Helper modules carry the top function's name, so they tell a top function from others.
    """
    if tool != "Vivado HLS" or not version.startswith(("2019.", "2020.")) or timing.pipeline != "none":
        return timing
    if timing.interval_cycles is None or timing.interval_cycles != timing.latency_cycles:
        return timing
    helper = re.compile(rf"^\s*\|{re.escape(top)}_\w+_U\d*\s*\|{re.escape(top)}_\w+\s*\|")
    if not any(helper.match(line) for line in source.lines):
        return timing
    low, high = timing.interval_cycles
    return Timing(**{**vars(timing), "interval_cycles": (low + 1, high + 1)})


def read_summary(source: Source) -> SynthReport:
    """Read the module tree of Vitis HLS' ``csynth.rpt``, which has no clock target and no device totals.

    Raises:
        ReportError: cut short, or a field is missing or not of its kind.
    """
    _, top = _title(source, r"^== (Synthesis Summary) Report of '(.+)'\s*$")
    found = tables(source, lambda section, item: section.startswith("Synthesis Summary"))
    version = source.after(r"^\s+\* Version:\s+(\d{4}\.\d[\d.]*)", "field Version")
    sections = [line for line in source.lines if line.startswith("== ")]
    # in 2020 the report ends with the tree, whose last border tells that it is whole
    if not version.startswith("2020.") and "== SW I/O Information" not in [line.strip() for line in sections[:-1]]:
        raise source.missing("section after SW I/O Information")
    tree = next((table for table in found if table.group.startswith("Performance & Resource Estimates")), None)
    if tree is None or not tree.rows:
        raise source.missing("table Performance & Resource Estimates")
    usages, timings = _tree(source, tree)
    names = list(usages)
    if names[0].split("/")[0] != top:
        raise source.wrong("first module", f"the top function {top}", names[0])
    return SynthReport(
        stage=Stage.HLS,
        tool="Vitis HLS",
        version=version,
        top=top,
        part=source.after(r"^\s+\* Target device:\s+(\S+)", "field Target device"),
        usage=usages[names[0]],
        timing=timings[names[0]],
        modules={name.partition("/")[2]: usages[name] for name in names[1:]},
        module_timing={name.partition("/")[2]: timings[name] for name in names[1:]},
    )


def _tree(source: Source, table: Table) -> tuple[dict[str, Usage], dict[str, Timing]]:
    """Return usage and timing of each module (``+``), loops (``o``) left out, by path from the top."""
    places = {
        "lut": table.column("LUT"),
        "ff": table.column("FF"),
        "bram18": table.column("BRAM"),
        "dsp": table.column("DSP"),
        "uram": table.column("URAM"),
    }
    for name in ("lut", "ff", "bram18", "dsp"):
        if places[name] is None:
            raise source.missing(f"column {name.upper()} of the module tree")
    usages: dict[str, Usage] = {}
    timings: dict[str, Timing] = {}
    parents: list[tuple[int, str]] = []
    for row in table.rows:
        match = re.match(r"^(\s*)([+o])\s+(\S.*?)\*?$", row[0])
        if match is None:
            raise source.wrong("a name in the module tree", "+ or o and a name", row[0])
        depth = len(match.group(1))
        while parents and parents[-1][0] >= depth:
            parents.pop()
        path = _unused("/".join([*(name for _, name in parents), match.group(3)]), usages)
        parents.append((depth, path.rpartition("/")[2]))
        if match.group(2) == "+":
            usages[path] = _usage(source, row, places)
            timings[path] = _tree_timing(source, table, row)
    if not usages:
        raise source.missing("module in the module tree")
    return usages, timings


def _unused(path: str, taken: dict[str, Usage]) -> str:
    number = 2
    name = path
    while name in taken:
        name, number = f"{path}#{number}", number + 1
    return name


def _tree_timing(source: Source, table: Table, row: tuple[str, ...]) -> Timing:
    places = [table.column(name) for name in ("Slack", "(cycles)", "Interval", "Pipelined")]
    if None in places:
        raise source.missing("column Slack, Latency, Interval or Pipelined of the module tree")
    slack, latency, interval, pipeline = (row[place].strip() for place in places if place is not None)
    cycles, gap = _span(source, "latency", latency), _span(source, "interval", interval)
    return Timing(
        slack_ns=source.decimal("slack", slack),
        latency_cycles=cycles,
        interval_cycles=gap,
        pipeline=None if pipeline == "-" else pipeline,
    )


def _span(source: Source, field: str, cell: str) -> tuple[int, int] | None:
    """Read one number, or two as in ``64 ~ 128``."""
    ends = [cell] if cell.startswith("~") or "~" not in cell else cell.split("~", 1)
    return _range(source, field, ends[0], ends[-1])
