"""The flow, seen at a glance: train, extract, convert, C simulation; each step in its own folder."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.config import BuildConfig, config_to_dict
from xnorflow.data import DataSet, load_dataset
from xnorflow.device import device_of
from xnorflow.errors import ConfigError
from xnorflow.files import folder_lock, read_json, sha256_file
from xnorflow.hls.cycles import cycles
from xnorflow.hls.types import types_of
from xnorflow.runreport import LayerRow, RunReport, StepRow, save_report, sim_result
from xnorflow.spec import NetSpec
from xnorflow.specfile import load_spec, save_spec, spec_sha256
from xnorflow.steps import RESULT, StepResult, run_step

TRAIN, EXTRACT, CONVERT, CSIM = "01-train", "02-extract", "03-convert", "04-csim"


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


def pretrained_model(config: BuildConfig) -> Path:
    """Return the trained network that stands beside the configuration's network file.

    Raises:
        ConfigError: there is none.
    """
    path = config.network.with_suffix(".h5")
    if not path.is_file():
        raise ConfigError(f"no pretrained network {path}; leave --pretrained out to train one")
    return path


class _Run:
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


def _train(run: _Run) -> StepResult:
    """Train the network, or take over the one given."""
    config, model = run.config, run.job.model
    if model is not None:
        if not model.is_file():
            raise ConfigError(f"no such network file: {model}")
        step = run.step(TRAIN, {"model": sha256_file(model)}, lambda folder: _take_model(run, model))
    else:
        source = {"input_bits": config.input_bits, "pixel_threshold": config.pixel_threshold}
        inputs = {
            "network": sha256_file(config.network) if config.network.is_file() else None,
            "data": run.data.sha256,
            "train": dataclasses.asdict(config.train),
            **source,
        }

        def work(folder: Path) -> dict[str, Any]:
            from xnorflow.train import train

            trained = train(config.network, run.data, folder, config.train, **source)
            return {"trained_here": True, "card": trained.card}

        step = run.step(TRAIN, inputs, work, keeps=lambda path: path.name in ("checkpoint.npz", "train.log"))
    run.add(trained_here=step.values["trained_here"], card=step.values["card"])
    return step


def _take_model(run: _Run, model: Path) -> dict[str, Any]:
    shutil.copyfile(model, run.model_file)
    card = model.with_suffix(".json")
    return {"trained_here": False, "card": read_json(card) if card.is_file() else None}


def _extract(run: _Run) -> StepResult:
    """Extract the golden model and compare it with Keras on every test image."""
    config, test = run.config, run.data.test

    def work(folder: Path) -> dict[str, Any]:
        from xnorflow.extract import extract, keras_classes, keras_scores
        from xnorflow.modelfile import load_model
        from xnorflow.simulate import KERAS, compare_scores, simulate_golden

        model, settings = load_model(run.model_file)
        bits = settings.get("bits", config.input_bits)
        spec = extract(model, bits, settings.get("pixel_threshold", config.pixel_threshold))
        _check_classes(spec, run.data)
        digest = save_spec(spec, folder / "spec.npz")
        expected, golden = simulate_golden(spec, test)
        scores = keras_scores(model, spec, test.images)
        classes = keras_classes(model, spec, test.images, scores)
        keras = compare_scores(KERAS, scores, expected, test.labels, None, classes)
        return {"spec": digest, "results": [dataclasses.asdict(keras), dataclasses.asdict(golden)]}

    inputs = {
        "model": sha256_file(run.model_file),
        "data": run.data.sha256,
        "input_bits": config.input_bits,
        "pixel_threshold": config.pixel_threshold,
    }
    step = run.step(EXTRACT, inputs, work)
    run.add(spec_sha256=step.values["spec"])
    run.add_results(step)
    return step


def _check_classes(spec: NetSpec, data: DataSet) -> None:
    if spec.n_classes != data.n_classes:
        raise ConfigError(
            f"network {spec.name} gives {spec.n_classes} scores, but {data.name} has {data.n_classes} classes"
        )


def _convert(run: _Run) -> StepResult:
    """Write the HLS project."""
    from xnorflow.hls.convert import convert

    build, spec = config_to_dict(run.config), run.spec
    keys = ("part", "clock_mhz", "backend", "io_type", "strategy", "reuse_factor", "precision")
    inputs = {"spec": spec_sha256(spec), **{key: build[key] for key in keys}}
    step = run.step(CONVERT, inputs, lambda folder: {"top": convert(spec, run.config, folder / "project").top})
    run.add(layers=layer_rows(spec, run.config))
    return step


def _csim(run: _Run) -> StepResult:
    """Compile the project and run its C simulation both ways on every test image."""
    from xnorflow.hls.convert import load_project
    from xnorflow.simulate import simulate_csim

    converted = read_json(run.job.project / CONVERT / RESULT)
    project = load_project(run.job.project / CONVERT / "project")

    def work(folder: Path) -> dict[str, Any]:
        results = simulate_csim(run.spec, run.config, project, run.data.test, folder)
        return {"results": [dataclasses.asdict(result) for result in results]}

    inputs = {"project": converted["key"], "files": converted["files"], "data": run.data.sha256}
    step = run.step(CSIM, inputs, work)
    run.add_results(step)
    return step


STEPS: dict[str, Callable[[_Run], StepResult]] = {
    TRAIN: _train,
    EXTRACT: _extract,
    CONVERT: _convert,
    CSIM: _csim,
}


def run(job: Job, until: str = CSIM, announce: Callable[[StepResult], None] = lambda step: None) -> RunReport:
    """Run every step up to ``until`` and write ``report.json`` to the project folder.

    Args:
        job: what to run on.
        until: name of the last step.
        announce: called after each step.

    Raises:
        XnorflowError: as the steps raise it.
    """
    with folder_lock(job.project):
        state = _Run(job)
        for name, step in STEPS.items():
            announce(step(state))
            if name == until:
                break
        save_report(state.report, job.project)
        return state.report


def layer_rows(spec: NetSpec, config: BuildConfig) -> tuple[LayerRow, ...]:
    """Return what the HLS project makes of each layer: folding, cycles, types."""
    per_layer = cycles(spec, config).layers
    rows = []
    for layer in spec.layers:
        types = types_of(spec, layer, config)
        rows.append(
            LayerRow(
                layer.name,
                layer.n_in,
                layer.n_out,
                config.strategy_of(layer.name),
                config.reuse_factor_of(layer.name),
                per_layer[layer.name],
                types.accum.cpp,
                types.result.cpp,
            )
        )
    return tuple(rows)


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
