"""The search: equal to brute force on small cases, quick on real ones, plain words where nothing fits."""

import dataclasses
import itertools
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow.base.device import Device, device_of
from xnorflow.base.errors import ConfigError
from xnorflow.base.resources import KINDS, Counts, counts_at, exactly
from xnorflow.fitting.choose import choose_options, cost_of, fit_config
from xnorflow.fitting.cost import LayerCost
from xnorflow.fitting.cost_hls4ml import StockKernel
from xnorflow.fitting.cost_rtl import RtlKernel
from xnorflow.fitting.problem import AXI_DMA_SHELL, Budget, Goal
from xnorflow.fitting.search import Options, minimise
from xnorflow.flow.config import BuildConfig
from xnorflow.net.layers import DenseSpec, ScoreSpec
from xnorflow.net.shapes import LayerShape, dense_shapes
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.routes.hls.plan.fold import check_reuse_factors
from xnorflow.routes.hls.settings import HlsSettings

HOME = device_of("xc7z010clg400-1")


def small_numbers(most):
    return st.integers(0, most)


@st.composite
def choices(draw):
    """Layers of a few options each, and budgets about as large as a middling choice."""
    budgets = draw(st.integers(1, 4))
    most = draw(st.sampled_from([3, 10, 1000]))
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        n = draw(st.integers(1, 7))
        cost = draw(st.lists(small_numbers(most), min_size=n, max_size=n))
        uses = draw(
            st.lists(st.lists(small_numbers(most), min_size=budgets, max_size=budgets), min_size=n, max_size=n)
        )
        layers.append(Options(np.array(cost, np.int64), np.array(uses, np.int64).reshape(n, budgets)))
    limit = draw(st.lists(small_numbers(most * len(layers)), min_size=budgets, max_size=budgets))
    return layers, np.array(limit, np.int64)


def best_by_trying_all(layers, budget):
    best = None
    for picks in itertools.product(*(range(len(layer.cost)) for layer in layers)):
        uses = sum(layer.uses[pick] for layer, pick in zip(layers, picks, strict=True))
        cost = sum(int(layer.cost[pick]) for layer, pick in zip(layers, picks, strict=True))
        if (uses <= budget).all() and (best is None or cost < best):
            best = cost
    return best


@settings(max_examples=400, deadline=None)
@given(choices())
def test_minimise_is_exact(case):
    layers, budget = case
    chosen = minimise(layers, budget)
    expected = best_by_trying_all(layers, budget)
    if expected is None:
        assert chosen is None
        return
    assert chosen is not None
    uses = sum(layer.uses[pick] for layer, pick in zip(layers, chosen, strict=True))
    assert (uses <= budget).all()
    assert sum(int(layer.cost[pick]) for layer, pick in zip(layers, chosen, strict=True)) == expected


@dataclasses.dataclass(frozen=True)
class TableKernel:
    """Options given by hand, per layer name."""

    table: dict[str, list[LayerCost]]
    name: str = "table"

    def options(self, layer):
        return self.table[layer.name]


@st.composite
def networks(draw):
    table = {}
    for at in range(draw(st.integers(1, 4))):
        rows = []
        for _ in range(draw(st.integers(1, 6))):
            interval = draw(st.integers(1, 12))
            counts = [draw(small_numbers(most)) for most in (60, 60, 12, 6)]
            cost = Counts(*(exactly(count) for count in counts))
            rows.append(LayerCost(f"l{at}", "table", interval, interval, (interval, interval + 3), cost))
        table[f"l{at}"] = rows
    limit = Counts(*(draw(small_numbers(most)) for most in (180, 180, 36, 18)))
    return table, Device("small", (), (), limit, "a test")


def every_fitting_choice(table, limit):
    for picks in itertools.product(*table.values()):
        uses = [sum(pick.expected[kind].likely for pick in picks) for kind in KINDS]
        if all(use <= limit[kind] for use, kind in zip(uses, KINDS, strict=True)):
            yield picks


