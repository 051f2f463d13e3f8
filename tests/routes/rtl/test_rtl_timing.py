"""Cycles by recurrence, against the closed forms that dense networks have; contents of LUT memories."""

import itertools
import math
import re

import pytest
from hypothesis import given, settings
from rtl_nets import conv_cases, conv_net, dense_cases, dense_net

from xnorflow.net.folding import Folding
from xnorflow.routes.rtl.plan.fold import plan_network
from xnorflow.routes.rtl.plan.rom import memory_of, rom_of
from xnorflow.routes.rtl.plan.timing import result_cycles, run_modules
from xnorflow.routes.rtl.write.rom import rom_module


def through(layer, times):
    """Cycles in which a dense layer's results are taken, given those in which its words are, while nothing waits."""
    if layer.parts > 1:
        split = []
        for time in times:
            start = max(time, split[-1] if split else 0) + 1
            split += range(start, start + layer.parts)
        times = split
    return [times[-1] + 1 + (group + 1) * layer.chunks + layer.depth for group in range(layer.groups)]


@given(dense_cases())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_dense_networks_keep_to_their_closed_forms(case):
    plan = plan_network(*case)
    times = list(range(plan.beats))
    for layer in plan.layers:
        times = through(layer, times)
    # room for 32 results is never short in an idle network of this size
    # then pairs of the last word's scores meet, a cycle for each level
    assert plan.latency_cycles == times[-1] + math.ceil(math.log2(plan.layers[-1].pe)) + 1
    shown = result_cycles(plan.layers, 8)
    assert shown[-1] - shown[-2] == plan.interval_cycles == max(plan.beats, *(layer.cycles for layer in plan.layers))


@given(conv_cases())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_convolutions_take_at_least_what_their_slowest_layer_takes(case):
    plan = plan_network(*case)
    shown = result_cycles(plan.layers, 8)
    steps = [after - before for before, after in itertools.pairwise(shown)]
    assert plan.interval_cycles == steps[-1] >= max(layer.cycles for layer in plan.layers)
    assert plan.latency_cycles == shown[0] > plan.beats
    # results of later images never overtake, and their pace has settled
    assert steps[-1] == steps[-2] == steps[-3]


def test_a_network_that_waits_for_itself_is_no_endless_loop():
    def stuck():
        yield [], 0

    with pytest.raises(AssertionError, match="wait for one another"):
        run_modules([stuck()], [], 1)


def test_one_convolution_by_hand():
    # 3x3 image in beats of 8 pixels: narrowed to one pixel per cycle; a 3x3 kernel has one position
    spec = conv_net(1, (3, 3, 1), [((3, 3), 1, (1, 1), (1, 1))])
    plan = plan_network(spec, {"c0": Folding(1, 9), "scores": Folding(3, 1)}, beat_bits=8)
    conv, scores = plan.layers
    # beats taken at 0 and, with the last of the first's eight words, at 8; the ninth pixel at 9, with it the
    # third line, which counts from 11 on; nine reads at 11 to 19, the last pixel taken at 20, the step at 21
    fired = 21 + conv.depth + 1
    # three scores meet in two levels of pairs
    assert plan.latency_cycles == fired + 1 + scores.depth + 1 + 2 + 1


def columns_of(text, words):
    """The columns that a memory of LUT cells holds."""
    found = {}
    for pair, init, body in re.findall(r"LUT6(_2)? #\(\.INIT\(64'h(\w+)\)\) \w+ \((.*)\);", text):
        halves = {"O5": 0, "O6": 32} if pair else {"O": 0}
        for port, net in re.findall(r"\.(O[56]?)\(bits\[(\d+)\]\)", body):
            found[int(net)] = [int(init, 16) >> halves[port] + word & 1 for word in range(words)]
    return [found[net] for net in sorted(found)]


@pytest.mark.parametrize(("folding", "width"), [(Folding(2, 5), 2), (Folding(1, 4), 1), (Folding(9, 10), 2)])
def test_luts_hold_the_weights(folding, width):
    plan = plan_network(dense_net(3, [20, 9, 4]), {"d0": folding, "scores": Folding(4, 9)})
    layer = plan.layers[0]
    memory = memory_of(layer)
    text = rom_module(layer, memory)
    held = columns_of(text, memory.words)[: memory.lut_columns]
    assert held == memory.columns.T.tolist()
    # two columns to a LUT up to 32 words, one up to 64
    luts = text.count("LUT6_2") if width == 2 else text.count("LUT6 ")
    assert (
        luts
        == -(-memory.lut_columns // width)
        == rom_of(layer, memory.lut_columns, memory.start_columns).luts_beside(0)
    )
    assert layer.reuse_factor <= (32 if width == 2 else 64)
