"""Reports of Vivado HLS, Vitis HLS and Vivado, read into one typed ``SynthReport``.

Read are: ``<top>_csynth.xml`` and ``<top>_csynth.rpt`` (2016.4 to 2025.1), the summary
``csynth.xml`` / ``csynth.rpt`` of Vitis HLS, ``<top>_export.rpt``, and Vivado's
``report_utilization`` (flat and hierarchical), ``report_timing_summary`` and ``report_power`` at any
stage. Everything else, and every file that is cut short, is refused with a ``ReportError`` that
names file and field.
"""

from __future__ import annotations

import re
from pathlib import Path

from xnorflow.backends.xilinx_csynth import read_csynth, read_summary
from xnorflow.backends.xilinx_export import read_export
from xnorflow.backends.xilinx_text import Source
from xnorflow.backends.xilinx_vivado import read_vivado
from xnorflow.backends.xilinx_xml import read_xml
from xnorflow.errors import ReportError
from xnorflow.report import SynthReport

__all__ = ["read_report"]

LARGEST_BYTES = 64 << 20
KINDS = "csynth.xml, csynth.rpt, export.rpt and Vivado's utilisation, timing summary and power reports"


def read_report(path: Path | str) -> SynthReport:
    """Read one report of Vivado HLS, Vitis HLS or Vivado; what it is shows in its text, not its name.

    Raises:
        ReportError: the file is missing, empty, binary, cut short, of another kind, or lacks a field.
    """
    path = Path(path)
    text = _text(path)
    if text.lstrip().startswith("<"):
        return read_xml(path, text)
    lines = tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    source = Source(path, lines)
    start = [line.strip() for line in lines if line.strip()][:8]
    if len(start) > 1 and re.match(r"^=+$", start[0]):
        if re.match(r"^== Vi(vado|tis) HLS Report for '", start[1]):
            return read_csynth(source)
        if start[1].startswith("== Synthesis Summary Report of '"):
            return read_summary(source)
    if any(re.match(r"^\|\s*Tool Version\s*:\s*Vivado", line) for line in start):
        return read_vivado(source)
    if start and start[0].startswith("Implementation tool:"):
        return read_export(source)
    first = start[0][:60] if start else ""
    raise ReportError(f"{path}: not a report that xnorflow reads; it reads {KINDS}, got a file that starts {first!r}")


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise ReportError(f"{path}: a report has at most {LARGEST_BYTES >> 20} MB, got {size >> 20} MB")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReportError(f"cannot read report {path}: {reason}; give the path of one of {KINDS}") from error
    if not data.strip():
        raise ReportError(f"{path}: the file is empty; write the report again")
    if b"\0" in data:
        raise ReportError(f"{path}: a binary file, not a report; xnorflow reads {KINDS}")
    # a host or user name may be in another encoding than UTF-8; no field that is read is
    return data.decode("utf-8-sig", errors="replace")
