"""Reports that a user names, held against a configuration: of its part, and of its whole design."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xnorflow.base.device import device_of
from xnorflow.base.errors import ReportError, shown
from xnorflow.flow.config import BuildConfig
from xnorflow.routes.hls.write.project import PROJECT_NAME
from xnorflow.routes.rtl.write.network import TOP
from xnorflow.tools.report import SynthReport
from xnorflow.tools.vivado.read import read_report


def read_own_reports(paths: Sequence[str | Path], config: BuildConfig) -> tuple[SynthReport, ...]:
    """Read reports of a configuration's design.

    Raises:
        ReportError: one cannot be read, or is of another part, another design or one of its modules.
    """
    reports = tuple(read_report(path) for path in paths)
    for path, report in zip(paths, reports, strict=True):
        refuse_other_design(shown(path), report, config)
    return reports


def refuse_other_design(name: str, report: SynthReport, config: BuildConfig) -> None:
    """Refuse a report, named ``name``, that is not of the configuration's part and top.

    Raises:
        ReportError: it is of another part, another design or one of its modules.
    """
    parts = {part.lower() for part in device_of(config.part).parts}
    # a device or board may stand for its parts
    wanted = {config.part.lower()} & parts or parts
    if report.part_name not in wanted:
        raise ReportError(
            f"{name}: part must be the configuration's, {' or '.join(sorted(wanted))}, got {report.part_name}; "
            "name a report of that part, or another part with --part"
        )
    top = TOP if config.hls is None else PROJECT_NAME
    if report.top != top:
        raise ReportError(
            f"{name}: the design must be {top}, the whole network as xnorflow writes it, got {report.top!r}; "
            f"name a report of {top}"
        )
