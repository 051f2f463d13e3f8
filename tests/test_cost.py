"""The cost model: formulas by hand, bands, and the kernels' options."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnorflow.cost import (
    Amounts,
    Band,
    LayerShape,
    NetCost,
    bram18_blocks,
    dense_shapes,
    exactly,
    layer_shapes,
)
from xnorflow.cost_hls4ml import OperatorCosts, StockKernel, after_vivado
from xnorflow.cost_rtl import (
    RtlCoefficients,
    RtlKernel,
    features,
    fit_coefficients,
    memory_sizes,
    reuse_factor,
    sum_bits,
)
from xnorflow.errors import ConfigError, DataError
from xnorflow.hls.reuse import legal_reuse_factors
from xnorflow.spec import ConvSpec, DenseSpec, InputSpec, NetSpec, ScoreSpec

SFC = dense_shapes((784, 256, 256, 256, 10))


def is_legal_by_the_rule(n_in, n_out, factor):
    limit = int(np.ceil(n_in * n_out / min(n_in, factor)))
    fits = limit % n_out == 0 or factor >= n_in
    return fits and (factor % n_in == 0 or factor < n_in) and n_in * n_out % factor == 0


@given(st.integers(1, 60), st.integers(1, 40))
def test_legal_reuse_factors_are_those_of_hls4ml(n_in, n_out):
    every = range(1, n_in * n_out + 1)
    assert list(legal_reuse_factors(n_in, n_out)) == [rf for rf in every if is_legal_by_the_rule(n_in, n_out, rf)]


def test_legal_reuse_factors_of_sfc():
    assert list(legal_reuse_factors(256, 10)) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1280, 2560]


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
    amounts = after_vivado(Amounts(lut=exactly(1000), dsp=exactly(10)))
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
    assert RtlKernel().cost(layer, 8, 32).interval_cycles == 121 * 9 * 8


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
    assert (shapes[2].is_scores, shapes[2].scaled) == (True, True)
    assert StockKernel().cost(shapes[2], 16).expected.dsp.likely == 20


def test_dense_shapes_refuse_nonsense():
    for sizes in ((784,), (784, 0, 10)):
        with pytest.raises(ConfigError, match="sizes must be"):
            dense_shapes(sizes)


@given(st.integers(1, 200), st.integers(1, 200))
def test_rtl_options_reach_every_reuse_factor(n_in, n_out):
    """Leaving out foldings that only waste width loses no pair of turns."""
    layer = LayerShape("layer", n_in, n_out)
    foldings = [cost.folding for cost in RtlKernel(divisors_only=False).options(layer)]
    options = {(-(-n_out // pe), -(-n_in // simd)) for pe, simd in foldings}
    turns = itertools.product(range(1, n_out + 1), range(1, n_in + 1))
    assert options == {(-(-n_out // pe), -(-n_in // simd)) for pe, simd in turns}


def test_rtl_cost():
    layer = LayerShape("layer", 784, 256)
    cost = RtlKernel().cost(layer, 16, 98)
    assert cost.reuse_factor == reuse_factor(layer, 16, 98) == 8 * 16
    # words of 16 rows of 98 weights and a start value of 12 bits (2 * 784 and a sign), 128 words
    assert sum_bits(layer) == 12
    assert memory_sizes(layer, 16, 98, "block") == (-(-16 * 110 // 36), 0)
    assert cost.expected.bram18 == Band(39, 49, 49)
    assert memory_sizes(layer, 16, 98, "lut") == (0, 16 * 110 * 2)
    with pytest.raises(ConfigError, match="pe must be 1 to 256"):
        RtlKernel().cost(layer, 257, 1)
    with pytest.raises(ConfigError, match="memory must be"):
        RtlKernel().cost(layer, 1, 1, "uram")


@pytest.mark.parametrize(
    ("layer", "pe", "simd", "blocks", "luts"),
    [
        (LayerShape("wide", 72, 4, is_scores=True), 4, 72, 0, 0),  # one word is wiring
        (LayerShape("flat", 72, 4), 4, 18, 0, 4 * (18 + 9)),  # four words
        (LayerShape("deep", 1024, 1), 1, 1, 0, 14 * 16),  # 1 weight and 13 bits of 1,024 words: see below
    ],
)
def test_rtl_memories(layer, pe, simd, blocks, luts):
    if layer.name == "deep":
        # 224 LUTs are more than half a block is worth, so it is one column of two blocks
        assert memory_sizes(layer, pe, simd, "lut") == (0, luts)
        assert memory_sizes(layer, pe, simd, "block") == (2, 0)
    else:
        assert memory_sizes(layer, pe, simd, "block") == (blocks, luts)


def test_fitted_coefficients_give_back_what_made_them():
    layer = LayerShape("layer", 784, 256)
    rows = [features(layer, pe, simd) for pe, simd in itertools.product((1, 4, 32, 128), (7, 49, 196))]
    counts = [round(200 + 1.5 * row["bit"] + 2 * row["sum_bit"]) for row in rows]
    fitted, error = fit_coefficients(("layer", "bit", "sum_bit"), rows, counts)
    assert error < 0.01
    assert fitted["bit"] == pytest.approx(1.5, rel=0.01)
    with pytest.raises(DataError, match="at least 3 runs"):
        fit_coefficients(("layer", "bit", "sum_bit"), rows[:2], counts[:2])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lut": {"magic": 1.0}}, "magic"),
        ({"band": [1.1, 2]}, "band"),
        ({"source": None, "ff": 3}, "wrong field"),
    ],
)
def test_coefficients_are_checked(change, words):
    table = {
        "lut": {"bit": 1.0},
        "ff": {"bit": 1.0},
        "band": [0.9, 1.1],
        "lutrom_depth": 32,
        "source": "a test",
    }
    assert RtlCoefficients.from_dict(table).band == (0.9, 1.1)
    with pytest.raises(DataError, match=words):
        RtlCoefficients.from_dict({**table, **change})


def test_bands_must_rise():
    with pytest.raises(ConfigError, match="must rise"):
        Band(3, 2, 4)


def test_rtl_divisors():
    layer = LayerShape("layer", 784, 10)
    foldings = {cost.folding for cost in RtlKernel().options(layer)}
    assert {pe for pe, _ in foldings} == {1, 2, 5, 10}
    assert all(784 % simd == 0 for _, simd in foldings)
