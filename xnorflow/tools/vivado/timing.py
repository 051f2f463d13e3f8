"""Vivado's ``report_timing_summary``: clock, worst slacks, and the stage that its nets show."""

from __future__ import annotations

import re

from xnorflow.tools.report import Stage, SynthReport, Timing, Usage
from xnorflow.tools.vivado.head import head, stage_of, version
from xnorflow.tools.vivado.text import Source

PERIOD = re.compile(r"^\s*(\S+)\s+\{[^}]*\}\s+(\d+\.\d+)\s+\d+\.\d+\s*$")
# at the end of a word of a file's name, as in top_timing_summary_routed.rpt and post_route_timing.rpt
SUFFIX = re.compile(r"(synth|opted|physopted|placed?|routed?)(?=[_.]|$)")
NAMED = {
    "synth": "synthesized",
    "opted": "synthesized",
    "physopted": "postplace",
    "place": "placed",
    "route": "routed",
}
AFTER_TABLES = r"^\| (User Ignored Path Table|Timing Details)"
# the tables of slacks, and the column of the clock that takes a row's paths
TAKERS = {"Intra Clock Table": "Clock", "Inter Clock Table": "To Clock", "Other Path Groups Table": "To Clock"}
# what Vivado writes beside a net, the least sure first: of a placed design only some nets are estimated
NETS = {"unplaced": Stage.SYNTHESISED, "estimated": Stage.PLACED, "routed": Stage.ROUTED}


def read_timing(source: Source) -> SynthReport:
    """Read a timing summary; ``slack_ns`` is WNS, ``estimated_ns`` the period less WNS.

    Raises:
        ReportError: cut short, or a field is missing or not of its kind.
    """
    _check_end(source)
    setup, hold = _worst(source)
    clock = _period(source, setup)
    estimated = None if clock is None or setup is None else round(clock - setup, 3)
    # the head of this report has part and speed grade apart
    speed = source.after(r"^\|\s*Speed File\s*:\s*(-\S+)", "field Speed File in the head")
    return SynthReport(
        stage=_stage(source),
        tool="Vivado",
        version=version(source),
        top=head(source, "Design"),
        part=head(source, "Device") + speed,
        usage=Usage(),
        timing=Timing(clock_ns=clock, estimated_ns=estimated, slack_ns=setup, hold_slack_ns=hold),
    )


def _section(source: Source, title: str) -> list[str]:
    """Return the lines of a section up to the rule before the next one."""
    start = next((at for at, line in enumerate(source.lines) if line.startswith(f"| {title}")), None)
    if start is None:
        raise source.missing(f"section {title}")
    body = list(source.lines[start + 3 :])
    end = next((at for at, line in enumerate(body) if re.match(r"^-{40,}\s*$", line)), len(body))
    return body[:end]


def _worst(source: Source) -> tuple[float | None, float | None]:
    body = _section(source, "Design Timing Summary")
    at = next((number for number, line in enumerate(body) if "WNS(ns)" in line), None)
    # such a report was asked for setup alone
    setup_only = source.has(r"^\|\s*Command\s*:.*\s(-delay_type\s+max|-setup)\b")
    names = [] if at is None else re.findall(r"\S+(?: \S+)*", body[at])
    needed = {"WNS(ns)"} if setup_only else {"WNS(ns)", "WHS(ns)"}
    if at is None or at + 2 >= len(body) or not needed.issubset(names):
        raise source.missing("field WNS(ns) or WHS(ns)")
    cells = body[at + 2].split()
    if len(cells) != len(names) or len(cells) < 5:
        raise source.wrong("the row of WNS(ns)", f"{len(names)} numbers", body[at + 2].strip())
    worst = {name: source.decimal(name, cell) for name, cell in zip(names, cells, strict=True)}
    return worst["WNS(ns)"], worst.get("WHS(ns)")


def _period(source: Source, worst: float | None) -> float | None:
    """Return the period of the clock that takes the worst slack; without slack, of the only clock there is."""
    if not source.has(r"^\| Clock Summary"):
        if worst is None:
            return None
        raise source.missing("section Clock Summary")
    clocks = [match for line in _section(source, "Clock Summary") if (match := PERIOD.match(line))]
    periods = {match.group(1): float(match.group(2)) for match in clocks}
    rows = [row for title, column in TAKERS.items() for row in _takers(source, title, column)]
    for title, clock, _ in rows:
        if title == "Intra Clock Table" and clock not in periods:
            raise source.missing(f"clock {clock} in section Clock Summary")
    if worst is None:
        return next(iter(periods.values())) if len(periods) == 1 else None
    taker = next((clock for _, clock, slack in rows if clock in periods and _is(slack, worst)), None)
    if taker is None and not source.has(AFTER_TABLES):
        raise source.missing(f"clock with a slack of {worst}")
    # a path without a clock is one that a maximum delay holds
    return None if taker is None else periods[taker]


def _takers(source: Source, title: str, column: str) -> list[tuple[str, str, str]]:
    """Return the rows of a table of slacks: its title, the clock that takes the paths, and their WNS."""
    if not source.has(rf"^\| {title}"):
        return []
    body = [line for line in _section(source, title) if line.strip()]
    names = next((at for at, line in enumerate(body) if column in line and "WNS(ns)" in line), None)
    if names is None:
        return []
    # numbers stand at the right of their column, names at its left, clocks that others make behind blanks
    start, end = body[names].index(column), body[names].index("WNS(ns)") + len("WNS(ns)")
    cells = [line[start:end].split() for line in body[names + 2 :]]
    return [(title, row[0], row[1]) for row in cells if len(row) == 2]


def _is(cell: str, value: float) -> bool:
    return re.match(r"^-?\d+\.\d+$", cell) is not None and float(cell) == value


def _stage(source: Source) -> Stage:
    """Return the stage from the head (newer versions), the nets of the paths, or the file's name."""
    state = source.find(r"^\|\s*Design State\s*:\s*(\S.*)$")
    if state is not None:
        return stage_of(source, state)
    nets = {match.group(1) for line in source.lines if (match := re.search(r"net \(fo=[^,()]+, (\w+)\)", line))}
    for kind, stage in NETS.items():
        if kind in nets:
            return stage
    # the name that the file had when it was written, without its folders
    command = source.find(r"^\|\s*Command\s*:\s*(\S.*)$") or ""
    written = re.split(r"[/\\]", command.rpartition(" -file ")[2])[-1]
    for text in (source.path.name, written):
        if found := SUFFIX.findall(text):
            return stage_of(source, NAMED.get(found[-1], found[-1]))
    raise source.missing("field Design State", "its nets and its name don't tell it either; report with paths")


def _check_end(source: Source) -> None:
    """Refuse a report that stops in its details."""
    if not source.has(r"^\| Other Path Groups Table") and not source.has(AFTER_TABLES):
        raise source.missing("section Other Path Groups Table")
    if source.lines[-1].strip():
        raise source.missing("end of the last line")
    paths = sum(1 for line in source.lines if re.match(r"^Slack \((MET|VIOLATED)\)", line))
    # from 2026.1 on a word in angle brackets may follow
    ends = sum(1 for line in source.lines if re.match(r"^\s+slack\s+-?\d+\.\d+(\s+<\w+>)?\s*$", line))
    if paths != ends:
        raise source.missing("end of the last path")
    announced = sum(1 for line in source.lines if re.match(r"^PW\s+:\s+\d", line))
    checked = sum(1 for line in source.lines if re.match(r"^(Min|Max|Low|High) (Period|Pulse|Skew)", line))
    if announced > checked:
        raise source.missing("section Pulse Width Checks")
