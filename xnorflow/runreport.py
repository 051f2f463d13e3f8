"""RunReport: the result of a run as numbers and where they come from, and its JSON file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow import __version__
from xnorflow.errors import DataError, ReportError
from xnorflow.files import read_json, write_json
from xnorflow.report import Depth, LayerMismatch, LogicDelay, SimResult, Slices

FORMAT_VERSION = 2
# the order in which resources are shown
KINDS = ("lut", "ff", "bram18", "dsp")
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
    n_in: int
    n_out: int
    kernel: str
    reuse_factor: int
    cycles: int
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

    pixels: int
    bits_per_pixel: int
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
    n_in: int
    n_out: int
    pe: int
    simd: int
    reuse_factor: int
    cycles: int


@dataclass(frozen=True)
class RtlSpeed:
    """Cycles by formula and as measured in RTL simulation."""

    interval_cycles: int
    measured_interval_cycles: float
    latency_cycles: int
    measured_latency_cycles: int

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
    used: dict[str, int | None]
    available: dict[str, int]
    depth: Depth | None = None
    logic_delay: LogicDelay | None = None
    slices: Slices | None = None
    slices_available: int | None = None

    def __post_init__(self) -> None:
        # a JSON file brings them back in the order of the alphabet
        for name in ("used", "available"):
            counts = getattr(self, name)
            object.__setattr__(self, name, {kind: counts[kind] for kind in KINDS if kind in counts})

    @property
    def fits(self) -> bool | None:
        """Whether every count is within the part; None where one is not known, or slices may run out."""
        if any(count is not None and count > self.available[kind] for kind, count in self.used.items()):
            return False
        if self.slices is not None and self.slices_available is not None:
            if self.slices.least > self.slices_available:
                return False
            if self.slices.likely > self.slices_available:
                return None
        return None if None in self.used.values() else True

    @classmethod
    def of(cls, values: dict[str, Any]) -> SynthRow:
        """Build it from its JSON form."""
        parts = {"depth": Depth, "logic_delay": LogicDelay, "slices": Slices}
        built = {name: kind(**values[name]) for name, kind in parts.items() if values.get(name) is not None}
        return cls(**{**values, **built})


@dataclass(frozen=True)
class StepRow:
    """One step: what it took when it ran, and whether an earlier run had done it."""

    name: str
    seconds: float
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
    clock_mhz: float
    backend: str
    io_type: str
    data_name: str
    data_sha256: str
    test_images: int
    trained_here: bool | None = None
    card: dict[str, Any] | None = None
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
    format: int = FORMAT_VERSION

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
        return self.card is not None and self.card["data"]["sha256"] != self.data_sha256


def save_report(report: RunReport, project: Path) -> None:
    """Write ``report.json`` to a project folder."""
    write_json(project / FILE, dataclasses.asdict(report))


def load_report(project: Path) -> RunReport:
    """Read the report of a run.

    Raises:
        ReportError: the folder holds no report, or one of another version or damaged.
    """
    path = project / FILE
    if not path.is_file():
        raise ReportError(f"no {FILE} in {project}; run `xnorflow run CONFIG` first, and name its project folder")
    try:
        values = read_json(path)
        if values["format"] != FORMAT_VERSION:
            raise ReportError(f"{path}: field format is {values['format']}, this version reads {FORMAT_VERSION}")
        values["layers"] = tuple(LayerRow(**row) for row in values["layers"])
        values["rtl_layers"] = tuple(RtlRow(**row) for row in values["rtl_layers"])
        parts = (
            ("input", lambda row: InputRow(**row)),
            ("rtl_speed", lambda row: RtlSpeed(**row)),
            ("synth", SynthRow.of),
        )
        for name, build in parts:
            values[name] = build(values[name]) if values.get(name) is not None else None
        values["results"] = tuple(sim_result(row) for row in values["results"])
        values["warnings"] = tuple(values.get("warnings", ()))
        values["steps"] = tuple(StepRow(**row) for row in values["steps"])
        return RunReport(**values)
    except (DataError, KeyError, TypeError) as error:
        raise ReportError(f"{path}: damaged report ({error}); run `xnorflow run` again") from error


def sim_result(values: dict[str, Any]) -> SimResult:
    """Build a SimResult from its JSON form."""
    mismatch = values["mismatch"]
    if mismatch is not None:
        first = tuple(tuple(entry) for entry in mismatch["first"])
        mismatch = LayerMismatch(**{**mismatch, "first": first})
    return SimResult(**{**values, "mismatch": mismatch})
