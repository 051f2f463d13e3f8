"""The cost model: formulas by hand, bands, and the kernels' options."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnorflow.base.device import bram18_blocks
from xnorflow.base.errors import ConfigError
from xnorflow.base.resources import NO_CELLS, Band, exactly
from xnorflow.fitting.cost import NetCost
from xnorflow.fitting.cost_hls4ml import OperatorCosts, StockKernel, after_vivado
from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.shapes import ConvShape, LayerShape, dense_shapes, layer_shapes
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.routes.hls.plan.fold import hls4ml_reuse_factors

SFC = dense_shapes((784, 256, 256, 256, 10))


def is_legal_by_the_rule(n_in, n_out, factor):
    limit = int(np.ceil(n_in * n_out / min(n_in, factor)))
    fits = limit % n_out == 0 or factor >= n_in
    return fits and (factor % n_in == 0 or factor < n_in) and n_in * n_out % factor == 0


@given(st.integers(1, 60), st.integers(1, 40))
def test_legal_reuse_factors_are_those_of_hls4ml(n_in, n_out):
    every = range(1, n_in * n_out + 1)
    assert list(hls4ml_reuse_factors(n_in, n_out)) == [rf for rf in every if is_legal_by_the_rule(n_in, n_out, rf)]


def test_legal_reuse_factors_of_sfc():
    assert list(hls4ml_reuse_factors(256, 10)) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1280, 2560]


@pytest.mark.parametrize(
    ("word", "depth", "blocks"),
    [
        (36, 512, 1),
        (37, 512, 2),
        (256, 256, 8),
        (256, 784, 15),
        (10, 256, 1),
        (1, 16384, 1),
        (18, 1024, 1),
        (1, 1, 1),
    ],
)
def test_bram18_blocks(word, depth, blocks):
    assert bram18_blocks(word, depth) == blocks


def test_bram18_of_sfc_on_the_resource_kernel():
    """784-256-256-256-10 at reuse factors 784, 256, 256, 256: about 33 by the design's arithmetic."""
    costs = [StockKernel().cost(layer, rf) for layer, rf in zip(SFC, (784, 256, 256, 256), strict=True)]
    assert sum(cost.expected.bram18.likely for cost in costs) == 15 + 8 + 8 + 1
    assert NetCost(tuple(costs), 100.0).interval_cycles == 784


@given(st.sampled_from(SFC), st.data())
def test_resource_kernel_cycles(layer, data):
    kernel = StockKernel()
    factor = data.draw(st.sampled_from(kernel.reuse_factors(layer)))
    cost = kernel.cost(layer, factor)
    assert cost.interval_cycles == cost.reuse_factor == factor
    if factor > 1:
        assert cost.latency_cycles == (factor, factor + 3)
    assert cost.hls is not None
    assert cost.hls.lut.low <= cost.hls.lut.likely <= cost.hls.lut.high


def test_resource_luts_fall_until_the_reuse_factor_reaches_the_inputs():
    kernel = StockKernel()
    luts = {cost.reuse_factor: cost.hls.lut.likely for cost in kernel.options(SFC[1])}
    assert luts[1] > luts[8] > luts[64] > luts[256]
    assert luts[4096] > 0.9 * luts[256]


def test_latency_strategy_has_one_option():
    kernel = StockKernel("Latency")
    (cost,) = kernel.options(SFC[0])
    assert (cost.reuse_factor, cost.interval_cycles, cost.expected.bram18.likely) == (1, 1, 0)
    with pytest.raises(ConfigError, match="nearest: 1"):
        kernel.cost(SFC[0], 2)


def test_illegal_reuse_factor_names_its_neighbours():
    with pytest.raises(ConfigError, match=r"dense1.*got 100; nearest: 98, 112"):
        StockKernel().cost(SFC[0], 100)


def test_expected_luts_are_041_of_the_hls_estimate():
    amounts = after_vivado(dataclasses.replace(NO_CELLS, lut=exactly(1000), dsp=exactly(10)))
    assert amounts.lut == Band(200, 410, 660)
    assert amounts.dsp.likely == 10


def test_errors_of_estimate_and_ratio_add_in_quadrature():
    band = Band(500, 1000, 2000).times(0.5, 1.0, 2.0)
    assert band.likely == 1000
    assert 1000 * 2**1.41 < band.high < 1000 * 2**1.42
    assert 1000 / 2**1.42 < band.low < 1000 / 2**1.41


@pytest.mark.parametrize("tool", ["Vivado", "Vitis"])
@given(
    operator=st.sampled_from(["add", "subtract", "compare", "select", "xor", "mux"]),
    width=st.integers(1, 5000),
)
def test_operator_costs_are_bands_at_any_width(tool, operator, width):
    low, likely, high = OperatorCosts(tool).lut(operator, width)
    assert 0 <= low <= likely <= high


def test_operator_costs_are_those_of_the_table():
    assert OperatorCosts("Vivado").lut("add", 16)[1] == 23
    assert OperatorCosts("Vitis").lut("add", 16)[1] == 16
    assert OperatorCosts("Vivado").lut("mux", 2)[1] == 9


def test_convolution_limits_and_cycles():
    layer = LayerShape("conv", 288, 64, vectors=121, pixels_in=169)
    parallel = StockKernel().reuse_factors(layer)
    stream = StockKernel(io_type="io_stream").reuse_factors(layer)
    assert max(parallel) == 288
    assert max(stream) == 288 * 64
    assert StockKernel().cost(layer, 288).interval_cycles == 121 * 288
    assert StockKernel(io_type="io_stream").cost(layer, 288).interval_cycles == 169 * 288


def test_shapes_of_a_network():
    chance = np.random.default_rng(0)
    sign = lambda *shape: chance.choice(np.array([-1, 1], np.int8), size=shape)  # noqa: E731
    spec = NetSpec(
        "mixed",
        InputSpec((8, 8, 1), bits=8),
        (
            ConvSpec("conv", sign(3, 3, 1, 4), np.zeros(4, np.int32), pool=(2, 2)),
            DenseSpec("dense", sign(36, 16), np.zeros(16, np.int32)),
        ),
        ScoreSpec("scores", sign(16, 10), np.ones(10, np.int64), np.zeros(10, np.int64), 4),
    )
    shapes = layer_shapes(spec)
    assert [(shape.n_in, shape.n_out, shape.vectors) for shape in shapes] == [
        (9, 4, 36),
        (36, 16, 1),
        (16, 10, 1),
    ]
    assert [shape.input_bits for shape in shapes] == [8, 1, 1]
    assert shapes[0].conv == ConvShape((8, 8, 1), (3, 3), (1, 1), (2, 2)) and shapes[1].conv is None
    assert (shapes[2].is_scores, shapes[2].scaled) == (True, True)
    assert StockKernel().cost(shapes[2], 16).expected.dsp.likely == 20


def test_dense_shapes_refuse_nonsense():
    for sizes in ((784,), (784, 0, 10)):
        with pytest.raises(ConfigError, match="sizes must be"):
            dense_shapes(sizes)


def test_bands_must_rise():
    with pytest.raises(ConfigError, match="must rise"):
        Band(3, 2, 4)
