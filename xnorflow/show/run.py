"""Results as terminal text, Markdown and JSON: the only formatting there is."""

from __future__ import annotations

import dataclasses
import json

from xnorflow.base.doctor import Finding
from xnorflow.flow.report import RunReport
from xnorflow.routes.compare import LayerMismatch, SimResult
from xnorflow.show.synth import synth_table
from xnorflow.show.table import MISSING, Table
from xnorflow.sources.data.sets import DataSet
from xnorflow.sources.training.card import Card


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
