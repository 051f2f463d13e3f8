"""hls4ml as it is on a device, and our kernels beside it: what each network is expected to need, and what fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xnorflow.base.errors import ConfigError
from xnorflow.fitting.choose import Fit, choose_options
from xnorflow.fitting.cost import Kernel, NetCost
from xnorflow.fitting.cost_hls4ml import StockKernel
from xnorflow.fitting.cost_xnor import XnorKernel
from xnorflow.fitting.problem import Budget, Goal, Problem
from xnorflow.flow.config import BuildConfig
from xnorflow.net.shapes import LayerShape
from xnorflow.tools.answer import Answer

# what no choice of a network exceeds, in devices
_LARGEST_SCALE = 4096


@dataclass(frozen=True)
class StockRow:
    """One network with one kernel.

    Attributes:
        fit: what the search found; its ``cost`` is None where no reuse factor fits.
        least: the choice of least area at any pace, whether it fits or not.
    """

    network: str
    kernel: str
    fit: Fit
    least: NetCost

    @property
    def shown(self) -> NetCost:
        """The choice to show: the quickest that fits, or the smallest where none does."""
        return self.fit.cost or self.least

    @property
    def answer(self) -> Answer:
        """Whether it fits, by the whole of its bands."""
        return self.fit.answer


def stock_kernels(config: BuildConfig) -> dict[str, Kernel]:
    """Return hls4ml's own kernels and ours for the same project, by name, as a configuration's backend has them.

    Raises:
        ConfigError: a configuration for Verilog, which has no hls4ml in it.
    """
    if config.hls is None:
        raise ConfigError("stock tells what hls4ml needs: name a configuration for it, such as hls_configs/sfc.yaml")
    kernels: list[Kernel] = [
        StockKernel(strategy, config.hls.backend, config.hls.io_type) for strategy in ("Latency", "Resource")
    ]
    kernels.append(XnorKernel(config.hls.backend, config.hls.io_type))
    return {kernel.name: kernel for kernel in kernels}


def stock_rows(
    network: str,
    layers: Sequence[LayerShape],
    kernels: Mapping[str, Kernel],
    budget: Budget,
    clock_mhz: float = 100.0,
) -> tuple[StockRow, ...]:
    """Return a row per kernel: the quickest choice that fits, or that of least area where none does.

    Raises:
        ConfigError: a layer that a kernel can't build.
    """
    rows = []
    for name, kernel in kernels.items():
        found = choose_options(layers, kernel, budget, Goal("interval", clock_mhz))
        least = _least(layers, kernel, budget, clock_mhz)
        rows.append(StockRow(network, name, found, least))
    return tuple(rows)


def _least(layers: Sequence[LayerShape], kernel: Kernel, budget: Budget, clock_mhz: float) -> NetCost:
    """Return the choice of least area at any pace, as if the device were as large as need be."""
    most = budget.device.resources.scaled(_LARGEST_SCALE)
    chosen = Problem(layers, kernel, budget.device).smallest(most, None)
    if chosen is None:
        raise ConfigError(
            f"kernel {kernel.name} needs more than {_LARGEST_SCALE} times the device {budget.device.name}"
        )
    return NetCost(chosen, clock_mhz)
