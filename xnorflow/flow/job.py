"""A job and its run: what is worked on, what the steps have made so far, and the report as it grows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from xnorflow.base.device import device_of, orderable
from xnorflow.base.errors import ConfigError
from xnorflow.base.files.atomic import is_file
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.config_file import load_config, with_train
from xnorflow.flow.report import RunReport, StepRow
from xnorflow.flow.step import StepResult, StepValues, finished, run_step
from xnorflow.net.spec import NetSpec
from xnorflow.net.spec_file import load_spec
from xnorflow.routes.compare import SimResult
from xnorflow.sources.data.sets import DataSet, load_dataset
from xnorflow.sources.training.settings import TrainConfig

if TYPE_CHECKING:
    from typing_extensions import Unpack

TRAIN, EXTRACT = "01-train", "02-extract"
NETWORK_SUFFIXES = (".h5", ".keras")
PathLike = str | Path


@dataclass(frozen=True)
class Job:
    """What a run works on.

    Attributes:
        config: the configuration.
        project: folder that takes the steps.
        model: a trained network's file to take instead of training one.
        data_dir: folder with idx files, for the full MNIST sets.
        configured: the configuration's own training settings, where a caller gave others; None where none did.
        overwrite: replace the finished work that the project would otherwise be refused for.
    """

    config: BuildConfig
    project: Path
    model: Path | None = None
    data_dir: Path | None = None
    configured: TrainConfig | None = None
    overwrite: bool = False

    @property
    def name(self) -> str:
        """The network's name: that of its file in the configuration, of the one given, or of the project's.

        Raises:
            ConfigError: there is none of these.
        """
        return _network_name(self.config, self.model, self.project)

    @property
    def names_network(self) -> bool:
        """Whether the caller says which network is wanted, beyond the configuration."""
        return self.model is not None or self.configured is not None


# what makes a Job: a YAML file, a configuration, or a Job that is there already
JobSource = str | Path | BuildConfig | Job


class JobOptions(TypedDict, total=False):
    """The keyword arguments of ``make_job``, for functions that hand them on."""

    project: PathLike | None
    pretrained: bool
    model: PathLike | None
    data: str | None
    data_dir: PathLike | None
    train: Mapping[str, Any] | None
    overwrite: bool


def make_job(
    config: PathLike | BuildConfig,
    *,
    project: PathLike | None = None,
    pretrained: bool = False,
    model: PathLike | None = None,
    data: str | None = None,
    data_dir: PathLike | None = None,
    train: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Job:
    """Return what a run works on.

    A project holds one network. Where neither ``pretrained``, ``model`` nor ``train`` is given, one that it
    has from a file, or by the same configuration, is taken over; another one is refused.

    Args:
        config: a YAML file, or a BuildConfig.
        project: folder for the steps; ``projects/<configuration's name>`` by default.
        pretrained: take the trained network beside the configuration's network file.
        model: take this trained network (``.h5`` or ``.keras``).
        data: data set to use instead of the configuration's.
        data_dir: folder with the idx files of the full MNIST sets.
        train: settings of TrainConfig to use instead of the configuration's.
        overwrite: replace the network that the project holds by the one asked for, and a finished vendor synthesis.

    Raises:
        ConfigError: a setting that is not allowed, or ``pretrained`` and ``model`` together.
    """
    settings = config if isinstance(config, BuildConfig) else load_config(config)
    if data is not None:
        settings = dataclasses.replace(settings, data=data)
    configured = settings.train if train else None
    if train:
        settings = with_train(settings, train)
    if pretrained and model is not None:
        raise ConfigError("--pretrained and --model exclude each other; give one")
    chosen = pretrained_model(settings) if pretrained else Path(model) if model is not None else None
    if project is not None and not str(project):
        raise ConfigError("--project must name a folder, got ''; leave it out for projects/NAME")
    if project is None:
        name = _network_name(settings, chosen) if isinstance(config, BuildConfig) else Path(config).stem
        project = Path("projects") / name
    return Job(settings, Path(project), chosen, Path(data_dir) if data_dir else None, configured, overwrite)


def job_of(source: JobSource, **options: Unpack[JobOptions]) -> Job:
    """Return the job of a source, made by ``make_job`` unless it is one.

    Raises:
        ConfigError: as ``make_job``, or options beside a Job.
    """
    if not isinstance(source, Job):
        return make_job(source, **options)
    if options:
        raise ConfigError(f"a Job has its options already, got {', '.join(options)} as well; give them to make_job")
    return source


def _network_name(config: BuildConfig, model: Path | None, project: Path | None = None) -> str:
    """Return the network's name: by the configuration, by the model given, or by what a project holds."""
    if config.network is None:
        held = () if project is None else sorted((project / TRAIN).glob("*"))
        models = held if model is None else (model,)
        named = [path.stem for path in models if path.suffix in NETWORK_SUFFIXES]
        if named:
            return named[0]
    return config.network_file.stem


