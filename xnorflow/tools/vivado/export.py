"""What Vivado made of an HLS design, as ``export_design`` notes it: neither layout names the top function."""

from __future__ import annotations

import re

from xnorflow.base.errors import ReportError, shown
from xnorflow.tools.report import Stage, SynthReport, Timing, Usage
from xnorflow.tools.vivado.text import Source, tables

RESULTS = {"lut": "LUT", "ff": "FF", "bram18": "BRAM", "dsp": "DSP", "uram": "URAM"}


def read_export(source: Source) -> SynthReport:
    """Read ``<top>_export.rpt`` of Vivado HLS; of two stages in it the later one counts.

    Raises:
        ReportError: cut short, or a field is missing or not of its kind.
    """
    if not source.has(r"^(Timing|TIMING)\s+(not\s+)?(met|MET)\s*$"):
        raise source.missing("last line, Timing met or Timing not met")
    if source.has(r"^CP achieved:"):
        raise ReportError(
            f"{shown(source.path)}: an export report of 2016.1 or older, which tells neither stage nor project; "
            "name a utilisation report"
        )
    routed = source.has(r"^(#=== Post-Implementation |CP achieved post-implementation:)")
    achieved = "post-implementation" if routed else "post-synthesis"
    clock = source.decimal("CP required", source.after(r"^CP required:\s*(\S+)", "field CP required"))
    reached = source.after(rf"^CP achieved {achieved}:\s*(\S+)", f"field CP achieved {achieved}")
    estimated = source.decimal(f"CP achieved {achieved}", reached)
    slack = None if clock is None or estimated is None else round(clock - estimated, 3)
    project = source.after(r"^Project:\s+(\S+)", "field Project")
    return SynthReport(
        stage=Stage.ROUTED if routed else Stage.SYNTHESISED,
        tool="Vivado",
        version=source.after(r"^Implementation tool:.*\bv\.(\d{4}\.\d[\d.]*)", "field Implementation tool"),
        top=project.removesuffix("_prj"),
        part=source.after(r"^Device target:\s+(\S+)", "field Device target"),
        usage=Usage(
            lut=_count(source, "LUT"),
            ff=_count(source, "FF"),
            bram18=_count(source, "BRAM"),
            dsp=_count(source, "DSP"),
            uram=_count(source, "URAM") if source.has(r"^URAM:") else None,
        ),
        timing=Timing(clock_ns=clock, estimated_ns=estimated, slack_ns=slack),
    )


def _count(source: Source, name: str) -> int | None:
    return source.integer(name, source.after(rf"^{name}:\s*(\S+)", f"field {name}"))


def read_results(source: Source) -> SynthReport:
    """Read ``export_syn.rpt`` or ``export_impl.rpt`` of Vitis HLS; ``top`` is the project's name.

    Raises:
        ReportError: cut short, or a field is missing or not of its kind.
    """
    routed = source.has(r"^== Vivado Place & Route Results")
    if not source.has(r"^\* Timing was (not )?met"):
        raise source.missing("line Timing was met or Timing was not met")
    name = "Place & Route" if routed else "RTL Synthesis"
    found = tables(source, lambda section, item: section == f"{name} Timing Summary")
    periods = {row[0].strip(): row[1] for table in found for row in table.rows if len(row) == 2}
    if "Target" not in periods or len(periods) < 2 or (routed and "Post-Route" not in periods):
        raise source.missing("field Target or Post-Route of the timing summary")
    # after synthesis alone 2022.2 calls it Post-Route as well
    reached = periods["Post-Route"] if routed else next(reversed(periods.values()))
    clock, estimated = source.nanoseconds("Target", periods["Target"]), source.nanoseconds("Post-Route", reached)
    slack = None if clock is None or estimated is None else round(clock - estimated, 3)
    project = source.after(r"^\s+\* Project:\s+(\S+)", "field Project")
    return SynthReport(
        stage=Stage.ROUTED if routed else Stage.SYNTHESISED,
        tool="Vivado",
        version=source.after(r"^\s+\* Version:\s+(\d{4}\.\d[\d.]*)", "field Version"),
        top=re.sub(r"[._](prj|proj)$", "", project),
        part=source.after(r"^\s+\* Target device:\s+(\S+)", "field Target device"),
        usage=Usage(**{kind: _count(source, row) for kind, row in RESULTS.items()}),
        timing=Timing(clock_ns=clock, estimated_ns=estimated, slack_ns=slack),
    )
