"""``<top>_csynth.rpt`` of Vivado HLS and Vitis HLS."""

from __future__ import annotations

import dataclasses
import re

from xnorflow.tools.report import Stage, SynthReport, Timing, Usage
from xnorflow.tools.vivado.csynth_xml import DSP_NAMES, pipeline_type
from xnorflow.tools.vivado.text import ReportTable, Source, tables

READ = ("Performance Estimates", "Utilization Estimates", "Interface")


def read_csynth(source: Source) -> SynthReport:
    """Read ``<top>_csynth.rpt``.

    Raises:
        ReportError: cut short, or a field is missing or not of its kind.
    """
    found = tables(source, lambda section, item: section in READ and item in ("Summary", "Instance"))
    if not any(table.section == "Interface" and table.rows for table in found):
        raise source.missing("ports in section Interface")
    tool, top = title(source, r"^== (Vi(?:vado|tis) HLS) Report for '(.+)'\s*$")
    version = source.after(r"^\* Version:\s+(\d{4}\.\d[\w.]*)", "field Version")
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
        timing=_mend_interval(timing, version, tool == "Vivado HLS" and _is_top(source, found, top)),
        available=_usage(source, available, places),
        modules=modules,
        module_timing=_instance_timing(source, found),
    )


def title(source: Source, pattern: str) -> tuple[str, str]:
    """Return the two groups of the first line that matches.

    Raises:
        ReportError: no line does.
    """
    for line in source.lines:
        if match := re.match(pattern, line):
            return match.group(1), match.group(2)
    raise source.missing("title with the name of the design")


def _one(source: Source, found: list[ReportTable], section: str, group: str, item: str) -> ReportTable:
    for table in found:
        if table.section == section and table.group.startswith(group) and table.item == item:
            return table
    raise source.missing(f"table {item} in section {section} {group}".rstrip())


def _places(source: Source, table: ReportTable, *, whole: bool = True) -> dict[str, int | None]:
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


def _timing(source: Source, found: list[ReportTable]) -> Timing:
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
        latency_cycles=source.span("latency", part[0], part[1]),
        interval_cycles=source.span("interval", part[-3], part[-2]),
        pipeline=pipeline_type(part[-1]),
    )


def _instances(source: Source, found: list[ReportTable]) -> dict[str, Usage]:
    modules: dict[str, Usage] = {}
    for table in found:
        if table.section != "Utilization Estimates" or table.group != "Detail" or table.item != "Instance":
            continue
        places = _places(source, table)
        for row in table.rows:
            if row[0].strip() != "Total":
                modules[row[0].strip()] = _usage(source, row, places)
    return modules


def _instance_timing(source: Source, found: list[ReportTable]) -> dict[str, Timing]:
    timing: dict[str, Timing] = {}
    for table in found:
        if table.section == "Performance Estimates" and table.group == "Detail" and table.item == "Instance":
            for row in table.rows:
                timing[row[0].strip()] = _cycles(source, table.titles, row)
    return timing


def _mend_interval(timing: Timing, version: str, is_top: bool) -> Timing:
    """Add the cycle that the text of Vivado HLS 2017.4 to 2020.1 leaves out of a top function's interval.

    A top function that is not pipelined takes its next input one cycle after its latency: the XML of the
    same run and the text of other versions say so, the text of these repeats the latency.
    """
    if not is_top or not "2017.4" <= version[:6] <= "2020.1" or timing.pipeline != "none":
        return timing
    interval = timing.interval_cycles
    if interval is None or interval != timing.latency_cycles:
        return timing
    low, high = (None if end is None else end + 1 for end in interval)
    return dataclasses.replace(timing, interval_cycles=(low, high))


def _is_top(source: Source, found: list[ReportTable], name: str) -> bool:
    """Tell a top function from those that it calls, which nothing in the text does in so many words.

    The interface of a called function names the C++ function that it was made from, template arguments and
    all, and has ports of a dataflow process or a clock enable; operators carry the name of the top function.
    """
    objects, ports = set(), set()
    for table in found:
        by, kind = table.column("Source Object"), table.column("C Type")
        if table.section == "Interface" and by is not None and kind is not None:
            ports |= {row[0].strip() for row in table.rows}
            objects |= {row[by].strip() for row in table.rows if row[kind].strip() == "return value"}
    operator = re.compile(r"^\s*\|(\w+)_U[1-9]\d*\s*\|\1\s*\|")
    operators = [match.group(1) for line in source.lines if (match := operator.match(line))]
    # HLS may shorten a name to its first 17 letters and 3 of its own
    starts = (f"{name}_", name[:17]) if len(name) >= 17 else (f"{name}_",)
    own = all(operator.startswith(starts) for operator in operators)
    return own and name in objects and not ports & {"ap_continue", "start_out", "ap_ce"}
