"""What a layer costs at a reuse factor, before any tool runs.

A kernel turns a ``LayerShape`` into ``LayerCost`` options: cycles by formula, cells as a band of
low, likely and high. Kernels: ``cost_hls4ml.StockKernel`` (hls4ml as it is),
``cost_xnor.XnorKernel`` (our kernels in its projects) and ``cost_rtl.RtlKernel`` (our Verilog); any
class with the two methods of ``Kernel`` plugs in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol

import yaml

from xnorflow.base.errors import DataError
from xnorflow.base.resources import NO_CELLS, Band, Counts, Ratios
from xnorflow.net.shapes import LayerShape


@dataclass(frozen=True)
class LayerCost:
    """One way to build a layer.

    Attributes:
        reuse_factor: cycles per vector.
        interval_cycles: cycles between two images.
        latency_cycles: from first input to last output, smallest and largest.
        expected: cells after Vivado or Yosys.
        hls: cells as the HLS report will state them; None for a route without HLS.
        folding: (pe, simd), but for hls4ml's own kernels.
    """

    layer: str
    kernel: str
    reuse_factor: int
    interval_cycles: int
    latency_cycles: tuple[int, int]
    expected: Counts[Band]
    hls: Counts[Band] | None = None
    folding: tuple[int, int] | None = None


@dataclass(frozen=True)
class NetCost:
    """One option per layer.

    Attributes:
        planned_cycles: interval and latency where a plan knows them; else they are the layers'.
    """

    layers: tuple[LayerCost, ...]
    clock_mhz: float
    planned_cycles: tuple[int, int] | None = None

    @property
    def interval_cycles(self) -> int:
        """Cycles between two images: the slowest layer's, as all layers work at once."""
        if self.planned_cycles is not None:
            return self.planned_cycles[0]
        return max(layer.interval_cycles for layer in self.layers)

    @property
    def latency_cycles(self) -> tuple[int, int]:
        """Cycles from first input to last output, smallest and largest."""
        if self.planned_cycles is not None:
            return self.planned_cycles[1], self.planned_cycles[1]
        least, most = zip(*(layer.latency_cycles for layer in self.layers), strict=True)
        return sum(least), sum(most)

    @property
    def images_per_s(self) -> float:
        """Images per second at the clock."""
        return self.clock_mhz * 1e6 / self.interval_cycles

    @property
    def expected(self) -> Counts[Band]:
        """Cells after Vivado or Yosys."""
        return sum((layer.expected for layer in self.layers), NO_CELLS)

    @property
    def hls(self) -> Counts[Band] | None:
        """Cells as the HLS report will state them; None for a route without HLS."""
        parts = [layer.hls for layer in self.layers if layer.hls is not None]
        return sum(parts, NO_CELLS) if len(parts) == len(self.layers) else None

    @property
    def reuse_factors(self) -> dict[str, int]:
        """Reuse factor of each layer, as ``HlsSettings.reuse_factor`` takes it."""
        return {layer.layer: layer.reuse_factor for layer in self.layers}


class Kernel(Protocol):
    """A way to build layers."""

    @property
    def name(self) -> str:
        """Name to show."""

    def options(self, layer: LayerShape) -> Sequence[LayerCost]:
        """Return every way to build the layer that the search may choose."""


def hls_to_vivado() -> Ratios:
    """Return what Vivado makes of HLS counts, as runs that are known have it."""
    ratios: Ratios = cost_table("hls_to_vivado.yaml")
    return ratios


@cache
def cost_table(file: str) -> Any:
    """Return a data file of ``xnorflow/costs/``.

    Raises:
        DataError: missing or not YAML.
    """
    try:
        return yaml.safe_load((resources.files("xnorflow.fitting") / "costs" / file).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DataError(f"cannot read cost table {file}: {error}; install xnorflow again") from error
