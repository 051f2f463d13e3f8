"""A job and its run: what is worked on, what the steps have made so far, and the report as it grows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.config import BuildConfig
from xnorflow.data import DataSet, load_dataset
from xnorflow.device import device_of
from xnorflow.errors import ConfigError
from xnorflow.files import is_file
from xnorflow.runreport import RunReport, StepRow, sim_result
from xnorflow.spec import NetSpec
from xnorflow.specfile import load_spec
from xnorflow.steps import StepResult, run_step

TRAIN, EXTRACT = "01-train", "02-extract"


@dataclass(frozen=True)
class Job:
    """What a run works on.

    Attributes:
        config: the configuration.
        project: folder that takes the steps.
        model: a trained network's file to take instead of training one.
        data_dir: folder with idx files, for the full MNIST sets.
    """

    config: BuildConfig
    project: Path
    model: Path | None = None
    data_dir: Path | None = None


def shipped_model(config: BuildConfig) -> Path | None:
    """Return the trained network that stands beside the configuration's network file, if there is one.

    ``<network>-<data>.h5``, trained on the configuration's data set, comes before ``<network>.h5``.
    """
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
        missing = config.network.with_suffix(".h5")
        raise ConfigError(f"no pretrained network {missing}; leave --pretrained out to train one")
    return path


class Run:
    """One run: the job, its data, what the steps so far have made, and the report as it grows."""

    def __init__(self, job: Job) -> None:
        self.job, self.config = job, job.config
        self.data = load_dataset(job.config.data, job.data_dir)
        self.report = _empty_report(job.config, self.data)

    @property
    def model_file(self) -> Path:
        """The trained network, once TRAIN is done."""
        return self.job.project / TRAIN / f"{self.config.name}.h5"

    @property
    def spec(self) -> NetSpec:
        """The golden model, once EXTRACT is done."""
        return load_spec(self.job.project / EXTRACT / "spec.npz")

    def step(
        self,
        name: str,
        inputs: Mapping[str, Any],
        work: Callable[[Path], Mapping[str, Any]],
        keeps: Callable[[Path], bool] = lambda path: False,
    ) -> StepResult:
        """Run one step in its folder and add its time to the report."""
        step = run_step(self.job.project / name, inputs, work, keeps=keeps)
        self.add(steps=(*self.report.steps, StepRow(step.name, step.seconds, step.reused)))
        return step

    def add(self, **changes: Any) -> None:
        """Add to the report."""
        self.report = dataclasses.replace(self.report, **changes)

    def add_results(self, step: StepResult) -> None:
        """Add a step's comparisons with the golden model to the report."""
        found = tuple(sim_result(values) for values in step.values["results"])
        self.add(results=(*self.report.results, *found))


def _empty_report(config: BuildConfig, data: DataSet) -> RunReport:
    return RunReport(
        name=config.name,
        part=config.part,
        device=device_of(config.part).name,
        clock_mhz=config.clock_mhz,
        backend=config.backend,
        io_type=config.io_type,
        data_name=data.name,
        data_sha256=data.sha256,
        test_images=len(data.test.labels),
    )
