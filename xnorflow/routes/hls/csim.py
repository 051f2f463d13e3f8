"""C simulation of an hls4ml project, two ways: its compiled library, and its own testbench.

Both run in worker processes, one per core, each on its share of the images.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.arrays import Float64Array
from xnorflow.base.errors import ToolFailed
from xnorflow.base.files.atomic import write_text
from xnorflow.base.processes.programs import run_tool
from xnorflow.base.progress import Advance, progress_bar
from xnorflow.routes.hls.build import Binaries
from xnorflow.routes.hls.worker import NODE
from xnorflow.routes.hls.write.project import HlsProject
from xnorflow.routes.shares import ImageShare, in_shares

InputArray = NDArray[Any]


def simulate_library(project: HlsProject, binaries: Binaries, inputs: InputArray, folder: Path) -> Float64Array:
    """Return the scores, shape (n, n_classes), that the compiled library gives for encoded inputs.

    Args:
        project: the converted project.
        binaries: what ``compile_project`` made of it.
        inputs: encoded images, shape (n, input_size).
        folder: takes jobs and logs.
    """
    advance_lock = threading.Lock()
    with progress_bar("C simulation, library", len(inputs)) as advance:

        def run(share: ImageShare) -> Float64Array:
            part, place = inputs[share.images], folder / f"library-{share.index}"
            on_line = _counter(advance, advance_lock)
            return _run_worker(project, binaries.library, part, place, {}, on_line)["scores"]

        return np.concatenate(in_shares(run, len(inputs)))


def trace_library(project: HlsProject, library: Path, inputs: InputArray, folder: Path) -> dict[str, Float64Array]:
    """Return what every node of the network gives, shape (n, values) by node name."""
    outputs = _run_worker(project, library, inputs, folder / "trace", project.node_sizes, None)
    return {name: outputs[NODE + name] for name in project.node_sizes}


def simulate_testbench(
    project: HlsProject, binaries: Binaries, inputs: InputArray, expected: NDArray[np.int64], folder: Path
) -> Float64Array:
    """Return the scores that the project's own testbench writes, shape (n, n_classes).

    The testbench reads ``tb_data/`` in its working folder; each share of the images has its own.
    It never compares: what it was told to expect only goes along for the eye.
    """
    advance_lock = threading.Lock()
    with progress_bar("C simulation, testbench", len(inputs)) as advance:

        def run(share: ImageShare) -> Float64Array:
            part, place = inputs[share.images], folder / f"testbench-{share.index}"
            write_tb_data(place / "tb_data", part, expected[share.images])
            run_tool([binaries.testbench.resolve()], cwd=place, log=place / "testbench.log")
            values = _read_results(place / "tb_data" / "csim_results.log", len(part), project.n_classes)
            with advance_lock:
                advance(len(part))
            return values

        return np.concatenate(in_shares(run, len(inputs)))


def write_tb_data(folder: Path, inputs: InputArray, expected: NDArray[np.int64]) -> None:
    """Write images and expected scores as the testbench reads them, a line per image."""
    for name, rows in (("tb_input_features.dat", inputs), ("tb_output_predictions.dat", expected)):
        lines = [" ".join(map(str, row)) for row in rows.tolist()]
        write_text(folder / name, "\n".join(lines) + "\n")


def _counter(advance: Advance, lock: threading.Lock) -> Callable[[str], None]:
    def on_line(line: str) -> None:
        word, _, amount = line.partition(" ")
        if word == "done" and amount.isdigit():
            with lock:
                advance(int(amount))

    return on_line


def _run_worker(
    project: HlsProject,
    library: Path,
    inputs: InputArray,
    folder: Path,
    trace: dict[str, int],
    on_line: Callable[[str], None] | None,
) -> dict[str, Float64Array]:
    folder.mkdir(parents=True, exist_ok=True)
    outputs = folder / "outputs.npz"
    outputs.unlink(missing_ok=True)
    np.save(folder / "inputs.npy", inputs)
    job = {
        "library": str(library.resolve()),
        "top": project.top,
        "n_classes": project.n_classes,
        "inputs": str((folder / "inputs.npy").resolve()),
        "outputs": str(outputs.resolve()),
        "trace": trace,
    }
    write_text(folder / "job.json", json.dumps(job))
    package = Path(__file__).parents[3]
    search = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    run_tool(
        [sys.executable, "-m", "xnorflow.routes.hls.worker", (folder / "job.json").resolve()],
        cwd=folder,
        log=folder / "worker.log",
        env={"PYTHONPATH": search},
        on_line=on_line,
    )
    if not outputs.is_file():
        raise ToolFailed(f"the worker process ended early without a result; log: {folder / 'worker.log'}")
    with np.load(outputs, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _read_results(path: Path, images: int, classes: int) -> Float64Array:
    try:
        rows = [[float(value) for value in line.split()] for line in path.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError) as error:
        raise ToolFailed(f"the testbench left no readable results: {path}: {error}") from error
    if len(rows) != images or any(len(row) != classes for row in rows):
        raise ToolFailed(f"{path}: the testbench wrote {len(rows)} rows, expected {images} of {classes} scores")
    return np.array(rows)
