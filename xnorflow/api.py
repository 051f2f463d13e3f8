"""The public Python API: one function per command of the command line, under the same name.

``xnorflow`` itself offers them all: ``xnorflow.run`` is ``xnorflow.api.run``.

Example:
    >>> import xnorflow
    >>> report = xnorflow.run("hls_configs/digits.yaml", project="projects/digits")  # doctest: +SKIP
    >>> report.agrees  # doctest: +SKIP
    True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xnorflow.base.device import devices as devices
from xnorflow.base.doctor import doctor as doctor
from xnorflow.base.errors import DataError
from xnorflow.base.signatures import spelled_out
from xnorflow.fitting import question as _question
from xnorflow.fitting.choose import Fit
from xnorflow.fitting.cost import NetCost
from xnorflow.fitting.pareto import Point, check_drawing
from xnorflow.fitting.question import FitQuestion, fit_question
from xnorflow.fitting.stock import StockRow
from xnorflow.fitting.verdict import Ratio, Verdict
from xnorflow.fitting.verdict import learn_ratios as _calibrate
from xnorflow.flow import run as _flow
from xnorflow.flow import synth as _synth_flow
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.job import EXTRACT, TRAIN, JobOptions, JobSource, job_of, make_job
from xnorflow.flow.report import RunReport, load_report
from xnorflow.flow.run import Announce
from xnorflow.flow.starter import lay_down
from xnorflow.flow.synth import YosysRun
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.sources.data.sets import DataSet, load_dataset
from xnorflow.tools.vivado.read import read_report
from xnorflow.tools.vivado.run import SynthRun

if TYPE_CHECKING:
    from typing_extensions import Unpack

# what fit and its sisters ask about: a question with its budget, or what makes one with the default budget
Asked = JobSource | FitQuestion


# --- the flow


@spelled_out(make_job)
def train(config: JobSource, *, announce: Announce | None = None, **options: Unpack[JobOptions]) -> RunReport:
    """Train the network of a configuration; arguments as for ``run``."""
    return _flow.run_flow(job_of(config, **options), TRAIN, _told(announce))


@spelled_out(make_job)
def extract(config: JobSource, *, announce: Announce | None = None, **options: Unpack[JobOptions]) -> RunReport:
    """Train if needed, then extract the golden model and compare it with Keras; arguments as for ``run``."""
    return _flow.run_flow(job_of(config, **options), EXTRACT, _told(announce))


@spelled_out(make_job)
def write(config: JobSource, *, announce: Announce | None = None, **options: Unpack[JobOptions]) -> RunReport:
    """Train and extract if needed, then write the HLS project, or the Verilog; arguments as for ``run``."""
    job = job_of(config, **options)
    return _flow.run_flow(job, _flow.write_step(job.config), _told(announce))


# its other name, after hls4ml's
convert = write


@spelled_out(make_job)
def simulate(config: JobSource, *, announce: Announce | None = None, **options: Unpack[JobOptions]) -> RunReport:
    """Train, extract and write if needed, then simulate every test image; arguments as for ``run``.

    The HLS project is C-simulated two ways, the Verilog cycle by cycle.
    """
    job = job_of(config, **options)
    return _flow.run_flow(job, _flow.simulate_step(job.config), _told(announce))


# its other name, after Vivado HLS's
csim = simulate


@spelled_out(make_job)
def run(config: JobSource, *, announce: Announce | None = None, **options: Unpack[JobOptions]) -> RunReport:
    """Run the whole flow of the configuration's route and return its report.

    A project holds one network. Where neither ``pretrained``, ``model`` nor ``train`` is given, one that it
    has from a file, or by the same configuration, is taken over; another one is refused.

    Args:
        config: a YAML file, a BuildConfig, or a Job that ``make_job`` made; its options are in it.
        announce: called after each step, with its StepResult.
        project: folder for the steps; ``projects/<configuration's name>`` by default.
        pretrained: take the trained network beside the configuration's network file.
        model: take this trained network (``.h5`` or ``.keras``).
        data: data set to use instead of the configuration's.
        data_dir: folder with the idx files of the full MNIST sets.
        train: settings of TrainConfig to use instead of the configuration's, such as ``{"epochs": 3}``.
        overwrite: replace the network that the project holds by the one asked for, and a finished vendor synthesis.

    Raises:
        XnorflowError: the user's mistake or a tool's failure, in one line.
        TypeError: there is no such argument.
    """
    return _flow.run_flow(job_of(config, **options), None, _told(announce))


def report(project: str | Path) -> RunReport:
    """Return the report that a run left in its project folder.

    Raises:
        ReportError: there is none, or a damaged one.
    """
    return load_report(project)


# --- on a project's network


@spelled_out(make_job)
def synth(
    config: JobSource,
    *,
    backend: str | None = None,
    cycles: int | None = None,
    cosim: bool = False,
    export: bool = False,
    vivado: str = "none",
    timeout_s: float | None = None,
    on_step: Callable[[str], None] | None = None,
    announce: Announce | None = None,
    **options: Unpack[JobOptions],
) -> SynthRun | YosysRun:
    """Synthesize: Vivado HLS or Vitis HLS on the HLS project, or Yosys on the network as Verilog.

    By Yosys, the design is placed and routed as well where nextpnr is installed. The network that the project
    holds is taken as it is, unless ``pretrained``, ``model`` or ``train`` name another.

    Args:
        config: as for ``run``; with ``backend="yosys"`` of either route.
        backend: "hls" or "yosys"; by default the configuration's.
        cycles: yosys: cycles per image to fold for; by default the configuration's foldings, or 256.
        cosim: hls: simulate the generated Verilog as well.
        export: hls: pack an IP.
        vivado: hls: how far Vivado goes on: "none", "synthesise" or "implement".
        timeout_s: time limit of each program, in seconds.
        on_step: hls: called with each step of the tool as it starts.
        announce: called after each step of the flow.
        **options: as for ``run``.

    Returns:
        A SynthRun by an HLS tool, a YosysRun by Yosys.

    Raises:
        ConfigError: arguments that do not go together, foldings that cannot be, a time limit that is none, or the
            project holds a finished synthesis of something else.
        ToolNotFound: a tool is missing.
        ToolFailed: it failed; the message says what its log means.
    """
    return _synth_flow.run_synth(
        job_of(config, **options), backend=backend, cycles=cycles, cosim=cosim, export=export, vivado=vivado,
        timeout_s=timeout_s, on_step=on_step, announce=_told(announce),
    )  # fmt: skip


@spelled_out(make_job)
def trace(
    config: JobSource,
    output: str | Path,
    *,
    image: int = 0,
    cycles: int | None = None,
    announce: Announce | None = None,
    **options: Unpack[JobOptions],
) -> NetPlan:
    """Simulate one test image as Verilog and write every signal of every cycle to a VCD file.

    Args:
        config: as for ``run``, of either route.
        output: the VCD file.
        image: number of the test image.
        cycles: as for ``synth``.
        announce: called after each step that its network needs.
        **options: as for ``run``.

    Raises:
        ConfigError: there is no such image.
        DataError: the file can't be written, said before the work.
        Mismatch: the simulated scores are not the golden model's.
        ToolNotFound: Verilator, make or g++ is missing.
    """
    job = job_of(config, **options)
    return _synth_flow.run_trace(job, Path(output), image=image, cycles=cycles, announce=_told(announce))


# --- does it fit?


def fit(question: Asked, goal: str = "interval", images_per_s: float | None = None) -> tuple[Fit, BuildConfig | None]:
    """Choose reuse factors, or foldings for Verilog; return what was found and the configuration with them.

    What surely fits comes first; where nothing does, what likely fits, which is too close to say. The
    configuration is None where nothing likely fits.

    Args:
        question: a question with its budget, or a configuration for its whole part less 10 %.
        goal: what is to be least: "interval" or "area".
        images_per_s: least throughput wanted; needed for "area".

    Raises:
        ConfigError: a goal that is none, or no throughput for "area".
    """
    return _question.choose(_asked(question), goal, images_per_s)


def check(question: Asked, reports: Sequence[str | Path] = ()) -> tuple[Verdict, NetCost]:
    """Judge the configuration as it stands, each resource by the best source at hand.

    Raises:
        ReportError: a report that cannot be read, or is of another part, another design or one of its modules.
    """
    return _question.judge(_asked(question), reports)


def explore(question: Asked, drawing: str | Path | None = None) -> tuple[Point, ...]:
    """Return every choice of reuse factors that no other one beats, and draw them where asked (.svg or .png).

    Raises:
        ConfigError: the drawing's name has another ending.
        DataError: it can't be written, said before the work.
        ToolNotFound: matplotlib is missing.
    """
    if drawing is not None:
        # a network may have to be extracted to ask about it
        check_drawing(drawing)
    return _question.find_front(_asked(question), drawing)


def stock(question: Asked) -> tuple[StockRow, ...]:
    """Return what each of hls4ml's own kernels, and ours, is expected to need at its best, and where it can't fit."""
    return _question.stock_of(_asked(question))


def calibrate(reports: Sequence[str | Path]) -> Mapping[str, Ratio]:
    """Return the ratios from HLS reports to Vivado's reports of the same top functions.

    Raises:
        ReportError: a report that cannot be read, or no design with both kinds of report.
    """
    return _calibrate([read_report(path) for path in reports])


# --- what is there


def init(folder: str | Path) -> tuple[Path, ...]:
    """Lay the shipped networks, trained weights and configurations down in a new or empty folder; return the files.

    Raises:
        DataError: the folder holds something, or cannot be written.
    """
    if not str(folder):
        raise DataError("init must be given the name of a folder, got ''; a dot stands for this one")
    return lay_down(Path(folder))


def data(name: str, data_dir: str | Path | None = None) -> DataSet:
    """Load a data set: mnist5k, digits, mnist, fashion_mnist, an ``.npz`` file or a folder of images.

    Raises:
        DataError: it is missing or damaged; the message says how to get it.
    """
    return load_dataset(name, data_dir)


def _asked(question: Asked) -> FitQuestion:
    return question if isinstance(question, FitQuestion) else fit_question(question)


def _told(announce: Announce | None) -> Announce:
    return announce or (lambda step: None)
