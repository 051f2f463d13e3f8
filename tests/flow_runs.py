"""Runs of the flow on digits, in this process or in one of their own."""

import subprocess
import sys

from conftest import ROOT
from processes import hear_ctrl_c

from xnorflow.flow import steps_extract
from xnorflow.flow.job import EXTRACT, TRAIN, make_job
from xnorflow.flow.run import CONVERT, CSIM
from xnorflow.flow.state import Run
from xnorflow.flow.step import run_step
from xnorflow.net.spec_file import save_spec

DIGITS = ROOT / "hls_configs" / "digits.yaml"
ALL = (TRAIN, EXTRACT, CONVERT, CSIM)

HANGS = """
import pkgutil, sys, time
from pathlib import Path
from xnorflow.cli.main import main
marker, owner, name, calls = Path(sys.argv[1]), pkgutil.resolve_name(sys.argv[2]), sys.argv[3], int(sys.argv[4])
work, seen = getattr(owner, name), []
def work_and_hang(*arguments, **options):
    found = work(*arguments, **options)
    seen.append(1)
    if len(seen) == calls:
        marker.touch()
        time.sleep(3600)
    return found
setattr(owner, name, work_and_hang)
sys.exit(main(sys.argv[5:]))
"""


def options(project, epochs=2):
    return {"project": project, "train": {"epochs": epochs}}


def start(env, command, project, *more, epochs=2, hang=None, **variables):
    """Start the command line in a process of its own.

    ``epochs`` is None for a command that trains nothing. ``hang`` is a marker, the owner and name of a function, and
    a number: when the function has been called so often, the marker is made and the caller waits to be killed.
    """
    training = [] if epochs is None else ["--epochs", str(epochs)]
    program = ["-m", "xnorflow"] if hang is None else ["-c", HANGS, *map(str, hang)]
    argv = [sys.executable, *program, command, str(DIGITS), *training]
    return subprocess.Popen(
        [*argv, "--project", str(project), *more],
        env={**env, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )


def kill(process):
    process.kill()
    process.communicate(timeout=600)


def take_network(project, spec, config):
    """Make a project of a golden model without Keras: the steps of a network from the file ``own.h5``, done."""
    given = run_step(
        project / TRAIN,
        {"model": "0" * 64, "card": None},
        lambda folder: (
            (folder / f"{config.name}.h5").write_bytes(b"no network that Keras could read"),
            {"trained_here": False, "card": None, "file": "own.h5"},
        )[1],
    )

    def extract(trace, folder):
        read = trace.config.input
        assert trace.model_file and trace.data and (read.bits, read.pixel_threshold)
        return {"spec": save_spec(spec, folder / "spec.npz"), "results": [], "warnings": []}

    # as if the step's own code had made it
    extract.__module__ = steps_extract.__name__
    run = Run(make_job(config, project=project))
    run.take(given)
    run.step(EXTRACT, extract, given={"known_accuracy": None})
    return project


def reused(report):
    return [step.name for step in report.steps if step.reused]


def lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
