"""What a network may cost on a device, and the answers: what to choose, whether it fits, what else there is."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xnorflow.base.device import device_of
from xnorflow.base.errors import ConfigError
from xnorflow.base.files.atomic import is_file
from xnorflow.base.resources import NONE, Ratios
from xnorflow.fitting import pareto
from xnorflow.fitting.calibration import load_calibration
from xnorflow.fitting.choose import Fit, cost_of, fit_config, kernel_of, with_foldings
from xnorflow.fitting.cost import NetCost, hls_to_vivado
from xnorflow.fitting.own_report import read_own_reports
from xnorflow.fitting.problem import AXI_DMA_SHELL, Budget, Goal
from xnorflow.fitting.stock import StockRow, stock_kernels, stock_rows
from xnorflow.fitting.verdict import Verdict, decide, evidence_of_estimate, evidence_of_report
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.job import EXTRACT, JobSource, job_of, shipped_model
from xnorflow.net.shapes import layer_shapes
from xnorflow.net.spec import NetSpec
from xnorflow.net.spec_file import load_spec
from xnorflow.sources.data.sets import shape_of

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
    config: JobSource,
    *,
    project: str | Path | None = None,
    part: str | None = None,
    margin: float = 0.10,
    board_logic: str = "none",
    calibration: str | Path | None = None,
) -> FitQuestion:
    """Return what ``choose``, ``judge`` and ``find_front`` work on.

    Args:
        config: a YAML file, a BuildConfig or a Job.
        project: project folder whose network is taken, if it has one; else the shipped network, if it
            reads images of the configuration's data; else an untrained one, of the shapes that the data asks for.
        part: another part than the configuration's.
        margin: share of the device left to placing and routing.
        board_logic: what the board's own logic takes, a name of ``BOARD_LOGIC``.
        calibration: file that ``calibrate`` wrote.

    Raises:
        XnorflowError: a setting or file that is not allowed.
    """
    job = job_of(config) if project is None else job_of(config, project=project)
    settings = job.config if part is None else dataclasses.replace(job.config, part=part)
    ratios = {**hls_to_vivado(), **(load_calibration(calibration) if calibration is not None else {})}
    if board_logic not in BOARD_LOGIC:
        raise ConfigError(f"board_logic must be {' or '.join(BOARD_LOGIC)}, got {board_logic!r}")
    budget = Budget(device_of(settings.part), margin, BOARD_LOGIC[board_logic])
    spec, origin = _network(settings, job.project)
    settings.check_layers(spec)
    return FitQuestion(spec, settings, budget, ratios, origin)


def _network(config: BuildConfig, project: Path) -> tuple[NetSpec, str]:
    """Return the network to ask about, and where it is from."""
    stored, shipped = project / EXTRACT / "spec.npz", shipped_model(config)
    if is_file(stored):
        return load_spec(stored), f"trained, {stored}"
    from xnorflow.sources.keras.extract import extract_file, extract_model
    from xnorflow.sources.training.train import build_network

    shape, classes = shape_of(config.data)
    if shipped is not None:
        spec = extract_file(shipped, config.input)
        if _reads(spec, config, shape) and spec.n_classes == classes:
            return spec, f"trained, {shipped}"
    model = build_network(config.network_file, shape, classes, config.input)
    return extract_model(model, config.input), UNTRAINED


def _reads(spec: NetSpec, config: BuildConfig, shape: tuple[int, ...]) -> bool:
    """Whether a network reads such images as the configuration says; one for another input costs something else."""
    same_images = spec.input.image_shape in (shape, (math.prod(shape),))
    return same_images and (spec.input.bits, spec.input.bits_per_pixel) == (
        config.input.bits,
        config.input.bits_per_pixel,
    )


def choose(
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


def judge(question: FitQuestion, reports: Sequence[str | Path] = ()) -> tuple[Verdict, NetCost]:
    """Judge the configuration as it stands, each resource by the best source at hand.

    Raises:
        ReportError: a report that cannot be read, or is of another part, another design or one of its modules.
    """
    cost = cost_of(question.spec, question.config, question.ratios)
    own = read_own_reports(reports, question.config)
    evidence = [evidence_of_report(report, question.ratios) for report in own]
    verdict = decide([evidence_of_estimate(cost.expected), *evidence], question.budget)
    return dataclasses.replace(verdict, reports=own), cost


def find_front(question: FitQuestion, drawing: str | Path | None = None) -> tuple[pareto.Point, ...]:
    """Return every choice of reuse factors that no other one beats, and draw them where asked.

    Raises:
        ConfigError, DataError, ToolNotFound: as ``pareto.check_drawing``, before the work.
    """
    if drawing is not None:
        pareto.check_drawing(Path(drawing))
    spec, config = question.spec, question.config
    kernel = kernel_of(config, question.ratios)

    def restate(cost: NetCost) -> NetCost:
        if config.hls is not None:
            return cost
        return cost_of(spec, with_foldings(config, cost, question.budget), paced=False)

    points = pareto.front_of(layer_shapes(spec), kernel, question.budget, config.clock_mhz, restate)
    if drawing is not None:
        pareto.plot(points, question.budget, Path(drawing), f"{question.spec.name} with {kernel.name}, estimated")
    return points


def stock_of(question: FitQuestion) -> tuple[StockRow, ...]:
    """Return what each of hls4ml's own kernels, and ours, is expected to need at its best, and where it can't fit."""
    config, layers = question.config, layer_shapes(question.spec)
    return stock_rows(question.name, layers, stock_kernels(config), question.budget, config.clock_mhz)
