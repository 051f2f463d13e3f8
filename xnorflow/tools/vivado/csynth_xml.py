"""``<top>_csynth.xml`` of Vivado HLS and Vitis HLS, and Vitis' ``csynth.xml`` with all modules."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from xnorflow.base.errors import ReportError, shown
from xnorflow.tools.report import Stage, SynthReport, Timing, Usage
from xnorflow.tools.vivado.text import Source, Span

# several times the largest that is known; every byte of it may take forty of memory
LARGEST_XML = 16 << 20
DSP_NAMES = ("DSP", "DSP48E", "DSP48", "DSP48E1", "DSP48E2", "DSP58", "DSP_Slice")


def read_xml(path: Path, text: str) -> SynthReport:
    """Read a csynth XML report.

    Raises:
        ReportError: larger than 16 MB, not well formed, with a DTD, of another kind, or lacking a field.
    """
    if len(text) > LARGEST_XML:
        raise ReportError(f"{shown(path)}: XML of HLS has at most {LARGEST_XML >> 20} MB, got {len(text) >> 20} MB")
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise ReportError(f"{shown(path)}: a report has no DTD and no entities, this one has; write it again")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ReportError(f"{shown(path)}: not whole XML ({error}); write the report again") from error
    source = Source(path, ())
    if root.tag != "profile":
        raise ReportError(
            f"{shown(path)}: XML of another kind than csynth.xml, whose first element is profile; got {root.tag!r}"
        )
    if root.find("AreaReport") is not None:
        raise ReportError(f"{shown(path)}: XML of export_design, which names neither tool nor part; name export.rpt")
    version = _required(source, root, "ReportVersion/Version")
    resources, available = (
        _child(source, root, "AreaEstimates/Resources"),
        root.find("AreaEstimates/AvailableResources"),
    )
    modules = {_required(source, item, "Name"): item for item in root.findall("ModuleInformation/Module")}
    return SynthReport(
        stage=Stage.HLS,
        tool=_tool(root, version),
        version=version,
        top=_required(source, root, "UserAssignments/TopModelName"),
        part=_required(source, root, "UserAssignments/Part"),
        usage=_usage(source, resources, whole=True),
        timing=_timing(source, root),
        available=Usage() if available is None else _usage(source, available, whole=True),
        modules={name: _module_usage(source, item) for name, item in modules.items()},
        module_timing={name: _module_timing(source, item) for name, item in modules.items()},
    )


def _tool(root: ElementTree.Element, version: str) -> str:
    # Vitis HLS follows Vivado HLS from 2020.2 on; in 2020.1 there are both, and only Vitis names a flow
    is_vitis = root.find("UserAssignments/FlowTarget") is not None
    match = re.match(r"^(\d{4})\.(\d)", version)
    late = match is not None and (int(match.group(1)), int(match.group(2))) >= (2020, 2)
    return "Vitis HLS" if is_vitis or late else "Vivado HLS"


def _child(source: Source, node: ElementTree.Element, path: str) -> ElementTree.Element:
    child = node.find(path)
    if child is None:
        raise source.missing(f"field {path}")
    return child


def _optional(node: ElementTree.Element, path: str) -> str | None:
    text = node.findtext(path)
    return None if text is None else text.strip()


def _required(source: Source, node: ElementTree.Element, path: str) -> str:
    text = _optional(node, path)
    if not text:
        raise source.missing(f"field {path}")
    return text


def _count(source: Source, node: ElementTree.Element, name: str, *, needed: bool) -> int | None:
    text = _required(source, node, name) if needed else _optional(node, name)
    return None if text is None else source.integer(name, text)


def _usage(source: Source, node: ElementTree.Element, *, whole: bool) -> Usage:
    dsp = next((name for name in DSP_NAMES if node.find(name) is not None), None)
    if dsp is None and whole:
        raise source.missing(f"field {node.tag}/DSP")
    return Usage(
        lut=_count(source, node, "LUT", needed=whole),
        ff=_count(source, node, "FF", needed=whole),
        bram18=_count(source, node, "BRAM_18K", needed=whole),
        dsp=None if dsp is None else _count(source, node, dsp, needed=whole),
        uram=_count(source, node, "URAM", needed=False),
    )


def _timing(source: Source, root: ElementTree.Element) -> Timing:
    node = _child(source, root, "PerformanceEstimates")
    latency = _child(source, node, "SummaryOfOverallLatency")
    unit = _optional(root, "UserAssignments/unit") or "ns"
    uncertainty = _optional(root, "UserAssignments/ClockUncertainty")
    return Timing(
        clock_ns=_time(source, _required(source, root, "UserAssignments/TargetClockPeriod"), unit),
        estimated_ns=_time(source, _required(source, node, "SummaryOfTimingAnalysis/EstimatedClockPeriod"), unit),
        latency_cycles=_range(source, latency, "Best-caseLatency", "Worst-caseLatency"),
        interval_cycles=_range(source, latency, "Interval-min", "Interval-max"),
        uncertainty_ns=None if uncertainty is None else _time(source, uncertainty, unit),
        pipeline=pipeline_type(_optional(node, "PipelineType") or _optional(latency, "PipelineType")),
    )


def _time(source: Source, text: str, unit: str) -> float | None:
    return source.nanoseconds("a clock period", f"{text} {unit}")


def _range(source: Source, node: ElementTree.Element, low: str, high: str) -> Span | None:
    return source.span(f"{low} and {high}", _required(source, node, low), _required(source, node, high))


def _module_usage(source: Source, module: ElementTree.Element) -> Usage:
    return _usage(source, _child(source, module, "AreaEstimates/Resources"), whole=False)


def _module_timing(source: Source, module: ElementTree.Element) -> Timing:
    node = _child(source, module, "PerformanceEstimates")
    times = node.find("SummaryOfTimingAnalysis")
    cycles = node.find("SummaryOfOverallLatency")
    estimated = None if times is None else _optional(times, "EstimatedClockPeriod")
    latency, interval, pipeline = (None, None, None) if cycles is None else _module_cycles(source, cycles)
    return Timing(
        estimated_ns=None if estimated is None else _time(source, estimated, "ns"),
        latency_cycles=latency,
        interval_cycles=interval,
        pipeline=pipeline,
    )


def _module_cycles(source: Source, node: ElementTree.Element) -> tuple[Span | None, Span | None, str | None]:
    name = "PipelineInitiationInterval"
    latency = _range(source, node, "Best-caseLatency", "Worst-caseLatency")
    interval = source.span_in(name, _optional(node, name) or "-")
    # beside a latency that is not known stands an interval of 0, which is none
    known = None if latency is None and interval == (0, 0) else interval
    return latency, known, pipeline_type(_optional(node, "PipelineType"))


def pipeline_type(text: str | None) -> str | None:
    """Return HLS' pipeline type as its XML mostly writes it: the text has "clock cycles(s)" for "cycles"."""
    return (text or "").strip().replace("clock cycles(s)", "cycles") or None
