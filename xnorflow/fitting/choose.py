"""Search for the reuse factors of a network: as quick, or as small, as a device allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from xnorflow.base.device import device_of
from xnorflow.base.errors import ConfigError
from xnorflow.base.resources import NONE, Counts, Ratios, counts_at
from xnorflow.fitting.advice import Shortfall, changes, shortfalls
from xnorflow.fitting.cost import Kernel, NetCost
from xnorflow.fitting.cost_hls4ml import ConfigKernel
from xnorflow.fitting.cost_rtl import RtlKernel, cost_of_plan
from xnorflow.fitting.cost_xnor import XnorConfigKernel
from xnorflow.fitting.problem import Budget, Goal, Problem
from xnorflow.fitting.verdict import decide, evidence_of_estimate
from xnorflow.flow.config import BuildConfig
from xnorflow.net.folding import Folding
from xnorflow.net.shapes import LayerShape, layer_shapes
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.settings import XNOR
from xnorflow.routes.rtl.plan.fold import plan_network
from xnorflow.tools.answer import Answer


@dataclass(frozen=True)
class Fit:
    """What the search found.

    Attributes:
        cost: the chosen options; None where nothing fits.
        shortfalls: where nothing fits, what runs out, the worst first.
        changes: where nothing fits, the nearest changes that would fit, in words.
        searched_cycles: interval that the search counted with, where the plan of the Verilog takes longer.
        possible: where nothing fits at the goal's end of the bands, whether something does at their low end.
    """

    budget: Budget
    goal: Goal
    cost: NetCost | None
    shortfalls: tuple[Shortfall, ...] = ()
    changes: tuple[str, ...] = ()
    searched_cycles: int | None = None
    possible: bool = False

    @property
    def answer(self) -> Answer:
        """Whether what was found fits, by the whole of its bands; of nothing found, whether it cannot be known."""
        if self.cost is not None:
            return decide([evidence_of_estimate(self.cost.expected)], self.budget).answer
        return Answer.TOO_CLOSE if self.possible else Answer.DOES_NOT_FIT

    @property
    def message(self) -> str:
        """One line: what was found, or what fails by how much and what would fit."""
        verdict = f"{self.answer.value} {self.budget.device.name}"
        if self.cost is not None:
            use = counts_at(self.cost.expected, self.goal.level)
            pace = f"{self.cost.images_per_s:,.0f} images/s, every {self.cost.interval_cycles} cycles"
            if self.searched_cycles is not None:
                pace += f" ({self.searched_cycles} but for the words that come in)"
            return (
                f"{verdict}: {pace}, {use.lut} LUT, {use.ff} FF, {use.bram18} BRAM18, {use.dsp} DSP; "
                f"cycles by formula, cells as estimated ({self.goal.level}), slices not"
            )
        lacks = ", ".join(
            f"{item.kind.upper()} needs {item.needed} of {item.usable} usable ({item.over} too many)"
            for item in self.shortfalls
        )
        hints = "; ".join(self.changes) or "no single change was found"
        lacks = lacks or "no legal reuse factor is quick enough"
        return f"{verdict}: {lacks}; {hints}; cells as estimated ({self.goal.level}), slices not"


def choose_options(layers: Sequence[LayerShape], kernel: Kernel, budget: Budget, goal: Goal | None = None) -> Fit:
    """Choose an option for every layer: exact, over all options, under all budgets at once.

    Args:
        layers: the network (``cost.layer_shapes`` of a NetSpec, or ``cost.dense_shapes``).
        kernel: how layers are built.
        budget: device, margin and shell.
        goal: least interval, latency or area; least interval by default.

    Raises:
        ConfigError: no layers, or a layer that the kernel can't build.
    """
    goal = goal or Goal()
    problem = Problem(layers, kernel, budget.device, goal.level)
    longest = goal.longest_interval
    if goal.what == "interval":
        chosen = problem.quickest(budget.usable, longest)
    elif goal.what == "area":
        chosen = problem.smallest(budget.usable, longest)
    else:
        chosen = problem.solve(budget.usable, longest, goal.what)
    if chosen is not None:
        return Fit(budget, goal, NetCost(chosen, goal.clock_mhz))
    # the explanation searches again, for other devices and networks
    possible = problem.at("low").solve(budget.usable, longest, "sum") is not None
    lacks, hints = shortfalls(problem, budget, goal), changes(layers, kernel, budget, goal)
    return Fit(budget, goal, None, lacks, hints, possible=possible)


def kernel_of(config: BuildConfig, ratios: Ratios | None = None) -> ConfigKernel | XnorConfigKernel | RtlKernel:
    """Return how a configuration builds layers: with hls4ml's kernels or ours for HLS, or as our Verilog."""
    if config.hls is None:
        return RtlKernel(registers_every=config.rtl.registers_every)
    return (XnorConfigKernel if config.hls.kernel == XNOR else ConfigKernel)(config.hls, ratios)


