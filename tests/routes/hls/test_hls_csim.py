from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hls_nets import NETWORKS, PART, check_exact, dense_net, images_for

from xnorflow.base.errors import ToolFailed
from xnorflow.base.ints import IntType, parse_type
from xnorflow.base.processes.programs import require_tool, run_tool
from xnorflow.net.layers import DenseSpec
from xnorflow.routes.hls.build import Binaries
from xnorflow.routes.hls.csim import simulate_library, simulate_testbench
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.hls.plan.types import solve_types
from xnorflow.routes.hls.settings import HlsSettings, Precision
from xnorflow.routes.hls.simulate import simulate_csim
from xnorflow.routes.hls.write.project import HlsProject, write_project


def config(strategy: str, io_type: str, backend: str, **options: Any) -> HlsSettings:
    return HlsSettings(kernel="hls4ml", strategy=strategy, io_type=io_type, backend=backend, **options)


QUICK = [
    ("1-1-2", "Resource", "io_parallel", "Vivado"),
    ("3-2-1-2", "Latency", "io_stream", "Vitis"),
    ("13-11-7-4", "Resource", "io_stream", "Vivado"),
    ("13-6-3 per class", "Latency", "io_parallel", "Vivado"),
    ("7-4-3 of 8 bits", "Resource", "io_parallel", "Vitis"),
    ("13-4 of 8 bits, per class", "Latency", "io_parallel", "Vivado"),
    ("conv 6x7", "Resource", "io_parallel", "Vivado"),
    ("conv strides", "Latency", "io_stream", "Vivado"),
    ("conv 1x1, pool 1x2", "Resource", "io_stream", "Vitis"),
]
GRID = [
    (network, strategy, io_type, backend)
    for network in NETWORKS
    for strategy in ("Latency", "Resource")
    for io_type in ("io_parallel", "io_stream")
    for backend in ("Vivado", "Vitis")
]


@pytest.mark.parametrize(("network", "strategy", "io_type", "backend"), QUICK)
def test_every_score_equals_the_golden_model(tmp_path, network, strategy, io_type, backend):
    check_exact(NETWORKS[network], config(strategy, io_type, backend), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "strategy", "io_type", "backend"), [combination for combination in GRID if combination not in QUICK]
)
def test_every_score_equals_the_golden_model_everywhere(tmp_path, network, strategy, io_type, backend):
    check_exact(NETWORKS[network], config(strategy, io_type, backend), tmp_path)


def test_reuse_factors_do_not_change_a_score(tmp_path):
    factors = {"conv1": 9, "dense1": 16, "scores": 15}
    spec = NETWORKS["conv 6x7"]
    check_exact(spec, config("Resource", "io_parallel", "Vivado", reuse_factor=factors), tmp_path / "spaces and é")


SPEC = dense_net(31, 17, 9, 3)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[HlsProject, Path]:
    folder = tmp_path_factory.mktemp("built")
    return write_project(
        plan_project(SPEC, config("Resource", "io_parallel", "Vivado")), folder / "project", part=PART
    ), folder


def wrap(values: np.ndarray, kind: IntType) -> np.ndarray:
    """Return integers as a type of so many bits keeps them."""
    wrapped = values % (1 << kind.bits)
    return np.where(kind.signed & (wrapped >= 1 << (kind.bits - 1)), wrapped - (1 << kind.bits), wrapped)


@pytest.mark.parametrize(
    ("layer", "name", "cut"),
    [("dense1", "result", 2), ("dense2", "accum", 2), ("scores", "result", 2), ("dense1", "accum", 3)],
)
def test_a_narrow_type_is_found_where_it_is(tmp_path, layer, name, cut):
    spec, index = SPEC, [one.name for one in SPEC.layers].index(layer)
    # every neuron far from a constant, so that wrong sums come through to the scores
    solved = getattr(solve_types(spec, spec.layers[index]), name)
    narrow = dataclasses.replace(solved, bits=solved.bits - cut)
    build = config("Latency", "io_parallel", "Vivado", precision={layer: Precision(**{name: narrow.cpp})})
    split = images_for(spec, 200)
    project = write_project(plan_project(spec, build), tmp_path / "project", part=PART)
    for result in simulate_csim(plan_project(spec, build), project, split, tmp_path / "csim"):
        assert not result.agrees and 0 < result.scores_differ <= 200
        found = result.mismatch
        assert found is not None
        assert (found.layer, found.what) == (layer, "sums")
        assert found.advice == (
            f"precision.{layer}.{name} is {narrow.cpp}, but the layer needs {solved.cpp}; "
            "remove it from the configuration"
        )
        assert parse_type(narrow.cpp) == narrow
        sums = spec.trace(split.images)[layer].sums
        assert 0 < found.differing <= found.compared
        assert found.compared % sums.shape[1] == 0 and found.compared <= 50 * sums.shape[1]
        assert len(found.first) == min(5, found.differing)
        assert list(found.first) == sorted(found.first)
        for image, value, expected, got in found.first:
            assert sums[image, value] == expected != got
            if name == "result":
                assert got == wrap(np.array(expected), narrow)
            else:
                # the kernel counts equal bits in the accumulator, or adds up products in a first layer
                n_in = spec.layers[index].n_in
                count = (expected + n_in) // 2
                wrapped = (
                    2 * int(wrap(np.array(count), narrow)) - n_in if index else int(wrap(np.array(expected), narrow))
                )
                assert got == wrapped


