from __future__ import annotations

import numpy as np
import pytest

from xnorflow.base.errors import ConfigError
from xnorflow.base.keras_stack import import_hls4ml
from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.routes.hls.plan.fold import check_reuse_factors, hls4ml_reuse_factors
from xnorflow.routes.hls.settings import HlsSettings

PART = "xc7z010clg400-1"
GRID = [*range(1, 21), 25, 27, 36, 49, 64, 72, 100, 144, 784]


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.int8)


def zeros(n: int) -> np.ndarray:
    return np.zeros(n, np.int32)


def config(reuse_factor, strategy="Resource", io_type="io_parallel") -> HlsSettings:
    return HlsSettings(kernel="hls4ml", reuse_factor=reuse_factor, strategy=strategy, io_type=io_type)


DENSE = NetSpec(
    "dense", InputSpec((12,)), (DenseSpec("dense1", ones(12, 5), zeros(5)),), ScoreSpec("scores", ones(5, 4))
)
CONV = NetSpec(
    "conv",
    InputSpec((6, 6, 2)),
    (ConvSpec("conv1", ones(3, 3, 2, 4), zeros(4)),),
    ScoreSpec("scores", ones(64, 2)),
)


@pytest.mark.parametrize("backend", ["Vivado", "Vitis"])
def test_legal_factors_are_those_of_hls4ml(backend):
    validate = import_hls4ml().backends.get_backend(backend)._validate_reuse_factor
    checked = 0
    for n_in in GRID:
        for n_out in (1, 2, 3, 7, 10, 12, 16):
            # beyond n_in * n_out nothing is legal
            tried = (
                range(1, n_in * n_out + 2) if n_in < 100 else (*range(1, 40), n_in, n_in + 1, 2 * n_in, n_in * n_out)
            )
            legal = set(hls4ml_reuse_factors(n_in, n_out))
            for factor in tried:
                checked += 1
                assert (factor in legal) == validate(n_in, n_out, factor), (n_in, n_out, factor)
    assert checked > 10_000


def test_one_and_every_weight_in_turn_are_always_legal():
    for n_in in GRID:
        for n_out in (1, 7, 10):
            legal = hls4ml_reuse_factors(n_in, n_out)
            assert legal == tuple(sorted(set(legal)))
            assert legal[0] == 1 and legal[-1] == n_in * n_out


@pytest.mark.parametrize(
    ("factor", "near"),
    [(5, "4 or 6"), (7, "6 or 12"), (13, "12 or 60"), (59, "12 or 60"), (61, "60"), (10**9, "60")],
)
@pytest.mark.parametrize("strategy", ["Resource", "Latency"])
def test_an_illegal_factor_names_its_legal_neighbours(factor, near, strategy):
    with pytest.raises(ConfigError) as caught:
        check_reuse_factors(DENSE, config({"dense1": factor}, strategy))
    assert str(caught.value) == (
        f"reuse_factor of layer dense1 (12 inputs, 5 outputs) cannot be {factor}; the nearest legal ones are {near}"
    )


def test_the_layer_at_fault_is_named():
    with pytest.raises(ConfigError, match=r"layer scores \(5 inputs, 4 outputs\) cannot be 12; .* are 10 or 20"):
        check_reuse_factors(DENSE, config(12))
    check_reuse_factors(DENSE, config({"dense1": 12, "scores": 10}))


@pytest.mark.parametrize("factor", [*hls4ml_reuse_factors(12, 5)])
def test_every_legal_factor_passes(factor):
    check_reuse_factors(DENSE, config({"dense1": factor}))


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("strategy", ["Resource", "Latency"])
def test_only_resource_in_parallel_limits_a_convolution_to_its_inputs(io_type, strategy):
    check_reuse_factors(CONV, config({"conv1": 18}, strategy, io_type))
    if (strategy, io_type) == ("Resource", "io_parallel"):
        # 36 writes past the end of hls4ml's arrays and ends the process
        with pytest.raises(ConfigError, match=r"layer conv1 .* cannot be 36; the nearest legal ones are 18$"):
            check_reuse_factors(CONV, config({"conv1": 36}, strategy, io_type))
    else:
        check_reuse_factors(CONV, config({"conv1": 36}, strategy, io_type))


@pytest.mark.parametrize("factor", [0, -1, 2.0, "4", True, None])
def test_what_is_no_number_is_refused(factor):
    for value in (factor, {"dense1": factor}):
        with pytest.raises(ConfigError, match=r"reuse_factor must be a whole number >= 1, got"):
            config(value)
