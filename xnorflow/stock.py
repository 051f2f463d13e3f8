"""hls4ml as it is on a device: what each network is expected to need, and where it can't fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xnorflow.cost import LayerShape, NetCost
from xnorflow.cost_hls4ml import StockKernel
from xnorflow.fit import Fit, fit
from xnorflow.problem import Budget, Goal, Problem
from xnorflow.verdict import Answer, decide, evidence_of_estimate

# the networks of keras_models/ that are fully connected
DENSE_NETWORKS: Mapping[str, tuple[int, ...]] = {
    "digits": (64, 64, 64, 10),
    "tfc": (784, 64, 64, 64, 10),
    "sfc": (784, 256, 256, 256, 10),
    "mfc": (784, 512, 512, 512, 10),
}


@dataclass(frozen=True)
class StockRow:
    """One network with one strategy.

    Attributes:
        fit: what the search found; its ``cost`` is None where no reuse factor fits.
        least: the choice of least area at any pace, whether it fits or not.
        answer: for the found choice, or else for ``least``: the whole band against the budget.
    """

    network: str
    strategy: str
    fit: Fit
    least: NetCost
    answer: Answer

    @property
    def shown(self) -> NetCost:
        """The choice to show: the quickest that fits, or the smallest where none does."""
        return self.fit.cost or self.least


def stock_table(
    networks: Mapping[str, Sequence[LayerShape]],
    budget: Budget,
    backend: str = "Vivado",
    clock_mhz: float = 100.0,
) -> tuple[StockRow, ...]:
    """Return a row per network and strategy of hls4ml's own kernels."""
    rows = []
    for name, layers in networks.items():
        for strategy in ("Latency", "Resource"):
            kernel = StockKernel(strategy, backend)
            found = fit(layers, kernel, budget, Goal("interval", clock_mhz))
            least = _least(layers, kernel, budget, clock_mhz)
            verdict = decide([evidence_of_estimate((found.cost or least).expected)], budget)
            rows.append(StockRow(name, strategy, found, least, verdict.answer))
    return tuple(rows)


def _least(layers: Sequence[LayerShape], kernel: StockKernel, budget: Budget, clock_mhz: float) -> NetCost:
    problem = Problem(layers, kernel, budget.device)
    smallest = [costs[int(areas.argmin())] for costs, areas in zip(problem.costs, problem.areas, strict=True)]
    return NetCost(tuple(smallest), clock_mhz)
