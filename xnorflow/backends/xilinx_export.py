"""``<top>_export.rpt``: what Vivado made of an HLS design, as ``export_design -evaluate`` notes it."""

from __future__ import annotations

from xnorflow.backends.xilinx_text import Source
from xnorflow.report import Stage, SynthReport, Timing, Usage


def read_export(source: Source) -> SynthReport:
    """Read an export report; of two stages in it the later one counts.

    Raises:
        ReportError: cut short, or a field is missing or not of its kind.
    """
    if not source.has(r"^(Timing|TIMING)\s+(not\s+)?(met|MET)\s*$"):
        raise source.missing("last line, Timing met or Timing not met")
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
