"""The public Python functions behind fit, explore, synth and calibrate."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from xnorflow import api
from xnorflow.backends.xilinx_reports import read_report
from xnorflow.calibration import load_calibration
from xnorflow.config import BuildConfig
from xnorflow.config_file import config_to_yaml, load_config
from xnorflow.cost import NetCost, Ratios, hls_to_vivado, layer_shapes
from xnorflow.data import shape_of
from xnorflow.device import device_of
from xnorflow.errors import ReportError
from xnorflow.files import is_file, write_text
from xnorflow.fit import AXI_DMA_SHELL, Budget, Fit, Goal, cost_of, fit_config, kernel_of, with_foldings
from xnorflow.flow import Announce, Step, complete, hold, prepare
from xnorflow.job import EXTRACT, shipped_model
from xnorflow.own_report import read_own_reports
from xnorflow.pareto import Point, check_drawing, plot
from xnorflow.pareto import explore as _explore
from xnorflow.resources import NONE
from xnorflow.spec import NetSpec
from xnorflow.specfile import load_spec
from xnorflow.steps_hls import CONVERT
from xnorflow.steps_synth import SYNTH, Synthesis
from xnorflow.stock import StockRow, stock_kernels, stock_rows
from xnorflow.synth import SynthRun, tools_of
from xnorflow.tools import check_time_limit
from xnorflow.verdict import Ratio, Verdict, decide, evidence_of_estimate, evidence_of_report
from xnorflow.verdict import calibrate as _calibrate

BOARD_LOGIC = {"none": NONE, "axi-dma": AXI_DMA_SHELL}
UNTRAINED = "untrained: shape only, thresholds are not known; memories of our Verilog depend on the weights"


@dataclass(frozen=True)
class FitQuestion:
    """A network, a configuration, and what of a device it may use; ``origin`` says where the network is from."""

    spec: NetSpec
    config: BuildConfig
    budget: Budget
    ratios: Ratios
    origin: str

    @property
    def name(self) -> str:
        """The network's name: that of its file in the configuration, or else its own."""
        return self.spec.name if self.config.network is None else self.config.network.stem


def fit_question(
    config: str | Path | BuildConfig,
    *,
    project: str | Path | None = None,
    part: str | None = None,
    margin: float = 0.10,
    board_logic: str = "none",
    calibration: str | Path | None = None,
) -> FitQuestion:
    """Return what ``fit``, ``check`` and ``explore`` work on.

    Args:
        config: a YAML file, or a BuildConfig.
        project: project folder whose network is taken, if it has one; else the shipped network, if it
            reads images of the configuration's data; else an untrained one, of the shapes that the data asks for.
        part: another part than the configuration's.
        margin: share of the device left to placing and routing.
        board_logic: what the board's own logic takes, a name of ``BOARD_LOGIC``.
        calibration: file that ``calibrate`` wrote.

    Raises:
        XnorflowError: a setting or file that is not allowed.
    """
    settings = config if isinstance(config, BuildConfig) else load_config(Path(config))
    if part is not None:
        settings = dataclasses.replace(settings, part=part)
    job = api.make_job(config, project=project)
    ratios = {**hls_to_vivado(), **(load_calibration(Path(calibration)) if calibration is not None else {})}
    budget = Budget(device_of(settings.part), margin, BOARD_LOGIC[board_logic])
    spec, origin = _network(settings, job.project)
    settings.check_layers(spec)
    return FitQuestion(spec, settings, budget, ratios, origin)


def _network(config: BuildConfig, project: Path) -> tuple[NetSpec, str]:
    """Return the network to ask about, and where it is from."""
    stored, shipped = project / EXTRACT / "spec.npz", shipped_model(config)
    if is_file(stored):
        return load_spec(stored), f"trained, {stored}"
    from xnorflow.extract import extract, extract_file
    from xnorflow.train import build_network

    shape, classes = shape_of(config.data)
    if shipped is not None:
        spec = extract_file(shipped, config.input)
        if _reads(spec, config, shape) and spec.n_classes == classes:
            return spec, f"trained, {shipped}"
    model = build_network(config.network_file, shape, classes, config.input)
    return extract(model, config.input), UNTRAINED


def _reads(spec: NetSpec, config: BuildConfig, shape: tuple[int, ...]) -> bool:
    """Whether a network reads such images as the configuration says; one for another input costs something else."""
    same_images = spec.input.image_shape in (shape, (math.prod(shape),))
    return same_images and (spec.input.bits, spec.input.bits_per_pixel) == (
        config.input.bits,
        config.input.bits_per_pixel,
    )