def test_thresholds_that_differ_are_found_as_outputs(tmp_path, built):
    """The project of one network against the golden model of another: only thresholds differ."""
    _, folder = built
    first = SPEC.hidden[0]
    thresholds = np.array(first.thresholds)
    thresholds[5] = -first.n_in
    thresholds[6] = first.n_in + 1
    other = dataclasses.replace(SPEC, hidden=(DenseSpec("dense1", first.weights, thresholds), SPEC.hidden[1]))
    project, build = built[0], config("Resource", "io_parallel", "Vivado")
    split = images_for(SPEC, 80)
    for result in simulate_csim(plan_project(other, build), project, split, folder / "other"):
        found = result.mismatch
        assert found is not None and (found.layer, found.what) == ("dense1", "outputs")
        assert {value for _, value, _, _ in found.first} <= {5, 6}
        assert {(expected, got) for _, _, expected, got in found.first} <= {(1, -1), (-1, 1)}
        assert "convert the project again" in found.advice


def c_library(folder: Path, body: str) -> Path:
    source = folder / "broken.cpp"
    head = "#include <csignal>\n#include <cstdlib>\n"
    source.write_text(head + f'extern "C" void xnornet_double(double *in, double *out) {{ {body} }}\n')
    library = folder / "broken.so"
    gxx = require_tool("g++", "this test")
    run_tool([gxx, "-shared", "-fPIC", source, "-o", library], cwd=folder, log=folder / "g++.log")
    return library


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("std::abort();", "was killed by SIGABRT"),
        ("*(volatile int *)0 = 1;", "was killed by SIGSEGV"),
        ("std::exit(3);", "failed with exit code 3"),
        ("std::raise(SIGKILL);", "was killed by SIGKILL"),
    ],
)
def test_a_crash_in_the_library_is_an_error_not_the_end(tmp_path, built, body, text):
    project, _ = built
    binaries = Binaries(c_library(tmp_path, body), tmp_path / "none")
    with pytest.raises(ToolFailed, match=text) as caught:
        simulate_library(project, binaries, np.ones((9, 31), np.int8), tmp_path / "csim")
    assert "worker.log" in str(caught.value)


def test_a_library_that_ends_quietly_leaves_no_half_result(tmp_path, built):
    project, _ = built
    good = Binaries(c_library(tmp_path, "for (int i = 0; i < 3; i++) out[i] = in[i] + i;"), tmp_path / "none")
    inputs = np.arange(2 * 31).reshape(2, 31)
    got = simulate_library(project, good, inputs, tmp_path / "csim")
    assert got.tolist() == [[0, 2, 4], [31, 33, 35]]
    (tmp_path / "worse").mkdir()
    quiet = Binaries(c_library(tmp_path / "worse", "std::_Exit(0);"), tmp_path / "none")
    # the outputs of the run before must not be taken for this one's
    with pytest.raises(ToolFailed, match="worker"):
        simulate_library(project, quiet, inputs, tmp_path / "csim")


@pytest.mark.parametrize("content", [None, "", "1 2\n", "1 2 x\n", "1 2 3\n1 2 3\n", "1 2 3 4\n"])
def test_results_of_the_testbench_that_are_not_whole_are_refused(tmp_path, built, content):
    project, _ = built
    program = tmp_path / "testbench"
    write = "" if content is None else f"cat > tb_data/csim_results.log <<'END'\n{content}END\n"
    program.write_text(f"#!/bin/sh\n{write}exit 0\n")
    program.chmod(0o755)
    binaries = Binaries(tmp_path / "none", program)
    with pytest.raises(ToolFailed, match=r"csim_results\.log"):
        simulate_testbench(project, binaries, np.ones((1, 31)), np.ones((1, 3), np.int64), tmp_path / "csim")
