"""C simulation of a project on images, every score compared with the golden model."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xnorflow.net.spec import NetSpec
from xnorflow.routes.compare import (
    TRACED_IMAGES,
    LayerMismatch,
    Observed,
    SimResult,
    compare_scores,
    differing_images,
    first_mismatch,
)
from xnorflow.routes.hls.build import compile_project, compile_trace_library
from xnorflow.routes.hls.csim import simulate_library, simulate_testbench, trace_library
from xnorflow.routes.hls.plan.network import HlsPlan
from xnorflow.routes.hls.write.project import HlsProject
from xnorflow.sources.data.sets import Split

LIBRARY = "C simulation, library"
TESTBENCH = "C simulation, testbench"
# significant digits with which the testbench prints a score (the default of C++ streams)
PRINTED_DIGITS = 6


def simulate_csim(plan: HlsPlan, project: HlsProject, split: Split, folder: str | Path) -> list[SimResult]:
    """Compile a project and run its C simulation both ways on every image of ``split``.

    Args:
        plan: what the project was written by.
        project: the written project.
        split: images and labels.
        folder: takes binaries, jobs and logs.

    Returns:
        One result for the compiled library, one for the project's own testbench.

    Raises:
        ToolNotFound: no g++.
        ToolFailed: compilation or simulation failed.
    """
    spec, folder = plan.spec, Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    binaries = compile_project(project, folder)
    inputs = spec.input.encode(split.images).reshape(len(split.images), -1)
    expected = spec.class_scores(split.images)
    started = time.monotonic()
    by_library = _integers(spec, simulate_library(project, binaries, inputs, folder))
    middle = time.monotonic()
    by_testbench = simulate_testbench(project, binaries, inputs, expected, folder)
    finished = time.monotonic()
    results = [
        compare_scores(LIBRARY, by_library, expected, split.labels, middle - started),
        compare_scores(
            TESTBENCH, _from_print(spec, by_testbench, expected), expected, split.labels, finished - middle
        ),
    ]
    differing = differing_images(by_library, expected)
    if len(differing) == 0:
        return results
    mismatch = find_csim_mismatch(plan, project, split.images, differing[:TRACED_IMAGES], folder)
    return [dataclasses.replace(result, mismatch=mismatch) for result in results]


def _integers(spec: NetSpec, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in units of their last fraction bit; not rounded, so that a wrong fraction shows."""
    return scores * float(1 << spec.scores.fraction_bits)


def _from_print(spec: NetSpec, printed: NDArray[np.float64], expected: NDArray[np.int64]) -> NDArray[np.float64]:
    """Undo the testbench's rounding: a printed score that is the expected one as printed stands for it."""
    unit = float(1 << spec.scores.fraction_bits)
    as_printed = np.array([float(f"{value / unit:.{PRINTED_DIGITS}g}") for value in expected.ravel()])
    same = printed == as_printed.reshape(expected.shape)
    return np.where(same, expected.astype(np.float64), printed * unit)


def find_csim_mismatch(
    plan: HlsPlan,
    project: HlsProject,
    images: NDArray[np.uint8],
    which: NDArray[np.int64],
    folder: Path,
) -> LayerMismatch | None:
    """Return the first layer whose sums or outputs differ on the images numbered ``which``."""
    spec = plan.spec
    inputs = spec.input.encode(images[which]).reshape(len(which), -1)
    nodes = trace_library(project, compile_trace_library(project, folder), inputs, folder)
    advice = "; ".join(plan.narrower_than_needed()) or (
        "no type of the configuration is too narrow: convert the project again, and if it still differs report a bug"
    )
    return first_mismatch(_observed(spec, project, nodes, images[which]), which, advice)


def _observed(
    spec: NetSpec, project: HlsProject, nodes: Mapping[str, NDArray[np.float64]], images: NDArray[np.uint8]
) -> Iterator[Observed]:
    """Yield the sums, where they can be seen, and the outputs of each layer."""
    golden = spec.trace(images)
    for layer in spec.layers:
        trace = golden[layer.name]
        # our own kernel keeps the sums of hidden layers to itself
        if layer.name in project.product_nodes:
            yield Observed(layer.name, "sums", nodes[project.product_nodes[layer.name]], trace.sums)
        outputs = nodes[project.output_nodes[layer.name]]
        # hidden layers store +1/-1 as 1/0
        outputs = _integers(spec, outputs) if layer is spec.scores else np.where(outputs > 0, 1, -1)
        yield Observed(layer.name, "outputs", outputs, trace.output)
