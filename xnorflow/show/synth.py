"""Tables of what synthesis found out."""

from __future__ import annotations

from collections.abc import Sequence

from xnorflow.flow.report import SynthRow
from xnorflow.show.table import MISSING, Table
from xnorflow.tools.answer import Answer, slices_answer
from xnorflow.tools.report import LogicDelay, SynthReport


def tool_tables(reports: Sequence[SynthReport]) -> list[Table]:
    """Return the counts of reports, the stage of each as its source."""
    tables = []
    for report in reports:
        used, available = report.usage, report.available
        whole, *others = used.counts.join(available.counts, lambda *pair: pair).items()
        counts = (whole, ("lutram", (used.lutram, available.lutram)), *others)
        rows = tuple((kind.upper(), *map(_count, pair)) for kind, pair in counts)
        title = f"{report.top}: {report.stage.value}, {report.tool} {report.version or ''}".strip()
        tables.append(Table(title, ("resource", "used", "available"), rows))
    return tables


def timing_table(report: SynthReport) -> Table:
    """Return the clock of a routed design."""
    timing = report.timing
    rows = tuple(
        (
            name,
            MISSING if period is None else f"{1000 / period:.1f} MHz",
            MISSING if period is None else f"{period:.2f} ns",
        )
        for name, period in (("asked for", timing.clock_ns), ("reached", timing.estimated_ns))
    )
    title = f"Clock of {report.top}: {report.stage.value}, {report.tool}"
    return Table(title, ("clock", "frequency", "period"), rows, "As the tool's own timing analysis has it, one seed.")


def _count(value: int | None) -> str:
    return MISSING if value is None else f"{value:,}"


CLOSE_SLICES = " A design that likely takes more than half of the slices is too close to say: none has been placed."


def synth_table(synth: SynthRow, device: str) -> Table:
    """Return a synthesis tool's counts: used, available, percent, verdict."""
    rows = []
    for kind, count in synth.used.items():
        have = synth.available[kind]
        rows.append((kind.upper(), MISSING if count is None else f"{count:,}", f"{have:,}", _share(count, have)))
    if synth.slices is not None and synth.slices_available is not None:
        have = synth.slices_available
        for name, count in (("slices, at least", synth.slices.least), ("slices, likely", synth.slices.likely)):
            rows.append((name, f"{count:,}", f"{have:,}", _share(count, have)))
    verdict = {None: "too close to say", True: "fits", False: "does not fit"}[synth.fits]
    note = (
        f"{synth.source}: {verdict} {device}. Counted by {synth.tool} after synth_xilinx; LUT are cells before "
        "placing, LUT RAM among them. Nothing has been placed or routed, so no clock is claimed."
    )
    note += _netlist_note(synth)
    return Table(f"Does it fit {device}?", ("resource", "used", "available", "percent"), tuple(rows), note)


def _share(count: int | None, have: int) -> str:
    return MISSING if count is None or not have else f"{100 * count / have:.1f} %"


def _netlist_note(synth: SynthRow) -> str:
    """Return what was counted in the netlist: logic between registers, and why slices are what they are."""
    parts = []
    if synth.depth is not None:
        parts.append(
            f" Between two registers stand at most {synth.depth.lut_levels} LUT levels and "
            f"{synth.depth.carry_chains} carry chain(s), counted in the netlist."
        )
    if synth.logic_delay is not None:
        parts.append(_delay_note(synth.logic_delay))
    if synth.slices is not None:
        parts.append(
            f" Slices are counted from {synth.slices.control_sets:,} control sets: at least as many as registers, "
            "LUTs or carries need; likely with each register beside its LUT."
        )
        if synth.slices_available is not None:
            answer = slices_answer(synth.slices, synth.slices_available)
            parts.append(CLOSE_SLICES if answer is Answer.TOO_CLOSE else "")
    return "".join(parts)


def _delay_note(delay: LogicDelay) -> str:
    kinds = " to ".join(cell.partition(" ")[0] for cell in (delay.start, delay.end))
    missing = f" and without {', '.join(delay.unknown)}" if delay.unknown else ""
    return (
        f" The cells of the slowest path ({kinds}) take {delay.longest_ns:.2f} ns as Yosys estimates, without "
        f"wires{missing}: no clock follows from it."
    )
