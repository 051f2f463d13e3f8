"""The whole flow with the real tools on digits: what is taken up and what runs again."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from flow_runs import ALL, DIGITS, options, reused

from xnorflow import api
from xnorflow.base.errors import ConfigError, DataError, ToolFailed, ToolNotFound
from xnorflow.cli.main import main
from xnorflow.flow.config_file import load_config
from xnorflow.flow.job import EXTRACT, TRAIN
from xnorflow.flow.run import CONVERT, CSIM
from xnorflow.net.spec_file import load_spec
from xnorflow.routes.hls.settings import Precision

# --- a run and the next


def test_run_agrees_everywhere(finished):
    report = api.report(finished)
    assert [result.source for result in report.results] == [
        *("Keras", "golden model"),
        *("C simulation, library", "C simulation, testbench"),
    ]
    assert report.agrees
    assert {(result.images, result.classes_differ, result.scores_differ) for result in report.results} == {
        (359, 0, 0)
    }
    assert len({result.accuracy for result in report.results}) == 1
    assert (report.trained_here, report.interval_cycles, report.test_images) == (True, 4, 359)
    assert report.card.train.epochs == 2
    assert report.card.data.sha256 == report.data_sha256
    assert [step.name for step in report.steps] == list(ALL)
    assert reused(report) == []
    assert (finished / CONVERT / "project" / "firmware" / "xnornet.cpp").is_file()
    assert load_spec(finished / EXTRACT / "spec.npz").n_classes == 10


def test_second_run_takes_everything_over(project):
    before = api.report(project)
    report = api.run(DIGITS, **options(project))
    assert reused(report) == list(ALL)
    assert report.results == before.results
    assert [step.seconds for step in report.steps] == [step.seconds for step in before.steps]


def test_commands_stop_at_their_step(project):
    for name, steps in (("train", 1), ("extract", 2), ("convert", 3), ("csim", 4)):
        report = getattr(api, name)(DIGITS, **options(project))
        assert reused(report) == list(ALL[:steps])
        assert len(report.results) == {1: 0, 2: 2, 3: 2, 4: 4}[steps]


def test_clock_is_no_reason_to_train_again(project, monkeypatch):
    config = api.make_job(DIGITS, **options(project)).config
    slower = dataclasses.replace(config, clock_mhz=50.0)
    factors = {"dense1": 32, "dense2": 64, "scores": 64}
    report = api.convert(slower.with_route(reuse_factor=factors), project=project)
    assert reused(report) == [TRAIN, EXTRACT]
    assert [layer.cycles for layer in report.layers] == [32, 64, 64]


def test_damaged_network_is_trained_again_only_if_asked_to(project):
    network = project / TRAIN / "digits.h5"
    damaged = network.read_bytes()[:-100]
    network.write_bytes(damaged)
    with pytest.raises(DataError, match=r"01-train holds a network, but it or its result\.json was changed"):
        api.extract(DIGITS, **options(project))
    assert network.read_bytes() == damaged
    report = api.extract(DIGITS, **options(project), overwrite=True)
    assert TRAIN not in reused(report)
    assert report.agrees


def test_damaged_conversion_is_done_again(project):
    source = project / CONVERT / "project" / "firmware" / "xnornet.cpp"
    good = source.read_text()
    source.write_text(good[: len(good) // 2])
    report = api.convert(DIGITS, **options(project))
    assert reused(report) == [TRAIN, EXTRACT]
    assert source.read_text() == good


# --- other networks


def test_given_network_is_taken_and_not_trained(finished, tmp_path):
    report = api.extract(DIGITS, project=tmp_path / "p", model=finished / TRAIN / "digits.h5")
    assert report.trained_here is False
    assert report.card == api.report(finished).card
    assert report.agrees
    assert report.spec_sha256 == api.report(finished).spec_sha256


def test_pretrained_network_stands_beside_its_file(finished, tmp_path):
    shutil.copy(ROOT / "keras_models" / "digits.py", tmp_path / "own.py")
    config = tmp_path / "own.yaml"
    config.write_text("network: own.py\npart: xc7z010clg400-1\ndata: digits\n")
    with pytest.raises(ConfigError, match=r"no pretrained network .*own\.h5; leave --pretrained out"):
        api.extract(config, project=tmp_path / "p", pretrained=True)
    shutil.copy(finished / TRAIN / "digits.h5", tmp_path / "own.h5")
    report = api.extract(config, project=tmp_path / "p", pretrained=True)
    assert (report.trained_here, report.card, report.agrees) == (False, None, True)
    # one that was trained on the configuration's data comes first
    shutil.copy(finished / TRAIN / "digits.h5", tmp_path / "own-digits.h5")
    shutil.copy(finished / TRAIN / "digits.json", tmp_path / "own-digits.json")
    assert api.extract(config, project=tmp_path / "p", pretrained=True).card.data.name == "digits"
    with pytest.raises(ConfigError, match="exclude each other"):
        api.extract(config, project=tmp_path / "p", pretrained=True, model=tmp_path / "own.h5")


def test_own_data_is_tested_on(finished, tmp_path, digits_data):
    images, labels = digits_data.test.images, digits_data.test.labels
    np.savez(tmp_path / "own.npz", images=images, labels=labels)
    report = api.extract(
        DIGITS, project=tmp_path / "p", model=finished / TRAIN / "digits.h5", data=str(tmp_path / "own.npz")
    )
    assert report.agrees and report.trained_on_other_data
    assert report.test_images < len(labels)


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", DataError, "the file is empty"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 64, DataError, "damaged"),
        (None, ConfigError, "no such"),
    ],
)
def test_given_network_that_is_none(tmp_path, content, error, says):
    path = tmp_path / "wrong.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=says) as caught:
        api.extract(DIGITS, project=tmp_path / "p", model=path)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "p" / EXTRACT / "result.json").exists()


def test_network_for_other_images_is_refused(finished, tmp_path):
    np.savez(tmp_path / "own.npz", images=np.zeros((90, 5, 5), np.uint8), labels=np.arange(90) % 3)
    with pytest.raises((ConfigError, DataError)) as caught:
        api.extract(
            DIGITS, project=tmp_path / "p", model=finished / TRAIN / "digits.h5", data=str(tmp_path / "own.npz")
        )
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "AttributeError"),
        ("def build(shape, classes):\n    raise ValueError('one\\ntwo')\n", "ValueError: one two"),
        ("def build(:\n", "SyntaxError"),
        ("def build(shape, classes):\n    return None\n", "must return a Keras model, got NoneType"),
        ("x = '\udcff'\n", "SyntaxError|ValueError"),
    ],
)
def test_network_file_that_fails_is_one_line(tmp_path, source, says):
    (tmp_path / "own.py").write_bytes(source.encode("utf-8", "surrogateescape"))
    (tmp_path / "own.yaml").write_text("network: own.py\npart: xc7z010clg400-1\ndata: digits\n")
    with pytest.raises(ConfigError, match=says) as caught:
        api.train(tmp_path / "own.yaml", project=tmp_path / "p")
    assert len(str(caught.value).splitlines()) == 1
    assert str(tmp_path / "own.py") in str(caught.value)


# --- a mismatch


def test_narrow_accumulator_is_found_and_explained(project, tmp_path, capsys):
    config = tmp_path / "narrow.yaml"
    text = DIGITS.read_text().replace("../keras_models", str(ROOT / "keras_models"))
    # types are worked out by our own kernel, and can be forced on hls4ml's only
    text = text.replace("kernel: xnor", "kernel: hls4ml")
    config.write_text(text + "precision: {dense1: {accum: ap_int<4>}}\n")
    assert load_config(config).hls.precision == {"dense1": Precision(accum="ap_int<4>")}
    assert main(["run", str(config), "--epochs", "2", "--project", str(project)]) == 1
    out, _ = capsys.readouterr()
    assert "First layer that differs: dense1" in out
    assert "precision.dense1.accum is ap_int<4>, but the layer needs ap_int<8>; remove it" in out
    report = api.report(project)
    assert reused(report) == [TRAIN, EXTRACT]
    by_library, by_testbench = report.results[2:]
    assert by_library.scores_differ > 100 and by_testbench.scores_differ == by_library.scores_differ
    mismatch = by_library.mismatch
    assert (mismatch.layer, mismatch.what, len(mismatch.first)) == ("dense1", "sums", 5)
    assert all((expected - got) % 16 == 0 and -8 <= got < 8 for _, _, expected, got in mismatch.first)
    assert main(["report", str(project)]) == 0
    assert "First layer that differs: dense1" in capsys.readouterr().out


# --- compilers


def test_no_compiler(project, monkeypatch):
    shutil.rmtree(project / CSIM)
    monkeypatch.setenv("XNORFLOW_GXX", "/nonexistent")
    with pytest.raises(
        ToolNotFound, match=r"the C simulation needs g\+\+, which is not in XNORFLOW_GXX=/nonexistent"
    ):
        api.run(DIGITS, **options(project))


def test_failing_compiler(project, monkeypatch, tmp_path):
    shutil.rmtree(project / CSIM)
    program = tmp_path / "bad g++"
    program.write_text("#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo complaint $i; done\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("XNORFLOW_GXX", str(program))
    with pytest.raises(ToolFailed) as caught:
        api.run(DIGITS, **options(project))
    first, *last = str(caught.value).splitlines()
    assert first.startswith(f"{program} failed with exit code 1; log: {project / CSIM}")
    assert last == [f"    complaint {i}" for i in range(3, 13)]
    log = Path(first.partition("log: ")[2].partition(";")[0])
    assert "complaint 1\n" in log.read_text()
    assert not (project / CSIM / "result.json").exists()


# --- places


def test_project_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*file.*: .*choose another place"):
        api.run(DIGITS, **options(tmp_path / "file" / "project"))


def test_configuration_decides_the_default_project(monkeypatch):
    assert api.make_job(DIGITS).project == Path("projects/digits")
    assert api.make_job(load_config(DIGITS)).project == Path("projects/digits")


@pytest.mark.parametrize("setting", [{"epochs": 0}, {"seed": -1}, {"batch_size": 1}])
def test_wrong_training_settings(tmp_path, setting):
    with pytest.raises(ConfigError, match=f"train.{next(iter(setting))} must be a whole number"):
        api.train(DIGITS, project=tmp_path, train=setting)
