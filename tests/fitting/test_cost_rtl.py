"""The cost model of the Verilog: cells by hand, memories as they are, options of any layer."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtl_nets import conv_net, dense_cases, dense_net

from xnorflow.base.errors import ConfigError, DataError
from xnorflow.base.resources import Band, exactly
from xnorflow.fitting.cost_rtl import RtlCoefficients, RtlKernel, cost_of_plan, default_coefficients
from xnorflow.net.folding import Folding
from xnorflow.net.shapes import ConvShape, LayerShape, dense_shapes, layer_shapes
from xnorflow.routes.rtl.plan import counter
from xnorflow.routes.rtl.plan.cells import Cells, counter_cells, layer_parts, lut_memory, rom_cells
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.routes.rtl.plan.rom import (
    LUTS_PER_BLOCK,
    ONE,
    block_of,
    blocks_of,
    choose_memories,
    columns_in,
    memory_of,
    rom_of,
)
from xnorflow.routes.rtl.plan.weights import weight_bits

SFC = (784, 256, 256, 256, 10)


@settings(max_examples=40)
@given(dense_cases())
def test_memories_hold_every_word_in_their_columns(case):
    spec, foldings = case
    for layer in plan_network(spec, foldings).layers:
        memory, bits = memory_of(layer), weight_bits(layer)
        held = memory.columns[:, np.maximum(memory.source, 0)] if memory.columns.size else np.zeros_like(bits)
        assert (np.where(memory.source < 0, memory.source == ONE, held) == bits).all()
        columns = {column.tobytes() for column in memory.columns.T}
        assert len(columns) == memory.columns.shape[1] == memory.lut_columns
        assert not any(len(set(column)) == 1 for column in memory.columns.T)


def test_a_memory_shares_equal_columns_and_leaves_out_constant_ones():
    spec = dense_net(0, [6, 4, 2])
    weights = np.array(spec.layers[0].weights)
    weights[1], weights[2] = weights[0], 1
    weights[:, 2:] = weights[:, :2]
    layer = dataclasses.replace(spec.layers[0], weights=weights, thresholds=np.array([0, 0, 0, 0], np.int32))
    spec = dataclasses.replace(spec, hidden=(layer, *spec.hidden[1:]))
    plan = plan_network(spec, {"d0": Folding(2, 6), "scores": Folding(2, 4)}).layers[0]
    memory = memory_of(plan)
    # bits are sorted by input, then neuron
    assert (memory.source[2:4] == memory.source[:2]).all() and (memory.source[4:6] < 0).all()
    # the second word repeats the first: every column is constant, and nothing is left to store
    assert memory.columns.shape[1] == 0 and memory.bram18 == 0
    left = rom_cells(plan, rom_of(plan, 0, 0), 0)
    assert (left.lut, left.ff) == (0, 0)


@pytest.mark.parametrize(
    ("words", "block"),
    [(2, (36, 1)), (512, (36, 1)), (513, (18, 1)), (2048, (9, 1)), (4096, (4, 1)), (8192, (2, 1)), (16384, (1, 1)),
     (16385, (1, 2))],
)  # fmt: skip
def test_a_block_holds_as_many_columns_as_it_is_wide(words, block):
    assert block_of(words) == block
    assert blocks_of(3 * block[0], words) == 3 * block[1] == blocks_of(3 * block[0] - block[0] + 1, words)
    assert columns_in(3 * block[1], words) == 3 * block[0]


def whole_memory_plan(pe, n_in=64):
    """A layer whose words hold no chunks: every column is as dense as any."""
    return plan_network(dense_net(5, [n_in, 64, 10]), {"d0": Folding(pe, n_in), "scores": Folding(1, 64)}).layers[0]


@pytest.mark.parametrize(("columns", "held"), [(36, 36), (48, 36), (49, 49), (12, 0), (13, 13), (0, 0), (84, 72)])
def test_a_block_is_not_taken_for_what_a_few_luts_hold(columns, held):
    # 64 words, so a LUT per column
    assert rom_of(whole_memory_plan(1), columns, 0).block_columns == held


def test_block_ram_goes_where_it_saves_most_and_not_beyond_its_limit():
    spec = dense_net(1, [128, 64, 32, 10])
    plan = plan_network(spec, {"d0": Folding(4, 32), "d1": Folding(4, 16), "scores": Folding(1, 2)})
    assert [layer.reuse_factor for layer in plan.layers] == [64, 32, 160]
    luts = []
    for bram36 in (0, 0.5, 1, 2, 60):
        memories = choose_memories(plan.layers, bram36)
        assert sum(memory.bram18 for memory in memories) <= 2 * bram36
        cost = cost_of_plan(plan, bram36, 100.0)
        assert [layer.expected.bram18 for layer in cost.layers] == [exactly(memory.bram18) for memory in memories]
        luts.append(cost.expected.lut.likely)
    assert luts == sorted(luts, reverse=True) and luts[0] > luts[-1]
    # 36 columns of 64 words are 36 LUTs; the few of 160 words are mostly start values, which are sparse
    assert [memory.bram18 for memory in choose_memories(plan.layers, 0.5)] == [1, 0, 0]


@settings(max_examples=40)
@given(dense_cases(), st.sampled_from([0.5, 1, 3]))
def test_no_other_deal_of_the_blocks_saves_more_than_a_block(case, bram36):
    """Block by block is the best there is but for what the last, partly filled blocks may be worth."""
    spec, foldings = case
    layers = plan_network(spec, foldings).layers
    memories = choose_memories(layers, bram36)

    def luts(held):
        pairs = zip(layers, memories, held, strict=True)
        return sum(rom_of(one, m.columns.shape[1], m.start_columns).luts_beside(now) for one, m, now in pairs)

    counts = [range(blocks_of(memory.columns.shape[1], memory.words) + 1) for memory in memories]
    deals = [deal for deal in itertools.product(*counts) if sum(deal) <= 2 * bram36]
    best = min(
        luts([min(m.columns.shape[1], columns_in(n, m.words)) for m, n in zip(memories, deal, strict=True)])
        for deal in deals
    )
    taken = sum(memory.bram18 for memory in memories)
    assert luts([memory.block_columns for memory in memories]) <= best + LUTS_PER_BLOCK * max(1, 2 * bram36 - taken)


def test_counter_by_hand():
    # six bits by one xnf_63 (2 LUTs) to columns of 1, 2, 2 with the passing bits; an adder for two of them
    heap = counter.plan((6, 1, 1))
    assert [cell.kind for stage in heap.stages for cell in stage] == ["xnf_63"]
    assert counter_cells(heap) == Cells(lut=2 + 2, ff=(1 + 2 + 2) + 3)


@pytest.mark.parametrize(
    ("depth", "width", "luts"), [(16, 6, 4), (32, 7, 8), (64, 3, 4), (64, 4, 8), (128, 2, 8), (256, 2, 16)]
)
def test_lut_memory(depth, width, luts):
    assert lut_memory(depth, width) == luts


def test_registers_of_a_layer_by_hand():
    spec = dense_net(2, [64, 16, 10])
    layer = plan_network(spec, {"d0": Folding(4, 16), "scores": Folding(2, 16)}).layers[0]
    parts = layer_parts(layer)
    assert (layer.reuse_factor, layer.chunks, layer.sum_bits) == (16, 4, 9)
    assert parts["match"].ff == 4 * (16 + 9)
    assert parts["accumulate"] == Cells(lut=4 * 2 * 9, ff=4 * 9)
    assert parts["fifo"] == Cells(lut=19 + 4, ff=12)
    assert parts["sequencer"].ff == 4 + 2 + 1
    assert parts["count"] == counter_cells(layer.heap).times(4)


def test_cost_of_a_plan_has_its_cycles():
    spec = dense_net(3, [40, 16, 10])
    plan = plan_network(spec, {"d0": Folding(4, 10), "scores": Folding(1, 16)})
    cost = cost_of_plan(plan, 60, 50.0)
    # words of 8 bits for 10 at a time are split in fours: 20 words come in where the layer needs 16 cycles
    assert cost.interval_cycles == plan.interval_cycles == 20
    assert [layer.reuse_factor for layer in cost.layers] == [16, 10]
    assert cost.latency_cycles == (plan.latency_cycles, plan.latency_cycles)
    assert [layer.folding for layer in cost.layers] == [(4, 10), (1, 16)]
    assert cost.hls is None and cost.clock_mhz == 50.0


@pytest.mark.parametrize("cycles", [64, 256])
def test_search_counts_nearly_what_the_plan_has(cycles):
    """Options know neither weights nor the layer before; a whole network of sfc's size comes out within 5 %."""
    spec = dense_net(4, list(SFC))
    foldings = choose_foldings(spec, cycles)
    cost = cost_of_plan(plan_network(spec, foldings), 54, 100.0).expected
    shares = [layer.expected.bram18.likely for layer in cost_of_plan(plan_network(spec, foldings), 54, 100.0).layers]
    parts = [
        RtlKernel().cost(shape, *dataclasses.astuple(foldings[shape.name]), share).expected
        for shape, share in zip(layer_shapes(spec), shares, strict=True)
    ]
    for kind in ("lut", "ff"):
        assert sum(part[kind].likely for part in parts) == pytest.approx(cost[kind].likely, rel=0.05)