def area_of(device, picks):
    """The largest share of the budget, then the sum of the shares."""
    counts = [sum(pick.expected[kind].likely for pick in picks) for kind in KINDS]
    limits = [device.resources[kind] for kind in KINDS]
    return max(Fraction(use, max(1, limit)) for use, limit in zip(counts, limits, strict=True)), sum_of(device, picks)


def sum_of(device, picks):
    weights = [10**9 // max(1, device.resources[kind]) for kind in KINDS]
    return sum(p.expected[kind].likely * w for p in picks for kind, w in zip(KINDS, weights, strict=True))


@settings(max_examples=200, deadline=None)
@given(networks(), st.sampled_from(["interval", "latency", "area"]), st.integers(1, 14))
def test_fit_equals_brute_force(case, what, longest):
    table, device = case
    budget = Budget(device, margin=0.0)
    layers = [LayerShape(name, 1, 1) for name in table]
    goal = Goal(what, clock_mhz=1.0, images_per_s=1e6 / longest)
    assert goal.longest_interval == longest
    found = choose_options(layers, TableKernel(table), budget, goal)
    fitting = [
        picks
        for picks in every_fitting_choice(table, device.resources)
        if max(pick.interval_cycles for pick in picks) <= longest
    ]
    if not fitting:
        assert found.cost is None
        assert "does not fit" in found.message
        return
    assert found.cost is not None

    def value(picks):
        first = {
            "interval": max(pick.interval_cycles for pick in picks),
            "latency": sum(pick.latency_cycles[1] for pick in picks),
            "area": 0,
        }[what]
        return first, sum_of(device, picks) if what == "latency" else area_of(device, picks)

    assert value(found.cost.layers) == min(value(picks) for picks in fitting)


@pytest.mark.parametrize(
    "kernel", [StockKernel(), StockKernel(io_type="io_stream"), RtlKernel()], ids=["hls4ml", "io_stream", "RTL"]
)
@pytest.mark.parametrize("what", ["interval", "latency", "area"])
def test_five_layers_take_less_than_a_second(kernel, what):
    layers = dense_shapes((784, 256, 256, 256, 256, 10))
    goal = Goal(what, images_per_s=1000.0)
    choose_options(layers, kernel, Budget(HOME), goal)
    best = min(timed(layers, kernel, goal) for _ in range(3))
    assert best < 1.0


def timed(layers, kernel, goal):
    # of this process alone: other work on the machine doesn't count
    started = time.process_time()
    choose_options(layers, kernel, Budget(HOME), goal)
    return time.process_time() - started


def test_margin_and_shell():
    assert Budget(HOME).usable == Counts(15840, 31680, 108, 72)
    assert Budget(HOME, shell=AXI_DMA_SHELL).usable == Counts(13320, 27783, 102, 72)
    assert Budget(HOME, margin=0.0).usable == HOME.resources
    with pytest.raises(ConfigError, match="margin must be"):
        Budget(HOME, margin=10)


def test_found_choice_keeps_every_budget():
    found = choose_options(dense_shapes((784, 256, 256, 256, 10)), RtlKernel(), Budget(HOME))
    use, usable = counts_at(found.cost.expected, "likely"), found.budget.usable
    assert all(use[kind] <= usable[kind] for kind in KINDS)
    assert set(found.cost.reuse_factors) == {"dense1", "dense2", "dense3", "scores"}
    assert found.message.startswith("fits xc7z010: ")


def test_words_where_a_resource_is_too_small():
    found = choose_options(dense_shapes((784, 512, 512, 512, 10)), StockKernel(), Budget(HOME))
    assert found.cost is None
    worst = found.shortfalls[0]
    assert (worst.kind, worst.usable) == ("lut", 15840)
    assert worst.over == worst.needed - 15840 > 0
    assert f"LUT needs {worst.needed} of 15840 usable ({worst.over} too many)" in found.message
    assert "hidden layers at" in found.message
    assert "part xc7z020 would fit" in found.message
    assert "\n" not in found.message


def test_words_where_only_the_pace_is_too_high():
    layers = dense_shapes((784, 256, 256, 256, 10))
    found = choose_options(layers, RtlKernel(), Budget(HOME), Goal("area", images_per_s=50e6))
    assert found.cost is None
    assert "images/s would fit" in found.message
    slower = choose_options(layers, RtlKernel(), Budget(HOME))
    assert f"{slower.cost.images_per_s:,.0f} images/s would fit" in found.message


def test_words_where_resources_fail_only_together():
    cost = [LayerCost("a", "t", 1, 1, (1, 1), Counts(*map(exactly, use))) for use in ((90, 0, 60, 0), (60, 0, 90, 0))]
    device = Device("small", (), (), Counts(80, 80, 80, 80), "a test")
    found = choose_options([LayerShape("a", 1, 1)], TableKernel({"a": cost}), Budget(device, margin=0.0))
    assert found.cost is None
    assert [item.over for item in found.shortfalls] == [10]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"what": "speed"}, "interval or latency or area"),
        ({"level": "mean"}, "level"),
        ({"clock_mhz": 0}, "clock_mhz"),
        ({"images_per_s": -1.0}, "images_per_s"),
        ({"what": "area"}, "needs images_per_s"),
    ],
)
def test_goals_are_checked(change, words):
    with pytest.raises(ConfigError, match=words):
        Goal(**change)


