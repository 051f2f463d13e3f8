"""The flow, seen at a glance: train, extract, convert, C simulation; each step in its own folder."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xnorflow.config import VERILOG, XNOR, BuildConfig, config_to_dict
from xnorflow.data import DataSet
from xnorflow.errors import ConfigError
from xnorflow.files import folder_lock, read_json, sha256_file
from xnorflow.hls.cycles import cycles
from xnorflow.hls.reuse import layer_folding, layer_reuse_factor
from xnorflow.hls.types import types_of
from xnorflow.inputs import InputSpec
from xnorflow.job import EXTRACT, TRAIN, Job, Run
from xnorflow.runreport import InputRow, LayerRow, RtlSpeed, RunReport, SynthRow, save_report
from xnorflow.spec import LayerSpec, NetSpec
from xnorflow.specfile import save_spec, spec_sha256
from xnorflow.steps import RESULT, StepResult

CONVERT, CSIM = "03-convert", "04-csim"
GENERATE, RTLSIM, YOSYS = "03-generate", "04-rtlsim", "05-yosys"
# Images that go along with the HLS project, for whoever runs its testbench in Vivado HLS.
TESTBENCH_IMAGES = 100


def _train(run: Run) -> StepResult:
    """Train the network, or take over the one given."""
    config, model = run.config, run.job.model
    if model is not None:
        if not model.is_file():
            raise ConfigError(f"no such network file: {model}")
        card = model.with_suffix(".json")
        given = {path.suffix: sha256_file(path) for path in (model, card) if path.is_file()}
        step = run.step(TRAIN, given, lambda folder: _take_model(run, model, card))
    else:
        inputs = {
            "network": sha256_file(config.network) if config.network.is_file() else None,
            "data": run.data.sha256,
            "train": dataclasses.asdict(config.train),
            "input_bits": config.input_bits,
            "pixel_threshold": config.pixel_threshold,
        }

        def work(folder: Path) -> dict[str, Any]:
            from xnorflow.train import train

            trained = train(
                config.network,
                run.data,
                folder,
                config.train,
                input_bits=config.input_bits,
                pixel_threshold=config.pixel_threshold,
            )
            return {"trained_here": True, "card": trained.card}

        step = run.step(TRAIN, inputs, work, keeps=lambda path: path.suffix in (".npz", ".log"))
    run.add(trained_here=step.values["trained_here"], card=step.values["card"])
    return step


def _take_model(run: Run, model: Path, card: Path) -> dict[str, Any]:
    shutil.copyfile(model, run.model_file)
    return {"trained_here": False, "card": read_json(card) if card.is_file() else None}


def _extract(run: Run) -> StepResult:
    """Extract the golden model and compare it with Keras on every test image."""
    config, test = run.config, run.data.test

    def work(folder: Path) -> dict[str, Any]:
        from xnorflow.accuracy import accuracy_warnings
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
        warnings = accuracy_warnings(model, spec, test, keras.accuracy, known)
        results = [dataclasses.asdict(keras), dataclasses.asdict(golden)]
        return {"spec": digest, "results": results, "warnings": warnings}

    known = _known_accuracy(run)
    inputs = {
        "model": sha256_file(run.model_file),
        "known_accuracy": known,
        "data": run.data.sha256,
        "input_bits": config.input_bits,
        "pixel_threshold": config.pixel_threshold,
    }
    step = run.step(EXTRACT, inputs, work)
    run.add(spec_sha256=step.values["spec"], input=_input_row(run.spec.input))
    run.add(warnings=tuple(step.values["warnings"]))
    run.add_results(step)
    return step


def _known_accuracy(run: Run) -> float | None:
    """Return the accuracy on these very images that the network's card has, if any."""
    card = run.report.card
    same = card is not None and card["data"]["sha256"] == run.data.sha256
    return card["accuracy"]["test"] if card is not None and same else None


def _input_row(source: InputSpec) -> InputRow:
    thresholds = "their values as they are"
    if source.bits == 1:
        low, high = source.thresholds.min(), source.thresholds.max()
        shared = f"+1 from {', '.join(map(str, source.thresholds[0]))} on"
        thresholds = shared if len(source.thresholds) == 1 else f"each with a threshold of its own, {low} to {high}"
    return InputRow(source.pixels, source.bits_per_pixel, thresholds)


def _check_classes(spec: NetSpec, data: DataSet) -> None:
    if spec.n_classes != data.n_classes:
        raise ConfigError(
            f"network {spec.name} gives {spec.n_classes} scores, but {data.name} has {data.n_classes} classes"
        )


