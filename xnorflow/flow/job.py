"""A job and its run: what is worked on, what the steps have made so far, and the report as it grows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from xnorflow.base.errors import ConfigError
from xnorflow.base.files.atomic import is_file
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.config_file import load_config, with_train
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
