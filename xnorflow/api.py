"""The public Python API: one function per command of the command line, under the same name.

Example:
    >>> from xnorflow import api
    >>> report = api.run("hls_configs/digits.yaml", project="projects/digits")  # doctest: +SKIP
    >>> report.agrees  # doctest: +SKIP
    True
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xnorflow.config import BuildConfig
from xnorflow.config_file import load_config, with_train
from xnorflow.data import DataSet, load_dataset
from xnorflow.doctor import Finding
from xnorflow.doctor import doctor as _doctor
from xnorflow.errors import ConfigError, DataError
from xnorflow.flow import Announce
from xnorflow.flow import run as _run
from xnorflow.job import EXTRACT, TRAIN, Job, pretrained_model
from xnorflow.runreport import RunReport, load_report
from xnorflow.starter import lay_down
from xnorflow.steps_hls import CONVERT, CSIM

PathLike = str | Path


def doctor() -> list[Finding]:
    """Return every tool and package with its version, or how to install it."""
    return _doctor()


def init(folder: PathLike) -> tuple[Path, ...]:
    """Lay the shipped networks, trained weights and configurations down in a new or empty folder; return the files.

    Raises:
        DataError: the folder holds something, or cannot be written.
    """
    if not str(folder):
        raise DataError("init must be given the name of a folder, got ''; a dot stands for this one")
    return lay_down(Path(folder))


def data(name: str, data_dir: PathLike | None = None) -> DataSet:
    """Load a data set: mnist5k, digits, mnist, fashion_mnist, an ``.npz`` file or a folder of images.

    Raises:
        DataError: it is missing or damaged; the message says how to get it.
    """
    return load_dataset(name, Path(data_dir) if data_dir else None)


def train(config: PathLike | BuildConfig, **options: Any) -> RunReport:
    """Train the network of a configuration; see ``run`` for the options."""
    return _until(TRAIN, config, **options)


def extract(config: PathLike | BuildConfig, **options: Any) -> RunReport:
    """Train if needed, then extract the golden model and compare it with Keras."""
    return _until(EXTRACT, config, **options)


def convert(config: PathLike | BuildConfig, **options: Any) -> RunReport:
    """Train and extract if needed, then write the HLS project."""
    return _until(CONVERT, config, **options)


def csim(config: PathLike | BuildConfig, **options: Any) -> RunReport:
    """Train, extract and convert if needed, then run the C simulation both ways."""
    return _until(CSIM, config, **options)


def run(config: PathLike | BuildConfig, **options: Any) -> RunReport:
    """Run the whole flow of the configuration's route and return its report.

    Args:
        config: a YAML file, or a BuildConfig.
        **options: as ``make_job`` takes them, and ``announce``, called after each step.

    Raises:
        XnorflowError: the user's mistake or a tool's failure, in one line.
    """
    return _until(None, config, **options)


def report(project: PathLike) -> RunReport:
    """Return the report that a run left in its project folder.

    Raises:
        ReportError: there is none, or a damaged one.
    """
    return load_report(Path(project))


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
    settings = config if isinstance(config, BuildConfig) else load_config(Path(config))
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
    images = Path(data_dir) if data_dir else None
    job = Job(settings, Path(project or "projects"), chosen, images, configured, overwrite)
    if project is not None:
        return job
    name = job.name if isinstance(config, BuildConfig) else Path(config).stem
    return dataclasses.replace(job, project=job.project / name)


def _until(
    step: str | None,
    config: PathLike | BuildConfig,
    *,
    announce: Announce = lambda step: None,
    **options: Any,
) -> RunReport:
    return _run(make_job(config, **options), step, announce)