def _convert(run: Run) -> StepResult:
    """Write the HLS project, with the first test images for its testbench."""
    from xnorflow.hls.convert import convert
    from xnorflow.hls.csim import write_tb_data

    build, spec = config_to_dict(run.config), run.spec
    images = run.data.test.images[:TESTBENCH_IMAGES]

    def work(folder: Path) -> dict[str, Any]:
        project = convert(spec, run.config, folder / "project")
        inputs = spec.input.encode(images).reshape(len(images), -1)
        write_tb_data(project.folder / "tb_data", inputs, spec.class_scores(images))
        return {"top": project.top}

    keys = ("part", "clock_mhz", "backend", "io_type", "kernel", "strategy", "reuse_factor", "folding", "precision")
    inputs = {"spec": spec_sha256(spec), "data": run.data.sha256, **{key: build[key] for key in keys}}
    step = run.step(CONVERT, inputs, work)
    run.add(layers=layer_rows(spec, run.config))
    return step


def _csim(run: Run) -> StepResult:
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


def _generate(run: Run) -> StepResult:
    """Write the Verilog files of the network."""
    from xnorflow.steps_rtl import generate_step, plan_of, rtl_rows

    build, plan = config_to_dict(run.config), plan_of(run.spec, run.config)
    keys = ("folding", "bram36", "registers_every")
    inputs = {"spec": spec_sha256(run.spec), **{key: build[key] for key in keys}}
    step = run.step(GENERATE, inputs, lambda folder: generate_step(plan, run.config, folder))
    run.add(rtl_layers=rtl_rows(plan))
    return step


def _verilog(run: Run) -> tuple[list[Path], dict[str, str]]:
    """Return the Verilog files, and the hash of each."""
    result = read_json(run.job.project / GENERATE / RESULT)
    folder = run.job.project / GENERATE / "verilog"
    hashes = {name: digest for name, digest in result["files"].items() if name.startswith("verilog")}
    return [folder / name for name in result["values"]["files"]], hashes


def _rtlsim(run: Run) -> StepResult:
    """Simulate the Verilog files cycle by cycle on every test image."""
    from xnorflow.steps_rtl import plan_of, rtlsim_step

    sources, hashes = _verilog(run)
    plan = plan_of(run.spec, run.config)
    inputs = {"files": hashes, "data": run.data.sha256}
    step = run.step(RTLSIM, inputs, lambda folder: rtlsim_step(plan, sources, run.data.test, folder))
    run.add(rtl_speed=RtlSpeed(**step.values["speed"]))
    run.add_results(step)
    return step


def _yosys(run: Run) -> StepResult:
    """Synthesize the Verilog files for the part's family and count their cells."""
    from xnorflow.steps_rtl import yosys_step

    sources, hashes = _verilog(run)
    step = run.step(
        YOSYS, {"files": hashes, "part": run.config.part}, lambda folder: yosys_step(run.config, sources, folder)
    )
    run.add(synth=SynthRow.of(step.values["synth"]))
    return step


Steps = dict[str, Callable[[Run], StepResult]]
COMMON: Steps = {TRAIN: _train, EXTRACT: _extract}
HLS_STEPS: Steps = {**COMMON, CONVERT: _convert, CSIM: _csim}
VERILOG_STEPS: Steps = {**COMMON, GENERATE: _generate, RTLSIM: _rtlsim, YOSYS: _yosys}


def steps_of(config: BuildConfig) -> Steps:
    """Return the steps of a configuration's route, in order."""
    return VERILOG_STEPS if config.backend == VERILOG else HLS_STEPS


def run(job: Job, until: str | None = None, announce: Callable[[StepResult], None] = lambda step: None) -> RunReport:
    """Run every step up to ``until`` and write ``report.json`` to the project folder.

    Args:
        job: what to run on.
        until: name of the last step; all of the configuration's route by default.
        announce: called after each step.

    Raises:
        ConfigError: the route has no such step.
        XnorflowError: as the steps raise it.
    """
    steps = steps_of(job.config)
    if until is not None and until not in steps:
        raise ConfigError(f"backend {job.config.backend} has no step {until}; it has {', '.join(steps)}")
    with folder_lock(job.project):
        state = Run(job)
        for name, step in steps.items():
            announce(step(state))
            if name == until:
                break
        save_report(state.report, job.project)
        return state.report


def _kernel_of(layer: LayerSpec, config: BuildConfig) -> str:
    if config.kernel != XNOR:
        return f"hls4ml {config.strategy_of(layer.name)}"
    folding = layer_folding(layer, config)
    return f"XNOR {folding.pe} x {folding.simd}"


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
                _kernel_of(layer, config),
                layer_reuse_factor(layer, config),
                per_layer[layer.name],
                types.accum.cpp,
                types.result.cpp,
            )
        )
    return tuple(rows)
