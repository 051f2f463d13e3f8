"""The flow, seen at a glance: train, extract, convert, C simulation; each step in its own folder."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.config import BuildConfig, config_to_dict
from xnorflow.data import DataSet, load_dataset
from xnorflow.device import device_of
from xnorflow.errors import ConfigError
from xnorflow.files import folder_lock, read_json, sha256_file, write_json
from xnorflow.hls.cycles import cycles
from xnorflow.hls.types import types_of
from xnorflow.report import SimResult
from xnorflow.runreport import LayerRow, RunReport, StepRow, save_report
from xnorflow.spec import NetSpec
from xnorflow.specfile import load_spec, save_spec, spec_sha256
from xnorflow.steps import StepResult, run_step

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


def run_train(job: Job, data: DataSet) -> tuple[Path, StepResult]:
    """Train the network, or take over the one given; return its file."""
    config = job.config
    source = {"input_bits": config.input_bits, "pixel_threshold": config.pixel_threshold}
    target = f"{config.name}.h5"

    def take(folder: Path) -> dict[str, Any]:
        assert job.model is not None
        shutil.copyfile(job.model, folder / target)
        card = job.model.with_suffix(".json")
        return {"trained_here": False, "card": read_json(card) if card.is_file() else None}

    def train_it(folder: Path) -> dict[str, Any]:
        from xnorflow.train import train

        trained = train(config.network, data, folder, config.train, **source)
        return {"trained_here": True, "card": trained.card}

    if job.model is not None:
        if not job.model.is_file():
            raise ConfigError(f"no such network file: {job.model}")
        step = run_step(job.project / TRAIN, {"model": sha256_file(job.model)}, take)
    else:
        inputs = {
            "network": sha256_file(config.network) if config.network.is_file() else None,
            "data": data.sha256,
            "train": dataclasses.asdict(config.train),
            **source,
        }
        step = run_step(
            job.project / TRAIN,
            inputs,
            train_it,
            keeps=lambda path: path.name in ("checkpoint.npz", "train.log"),
        )
    return job.project / TRAIN / target, step


def run_extract(job: Job, data: DataSet, model: Path) -> tuple[NetSpec, StepResult]:
    """Extract the golden model and compare it with Keras on every test image."""
    config = job.config

    def work(folder: Path) -> dict[str, Any]:
        from xnorflow.extract import extract, keras_scores
        from xnorflow.modelfile import load_model
        from xnorflow.simulate import KERAS, compare_scores, simulate_golden

        keras_model, settings = load_model(model)
        bits = settings.get("bits", config.input_bits)
        spec = extract(keras_model, bits, settings.get("pixel_threshold", config.pixel_threshold))
        check_classes(spec, data)
        digest = save_spec(spec, folder / "spec.npz")
        expected, golden = simulate_golden(spec, data.test)
        by_keras = keras_scores(keras_model, spec, data.test.images)
        keras = compare_scores(KERAS, by_keras, expected, data.test.labels, None)
        return {"spec": digest, "results": [dataclasses.asdict(keras), dataclasses.asdict(golden)]}

    inputs = {
        "model": sha256_file(model),
        "data": data.sha256,
        "input_bits": config.input_bits,
        "pixel_threshold": config.pixel_threshold,
    }
    step = run_step(job.project / EXTRACT, inputs, work)
    return load_spec(job.project / EXTRACT / "spec.npz"), step


def check_classes(spec: NetSpec, data: DataSet) -> None:
    """Refuse a network whose number of classes is not the data set's.

    Raises:
        ConfigError: naming both numbers.
    """
    if spec.n_classes != data.n_classes:
        raise ConfigError(
            f"network {spec.name} gives {spec.n_classes} scores, but {data.name} has {data.n_classes} classes"
        )


def run_convert(job: Job, spec: NetSpec) -> StepResult:
    """Write the HLS project."""
    from xnorflow.hls.convert import convert

    build = config_to_dict(job.config)
    settings = {key: build[key] for key in ("part", "clock_mhz", "backend", "io_type", "strategy", "reuse_factor")}
    inputs = {"spec": spec_sha256(spec), **settings, "precision": build["precision"]}

    def work(folder: Path) -> dict[str, Any]:
        project = convert(spec, job.config, folder / "project")
        return {"top": project.top}

    return run_step(job.project / CONVERT, inputs, work)


def run_csim(job: Job, spec: NetSpec, data: DataSet, converted: StepResult) -> StepResult:
    """Compile the project and run its C simulation both ways on every test image."""
    from xnorflow.hls.convert import load_project
    from xnorflow.simulate import simulate_csim

    project = load_project(job.project / CONVERT / "project")
    result = read_json(job.project / CONVERT / "result.json")

    def work(folder: Path) -> dict[str, Any]:
        results = simulate_csim(spec, job.config, project, data.test, folder)
        return {"results": [dataclasses.asdict(result) for result in results]}

    inputs = {"project": result["key"], "files": result["files"], "data": data.sha256}
    return run_step(job.project / CSIM, inputs, work)


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
        data = load_dataset(job.config.data, job.data_dir)
        report = _start_report(job, data)
        for name, work in _steps(job, data):
            step, changes = work(report)
            announce(step)
            steps = (*report.steps, StepRow(step.name, step.seconds, step.reused))
            report = dataclasses.replace(report, steps=steps, **changes)
            if name == until:
                break
        save_report(report, job.project)
        return report


Work = Callable[[RunReport], tuple[StepResult, dict[str, Any]]]


def _steps(job: Job, data: DataSet) -> list[tuple[str, Work]]:
    """The flow: each step with the function that runs it and says what it adds to the report."""
    found: dict[str, Any] = {}

    def train_step(report: RunReport) -> tuple[StepResult, dict[str, Any]]:
        found["model"], step = run_train(job, data)
        return step, {"trained_here": step.values["trained_here"], "card": step.values["card"]}

    def extract_step(report: RunReport) -> tuple[StepResult, dict[str, Any]]:
        found["spec"], step = run_extract(job, data, found["model"])
        return step, {"spec_sha256": step.values["spec"], "results": _results(step)}

    def convert_step(report: RunReport) -> tuple[StepResult, dict[str, Any]]:
        spec = found["spec"]
        found["converted"] = step = run_convert(job, spec)
        return step, {"layers": layer_rows(spec, job.config)}

    def csim_step(report: RunReport) -> tuple[StepResult, dict[str, Any]]:
        step = run_csim(job, found["spec"], data, found["converted"])
        return step, {"results": (*report.results, *_results(step))}

    return [(TRAIN, train_step), (EXTRACT, extract_step), (CONVERT, convert_step), (CSIM, csim_step)]


def _results(step: StepResult) -> tuple[SimResult, ...]:
    from xnorflow.runreport import sim_result

    return tuple(sim_result(values) for values in step.values["results"])


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


def _start_report(job: Job, data: DataSet) -> RunReport:
    config = job.config
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


def write_config_copy(job: Job) -> None:
    """Keep the configuration beside the steps, for whoever finds the project later."""
    write_json(job.project / "config.json", config_to_dict(job.config))