def test_registers_beside_which_no_others_fit_are_in_the_upper_end():
    layer = LayerShape("layer", 784, 288)
    # an input bit clears a register per neuron, and eight registers share a slice if the same bit clears them
    for pe, idle in ((8, 0), (16, 0), (9, 7), (4, 4), (1, 7)):
        found = RtlKernel().cost(layer, pe, 98).expected.ff
        assert found.high - found.likely == 98 * idle
    # and stand beside the LUTs that feed them: of 32 words two, of 64 one, of 128 half a register to a LUT
    for pe, reuse_factor, idle in ((8, 32, 0), (8, 64, 8), (4, 64, 4), (4, 128, 12)):
        found = RtlKernel().cost(LayerShape("layer", 98, pe * reuse_factor), pe, 98, 0).expected.ff
        assert found.high - found.likely == 98 * idle
    # where every weight is wiring nothing is cleared
    found = RtlKernel().cost(LayerShape("layer", 6, 4), 4, 6).expected.ff
    assert found.high == found.likely


def test_options_are_the_divisors_with_several_shares_of_block_ram():
    layer = LayerShape("layer", 784, 10)
    options = RtlKernel().options(layer)
    assert {cost.folding[0] for cost in options} == {1, 2, 5, 10}
    assert {cost.folding[1] for cost in options} == {simd for simd in range(1, 785) if 784 % simd == 0}
    shares = [cost.expected for cost in options if cost.folding == (1, 98)]
    assert [share.bram18.likely for share in shares] == sorted({share.bram18.likely for share in shares})
    assert shares[0].bram18 == Band(0, 0, 0)
    assert [share.lut.likely for share in shares] == sorted((share.lut.likely for share in shares), reverse=True)