def shipped_model(config: BuildConfig) -> Path | None:
    """Return the trained network that stands beside the configuration's network file, if there is one.

    ``<network>-<data>.h5``, trained on the configuration's data set, comes before ``<network>.h5``.
    """
    if config.network is None:
        return None
    path = config.network.with_suffix(".h5")
    on_this_data = config.network.with_name(f"{config.network.stem}-{Path(config.data).stem}.h5")
    return next((model for model in (on_this_data, path) if is_file(model)), None)


def pretrained_model(config: BuildConfig) -> Path:
    """Return what ``shipped_model`` finds.

    Raises:
        ConfigError: there is none.
    """
    path = shipped_model(config)
    if path is None:
        missing = config.network_file.with_suffix(".h5")
        raise ConfigError(f"no pretrained network {missing}; leave --pretrained out to train one")
    return path


class NotDone(Exception):
    """A run that only looks has come to a step that would have to work."""


class Compared(TypedDict):
    """What a step found that ran test images."""

    results: tuple[SimResult, ...]


class Run:
    """One run: the job, its data, what the steps so far have made, and the report as it grows.

    Attributes:
        made: results of the steps so far, by name.
        looking: whether steps are only looked at; one that would have to work raises ``NotDone``.
        worked: whether any step had to work, or began to.
        overwrites_network: whether another network may replace the one that the project holds.
    """

    def __init__(self, job: Job, keeps_network: bool = False) -> None:
        """Begin a run; with ``keeps_network`` the network is overwritten only by one that the job names."""
        self.job, self.config = job, job.config
        self.overwrites_network = job.overwrite and (job.names_network or not keeps_network)
        self.data = load_dataset(job.config.data, job.data_dir)
        self.report = _empty_report(job, self.data)
        self.made: dict[str, StepResult] = {}
        self.looking = self.worked = False

    @property
    def model_file(self) -> Path:
        """The trained network, once TRAIN is done."""
        folder = self.job.project / TRAIN
        return next(folder / name for name in self.result(TRAIN).files if Path(name).suffix in NETWORK_SUFFIXES)

    @property
    def spec(self) -> NetSpec:
        """The golden model, once EXTRACT is done; here the configuration meets its network."""
        spec = load_spec(self.job.project / EXTRACT / "spec.npz")
        self.config.check_layers(spec)
        return spec

    def result(self, name: str) -> StepResult:
        """Return what an earlier step has made.

        Raises:
            NotDone: it has made nothing yet.
        """
        if name not in self.made:
            raise NotDone(name)
        return self.made[name]

    def step(
        self,
        name: str,
        inputs: Mapping[str, Any],
        work: Callable[[Path], Mapping[str, Any]],
        keeps: Callable[[Path], bool] = lambda path: False,
        proves: Callable[[str], bool] = lambda name: True,
        kind: Any = StepValues,
    ) -> StepResult:
        """Run one step in its folder, as ``run_step`` does, and add its time to the report.

        Raises:
            NotDone: it would have to work while the run only looks.
        """
        folder = self.job.project / name
        step = finished(folder, inputs, kind)
        if step is None:
            if self.looking:
                raise NotDone(name)
            self.worked = True
            step = run_step(folder, inputs, work, kind=kind, keeps=keeps, proves=proves)
        return self.take(step)

    def take(self, step: StepResult) -> StepResult:
        """Add a step's result and its time to what is made."""
        self.made[step.name] = step
        self.add(steps=(*self.report.steps, StepRow(step.name, step.seconds, step.reused)))
        return step

    def add(self, **changes: Any) -> None:
        """Add to the report."""
        self.report = dataclasses.replace(self.report, **changes)

    def add_results(self, step: StepResult) -> None:
        """Add a step's comparisons with the golden model to the report."""
        self.add(results=(*self.report.results, *step.values["results"]))


def _empty_report(job: Job, data: DataSet) -> RunReport:
    config = job.config
    return RunReport(
        name=job.name,
        part=orderable(config.part),
        device=device_of(config.part).name,
        clock_mhz=config.clock_mhz,
        backend=config.backend,
        io_type="" if config.hls is None else config.hls.io_type,
        data_name=data.name,
        data_sha256=data.sha256,
        test_images=len(data.test.labels),
    )
