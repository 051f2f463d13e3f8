"""Search for the reuse factors of a network: as quick, or as small, as a device allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from xnorflow.config import BuildConfig
from xnorflow.cost import Kernel, LayerShape, NetCost, layer_shapes
from xnorflow.cost_hls4ml import ConfigKernel
from xnorflow.device import device_of
from xnorflow.fit_advice import Shortfall, changes, shortfalls
from xnorflow.problem import AXI_DMA_SHELL, NO_SHELL, Budget, Goal, Problem
from xnorflow.spec import NetSpec

__all__ = ["AXI_DMA_SHELL", "NO_SHELL", "Budget", "Fit", "Goal", "Shortfall", "cost_of", "fit", "fit_config"]


@dataclass(frozen=True)
class Fit:
    """What the search found.

    Attributes:
        cost: the chosen options; None where nothing fits.
        shortfalls: where nothing fits, what runs out, the worst first.
        changes: where nothing fits, the nearest changes that would fit, in words.
    """

    budget: Budget
    goal: Goal
    cost: NetCost | None
    shortfalls: tuple[Shortfall, ...] = ()
    changes: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """One line: what was found, or what fails by how much and what would fit."""
        if self.cost is not None:
            use = self.cost.expected.at(self.goal.level)
            pace = f"{self.cost.images_per_s:,.0f} images/s, every {self.cost.interval_cycles} cycles"
            return (
                f"fits {self.budget.device.name}: {pace}, {use.lut} LUT, {use.ff} FF, "
                f"{use.bram18} BRAM18, {use.dsp} DSP"
            )
        lacks = ", ".join(
            f"{item.kind.upper()} needs {item.needed} of {item.usable} usable ({item.over} too many)"
            for item in self.shortfalls
        )
        hints = "; ".join(self.changes) or "no single change was found"
        lacks = lacks or "no legal reuse factor is quick enough"
        return f"does not fit {self.budget.device.name}: {lacks}; {hints}"


def fit(layers: Sequence[LayerShape], kernel: Kernel, budget: Budget, goal: Goal | None = None) -> Fit:
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
    else:
        chosen = problem.solve(budget.usable, longest, goal.what)
    if chosen is not None:
        return Fit(budget, goal, NetCost(chosen, goal.clock_mhz))
    # the explanation searches again, for other devices and networks
    return Fit(budget, goal, None, shortfalls(problem, budget, goal), changes(layers, kernel, budget, goal))


def cost_of(spec: NetSpec, config: BuildConfig) -> NetCost:
    """Return what a network costs with hls4ml as the configuration stands.

    Raises:
        ConfigError: a reuse factor that hls4ml would replace by another one.
    """
    kernel = ConfigKernel(config)
    return NetCost(tuple(kernel.cost(layer) for layer in layer_shapes(spec)), config.clock_mhz)


def fit_config(
    spec: NetSpec, config: BuildConfig, budget: Budget | None = None, goal: Goal | None = None
) -> tuple[Fit, BuildConfig | None]:
    """Choose the reuse factors of a configuration; its strategies, backend and clock stay.

    Args:
        spec: the network.
        config: where to start; its part is the device, unless ``budget`` says another.
        budget: device, margin and shell.
        goal: least interval at the configuration's clock by default.

    Returns:
        What was found, and the configuration with its reuse factors; None where nothing fits.
    """
    budget = budget or Budget(device_of(config.part))
    found = fit(layer_shapes(spec), ConfigKernel(config), budget, goal or Goal(clock_mhz=config.clock_mhz))
    if found.cost is None:
        return found, None
    return found, dataclasses.replace(config, reuse_factor=found.cost.reuse_factors)
