"""Foldings, ROM words, hits and start values, operators: what the packed kernels are made from."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow.base.errors import ConfigError
from xnorflow.fitting.cost_xnor import XnorKernel, accum_bits, rom_bram18
from xnorflow.net.folding import (
    Folding,
    check_folding,
    choose_folding,
    folding_for,
    legal_reuse_factors,
    reuse_factor_of,
)
from xnorflow.net.shapes import dense_shapes
from xnorflow.routes.hls.kernels.operators import cycle_operators, tree
from xnorflow.routes.hls.kernels.rom import pack_words, unpack_words
from xnorflow.routes.hls.kernels.values import BIPOLAR, Values, numbers_of

many = settings(max_examples=60, deadline=None)
sizes = st.integers(1, 40)


def divisors(total):
    return [width for width in range(1, total + 1) if total % width == 0]


@many
@given(sizes, sizes)
def test_every_folding_has_a_legal_reuse_factor_and_the_chosen_one_the_fewest_neurons(n_in, n_out):
    by_factor = {}
    for pe, simd in itertools.product(divisors(n_out), divisors(n_in)):
        by_factor.setdefault((n_in // simd) * (n_out // pe), []).append(Folding(pe, simd))
    assert legal_reuse_factors(n_in, n_out) == tuple(sorted(by_factor))
    for factor, foldings in by_factor.items():
        chosen = folding_for(n_in, n_out, factor)
        assert chosen == min(foldings, key=lambda folding: folding.pe)
        assert reuse_factor_of(n_in, n_out, chosen) == factor
    assert folding_for(n_in, n_out, n_in * n_out + 1) is None


def test_other_reuse_factors_and_foldings_are_refused_with_what_is_near():
    assert choose_folding("dense1", 784, 256, 784) == Folding(16, 16)
    with pytest.raises(ConfigError, match="no folding of reuse factor 100; the nearest ones are 98 or 112"):
        choose_folding("dense1", 784, 256, 100)
    with pytest.raises(ConfigError, match=r"layer a: pe must divide its 6 outputs \(1, 2, 3, 6\), got 4"):
        check_folding("a", 8, 6, Folding(4, 2))
    with pytest.raises(ConfigError, match="layer a: simd must divide its 8 inputs"):
        check_folding("a", 8, 6, Folding(3, 3))


def folded(n_in, n_out):
    """Random weights and every folding of a layer."""
    weights = np.random.default_rng(n_in * 100 + n_out).choice(np.array([-1, 1], np.int8), (n_in, n_out))
    return weights, [Folding(pe, simd) for pe in divisors(n_out) for simd in divisors(n_in)]


@many
@given(sizes, sizes)
def test_words_hold_the_weights_in_the_order_of_the_cycles(n_in, n_out):
    weights, foldings = folded(n_in, n_out)
    for folding in foldings:
        words = pack_words(weights, folding)
        assert len(words) == reuse_factor_of(n_in, n_out, folding) * folding.pe
        assert np.array_equal(unpack_words(words, n_in, n_out, folding), weights)
        group, chunk, neuron = (n_out // folding.pe) - 1, (n_in // folding.simd) - 1, folding.pe - 1
        word = words[(group * (n_in // folding.simd) + chunk) * folding.pe + neuron]
        bits = weights[chunk * folding.simd :, group * folding.pe + neuron] > 0
        assert [bool(word >> i & 1) for i in range(folding.simd)] == list(bits)


KINDS = [BIPOLAR, numbers_of(8, 8, signed=False), numbers_of(3, 3, signed=True), numbers_of(1, 1, signed=False)]


@many
@given(st.sampled_from([*KINDS, numbers_of(4, 2, signed=True)]), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_hits_are_the_sums_and_start_values_the_thresholds(values, n_in, seed):
    random = np.random.default_rng(seed)
    weights = random.choice(np.array([-1, 1], np.int8), (n_in, 4))
    u = random.integers(0, values.largest_u + 1, (50, n_in))
    sums = (values.lowest + values.step * u) @ weights.astype(np.int64)
    # the hits of one input: its bits that equal the weight's, each worth its place
    hits = np.where(weights.T[None] > 0, u[:, None], values.largest_u - u[:, None]).sum(axis=2)
    assert np.array_equal(values.constants(weights) + values.step * hits, sums)
    low, high = values.sum_range(weights)
    assert low <= sums.min() and sums.max() <= high
    assert np.abs(sums).max() <= n_in * values.max_abs
    thresholds = random.integers(-n_in * values.max_abs - 3, n_in * values.max_abs + 4, 4)
    starts = values.start_values(weights, thresholds)
    assert np.array_equal(starts + hits >= 0, sums >= thresholds)
    kind = values.accumulator(n_in)
    assert kind.lowest <= starts.min() and (starts + hits).max() <= kind.highest
    assert np.array_equal(values.start_values(weights, values.thresholds(weights, starts)), starts)


def test_types_of_numbers():
    assert numbers_of(2, 2, signed=True) == BIPOLAR
    assert numbers_of(8, 8, signed=False) == Values(8, 1, 0)
    assert numbers_of(6, 2, signed=True) == Values(6, 1, -32, 4)


@many
@given(st.integers(1, 900))
def test_tree_counts_every_bit_once(bits):
    counters = {width: count for (name, width), count in tree(bits) if name == "counter"}
    assert sum(width * count for width, count in counters.items()) == bits
    adders = sum(count for (name, _), count in tree(bits) if name == "add")
    assert adders == sum(counters.values()) - 1


@pytest.mark.parametrize("reuse_factor", [98, 784, 3136])
def test_cost_follows_from_the_folding(reuse_factor):
    layer = dense_shapes((784, 256, 10))[0]
    folding = folding_for(784, 256, reuse_factor)
    cost = XnorKernel().cost(layer, folding)
    assert (cost.reuse_factor, cost.interval_cycles) == (reuse_factor, reuse_factor)
    assert folding.pe * folding.simd * reuse_factor == 784 * 256
    assert cost.expected.bram18.likely == rom_bram18(folding, reuse_factor) > 0
    assert cost.expected.lut.low <= cost.expected.lut.likely <= cost.expected.lut.high
    # of all neurons only those in parallel have an accumulator
    operators = cycle_operators(folding, 1, accum_bits(layer))
    assert operators["select", accum_bits(layer)] == folding.pe


def test_fewer_cycles_cost_more():
    layer = dense_shapes((784, 256, 10))[0]
    costs = sorted(XnorKernel().options(layer), key=lambda cost: cost.reuse_factor)
    bits = [cost.folding[0] * cost.folding[1] for cost in costs]
    assert bits == sorted(bits, reverse=True)
    assert costs[0].expected.lut.likely > 100 * costs[-1].expected.lut.likely
