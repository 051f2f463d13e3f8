"""fit and explore for the Verilog route: foldings, the plan's own cycles, the shipped configurations."""

import dataclasses

import pytest
import yaml
from conftest import ROOT, needs_qkeras

from xnorflow import api
from xnorflow.base.device import device_of
from xnorflow.base.errors import ConfigError
from xnorflow.base.resources import Counts, counts_at, exactly
from xnorflow.cli.main import main
from xnorflow.fitting.choose import cost_of, fit_config, kernel_of
from xnorflow.fitting.cost_rtl import RtlKernel
from xnorflow.fitting.problem import Budget, Goal
from xnorflow.fitting.question import fit_question
from xnorflow.flow.config_file import load_config
from xnorflow.net.folding import Folding
from xnorflow.net.shapes import layer_shapes
from xnorflow.routes.rtl.plan.fold import plan_network

CONFIGS = ROOT / "hls_configs"
HOME = Budget(device_of("xc7z010clg400-1"))


@pytest.fixture
def verilog_config():
    return dataclasses.replace(load_config(CONFIGS / "digits.yaml"), hls=None)


@pytest.mark.parametrize(
    "goal", [Goal(), Goal("area", images_per_s=1e6), Goal("latency")], ids=lambda goal: goal.what
)
def test_choice_keeps_the_budget_and_shows_the_cycles_of_the_plan(tiny_spec, verilog_config, goal):
    found, chosen = fit_config(tiny_spec, verilog_config, HOME, goal)
    plan = plan_network(tiny_spec, chosen.rtl.folding)
    assert found.cost.interval_cycles == plan.interval_cycles
    assert f"every {plan.interval_cycles} cycles" in found.message
    assert found.cost == cost_of(tiny_spec, chosen)
    use = counts_at(found.cost.expected, "likely")
    assert use.within(HOME.usable)
    assert chosen.hls is None
    if goal.images_per_s:
        assert found.cost.images_per_s >= goal.images_per_s


def test_fewer_registers_between_counter_stages_are_counted(tiny_spec, verilog_config):
    _, chosen = fit_config(tiny_spec, verilog_config, HOME)
    counted = {}
    for every in (1, 2):
        config = chosen.with_route(registers_every=every)
        plan = plan_network(tiny_spec, config.rtl.folding, registers_every=every)
        cost = cost_of(tiny_spec, config)
        assert cost.latency_cycles == (plan.latency_cycles, plan.latency_cycles)
        counted[every] = cost.expected.ff.likely
        # the search counts as the plan does
        assert kernel_of(config).options(layer_shapes(tiny_spec)[0])[0].latency_cycles[0] == (
            options_latency(tiny_spec, every)
        )
    assert counted[2] < counted[1]


def options_latency(spec, every):
    layer = plan_network(spec, {one.name: Folding(1, 1) for one in spec.layers}, registers_every=every).layers[0]
    return layer.cycles + layer.depth


def test_interval_is_the_plans_where_words_come_in_more_slowly_than_layers_work(
    tiny_spec, verilog_config, monkeypatch
):
    def at_once(self, layer):
        # as if the words did not take the time that they take
        cost = self.cost(layer, layer.n_out, layer.n_in)
        return [dataclasses.replace(cost, interval_cycles=1)]

    monkeypatch.setattr(RtlKernel, "options", at_once)
    monkeypatch.setattr(
        "xnorflow.fitting.choose.plan_network",
        lambda spec, foldings, **more: plan_network(spec, foldings, beat_bits=8, **more),
    )
    found, _ = fit_config(tiny_spec, verilog_config, HOME)
    assert (found.searched_cycles, found.cost.interval_cycles) == (1, 8)
    assert "12,500,000 images/s, every 8 cycles (1 but for the words that come in)" in found.message
    # a choice that the plan finds too slow is none
    found, chosen = fit_config(tiny_spec, verilog_config, HOME, Goal("area", images_per_s=50e6))
    assert chosen is None and found.cost is None and "does not fit" in found.message


