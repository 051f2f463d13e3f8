"""Tables of fit, explore, stock, synth and calibrate."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from xnorflow.base.device import Device
from xnorflow.base.resources import KINDS, Band, Counts
from xnorflow.fitting.choose import Fit
from xnorflow.fitting.cost import NetCost
from xnorflow.fitting.pareto import Point
from xnorflow.fitting.problem import Budget
from xnorflow.fitting.stock import StockRow
from xnorflow.fitting.verdict import Ratio, Verdict
from xnorflow.show.table import MISSING, Table
from xnorflow.tools.report import SynthReport

EXPECTED = "Estimated from operator counts and expected after Vivado: likely (low to high)."

# what a column of the terminal's table of stock tells, from top to bottom
STOCK_LINES = (
    "images/s",
    *(line for name in ("LUT by HLS", "LUT", "FF", "BRAM18") for line in (name, "  low", "  high")),
    "does it fit?",
    *(f"{kind.upper()} too many" for kind in KINDS),
)

EXPECTED_RTL = (
    "Counted in the plan as Yosys counts cells before placing; LUT of control are estimated, fitted to Yosys runs: "
    "likely (low to high). The high end of FF has the places in slices that no other register may take. Neurons x "
    "inputs per cycle stand beside RTL."
)


def fit_tables(found: Fit) -> list[Table]:
    """Return what the search found: the choice, its use of the device, or what stands in the way."""
    if found.cost is None:
        return [
            Table("No reuse factors fit", ("resource", "needed", "usable", "too many"), _short(found), found.message)
        ]
    return [_layers(found.cost), _use(found.cost.expected, found.budget, found.message)]


def _short(found: Fit) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (item.kind.upper(), f"{item.needed:,}", f"{item.usable:,}", f"{item.over:,}") for item in found.shortfalls
    )


def _band(band: Band) -> str:
    return f"{band.likely:,}" if band.low == band.high else f"{band.likely:,} ({band.low:,} to {band.high:,})"


def _layers(cost: NetCost) -> Table:
    rows = tuple(
        (
            layer.layer,
            layer.kernel if layer.folding is None else f"{layer.kernel}, {' x '.join(map(str, layer.folding))}",
            f"{layer.reuse_factor:,}",
            f"{layer.interval_cycles:,}",
            *(_band(layer.expected[kind]) for kind in ("lut", "bram18")),
        )
        for layer in cost.layers
    )
    columns = ("layer", "kernel", "reuse factor", "cycles per image", "LUT", "BRAM18")
    return Table("Reuse factors", columns, rows, f"Cycles by formula. LUT: {_source(cost)}")


def _source(cost: NetCost) -> str:
    return EXPECTED if cost.hls is not None else EXPECTED_RTL


def _use(expected: Counts[Band], budget: Budget, note: str) -> Table:
    rows = tuple(
        (
            kind.upper(),
            _band(expected[kind]),
            f"{budget.usable[kind]:,}",
            f"{budget.device.resources[kind]:,}",
            _percent(expected[kind].likely, budget.device.resources[kind]),
        )
        for kind in KINDS
    )
    columns = ("resource", "expected", "usable", "on the part", "share")
    return Table(f"Use of {budget.device.name}, estimated", columns, rows, note)


def _percent(count: int, whole: int) -> str:
    return f"{100 * count / whole:.0f} %"


def check_tables(cost: NetCost, verdict: Verdict) -> list[Table]:
    """Return the verdict on a configuration: each resource, and the source its answer rests on."""
    rows = tuple(
        (
            item.kind.upper(),
            _band(item.final) if item.final is not None else MISSING,
            f"{item.usable:,}",
            item.stage.value if item.stage is not None else MISSING,
            item.answer.value,
        )
        for item in verdict.findings
    )
    columns = ("resource", "final count", "usable", "source", "answer")
    found = Table(f"Does it fit {verdict.device}?", columns, rows, verdict.message)
    return [_layers(cost), *_read_tables(verdict.reports), found]


def _read_tables(reports: Sequence[SynthReport]) -> list[Table]:
    rows = tuple(
        (report.stage.value, report.top, report.part_name or MISSING, f"{report.tool} {report.version or ''}".strip())
        for report in reports
    )
    return [Table("Reports that were read", ("source", "design", "part", "tool"), rows)] if rows else []


def explore_table(points: Sequence[Point], budget: Budget) -> Table:
    """Return the Pareto front, the quickest first."""
    rows = tuple(
        (
            f"{point.cost.images_per_s:,.0f}",
            f"{point.cost.interval_cycles:,}",
            *(_band(point.cost.expected[kind]) for kind in ("lut", "bram18")),
            point.answer.value,
        )
        for point in points
    )
    source = _source(points[0].cost) if points else EXPECTED
    columns = ("images/s", "cycles per image", "LUT", "BRAM18", f"does it fit {budget.device.name}?")
    return Table("Choices that no other one beats", columns, rows, f"Cycles by formula. {source}")


def stock_table(rows: Sequence[StockRow], budget: Budget) -> Table:
    """Return what the kernels for HLS need: the quickest choice that fits, or the smallest where none does."""
    return Table(
        f"hls4ml's own kernels and ours on {budget.device.name}",
        ("network", "kernel", "images/s", "LUT as HLS reports it", "LUT", "FF", "BRAM18", "does it fit?"),
        tuple(_stock_row(row) for row in rows),
        _stock_note(budget),
    )


def _stock_note(budget: Budget) -> str:
    return (
        f"{EXPECTED} The quickest choice that is likely to fit {budget.usable.lut:,} LUT, {budget.usable.ff:,} FF, "
        f"{budget.usable.bram18} BRAM18 and {budget.usable.dsp} DSP; where none does, the smallest at any pace. "
        "Whether it fits is told by the whole of its bands."
    )


def stock_tables(found: Sequence[Sequence[StockRow]], budget: Budget) -> list[Table]:
    """Return what ``stock_table`` shows, as a table per network that fits into 80 columns."""
    tables = []
    for rows in found:
        columns = ("", *(row.kernel for row in rows))
        lines = zip(STOCK_LINES, *(_stock_column(row) for row in rows), strict=True)
        title = f"{rows[0].network} on {budget.device.name}: hls4ml's own kernels and ours"
        tables.append(Table(title, columns, tuple((name, *cells) for name, *cells in lines)))
    return [*tables[:-1], dataclasses.replace(tables[-1], note=_stock_note(budget))]


def _stock_column(row: StockRow) -> tuple[str, ...]:
    shown, over = row.shown, {item.kind: f"{item.over:,}" for item in row.fit.shortfalls}
    bands = [shown.hls.lut if shown.hls is not None else None]
    bands += [shown.expected[kind] for kind in ("lut", "ff", "bram18")]
    ends = ("likely", "low", "high")
    counts = (MISSING if band is None else f"{band.at(end):,}" for band in bands for end in ends)
    lacks = (over.get(kind, MISSING) for kind in KINDS)
    return f"{shown.images_per_s:,.0f}", *counts, row.answer.value, *lacks


def _stock_row(row: StockRow) -> tuple[str, ...]:
    shown = row.shown
    hls = _band(shown.hls.lut) if shown.hls is not None else MISSING
    counts = (_band(shown.expected[kind]) for kind in ("lut", "ff", "bram18"))
    answer = row.answer.value
    if row.fit.cost is None:
        lacks = ", ".join(f"{item.kind.upper()} {item.over:,} too many" for item in row.fit.shortfalls)
        answer += f": likely {lacks}"
    return row.network, row.kernel, f"{shown.images_per_s:,.0f}", hls, *counts, answer


def devices_table(known: Sequence[Device]) -> Table:
    """Return what parts and boards there are, and what they have."""
    rows = tuple(
        (
            device.name,
            ", ".join(device.parts),
            ", ".join(device.boards) or MISSING,
            *(f"{device.resources[kind]:,}" for kind in KINDS),
            device.source,
        )
        for device in known
    )
    columns = ("device", "parts", "boards", *(kind.upper() for kind in KINDS), "source")
    note = "--part and `part:` take any of these names, or the path of a device file of the same form (docs/fit.md)."
    return Table("Devices", columns, rows, note)


def calibration_table(ratios: Mapping[str, Ratio]) -> Table:
    """Return what Vivado made of HLS counts in a user's own designs."""
    rows = tuple(
        (kind.upper(), f"{ratio.low:.3f}", f"{ratio.likely:.3f}", f"{ratio.high:.3f}", str(ratio.designs))
        for kind, ratio in ratios.items()
    )
    return Table("From HLS report to Vivado", ("resource", "low", "likely", "high", "designs"), rows)
