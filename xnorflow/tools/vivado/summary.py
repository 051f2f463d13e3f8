"""The module tree of Vitis HLS' summary ``csynth.rpt``."""

from __future__ import annotations

import re

from xnorflow.tools.report import Stage, SynthReport, Timing, Usage
from xnorflow.tools.vivado.csynth import title
from xnorflow.tools.vivado.text import ReportTable, Source, Span, tables


def read_summary(source: Source) -> SynthReport:
    """Read the module tree of Vitis HLS' ``csynth.rpt``, which has no clock target and no device totals.

    Raises:
        ReportError: cut short, or a field is missing or not of its kind.
    """
    _, top = title(source, r"^== (Synthesis Summary) Report of '(.+)'\s*$")
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


def _tree(source: Source, table: ReportTable) -> tuple[dict[str, Usage], dict[str, Timing]]:
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


def _tree_timing(source: Source, table: ReportTable, row: tuple[str, ...]) -> Timing:
    places = [table.column(name) for name in ("Slack", "(cycles)", "Interval", "Pipelined")]
    if None in places:
        raise source.missing("column Slack, Latency, Interval or Pipelined of the module tree")
    slack, latency, interval, pipeline = (row[place].strip() for place in places if place is not None)
    return Timing(
        slack_ns=source.decimal("slack", slack),
        latency_cycles=_most(source, "latency", latency),
        interval_cycles=_most(source, "interval", interval),
        pipeline=None if pipeline == "-" else pipeline,
    )


def _most(source: Source, field: str, cell: str) -> Span | None:
    """Read a number of cycles, of which this report prints the largest; only of 0 that is the smallest as well."""
    if "~" in cell:
        return source.span_in(field, cell)
    return source.span(field, "0" if cell == "0" else "-", cell)


def _usage(source: Source, row: tuple[str, ...], places: dict[str, int | None]) -> Usage:
    """Read the cells of a module; a dash stands for 0, as the XML of the same run has it."""
    counts = {
        name: None if at is None else 0 if row[at].strip() == "-" else source.integer(name.upper(), row[at])
        for name, at in places.items()
    }
    return Usage(**counts)