def test_search_goes_on_where_the_plan_is_larger_than_the_options_said(tiny_spec, verilog_config, monkeypatch):
    options, usable = RtlKernel.options, 1350

    def half(self, layer):
        costs = [(cost, exactly(cost.expected.lut.likely // 2)) for cost in options(self, layer)]
        return [
            dataclasses.replace(cost, expected=dataclasses.replace(cost.expected, lut=lut)) for cost, lut in costs
        ]

    monkeypatch.setattr(RtlKernel, "options", half)
    device = dataclasses.replace(HOME.device, resources=Counts(1500, 35200, 120, 80))
    found, chosen = fit_config(tiny_spec, verilog_config, Budget(device))
    assert chosen is not None and found.budget.usable.lut == usable
    # with more room it is larger and quicker
    more, _ = fit_config(tiny_spec, verilog_config, HOME)
    assert found.cost.expected.lut.likely <= usable < more.cost.expected.lut.likely
    assert found.cost.interval_cycles > more.cost.interval_cycles


def test_kernel_is_the_configurations(verilog_config):
    assert isinstance(kernel_of(verilog_config), RtlKernel)
    digits = load_config(CONFIGS / "digits.yaml")
    assert kernel_of(digits).name == "XNOR, Vivado"
    assert kernel_of(digits.with_route(kernel="hls4ml")).name == "hls4ml, Vivado"


def test_a_convolution_is_fitted_within_its_plan(tiny_conv_spec, verilog_config):
    for goal in (Goal(), Goal("area", images_per_s=100_000)):
        found, chosen = fit_config(tiny_conv_spec, verilog_config, HOME, goal)
        plan = plan_network(tiny_conv_spec, chosen.rtl.folding)
        assert found.cost.interval_cycles == plan.interval_cycles
        # 6 x 6 positions of a 3 x 3 kernel, a pixel per cycle
        assert plan.interval_cycles == (324 if goal.what == "interval" else plan.interval_cycles) <= 1000
        assert cost_of(tiny_conv_spec, chosen) == found.cost


def test_configuration_without_foldings_cannot_be_judged(tiny_spec, verilog_config):
    with pytest.raises(ConfigError, match="no folding to judge"):
        cost_of(tiny_spec, verilog_config)


def test_block_ram_is_limited_as_the_generator_limits_it(tiny_spec, verilog_config):
    config = verilog_config.with_route(folding={layer.name: Folding(1, 16) for layer in tiny_spec.layers})
    none, some = (cost_of(tiny_spec, config.with_route(bram36=most)).expected for most in (0, 60))
    assert none.bram18.likely == 0 < some.bram18.likely
    assert none.lut.likely > some.lut.likely


def test_fit_check_and_explore_on_the_command_line(tmp_path, capsys):
    needs_qkeras()
    project = ["--project", str(tmp_path / "none")]
    source, target = str(CONFIGS / "digits-verilog.yaml"), tmp_path / "mine.yaml"
    command = ["fit", source, *project, "--goal", "area", "--images-per-s", "1e6"]
    assert main([*command, "--write", str(target)]) == 0
    assert "Yosys runs" in " ".join(capsys.readouterr().out.split())
    stored = yaml.safe_load(target.read_text(encoding="utf-8"))
    assert set(stored["folding"]) == {"dense1", "dense2", "scores"}
    assert not {"reuse_factor", "strategy", "io_type"} & set(stored)
    assert main(["fit", str(target), *project, "--check"]) == 0
    capsys.readouterr()
    assert main(["explore", str(target), *project]) == 0
    assert "fits" in capsys.readouterr().out
    points = api.explore(fit_question(target, project=tmp_path / "none"))
    intervals = [point.cost.interval_cycles for point in points]
    assert len(points) > 5 and intervals == sorted(intervals)
