"""Runs of the flow on digits, in this process or in one of their own."""

import signal
import subprocess
import sys
import time

from conftest import ROOT

from xnorflow.data import load_dataset
from xnorflow.flow import CONVERT, CSIM
from xnorflow.job import EXTRACT, TRAIN
from xnorflow.specfile import save_spec
from xnorflow.steps import run_step

DIGITS = ROOT / "hls_configs" / "digits.yaml"
ALL = (TRAIN, EXTRACT, CONVERT, CSIM)


def options(project, epochs=2):
    return {"project": project, "train": {"epochs": epochs}}


def hear_ctrl_c():
    """Undo what a shell does to what it starts in the background: there SIGINT is ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(env, command, project, *more, epochs=2, **variables):
    """Start the command line in a process of its own; ``epochs`` is None for a command that trains nothing."""
    training = [] if epochs is None else ["--epochs", str(epochs)]
    argv = [sys.executable, "-m", "xnorflow", command, str(DIGITS), *training]
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


def take_network(project, spec, config):
    """Make a project of a golden model without Keras: the steps of a network from the file ``own.h5``, done."""
    data = load_dataset(config.data)
    given = run_step(
        project / TRAIN,
        {".h5": "0" * 64},
        lambda folder: (
            (folder / f"{config.name}.h5").write_bytes(b"no network that Keras could read"),
            {"trained_here": False, "card": None, "file": "own.h5"},
        )[1],
    )
    inputs = {
        "model": given.files[f"{config.name}.h5"],
        "data": data.sha256,
        "input_bits": config.input_bits,
        "pixel_threshold": config.pixel_threshold,
    }
    run_step(project / EXTRACT, inputs, lambda folder: {"spec": save_spec(spec, folder / "spec.npz"), "results": []})
    return project


def reused(report):
    return [step.name for step in report.steps if step.reused]


def lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