def cost_of(spec: NetSpec, config: BuildConfig, ratios: Ratios | None = None, *, paced: bool = True) -> NetCost:
    """Return what a network costs as the configuration stands; ``paced`` as ``cost_of_plan`` takes it.

    Raises:
        ConfigError: a reuse factor that hls4ml would replace by another one, or no folding for a layer as Verilog.
    """
    config.check_layers(spec)
    kernel = kernel_of(config, ratios)
    if isinstance(kernel, RtlKernel):
        rtl = config.rtl
        if not rtl.folding:
            raise ConfigError("the configuration has no folding to judge; choose one with xnorflow fit --write")
        plan = plan_network(spec, rtl.folding, registers_every=rtl.registers_every)
        return cost_of_plan(plan, rtl.bram36, config.clock_mhz, paced=paced)
    return NetCost(tuple(kernel.cost(layer) for layer in layer_shapes(spec)), config.clock_mhz)


def fit_config(
    spec: NetSpec,
    config: BuildConfig,
    budget: Budget | None = None,
    goal: Goal | None = None,
    ratios: Ratios | None = None,
) -> tuple[Fit, BuildConfig | None]:
    """Choose the reuse factors of a configuration, or its foldings; its strategies, backend and clock stay.

    Args:
        spec: the network.
        config: where to start; its part is the device, unless ``budget`` says another.
        budget: device, margin and shell.
        goal: least interval at the configuration's clock by default.
        ratios: from HLS report to Vivado, where a user has calibrated them.

    Returns:
        What was found, and the configuration with its reuse factors or foldings; None where nothing fits.
    """
    config.check_layers(spec)
    budget = budget or Budget(device_of(config.part))
    goal = goal or Goal(clock_mhz=config.clock_mhz)
    kernel = kernel_of(config, ratios)
    if isinstance(kernel, RtlKernel):
        return _fit_verilog(spec, config, kernel, budget, goal)
    found = choose_options(layer_shapes(spec), kernel, budget, goal)
    if found.cost is None:
        return found, None
    # with our own kernel a reuse factor says its folding
    return found, config.with_route(reuse_factor=found.cost.reuse_factors, folding={})


def _fit_verilog(
    spec: NetSpec, config: BuildConfig, kernel: RtlKernel, budget: Budget, goal: Goal
) -> tuple[Fit, BuildConfig | None]:
    """Search; let the plan say what the choice really takes; search on where that is too slow or too large."""
    asked, allowed = goal, budget
    while True:
        found = choose_options(layer_shapes(spec), kernel, allowed, asked)
        if found.cost is None:
            at_least = Problem(layer_shapes(spec), kernel, budget.device, "low")
            # the pace is the plan's, which is exact
            possible = at_least.solve(budget.usable, asked.longest_interval, "sum") is not None
            return dataclasses.replace(found, budget=budget, goal=goal, possible=possible), None
        chosen = with_foldings(config, found.cost, budget)
        searched, over = found.cost.interval_cycles, _over(cost_of(spec, chosen, paced=False), budget, goal)
        if over is not None:
            allowed = tighter(allowed, over)
            continue
        cost = dataclasses.replace(cost_of(spec, chosen), clock_mhz=goal.clock_mhz)
        if goal.longest_interval is None or cost.interval_cycles <= goal.longest_interval:
            slower = searched if cost.interval_cycles > searched else None
            return Fit(budget, goal, cost, searched_cycles=slower), chosen
        # half a cycle less, which no rounding turns into the same one
        asked = dataclasses.replace(asked, images_per_s=goal.clock_mhz * 1e6 / (searched - 0.5))


def tighter(budget: Budget, over: Counts[int]) -> Budget:
    """Return a budget that is smaller by so much."""
    return Budget(budget.device, budget.margin, over + budget.shell)


def _over(cost: NetCost, budget: Budget, goal: Goal) -> Counts[int] | None:
    """Return by how much a choice is too large for the budget; None where it fits."""
    over = counts_at(cost.expected, goal.level).over(budget.usable)
    return over if over != NONE else None


def with_foldings(config: BuildConfig, cost: NetCost, budget: Budget) -> BuildConfig:
    """Return the configuration with the foldings of a choice, and with the block RAM that the choice has."""
    foldings = {layer.layer: Folding(*layer.folding) for layer in cost.layers if layer.folding is not None}
    blocks = sum(layer.expected.bram18.likely for layer in cost.layers)
    return config.with_route(folding=foldings, bram36=min(-(-blocks // 2), budget.usable.bram18 // 2))
