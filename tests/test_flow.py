"""The whole flow with the real tools on digits: what is taken up, what runs again, what a kill leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from xnorflow import api
from xnorflow.cli import main
from xnorflow.config import Precision, load_config
from xnorflow.errors import ConfigError, DataError, ToolFailed, ToolNotFound
from xnorflow.flow import CONVERT, CSIM
from xnorflow.job import EXTRACT, TRAIN
from xnorflow.specfile import load_spec

DIGITS = ROOT / "hls_configs" / "digits.yaml"
ALL = (TRAIN, EXTRACT, CONVERT, CSIM)
SLOW_GXX = """#!{python}
import os, sys, time
from pathlib import Path
if "-o" in sys.argv:
    Path(sys.argv[sys.argv.index("-o") + 1]).write_bytes(b"half an object")
with open({ids!r}, "a") as ids:
    print(os.getpid(), file=ids, flush=True)
time.sleep(600)
"""


def options(project, epochs=2):
    return {"project": project, "train": {"epochs": epochs}}


def hear_ctrl_c():
    """Undo what a shell does to what it starts in the background: there SIGINT is ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(env, command, project, *more, epochs=2, **variables):
    """Start the command line in a process of its own."""
    argv = [sys.executable, "-m", "xnorflow.cli", command, str(DIGITS), "--epochs", str(epochs)]
    return subprocess.Popen(
        [*argv, "--project", str(project), *more],
        env={**env, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )


def wait_for(condition, process=None, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def kill(process):
    process.kill()
    process.communicate(timeout=60)


def reused(report):
    return [step.name for step in report.steps if step.reused]


def lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.fixture
def slow_gxx(tmp_path):
    """A compiler that leaves half an object and hangs; whatever is left of it is killed at the end."""
    ids = tmp_path / "ids"
    program = tmp_path / "slow g++"
    program.write_text(SLOW_GXX.format(python=sys.executable, ids=str(ids)))
    program.chmod(0o755)
    yield program, ids
    for line in lines(ids):
        try:
            os.kill(int(line), signal.SIGKILL)
        except ProcessLookupError:
            continue


def running(ids):
    """Those of the compilers that still run."""
    found = []
    for line in lines(ids):
        stat = Path(f"/proc/{line}/stat")
        try:
            if stat.read_text().rpartition(")")[2].split()[0] not in "ZX":
                found.append(int(line))
        except OSError:
            continue
    return found


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
    assert (report.trained_here, report.interval_cycles, report.test_images) == (True, 64, 359)
    assert report.card["train"]["epochs"] == 2
    assert report.card["data"]["sha256"] == report.data_sha256
    assert [step.name for step in report.steps] == list(ALL)
    assert reused(report) == []
    assert (finished / CONVERT / "project" / "firmware" / "xnornet.cpp").is_file()
    assert load_spec(finished / EXTRACT / "spec.npz").n_classes == 10


def test_second_run_takes_everything_over(project):
    before = api.report(project)
    started = time.monotonic()
    report = api.run(DIGITS, **options(project))
    assert time.monotonic() - started < 10
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
    settings = vars(config) | {"clock_mhz": 50.0, "reuse_factor": {"dense1": 32, "dense2": 64, "scores": 64}}
    report = api.convert(type(config)(**settings), project=project)
    assert reused(report) == [TRAIN, EXTRACT]
    assert [layer.cycles for layer in report.layers] == [32, 64, 64]


def test_damaged_network_is_trained_again(project):
    network = project / TRAIN / "digits.h5"
    network.write_bytes(network.read_bytes()[:-100])
    report = api.extract(DIGITS, **options(project))
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
    (tmp_path / "own-digits.json").write_text('{"data": {"name": "digits", "sha256": ""}}')
    assert api.extract(config, project=tmp_path / "p", pretrained=True).card["data"]["name"] == "digits"
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
        (b"", DataError, "damaged"),
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
    config.write_text(text + "precision: {dense1: {accum: ap_int<4>}}\n")
    assert load_config(config).precision == {"dense1": Precision(accum="ap_int<4>")}
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


# --- killed


def test_killed_training_goes_on_and_ends_the_same(tmp_path, package_env):
    epochs, project = 15, tmp_path / "killed"
    log = project / TRAIN / "seed-0.log"
    trained = start(package_env, "train", project, epochs=epochs)
    wait_for(lambda: len(lines(log)) >= 2, trained)
    kill(trained)
    before = lines(log)
    assert 2 <= len(before) < epochs, "the kill came too late to say anything"
    assert not (project / TRAIN / "result.json").exists()
    (project / TRAIN / ".seed-0.npz.abc.part").write_bytes(b"half a checkpoint")
    report = api.train(DIGITS, **options(project, epochs))
    assert reused(report) == []
    seen = [int(line.split()[1]) for line in lines(log)]
    assert lines(log)[: len(before)] == before
    assert len(set(seen)) == len(seen)
    assert set(seen) >= set(range(1, epochs + 1)) - {len(before) + 1}  # killed between checkpoint and log
    assert not list((project / TRAIN).glob("*.npz*"))
    whole = api.train(DIGITS, **options(tmp_path / "whole", epochs))
    different = {key for key in report.card if report.card[key] != whole.card[key]}
    assert different <= {"seconds", "seeds"}
    (run,), (other,) = (card["seeds"]["runs"] for card in (report.card, whole.card))
    assert {**run, "seconds": 0} == {**other, "seconds": 0}


def test_checkpoint_of_other_settings_is_not_continued(tmp_path):
    project = tmp_path / "p"
    api.train(DIGITS, **options(project, 3))
    checkpoint = project / TRAIN / "seed-0.npz"
    np.savez(checkpoint, state=np.array(json.dumps({"key": "other", "epoch": 2})))
    report = api.train(DIGITS, **options(project, 2))
    assert [line.split()[1] for line in lines(project / TRAIN / "seed-0.log")] == ["1", "2"]
    assert report.card["train"]["epochs"] == 2


def test_killed_in_every_later_step(project, package_env, slow_gxx):
    for step in (CONVERT, CSIM):
        shutil.rmtree(project / step)
    process = start(package_env, "run", project)
    wait_for(lambda: (project / CONVERT / "project" / "firmware").exists(), process)
    kill(process)
    assert not (project / CONVERT / "result.json").exists()

    program, ids = slow_gxx
    process = start(package_env, "run", project, XNORFLOW_GXX=str(program))
    wait_for(lambda: len(lines(ids)) == 3, process)
    kill(process)
    halves = [path for path in (project / CSIM).glob("*.part") if path.read_bytes() == b"half an object"]
    assert len(halves) == 3 and not list((project / CSIM).glob("*.o"))
    assert not (project / CSIM / "result.json").exists()

    process = start(package_env, "run", project)
    wait_for(lambda: (project / CSIM / "library-0" / "job.json").exists(), process)
    kill(process)
    assert not (project / CSIM / "result.json").exists()

    report = api.run(DIGITS, **options(project))
    assert reused(report) == [TRAIN, EXTRACT, CONVERT]
    assert report.agrees and len(report.results) == 4
    assert not [path for path in halves if path.exists()]


def test_ctrl_c_stops_the_compilers(project, package_env, slow_gxx):
    shutil.rmtree(project / CSIM)
    program, ids = slow_gxx
    process = start(package_env, "run", project, XNORFLOW_GXX=str(program))
    wait_for(lambda: len(lines(ids)) == 3, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "xnorflow: stopped; the same command goes on from here"
    assert "Traceback" not in err
    wait_for(lambda: not running(ids))


def test_two_runs_at_once(project, package_env):
    shutil.rmtree(project / CSIM)
    both = [start(package_env, "run", project) for _ in range(2)]
    ends = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    errors = [err for _, err in ends]
    assert sum(f"another run holds {project}; waiting for it to end" in err for err in errors) == 1
    assert sum("04-csim: taken over from an earlier run" in err for err in errors) == 1


# --- places


def test_project_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*file.*: .*choose a folder you may write to"):
        api.run(DIGITS, **options(tmp_path / "file" / "project"))


def test_configuration_decides_the_default_project(monkeypatch):
    assert api.make_job(DIGITS).project == Path("projects/digits")
    assert api.make_job(load_config(DIGITS)).project == Path("projects/digits")


@pytest.mark.parametrize("setting", [{"epochs": 0}, {"seed": -1}, {"batch_size": 1}])
def test_wrong_training_settings(tmp_path, setting):
    with pytest.raises(ConfigError, match=f"train.{next(iter(setting))} must be a whole number"):
        api.train(DIGITS, project=tmp_path, train=setting)
