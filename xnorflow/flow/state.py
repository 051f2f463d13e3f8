"""A run: what the steps have made so far, the report as it grows, and what the work of a step may take."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict

from xnorflow.base.device import device_of, orderable
from xnorflow.base.files.atomic import sha256_file
from xnorflow.flow.code import code_hash
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.job import EXTRACT, NETWORK_SUFFIXES, TRAIN, Job
from xnorflow.flow.reads import noted, plain, value_of
from xnorflow.flow.report import RunReport, StepRow
from xnorflow.flow.step import Dependencies, Inputs, StepResult, StepValues, finished, run_step
from xnorflow.net.spec import NetSpec
from xnorflow.net.spec_file import load_spec
from xnorflow.routes.compare import SimResult
from xnorflow.sources.data.sets import DataSet, load_dataset


class NotDone(Exception):
    """A run that only looks has come to a step that would have to work."""


class Compared(TypedDict):
    """What a step found that ran test images."""

    results: tuple[SimResult, ...]


class Trace:
    """What the work of a step takes, each thing noted; see ``flow/reads.py``.

    Attributes:
        config: the configuration; each field that is read is noted.
        code: hash of the code that makes the step.
        reads: what was taken so far, by name: its content's hash, or its value.
    """

    def __init__(self, run: Run, config: BuildConfig, given: Mapping[str, Any], code: str) -> None:
        self._run, self._plain_config, self._given = run, config, given
        self.code = code
        self.reads: dict[str, Any] = {}
        for name in given:
            self._note(f"given.{name}")
        self.config = noted(config, "config", self.reads.__setitem__)

    @property
    def spec(self) -> NetSpec:
        """The golden model."""
        self._note("spec")
        return self._run.spec

    @property
    def data(self) -> DataSet:
        """The data set."""
        self._note("data")
        return self._run.data

    @property
    def model_file(self) -> Path:
        """The trained network."""
        self._note("model")
        return self._run.model_file

    def made(self, name: str) -> tuple[Path, StepValues]:
        """Return the folder of an earlier step, and what it found."""
        self._note(f"made.{name}")
        return self._run.job.project / name, self._run.result(name).values

    def now(self, reads: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an earlier run took, as it is now.

        Raises:
            LookupError: it does not exist any more.
        """
        return {name: self._now(name) for name in reads}

    def _note(self, name: str) -> None:
        self.reads[name] = self._now(name)

    def _now(self, name: str) -> Any:
        kind, _, rest = name.partition(".")
        if kind == "config":
            return value_of(self._plain_config, rest)
        if kind == "given":
            return plain(self._given[rest])
        if kind == "made":
            return self._run.result(rest).files
        if kind == "spec":
            return self._run.result(EXTRACT).values["spec"]
        return self._run.data.sha256 if kind == "data" else sha256_file(self._run.model_file)


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
        work: Callable[[Trace, Path], Mapping[str, Any]],
        *,
        kind: Any = StepValues,
        config: BuildConfig | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> StepResult:
        """Run one step in its folder, unless all that it read and the code that makes it are the same.

        Args:
            name: its folder's name.
            work: takes what it reads from a Trace, writes into the folder and returns what it found.
            kind: TypedDict of what is found.
            config: the configuration that it reads; the job's by default.
            given: what it depends on beside, as plain values.

        Raises:
            NotDone: it would have to work while the run only looks.
        """
        trace = Trace(self, config or self.config, given or {}, code_hash(work.__module__))
        return self._step(name, trace, lambda folder: work(trace, folder), kind=kind)

    def kept_step(
        self,
        name: str,
        inputs: Mapping[str, Any],
        work: Callable[[Path], Mapping[str, Any]],
        *,
        kind: Any = StepValues,
        keeps: Callable[[Path], bool] = lambda path: False,
        proves: Callable[[str], bool] = lambda name: True,
    ) -> StepResult:
        """Run a step that may take hours: newer code is no reason to throw away what it made of the same inputs.

        Raises:
            NotDone: it would have to work while the run only looks.
        """
        return self._step(name, Inputs(inputs), work, kind=kind, keeps=keeps, proves=proves)

    def _step(
        self, name: str, inputs: Dependencies, work: Callable[[Path], Mapping[str, Any]], *, kind: Any, **options: Any
    ) -> StepResult:
        folder = self.job.project / name
        step = finished(folder, inputs, kind)
        if step is None:
            if self.looking:
                raise NotDone(name)
            self.worked = True
            step = run_step(folder, inputs, work, kind=kind, **options)
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
