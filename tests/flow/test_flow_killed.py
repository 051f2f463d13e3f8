"""Runs that are killed, stopped or started twice, with the real tools on digits."""

import dataclasses
import json
import os
import shutil
import signal
import sys

import numpy as np
import pytest
from flow_runs import DIGITS, kill, lines, options, reused, start
from processes import alive, wait_for

from xnorflow import api
from xnorflow.flow.job import EXTRACT, TRAIN
from xnorflow.flow.run import CONVERT, CSIM

SLOW_GXX = """#!{python}
import os, sys, time
from pathlib import Path
if "-o" in sys.argv:
    Path(sys.argv[sys.argv.index("-o") + 1]).write_bytes(b"half an object")
with open({ids!r}, "a") as ids:
    print(os.getpid(), file=ids, flush=True)
time.sleep(600)
"""


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
    return [int(line) for line in lines(ids) if alive(line)]


def test_killed_training_goes_on_and_ends_the_same(tmp_path, package_env):
    epochs, project, hangs = 5, tmp_path / "killed", tmp_path / "hangs"
    log = project / TRAIN / "seed-0.log"
    # between the third checkpoint and its line in the log
    hang = (hangs, "xnorflow.sources.training.seed:TrainingRun", "_save", 3)
    trained = start(package_env, "train", project, epochs=epochs, hang=hang)
    wait_for(hangs.exists, trained)
    kill(trained)
    before = lines(log)
    assert not (project / TRAIN / "result.json").exists()
    (project / TRAIN / ".seed-0.npz.abc.part").write_bytes(b"half a checkpoint")
    report = api.train(DIGITS, **options(project, epochs))
    assert reused(report) == []
    assert [int(line.split()[1]) for line in lines(log)] == [1, 2, 4, 5]
    assert lines(log)[:2] == before
    assert not list((project / TRAIN).glob("*.npz*"))
    whole = api.train(DIGITS, **options(tmp_path / "whole", epochs))
    cards = (dataclasses.asdict(report.card), dataclasses.asdict(whole.card))
    different = {key for key in cards[0] if cards[0][key] != cards[1][key]}
    assert different <= {"seconds", "seeds"}
    (run,), (other,) = (card["seeds"]["runs"] for card in cards)
    assert {**run, "seconds": 0} == {**other, "seconds": 0}


def test_checkpoint_of_other_settings_is_not_continued(tmp_path):
    project = tmp_path / "p"
    api.train(DIGITS, **options(project, 3))
    checkpoint = project / TRAIN / "seed-0.npz"
    np.savez(checkpoint, state=np.array(json.dumps({"key": "other", "epoch": 2})))
    report = api.train(DIGITS, **options(project, 2), overwrite=True)
    assert [line.split()[1] for line in lines(project / TRAIN / "seed-0.log")] == ["1", "2"]
    assert report.card.train.epochs == 2


def test_killed_in_every_later_step(project, tmp_path, package_env, slow_gxx):
    for step in (CONVERT, CSIM):
        shutil.rmtree(project / step)
    hangs = tmp_path / "hangs"
    process = start(package_env, "run", project, hang=(hangs, "xnorflow.routes.hls.write.project", "_write", 1))
    wait_for(hangs.exists, process)
    kill(process)
    assert (project / CONVERT / "project" / "firmware").exists()
    assert not (project / CONVERT / "result.json").exists()

    program, ids = slow_gxx
    process = start(package_env, "run", project, XNORFLOW_GXX=str(program))
    wait_for(lambda: len(lines(ids)) == 3, process)
    kill(process)
    wait_for(lambda: not running(ids))
    halves = [path for path in (project / CSIM).glob("*.part") if path.read_bytes() == b"half an object"]
    assert len(halves) == 3 and not list((project / CSIM).glob("*.o"))
    assert not (project / CSIM / "result.json").exists()

    hangs.unlink()
    process = start(package_env, "run", project, hang=(hangs, "xnorflow.routes.hls.csim", "write_text", 1))
    wait_for(hangs.exists, process)
    kill(process)
    assert list((project / CSIM).glob("library-*/job.json"))
    assert not (project / CSIM / "result.json").exists()

    report = api.run(DIGITS, **options(project))
    assert reused(report) == [TRAIN, EXTRACT, CONVERT]
    assert report.agrees and len(report.results) == 4
    assert not [path for path in halves if path.exists()]


@pytest.mark.parametrize(("number", "by"), [(signal.SIGINT, ""), (signal.SIGTERM, " by SIGTERM")])
def test_signal_stops_the_compilers(project, package_env, slow_gxx, number, by):
    shutil.rmtree(project / CSIM)
    program, ids = slow_gxx
    process = start(package_env, "run", project, XNORFLOW_GXX=str(program))
    wait_for(lambda: len(lines(ids)) == 3, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 128 + number
    assert err.splitlines()[-1] == f"xnorflow: stopped{by}; the same command goes on from here"
    assert "Traceback" not in err
    assert not running(ids)


def test_two_runs_at_once(project, package_env):
    shutil.rmtree(project / CSIM)
    both = [start(package_env, "run", project) for _ in range(2)]
    ends = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    errors = [err for _, err in ends]
    assert sum(f"another run holds {project}; waiting for it to end" in err for err in errors) == 1
    assert sum("04-csim: taken over from an earlier run" in err for err in errors) == 1
