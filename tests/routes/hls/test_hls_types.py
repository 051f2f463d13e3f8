from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow.base.errors import ConfigError
from xnorflow.base.ints import IntType, fixed_type, parse_type, smallest_type
from xnorflow.net.layers import DenseSpec, ScoreSpec
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.hls.plan.types import input_type, solve_types, types_of
from xnorflow.routes.hls.settings import HlsSettings, Precision

CONFIG = HlsSettings(kernel="hls4ml")
many = settings(max_examples=200, deadline=None)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.int8)


def holds(kind: IntType, *values: int) -> bool:
    """Wrap values as ap_int does and see whether they survive."""
    for value in values:
        wrapped = value % (1 << kind.bits)
        if kind.signed and wrapped >= 1 << (kind.bits - 1):
            wrapped -= 1 << kind.bits
        if wrapped != value:
            return False
    return True


def narrower(kind: IntType) -> IntType:
    return IntType(kind.bits - 1, kind.signed)


def network(n_in: int, n_hidden: int, bits: int, thresholds: list[int]) -> NetSpec:
    first = DenseSpec("first", ones(n_in, n_hidden), np.resize(np.array(thresholds), n_hidden))
    second = DenseSpec("second", ones(n_hidden, 2), np.zeros(2, np.int32))
    return NetSpec("net", InputSpec((n_in,), bits), (first, second), ScoreSpec("scores", ones(2, 3)))


@many
@given(st.integers(-(2**40), 2**40), st.integers(0, 2**40))
def test_the_smallest_type_holds_the_range_and_one_bit_less_does_not(lowest, length):
    highest = lowest + length
    kind = smallest_type(lowest, highest)
    assert holds(kind, lowest, highest) and kind.lowest <= lowest and kind.highest >= highest
    assert kind.signed == (lowest < 0)
    assert kind.bits == 1 or not holds(narrower(kind), lowest, highest)


@pytest.mark.parametrize(
    ("lowest", "highest", "name"),
    [
        (0, 0, "ap_uint<1>"),
        (0, 1, "ap_uint<1>"),
        (0, 2, "ap_uint<2>"),
        (0, 255, "ap_uint<8>"),
        (0, 256, "ap_uint<9>"),
        (-1, 0, "ap_int<1>"),
        (-1, 1, "ap_int<2>"),
        (-2, 1, "ap_int<2>"),
        (-2, 2, "ap_int<3>"),
        (-128, 127, "ap_int<8>"),
        (-128, 128, "ap_int<9>"),
        (-129, 0, "ap_int<9>"),
    ],
)
def test_types_at_powers_of_two(lowest, highest, name):
    assert smallest_type(lowest, highest).cpp == name


@many
@given(st.integers(1, 1100), st.integers(1, 1100), st.sampled_from([1, 8]))
def test_solved_types_hold_every_sum_and_none_is_too_wide(n_in, n_hidden, bits):
    spec = network(n_in, n_hidden, bits, [0])
    largest = n_in * (255 if bits == 8 else 1)
    first, second = solve_types(spec, spec.hidden[0]), solve_types(spec, spec.hidden[1])
    # reachable: all weights of a row +1, the input all of one sign, and every sum between
    assert holds(first.accum, -largest, largest) and not holds(narrower(first.accum), -largest, largest)
    assert first.result == first.accum
    # a later layer counts equal bits before it makes them a sum
    assert holds(second.accum, 0, n_hidden) and not second.accum.signed
    assert second.accum.bits == 1 or not holds(narrower(second.accum), 0, n_hidden)
    assert holds(second.result, -n_hidden, n_hidden)
    assert not holds(narrower(second.result), -n_hidden, n_hidden)


@many
@given(
    st.integers(1, 300), st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=4), st.sampled_from([1, 8])
)
def test_results_also_hold_the_thresholds(n_in, thresholds, bits):
    spec = network(n_in, len(thresholds), bits, thresholds)
    largest = spec.max_abs_sum(spec.hidden[0])
    kind = solve_types(spec, spec.hidden[0]).result
    assert holds(kind, -largest, largest, *thresholds)
    assert not holds(narrower(kind), -largest, largest, *thresholds)


