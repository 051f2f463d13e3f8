"""Does it fit? From the best source at hand, per resource, with how sure the source is.

Sources rise in sureness: estimate, HLS report, Yosys, Vivado's synthesis, placed, routed. A count of
an early source stands for a range of final counts; it fits where the whole range fits, it does not
where the whole range does not, and else it is too close to say. Every command that says "fits" asks here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xnorflow.base.errors import ReportError
from xnorflow.base.resources import KINDS, Band, Counts, Ratios
from xnorflow.fitting.cost import hls_to_vivado
from xnorflow.fitting.problem import Budget
from xnorflow.tools.answer import (
    FINAL,
    ORDER,
    VIVADO,
    Answer,
    _finals,
    answer_of,
    worst,
)
from xnorflow.tools.report import Stage, SynthReport, Usage


@dataclass(frozen=True)
class Evidence:
    """Counts of one source: an estimate's bands, or a report's counts."""

    stage: Stage
    counts: Counts[Band | None]
    slack_ns: float | None = None


@dataclass(frozen=True)
class ResourceVerdict:
    """The answer for one resource.

    Attributes:
        stage: the source; None where no source tells.
        final: range of the final count.
    """

    kind: str
    answer: Answer
    usable: int
    stage: Stage | None = None
    final: Band | None = None


@dataclass(frozen=True)
class Verdict:
    """The answer for a device, the worst of its resources; ``reports`` are those it was found with."""

    device: str
    answer: Answer
    findings: tuple[ResourceVerdict, ...]
    meets_clock: bool | None = None
    reports: tuple[SynthReport, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the answer is a plain yes."""
        return self.answer is Answer.FITS

    @property
    def message(self) -> str:
        """One line with the answer and what each resource rests on."""
        parts = []
        for item in self.findings:
            if item.final is None or item.stage is None:
                parts.append(f"{item.kind.upper()} unknown of {item.usable}")
                continue
            low, high = item.final.low, item.final.high
            count = f"{low}" if low == high else f"{low} to {high}"
            parts.append(f"{item.kind.upper()} {count} of {item.usable} ({item.stage.value}: {item.answer.value})")
        clock = {None: "", True: "; clock met", False: "; clock not met"}[self.meets_clock]
        # a design whose cells fit may still need more slices than the part has
        slices = "" if any(item.stage in VIVADO for item in self.findings) else "; slices not estimated"
        return f"{self.answer.value} {self.device}: {', '.join(parts)}{clock}{slices}"


def evidence_of_estimate(amounts: Counts[Band]) -> Evidence:
    """Return the evidence of an estimate, such as ``NetCost.expected``."""
    return Evidence(Stage.ESTIMATED, Counts(*amounts.values()))


def evidence_of_report(report: SynthReport, ratios: Ratios | None = None) -> Evidence:
    """Return the evidence of a report: each count as the range of final counts it stands for.

    Args:
        report: any report.
        ratios: from HLS report to Vivado, where a user has calibrated them.
    """
    final = (ratios or hls_to_vivado()) if report.stage is Stage.HLS else FINAL.get(report.stage, {})
    return Evidence(report.stage, _finals(report.usage.counts, final), _slack(report))


def _slack(report: SynthReport) -> float | None:
    """Return the slack of a report that knows the clock; HLS' own estimate of it decides nothing."""
    return None if report.stage is Stage.HLS else report.timing.slack_ns


def decide(evidence: Sequence[Evidence], budget: Budget) -> Verdict:
    """Return the verdict; each resource rests on the surest source that tells it.

    A placed design is held against the device itself, as margin and placing are behind it; every
    other source against what the budget leaves.
    """
    findings = tuple(_find(kind, evidence, budget) for kind in KINDS)
    timed = [item for item in evidence if item.slack_ns is not None]
    best = max(timed, key=lambda item: ORDER.index(item.stage), default=None)
    meets = None if best is None or best.slack_ns is None else best.slack_ns >= 0
    return Verdict(budget.device.name, worst(finding.answer for finding in findings), findings, meets)


def _find(kind: str, evidence: Sequence[Evidence], budget: Budget) -> ResourceVerdict:
    telling = [item for item in evidence if item.counts[kind] is not None]
    if not telling:
        return ResourceVerdict(kind, Answer.TOO_CLOSE, budget.usable[kind])
    best = max(telling, key=lambda item: ORDER.index(item.stage))
    final, usable = best.counts[kind], _limit(kind, best.stage, budget)
    return ResourceVerdict(kind, answer_of(final, usable), usable, best.stage, final)


def _limit(kind: str, stage: Stage, budget: Budget) -> int:
    whole = stage in (Stage.PLACED, Stage.ROUTED)
    return (budget.device.resources if whole else budget.usable)[kind]


@dataclass(frozen=True)
class Ratio:
    """How one resource goes from HLS report to Vivado, over a user's own designs."""

    low: float
    likely: float
    high: float
    designs: int


def learn_ratios(reports: Sequence[SynthReport]) -> dict[str, Ratio]:
    """Return the ratios of Vivado's counts to those of HLS over the designs that have both.

    Designs are matched by top name; of several reports of Vivado the surest one counts. The result
    has the form of ``fitting/costs/hls_to_vivado.yaml``.

    Raises:
        ReportError: no design has both kinds of report.
    """
    ratios: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for top in sorted({report.top for report in reports}):
        own = [report for report in reports if report.top == top]
        hls = next((report.usage.counts for report in own if report.stage is Stage.HLS), None)
        later = [report for report in own if report.stage in VIVADO and report.usage != Usage()]
        if hls is None or not later:
            continue
        vivado = max(later, key=lambda report: ORDER.index(report.stage)).usage.counts
        for kind in KINDS:
            before, after = hls[kind], vivado[kind]
            if before and after:
                ratios[kind].append(after / before)
    if not any(ratios.values()):
        raise ReportError(
            "no design has both an HLS report and a Vivado utilisation report of the same top function; "
            f"got {len(reports)} reports: name csynth.xml or csynth.rpt and a utilisation report of each design"
        )
    return {kind: _ratio(values) for kind, values in ratios.items() if values}


def _ratio(values: Sequence[float]) -> Ratio:
    middle = math.exp(sum(math.log(value) for value in values) / len(values))
    return Ratio(min(values), middle, max(values), len(values))