def test_no_layers_and_no_options_are_refused():
    with pytest.raises(ConfigError, match="at least one layer"):
        choose_options([], RtlKernel(), Budget(HOME))
    with pytest.raises(ConfigError, match="no way to build"):
        choose_options([LayerShape("a", 1, 1)], TableKernel({"a": []}), Budget(HOME))


def random_spec(*sizes):
    chance = np.random.default_rng(0)
    signs = [chance.choice(np.array([-1, 1], np.int8), size=pair) for pair in itertools.pairwise(sizes)]
    hidden = [
        DenseSpec(f"dense{at}", sign, np.zeros(sign.shape[1], np.int32)) for at, sign in enumerate(signs[:-1], 1)
    ]
    return NetSpec("net", InputSpec((sizes[0],)), tuple(hidden), ScoreSpec("scores", signs[-1]))


def config(clock_mhz=100.0, **settings):
    return BuildConfig(
        Path("net.py"), HOME.parts[0], clock_mhz=clock_mhz, hls=HlsSettings(kernel="hls4ml", **settings)
    )


def test_fit_of_a_configuration():
    spec = random_spec(64, 64, 64, 10)
    found, chosen = fit_config(spec, config(clock_mhz=50.0))
    assert chosen is not None
    assert chosen.hls.reuse_factor == found.cost.reuse_factors
    assert found.cost.clock_mhz == chosen.clock_mhz == 50.0
    assert cost_of(spec, chosen) == found.cost
    check_reuse_factors(spec, chosen.hls)


def test_strategy_of_each_layer_is_kept():
    spec = random_spec(64, 16, 10)
    mixed = config(strategy={"dense1": "Resource", "scores": "Latency"})
    found, chosen = fit_config(spec, mixed)
    assert [cost.kernel for cost in found.cost.layers] == ["hls4ml Resource", "hls4ml Latency"]
    assert chosen.hls.reuse_factor["scores"] == 1


def test_configuration_that_cannot_fit():
    found, chosen = fit_config(random_spec(784, 512, 512, 512, 10), config())
    assert chosen is None
    assert "does not fit" in found.message


def test_cost_of_an_illegal_reuse_factor():
    with pytest.raises(ConfigError, match="nearest"):
        cost_of(random_spec(64, 16, 10), config(reuse_factor=3))