@pytest.mark.parametrize("k", range(1, 11))
def test_threshold_of_a_neuron_that_never_fires_takes_a_bit_more(k):
    n_in = 2**k - 1
    ordinary, never = (network(n_in, 1, 1, [threshold]) for threshold in (n_in, n_in + 1))
    assert solve_types(ordinary, ordinary.hidden[0]).result == IntType(k + 1, signed=True)
    assert solve_types(never, never.hidden[0]).result == IntType(k + 2, signed=True)
    assert solve_types(never, never.hidden[0]).accum == IntType(k + 1, signed=True)


def test_the_design_formula_for_a_first_layer():
    for n_in in (2, 3, 5, 64, 100, 576, 784):
        spec = network(n_in, 1, 1, [0])
        assert solve_types(spec, spec.hidden[0]).result.bits == int(np.ceil(np.log2(n_in + 1))) + 1


def test_input_types():
    assert input_type(network(3, 1, 1, [0])).cpp == "ap_int<2>"
    assert input_type(network(3, 1, 8, [0])).cpp == "ap_uint<8>"


@many
@given(st.integers(1, 99), st.booleans())
def test_names_read_back(bits, signed):
    kind = IntType(bits, signed)
    assert parse_type(kind.cpp) == kind
    assert kind.cpp == "ap_" + kind.hls4ml
    assert Precision(accum=kind.cpp).accum == kind.cpp


@pytest.mark.parametrize("text", ["int<3>", "ap_int<>", "ap_int<3", "ap_fixed<3,3>", "ap_int<-3>", "ap_int<3> ", ""])
def test_other_names_are_refused(text):
    with pytest.raises(ValueError, match="not an integer type"):
        parse_type(text)
    with pytest.raises(ConfigError, match="precision accum must be"):
        Precision(accum=text)


@many
@given(st.lists(st.integers(-(2**50), 2**50), min_size=1, max_size=5), st.integers(0, 30))
def test_fixed_point_holds_its_values(values, fraction_bits):
    kind = fixed_type(values, fraction_bits)
    assert kind.fraction_bits == fraction_bits and kind.bits > fraction_bits
    assert holds(IntType(kind.bits, signed=True), *values)
    tight = kind.bits == fraction_bits + 1 or not holds(IntType(kind.bits - 1, signed=True), *values, -1)
    assert tight


@pytest.mark.parametrize("layer", ["first", "second", "scores"])
@pytest.mark.parametrize("name", ["accum", "result"])
def test_precision_replaces_one_type_and_a_narrow_one_is_told(layer, name):
    spec = network(9, 5, 1, [0])
    index = [one.name for one in spec.layers].index(layer)
    solved = solve_types(spec, spec.layers[index])
    right = getattr(solved, name)
    narrow = narrower(right)
    config = dataclasses.replace(CONFIG, precision={layer: Precision(**{name: narrow.cpp})})
    assert types_of(spec, spec.layers[index], config) == dataclasses.replace(solved, **{name: narrow})
    assert [types_of(spec, one, config) == solve_types(spec, one) for one in spec.layers].count(True) == 2
    assert plan_project(spec, config).narrower_than_needed() == [
        f"precision.{layer}.{name} is {narrow.cpp}, but the layer needs {right.cpp}; remove it from the configuration"
    ]
    wide = dataclasses.replace(CONFIG, precision={layer: Precision(**{name: "ap_int<30>"})})
    assert plan_project(spec, wide).narrower_than_needed() == []


def test_unsigned_where_sums_are_negative_is_told():
    spec = network(9, 5, 1, [0])
    config = dataclasses.replace(CONFIG, precision={"scores": Precision(result="ap_uint<40>")})
    assert len(plan_project(spec, config).narrower_than_needed()) == 1
    assert plan_project(spec, CONFIG).narrower_than_needed() == []