def fit(
    question: FitQuestion, goal: str = "interval", images_per_s: float | None = None
) -> tuple[Fit, BuildConfig | None]:
    """Choose reuse factors, or foldings for Verilog; return what was found and the configuration with them.

    What surely fits comes first; where nothing does, what likely fits, which is too close to say. The
    configuration is None where nothing likely fits.
    """
    config = question.config
    for level in ("high", "likely"):
        wanted = Goal(goal, config.clock_mhz, images_per_s, level)
        found, chosen = fit_config(question.spec, config, question.budget, wanted, question.ratios)
        if chosen is not None:
            break
    return found, chosen


def check(question: FitQuestion, reports: Sequence[str | Path] = ()) -> tuple[Verdict, NetCost]:
    """Judge the configuration as it stands, each resource by the best source at hand.

    Raises:
        ReportError: a report that cannot be read, or is of another part, another design or one of its modules.
    """
    cost = cost_of(question.spec, question.config, question.ratios)
    own = read_own_reports(reports, question.config)
    evidence = [evidence_of_report(report, question.ratios) for report in own]
    verdict = decide([evidence_of_estimate(cost.expected), *evidence], question.budget)
    return dataclasses.replace(verdict, reports=own), cost


def explore(question: FitQuestion, drawing: str | Path | None = None) -> tuple[Point, ...]:
    """Return every choice of reuse factors that no other one beats, and draw them where asked.

    Raises:
        ConfigError, DataError, ToolNotFound: as ``check_drawing``, before the work.
    """
    if drawing is not None:
        check_drawing(Path(drawing))
    spec, config = question.spec, question.config
    kernel = kernel_of(config, question.ratios)

    def restate(cost: NetCost) -> NetCost:
        if config.hls is not None:
            return cost
        return cost_of(spec, with_foldings(config, cost, question.budget), paced=False)

    points = _explore(layer_shapes(spec), kernel, question.budget, config.clock_mhz, restate)
    if drawing is not None:
        plot(points, question.budget, Path(drawing), f"{question.spec.name} with {kernel.name}, estimated")
    return points


def stock(question: FitQuestion) -> tuple[StockRow, ...]:
    """Return what each of hls4ml's own kernels, and ours, is expected to need at its best, and where it can't fit."""
    config, layers = question.config, layer_shapes(question.spec)
    return stock_rows(question.name, layers, stock_kernels(config), question.budget, config.clock_mhz)


def synth(
    config: str | Path | BuildConfig,
    *,
    cosim: bool = False,
    export: bool = False,
    vivado: str = "none",
    timeout_s: float | None = None,
    on_step: Callable[[str], None] | None = None,
    announce: Announce = lambda step: None,
    **options: Any,
) -> SynthRun:
    """Convert if needed, then run the HLS tool, and Vivado where ``vivado`` says how far.

    Args:
        config: a YAML file, or a BuildConfig.
        cosim: simulate the generated Verilog as well.
        export: pack an IP.
        vivado: "none", "synthesise" or "implement".
        timeout_s: time limit of each program.
        on_step: called with each step of these programs as it starts.
        announce: called after each step of the flow.
        **options: as ``api.make_job`` takes them.

    Raises:
        ConfigError: a time limit that is none, or the project holds a finished synthesis of something else.
        ToolNotFound: a vendor tool is missing.
        ToolFailed: it failed; the message says what its log means.
    """
    check_time_limit(timeout_s)
    job = api.make_job(config, **options)
    tools = tools_of(job.config.backend, vivado)
    order = Synthesis(cosim, export, vivado, timeout_s, on_step, job.overwrite)
    with hold(job.keeping_network(), CONVERT, tools) as state:
        prepare(state, CONVERT, announce, tools)
        complete(state, {SYNTH: Step(order.step, tools)}, announce)
        return order.result(state)


def calibrate(reports: Sequence[str | Path]) -> Mapping[str, Ratio]:
    """Return the ratios from HLS reports to Vivado's reports of the same top functions.

    Raises:
        ReportError: a report that cannot be read, or no design with both kinds of report.
    """
    ratios = _calibrate([read_report(path) for path in reports])
    if not ratios:
        raise ReportError(
            "no design has both an HLS report and a Vivado utilisation report of the same top function; "
            f"got {len(reports)} reports: name csynth.xml or csynth.rpt and a utilisation report of each design"
        )
    return ratios


def write_calibration(ratios: Mapping[str, Ratio], path: str | Path) -> None:
    """Write ratios as ``--calibration`` reads them."""
    table = {kind: [ratio.low, ratio.likely, ratio.high] for kind, ratio in ratios.items()}
    write_text(
        Path(path),
        "# From HLS report to Vivado: low, likely, high. Written by xnorflow calibrate.\n" + yaml.safe_dump(table),
    )


def write_config(config: BuildConfig, path: str | Path, remark: str) -> None:
    """Write a configuration with a remark on its first line, as ``load_config`` reads it."""
    path = Path(path)
    write_text(path, config_to_yaml(config, path, remark))
