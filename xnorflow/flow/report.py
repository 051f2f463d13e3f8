"""RunReport: the result of a run as numbers and where they come from, and its JSON file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from xnorflow import __version__
from xnorflow.base.checks import got
from xnorflow.base.errors import DataError, ReportError, shown
from xnorflow.base.files.atomic import is_file, write_json
from xnorflow.base.files.plain import Above0, Count, Positive, Seconds, from_plain, read_json
from xnorflow.base.resources import Counts
from xnorflow.routes.compare import SimResult
from xnorflow.sources.training.card import Card
from xnorflow.tools.answer import Answer, counts_answer
from xnorflow.tools.report import Depth, LogicDelay, Slices, Stage

_FORMAT_VERSION = 2
FILE = "report.json"


@dataclass(frozen=True)
class LayerRow:
    """One layer in hardware.

    Attributes:
        n_in: inputs of one neuron.
        n_out: neurons, or output channels of a convolution.
        kernel: "hls4ml" and its strategy, or "XNOR", neurons and inputs per cycle.
        cycles: cycles per image, by formula.
        accum: C++ type of the accumulator.
        result: C++ type of the sums.
    """

    name: str
    n_in: Positive
    n_out: Positive
    kernel: str
    reuse_factor: Positive
    cycles: Positive
    accum: str
    result: str


@dataclass(frozen=True)
class InputRow:
    """What the network reads of an image.

    Attributes:
        pixels: values of an image, counting each channel.
        bits_per_pixel: bits that the network reads of each.
        thresholds: text: those that the pixels are compared with.
    """

    pixels: Positive
    bits_per_pixel: Positive
    thresholds: str


@dataclass(frozen=True)
class RtlRow:
    """One layer of the Verilog route.

    Attributes:
        pe: neurons per cycle.
        simd: inputs of each per cycle.
        reuse_factor: cycles per image, or per position of a convolution's window.
        cycles: cycles per image, by formula.
    """

    name: str
    n_in: Positive
    n_out: Positive
    pe: Positive
    simd: Positive
    reuse_factor: Positive
    cycles: Positive


@dataclass(frozen=True)
class RtlSpeed:
    """Cycles by formula and as measured in RTL simulation."""

    interval_cycles: Positive
    measured_interval_cycles: Above0
    latency_cycles: Positive
    measured_latency_cycles: Count

    @property
    def agrees(self) -> bool:
        """Whether what was measured is what the formulas say."""
        formula = (self.interval_cycles, self.latency_cycles)
        return formula == (self.measured_interval_cycles, self.measured_latency_cycles)


@dataclass(frozen=True)
class SynthRow:
    """Counts of a synthesis tool beside what the part has; None where the tool does not say.

    Attributes:
        source: stage of the counts, such as "Yosys".
        tool: program and version.
        depth: logic between registers, counted in the netlist.
        logic_delay: Yosys' estimate of the slowest path's cells.
        slices: slices, counted in the netlist.
        slices_available: those of the part.
    """

    source: str
    tool: str
    used: Counts[Count | None]
    available: Counts[Count]
    depth: Depth | None = None
    logic_delay: LogicDelay | None = None
    slices: Slices | None = None
    slices_available: Count | None = None

    @property
    def fits(self) -> bool | None:
        """Whether the part is large enough, as ``verdict`` says; None where that is too close to say."""
        stage = next((stage for stage in Stage if stage.value == self.source), Stage.YOSYS)
        answer = counts_answer(stage, self.used, self.available, self.slices, self.slices_available)
        return {Answer.FITS: True, Answer.DOES_NOT_FIT: False, Answer.TOO_CLOSE: None}[answer]


@dataclass(frozen=True)
class StepRow:
    """One step: what it took when it ran, and whether an earlier run had done it."""

    name: str
    seconds: Seconds
    reused: bool


@dataclass(frozen=True)
class RunReport:
    """What a run found out; empty tuples and None for steps that have not run.

    Attributes:
        card: card of the trained network, as ``train`` writes it; None where it has none.
        trained_here: whether this run trained the network; None before it is known.
        spec_sha256: hash of the golden model.
        input: what the network reads; None in reports of before there was a choice.
        layers: the layers of the HLS route.
        rtl_layers: the layers of the Verilog route.
        warnings: what is doubtful about the accuracy, a sentence each.
    """

    name: str
    part: str
    device: str
    clock_mhz: Above0
    backend: str
    io_type: str
    data_name: str
    data_sha256: str
    test_images: Count
    trained_here: bool | None = None
    card: Card | None = None
    spec_sha256: str | None = None
    input: InputRow | None = None
    layers: tuple[LayerRow, ...] = ()
    rtl_layers: tuple[RtlRow, ...] = ()
    rtl_speed: RtlSpeed | None = None
    synth: SynthRow | None = None
    results: tuple[SimResult, ...] = ()
    steps: tuple[StepRow, ...] = ()
    warnings: tuple[str, ...] = ()
    version: str = __version__
    format: int = _FORMAT_VERSION

    @property
    def agrees(self) -> bool:
        """Whether every implementation that ran equals the golden model, and measured cycles the formulas."""
        speed = self.rtl_speed is None or self.rtl_speed.agrees
        return speed and all(result.agrees for result in self.results)

    @property
    def interval_cycles(self) -> int | None:
        """Cycles between two images by formula; None before the conversion."""
        if self.rtl_speed is not None:
            return self.rtl_speed.interval_cycles
        cycles = [layer.cycles for layer in self.layers] + [layer.cycles for layer in self.rtl_layers]
        return max(cycles, default=None)

    @property
    def trained_on_other_data(self) -> bool:
        """Whether the network was trained on another data set than the one it was run on."""
        return self.card is not None and self.card.data.sha256 != self.data_sha256


def save_report(report: RunReport, project: str | Path) -> None:
    """Write ``report.json`` to a project folder."""
    write_json(Path(project) / FILE, dataclasses.asdict(report))


def load_report(project: str | Path) -> RunReport:
    """Read the report of a run.

    Raises:
        ReportError: the folder holds no report, or one of another version or damaged.
    """
    path = Path(project) / FILE
    if not is_file(path):
        raise ReportError(
            f"no {FILE} in {shown(project)}; run `xnorflow run CONFIG` first, and name its project folder"
        )
    try:
        values = read_json(path)
        if isinstance(values, dict) and (found := values.get("format")) != _FORMAT_VERSION:
            raise ReportError(f"{shown(path)}: field format is {got(found)}, this version reads {_FORMAT_VERSION}")
        return from_plain(RunReport, values, shown(path))
    except DataError as error:
        raise ReportError(f"damaged report {error}; run `xnorflow run` again") from error