def test_cycles_of_a_convolution_are_those_of_its_plan():
    spec = conv_net(1, (10, 9, 3), [((3, 3), 8, (1, 1), (2, 2)), ((2, 2), 4, (1, 1), (1, 1))])
    plan = plan_network(spec, {layer.name: Folding(min(4, layer.n_out), 2) for layer in spec.layers})
    cost = cost_of_plan(plan, 60, 100.0)
    assert cost.interval_cycles == plan.interval_cycles
    for shape, layer in zip(layer_shapes(spec), plan.layers, strict=True):
        found = RtlKernel().cost(shape, layer.pe, layer.simd)
        assert found.interval_cycles == layer.positions * layer.reuse_factor <= layer.cycles
        assert found.expected.lut.likely > 0


def test_a_convolution_takes_at_least_a_cycle_per_pixel_under_its_kernel():
    shape = LayerShape("conv", 9, 4, vectors=36, pixels_in=64, conv=ConvShape((8, 8, 1), (3, 3)))
    assert RtlKernel().cost(shape, 4, 9).interval_cycles == 36 * 9


def test_impossible_questions_are_refused():
    layer = dense_shapes(SFC)[0]
    with pytest.raises(ConfigError, match="pe must be 1 to 256"):
        RtlKernel().cost(layer, 257, 1)
    with pytest.raises(ConfigError, match="needs its image and kernel"):
        RtlKernel().options(LayerShape("conv", 9, 4, vectors=36))


@settings(max_examples=30)
@given(st.integers(1, 300), st.integers(1, 40), st.booleans())
def test_every_layer_has_options_with_rising_bands(n_in, n_out, scores):
    layer = LayerShape("layer", n_in, n_out, is_scores=scores, pixel_input=not scores)
    for cost in RtlKernel().options(layer):
        assert cost.reuse_factor == cost.interval_cycles or cost.interval_cycles > cost.reuse_factor
        assert cost.expected.ff.likely > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [({"part": "many"}, "wrong field"), ({"lut_band": [1.1, 2]}, "band"), ({"ff_band": 3}, "wrong field")],
)
def test_coefficients_are_checked(change, words):
    table = {"part": 4.0, "state": 1.5, "lut_band": [0.9, 1.1], "ff_band": [1, 1], "source": "a test"}
    assert RtlCoefficients.from_dict(table).lut_band == (0.9, 1.1)
    assert RtlCoefficients.from_dict(table).amounts(Cells(lut=100, parts=1, state=4), 2).lut == Band(99, 110, 121)
    for wrong in ({**table, **change}, {key: value for key, value in table.items() if key != "state"}):
        with pytest.raises(DataError, match="wrong field" if wrong.keys() != table.keys() else words):
            RtlCoefficients.from_dict(wrong)


def test_shipped_coefficients_are_read():
    assert default_coefficients().source
