"""Results as terminal text, Markdown and JSON: the only formatting there is."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from xnorflow.card import Card
from xnorflow.data import DataSet
from xnorflow.doctor import Finding
from xnorflow.errors import shown
from xnorflow.report import LayerMismatch, LogicDelay, SimResult
from xnorflow.runreport import RunReport, SynthRow
from xnorflow.verdict import Answer, slices_answer

MISSING = "-"
CLOSE_SLICES = " A design that likely takes more than half of the slices is too close to say: none has been placed."


@dataclass(frozen=True)
class Table:
    """A table before it is drawn: a title, column heads, rows of text, and a remark below.

    Names from outside stand in any of them: what would steer the terminal is escaped, an end of line is a space.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", shown(self.title))
        object.__setattr__(self, "columns", tuple(map(shown, self.columns)))
        object.__setattr__(self, "rows", tuple(tuple(map(shown, row)) for row in self.rows))
        object.__setattr__(self, "note", shown(self.note))


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave a closed pipe to the caller; rich would end the program with exit code 1."""
        raise BrokenPipeError


def print_tables(tables: list[Table], console: Console | None = None) -> None:
    """Draw tables on the terminal."""
    console = console or _Console()
    for table in tables:
        # Text, for a string would be read as markup: [x] would vanish
        drawn = RichTable(title=Text(table.title), title_justify="left", title_style="bold")
        for index, column in enumerate(table.columns):
            drawn.add_column(Text(column), justify="left" if index == 0 else "right", overflow="fold")
        for row in table.rows:
            drawn.add_row(*(Text(cell) for cell in row))
        console.print(drawn)
        if table.note:
            console.print(table.note, highlight=False, markup=False, soft_wrap=True)
        console.print()


def markdown(tables: list[Table]) -> str:
    """Return tables as Markdown."""
    parts = []
    for table in tables:
        lines = [f"## {table.title}", "", _line(table.columns), _line(("---",) * len(table.columns))]
        lines += [_line(row) for row in table.rows]
        if table.note:
            lines += ["", table.note]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def report_json(report: RunReport) -> str:
    """Return a report as JSON, with what follows from its numbers."""
    values = dataclasses.asdict(report)
    values["agrees"] = report.agrees
    values["interval_cycles"] = report.interval_cycles
    return json.dumps(values, indent=2)  # ASCII, whatever the terminal knows


def report_tables(report: RunReport) -> list[Table]:
    """Return the tables of a run: warnings and mismatch if any, agreement, hardware, time."""
    tables = [Table("Warnings", ("accuracy",), tuple((text,) for text in report.warnings))] if report.warnings else []
    tables += [_agreement(report)] if report.results else []
    mismatch = next((result.mismatch for result in report.results if result.mismatch), None)
    if mismatch is not None:
        tables.append(_mismatch(mismatch))
    if report.layers:
        tables.append(_hardware(report))
    if report.rtl_layers:
        tables.append(_verilog(report))
    tables.append(_time(report))
    if report.synth is not None:
        tables.append(synth_table(report.synth, report.device))
    return tables


def _agreement(report: RunReport) -> Table:
    rows = tuple(_result_row(result) for result in report.results)
    return Table(
        f"{report.name}: is it right?",
        ("source", "accuracy", "class differs", "score differs", "images/s here"),
        rows,
        _agreement_note(report),
    )


def _result_row(result: SimResult) -> tuple[str, ...]:
    speed = MISSING if not result.seconds else f"{result.images / result.seconds:,.0f}"
    return (
        result.source,
        f"{100 * result.accuracy:.2f} %",
        str(result.classes_differ),
        str(result.scores_differ),
        speed,
    )


def _agreement_note(report: RunReport) -> str:
    notes = [
        f"{report.test_images:,} test images of {report.data_name} (sha256 {report.data_sha256[:12]}). "
        "Images are counted that differ from the golden model in their class, or in any of their integer scores."
    ]
    if report.input is not None:
        size = report.input.pixels * report.input.bits_per_pixel
        notes.append(
            f"The network reads {size:,} bits per image: {report.input.pixels:,} pixels x "
            f"{report.input.bits_per_pixel}, {report.input.thresholds}."
        )
    if report.trained_here is False and report.trained_on_other_data and report.card is not None:
        trained_on = report.card.data.name
        notes.append(
            f"The network was trained on {trained_on}, which may hold these very images: "
            "the accuracy above is no test of it."
        )
    return " ".join(notes)


def _mismatch(mismatch: LayerMismatch) -> Table:
    rows = tuple(tuple(str(number) for number in entry) for entry in mismatch.first)
    return Table(
        f"First layer that differs: {mismatch.layer}, {mismatch.differing} of {mismatch.compared} {mismatch.what}",
        ("image", "value", "expected", "got"),
        rows,
        f"To mend it: {mismatch.advice}",
    )


def _hardware(report: RunReport) -> Table:
    rows = tuple(
        (
            layer.name,
            f"{layer.n_in} x {layer.n_out}",
            layer.kernel,
            f"{layer.reuse_factor:,}",
            f"{layer.cycles:,}",
            layer.accum,
            layer.result,
        )
        for layer in report.layers
    )
    interval = report.interval_cycles
    assert interval is not None
    speed = report.clock_mhz * 1e6 / interval
    return Table(
        f"{report.name} on {report.device} ({report.part}), {report.backend} HLS, {report.io_type}",
        ("layer", "in x out", "kernel", "reuse", "cycles", "accumulator", "sums"),
        rows,
        f"Cycles per image: {interval:,} (the slowest layer), by formula from the reuse factors. "
        f"Images per second: {speed:,.0f}, estimated from the formula at the {report.clock_mhz:g} MHz asked for; "
        "not measured, nor known to fit.",
    )


def _verilog(report: RunReport) -> Table:
    rows = tuple(
        (
            layer.name,
            f"{layer.n_in} x {layer.n_out}",
            str(layer.pe),
            str(layer.simd),
            f"{layer.reuse_factor:,}",
            f"{layer.cycles:,}",
        )
        for layer in report.rtl_layers
    )
    notes = [f"Cycles per image by formula: {report.interval_cycles:,}."]
    if report.rtl_speed is not None:
        speed = report.rtl_speed
        notes.append(
            f"Measured in RTL simulation: {speed.measured_interval_cycles:,.2f} cycles per image, latency "
            f"{speed.measured_latency_cycles:,} cycles (by formula {speed.latency_cycles:,})."
        )
        rate = report.clock_mhz * 1e6 / speed.measured_interval_cycles
        notes.append(f"At the {report.clock_mhz:g} MHz asked for, which nothing here proves: {rate:,.0f} images/s.")
    columns = ("layer", "in x out", "neurons (pe)", "inputs (simd)", "reuse factor", "cycles per image")
    return Table(f"{report.name} as Verilog: neurons and inputs per cycle", columns, rows, " ".join(notes))


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


def _time(report: RunReport) -> Table:
    rows = tuple(
        (step.name, f"{step.seconds:,.1f} s", "earlier run" if step.reused else "run now") for step in report.steps
    )
    return Table("Time of each step, measured", ("step", "time", "this time"), rows)


def data_table(data: DataSet) -> Table:
    """Return what a data set holds."""
    rows = tuple(
        (name, f"{len(split.labels):,}", " x ".join(map(str, split.images.shape[1:])), str(data.n_classes))
        for name, split in (("train", data.train), ("validation", data.validation), ("test", data.test))
    )
    return Table(f"Data set {data.name}", ("split", "images", "pixels", "classes"), rows, f"sha256 {data.sha256}")


def card_table(card: Card) -> Table:
    """Return a trained network's card."""
    rows = tuple((key, json.dumps(value, ensure_ascii=False)) for key, value in dataclasses.asdict(card).items())
    return Table(f"Card of {card.network}", ("field", "value"), rows)


def doctor_table(findings: list[Finding]) -> Table:
    """Return what ``doctor`` found."""
    rows = tuple((item.name, item.version or "missing", item.purpose, item.advice) for item in findings)
    return Table("Tools", ("tool", "version", "what for", "how to get it"), rows)
