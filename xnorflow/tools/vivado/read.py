"""Reports of Vivado HLS, Vitis HLS and Vivado, read into one typed ``SynthReport``.

Read are: ``<top>_csynth.xml`` and ``<top>_csynth.rpt`` (2016.4 to 2025.1), the summary
``csynth.xml`` / ``csynth.rpt`` of Vitis HLS, ``<top>_export.rpt``, ``export_syn.rpt`` and ``export_impl.rpt``,
and Vivado's ``report_utilization`` (flat and hierarchical), ``report_timing_summary`` and ``report_power`` at
any stage. Everything else, and every file that is cut short, is refused with a ``ReportError`` that says what
it is, or names file and field.
"""

from __future__ import annotations

import re
from pathlib import Path

from xnorflow.base.errors import DataError, ReportError, shown
from xnorflow.base.files.atomic import read_bytes
from xnorflow.tools.report import SynthReport
from xnorflow.tools.vivado.csynth import read_csynth
from xnorflow.tools.vivado.csynth_xml import read_xml
from xnorflow.tools.vivado.export import read_export, read_results
from xnorflow.tools.vivado.summary import read_summary
from xnorflow.tools.vivado.text import Source
from xnorflow.tools.vivado.usage import read_vivado

__all__ = ["read_report"]

LARGEST_BYTES = 64 << 20
_KINDS = "csynth.xml, csynth.rpt, export.rpt, export_impl.rpt, Vivado's utilisation, timing summary and power reports"
CSYNTH = "csynth.xml or csynth.rpt"
# files that lie beside reports: how they start, what they are, and what to name instead
_OTHERS = (
    (r"== Design Size Report", "a report of design sizes while HLS compiled, which counts no cells", CSYNTH),
    (r"Report time\s*:", "a report of a co-simulation by HLS, which counts no cells", CSYNTH),
    (r"latency\s+interval$|\$MAX_LATENCY", "numbers of a co-simulation by HLS, which counts no cells", CSYNTH),
    (r"Found \d+ solution\(s\) in", "what hls4ml printed of a report, not the report", CSYNTH),
    (r"(\*{6} )?(Vivado|Vitis)( HLS)?\b.*\bv?20\d\d\.\d|INFO: \[|#-{10}", "a tool's log", CSYNTH),
    (r"Design Route Status", "Vivado's report_route_status, which counts no cells", "report_utilization"),
    (r"[\[{]", "JSON", CSYNTH),
)


def read_report(path: Path | str) -> SynthReport:
    """Read one report of Vivado HLS, Vitis HLS or Vivado; what it is shows in its text, not its name.

    Raises:
        ReportError: the file is missing, not a regular file, larger than 64 MB or unreadable; it is empty, binary,
            cut short, of another kind, or lacks a field.
    """
    path = Path(path)
    text = _text(path)
    if text.lstrip().startswith("<"):
        return read_xml(path, text)
    lines = tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    source = Source(path, lines)
    start = [line.strip() for line in lines if line.strip()][:8]
    title = next((line for line in start if not re.match(r"^=+$", line)), "")
    if re.match(r"^== Vi(vado|tis) HLS Report for '", title):
        _refuse_verbose(source)
        return read_csynth(source)
    if title.startswith("== Synthesis Summary Report of '"):
        return read_summary(source)
    if re.match(r"^== Vivado (RTL Synthesis|Place & Route) Results", title):
        return read_results(source)
    if any(re.match(r"^\|\s*Tool Version\s*:\s*Vivado", line) for line in start):
        return read_vivado(source)
    if title.startswith("Implementation tool:"):
        return read_export(source)
    raise _other(path, title)


def _other(path: Path, title: str) -> ReportError:
    """Return the error for a file that is not a report, by what it is."""
    for pattern, what, instead in _OTHERS:
        if re.match(pattern, title):
            return ReportError(f"{shown(path)}: not a report that xnorflow reads but {what}; name {instead}")
    return ReportError(
        f"{shown(path)}: not a report that xnorflow reads; it reads {_KINDS}, got a file that starts {title[:60]!r}"
    )


def _refuse_verbose(source: Source) -> None:
    """Refuse what HLS notes of a function on its way, ``*.verbose.sched.rpt`` and ``*.verbose.bind.rpt``."""
    if source.has(r"^\+ Verbose Summary: ") and not source.has(r"^== Interface"):
        raise ReportError(
            f"{shown(source.path)}: a verbose scheduling report of HLS, which holds no totals; name {CSYNTH}"
        )


def _text(path: Path) -> str:
    try:
        data = read_bytes(path, LARGEST_BYTES)
    except DataError as error:
        raise ReportError(str(error)) from error
    if not data.strip():
        raise ReportError(f"{shown(path)}: the file is empty; write the report again")
    if b"\0" in data:
        raise ReportError(f"{shown(path)}: a binary file, not a report; xnorflow reads {_KINDS}")
    # a host or user name may be in another encoding than UTF-8; no field that is read is
    return data.decode("utf-8-sig", errors="replace")
