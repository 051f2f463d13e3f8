"""Cost of hls4ml's own dense and convolution kernels, strategies Latency and Resource.

Cycles follow from the kernel's loops. LUTs are added up from the operators that the loops need and
from what HLS charges for one (``fitting/costs/hls_operators.yaml``); then comes what Vivado makes of the
HLS count (``fitting/costs/hls_to_vivado.yaml``). ``docs/fit.md`` derives the counts.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from xnorflow.base.device import bram18_blocks
from xnorflow.base.errors import ConfigError
from xnorflow.base.resources import Band, Counts, Ratios, exactly
from xnorflow.fitting.cost import LayerCost, cost_table, hls_to_vivado
from xnorflow.net.shapes import LayerShape
from xnorflow.routes.hls.plan.fold import hls4ml_reuse_factors
from xnorflow.routes.hls.settings import HlsSettings

# LUTs per bit (mux: per input) beyond the widths that were seen
SLOPES = {"add": 1.0, "subtract": 1.0, "select": 1.0, "xor": 1.0, "compare": 0.45, "mux": 4.6, "shift": 2.0}
# cycles that a convolution may add to its latency per pixel: filling the window, writing the result
WINDOW_CYCLES = 3


@dataclass(frozen=True)
class OperatorCosts:
    """LUTs that one HLS tool charges per operator.

    Attributes:
        tool: "Vivado" or "Vitis", as in ``HlsSettings.backend``.
    """

    tool: str

    def __post_init__(self) -> None:
        if self.tool not in ("Vivado", "Vitis"):
            raise ConfigError(f"backend must be Vivado or Vitis, got {self.tool!r}")

    def lut(self, operator: str, width: int) -> tuple[float, float, float]:
        """Return low, likely and high LUTs of an operator; widths not seen lie on a line between."""
        seen = cost_table("hls_operators.yaml")[self.tool][operator]
        widths = sorted(seen)
        at = bisect.bisect_left(widths, width)
        if at < len(widths) and widths[at] == width:
            low, likely, high = (float(value) for value in seen[width])
        elif at in (0, len(widths)):
            edge = widths[0] if at == 0 else widths[-1]
            beyond = (width - edge) * SLOPES[operator]
            low, likely, high = (max(1.0, value + beyond) for value in seen[edge])
        else:
            left, right = widths[at - 1], widths[at]
            share = (width - left) / (right - left)
            low, likely, high = (
                before + share * (after - before) for before, after in zip(seen[left], seen[right], strict=True)
            )
        # every tool version charges at least one LUT per bit of an adder, and at most 8 more
        floor = min(likely, float(width)) if operator in ("add", "subtract") else low
        return min(low, floor), likely, max(high, likely)


@dataclass
class Tally:
    """LUTs of operators, added up."""

    costs: OperatorCosts
    low: float = 0.0
    likely: float = 0.0
    high: float = 0.0

    def add(self, operator: str, width: int, times: float) -> None:
        """Add an operator of a width so many times."""
        if times > 0 and width > 0:
            low, likely, high = self.costs.lut(operator, width)
            self.low, self.likely, self.high = (
                self.low + times * low,
                self.likely + times * likely,
                self.high + times * high,
            )

    def band(self) -> Band:
        """Return the sums as whole numbers."""
        return Band(int(self.low), round(self.likely), math.ceil(self.high))


def after_vivado(hls: Counts[Band], ratios: Ratios | None = None) -> Counts[Band]:
    """Return the cells that Vivado will need for what an HLS report counts."""
    ratios = ratios or hls_to_vivado()
    return Counts(*(band.times(*ratios[kind]) for kind, band in hls.items()))


@dataclass(frozen=True)
class StockKernel:
    """hls4ml 1.3.0 as it is.

    Attributes:
        strategy: "Resource" or "Latency".
        backend: "Vivado" or "Vitis".
        io_type: "io_parallel" or "io_stream"; a convolution in parallel takes ``rf <= n_in`` only.
        ratios: from HLS report to Vivado, where a user has calibrated them.
    """

    strategy: str = "Resource"
    backend: str = "Vivado"
    io_type: str = "io_parallel"
    ratios: Ratios | None = None
    costs: OperatorCosts = field(init=False)

    def __post_init__(self) -> None:
        if self.strategy not in ("Resource", "Latency"):
            raise ConfigError(f"strategy must be Resource or Latency, got {self.strategy!r}")
        object.__setattr__(self, "costs", OperatorCosts(self.backend))

    @property
    def name(self) -> str:
        """Name to show."""
        return f"hls4ml {self.strategy}"

    def reuse_factors(self, layer: LayerShape) -> list[int]:
        """Return the legal reuse factors; under Latency only 1, as others cost as much and are slower."""
        if self.strategy == "Latency":
            return [1]
        most = layer.n_in if layer.vectors > 1 and self.io_type == "io_parallel" else layer.n_in * layer.n_out
        return [factor for factor in hls4ml_reuse_factors(layer.n_in, layer.n_out) if factor <= most]

    def options(self, layer: LayerShape) -> Sequence[LayerCost]:
        """Return the cost at every legal reuse factor."""
        return [self.cost(layer, factor) for factor in self.reuse_factors(layer)]

    def cost(self, layer: LayerShape, reuse_factor: int) -> LayerCost:
        """Return the cost at one reuse factor.

        Raises:
            ConfigError: hls4ml would replace the factor by another one.
        """
        legal = self.reuse_factors(layer)
        if reuse_factor not in legal:
            at = bisect.bisect(legal, reuse_factor)
            near = ", ".join(str(factor) for factor in legal[max(0, at - 1) : at + 1])
            raise ConfigError(
                f"layer {layer.name}: reuse_factor must be one that hls4ml takes under {self.strategy} for "
                f"{layer.n_in}x{layer.n_out}, got {reuse_factor}; nearest: {near}"
            )
        resource = self.strategy == "Resource" and reuse_factor > 1
        hls = self._resource(layer, reuse_factor) if resource else self._latency(layer)
        interval, latency = self._cycles(layer, reuse_factor, resource)
        return LayerCost(layer.name, self.name, reuse_factor, interval, latency, _expected(hls, self.ratios), hls)

    def _cycles(self, layer: LayerShape, factor: int, resource: bool) -> tuple[int, tuple[int, int]]:
        """One loop of ``reuse_factor`` turns at II 1; a convolution runs it once per pixel.

        Pixels are those of the output, or of the input where they come one by one (``io_stream``).
        """
        levels = math.ceil(math.log2(layer.n_in)) if layer.n_in > 1 else 1
        depth = (0, 3) if resource else (1 - factor, levels + 1 - factor)
        pixels = layer.pixels_in if self.io_type == "io_stream" else layer.vectors
        interval = pixels * factor
        filling = WINDOW_CYCLES * pixels if layer.vectors > 1 else 0
        return interval, (interval + depth[0], interval + depth[1] + filling)

    def _products(self, tally: Tally, layer: LayerShape, count: int, *, constant: bool) -> None:
        """Products of one cycle: XNOR, or plus or minus a number of several bits."""
        if layer.pixel_input:
            bits = 9 if layer.input_bits == 8 else 2
            # with the weight known the sign goes into the adder
            tally.add("subtract", bits, 0 if constant else count)
            tally.add("select", bits, 0 if constant else count)
        elif not constant:
            tally.add("xor", 1, count)

    def _tree(self, tally: Tally, layer: LayerShape, terms: int, times: int) -> None:
        """Adder tree over ``terms`` products, the sums one bit wider at each level."""
        bits = (9 if layer.input_bits == 8 else 2) if layer.pixel_input else 1
        while terms > 1:
            bits += 1
            tally.add("add", min(bits, layer.sum_bits), times * (terms // 2))
            terms = -(-terms // 2)

    def _ends(self, tally: Tally, layer: LayerShape) -> None:
        """``2 * count - n_in`` of XNOR sums, and the threshold of hidden layers."""
        if not layer.pixel_input:
            tally.add("subtract", layer.sum_bits, layer.n_out)
        if not layer.is_scores:
            tally.add("compare", layer.sum_bits, layer.n_out)

    def _latency(self, layer: LayerShape) -> Counts[Band]:
        tally = Tally(self.costs)
        self._products(tally, layer, layer.n_in * layer.n_out, constant=True)
        self._tree(tally, layer, layer.n_in, layer.n_out)
        self._ends(tally, layer)
        registers = layer.n_out * layer.sum_bits
        # the deeper the tree is pipelined, the more of its sums are stored
        stored = registers + layer.n_in * layer.n_out // 4
        ff = Band(registers, stored, 4 * stored)
        return Counts(tally.band(), ff, exactly(0), scale_dsp(layer))

    def _resource(self, layer: LayerShape, factor: int) -> Counts[Band]:
        tally = Tally(self.costs)
        word = -(-layer.n_in * layer.n_out // factor)
        terms = max(1, layer.n_in // factor)
        busy = min(layer.n_out, word)
        input_bits = (8 if layer.input_bits == 8 else 2) if layer.pixel_input else 1
        self._products(tally, layer, word, constant=False)
        self._tree(tally, layer, terms, busy)
        # one accumulator per neuron: its adder, and a mux that clears or keeps it
        tally.add("add", layer.sum_bits, busy)
        tally.add("mux", 2, layer.n_out)
        # each of the inputs of a cycle is chosen among those that take turns
        tally.add("mux", min(factor, layer.n_in), terms * (1 if layer.input_bits == 1 else 2))
        if factor > layer.n_in:
            turns = factor // layer.n_in
            tally.add("mux", turns, busy)
            tally.add("select", layer.sum_bits, layer.n_out)
        self._ends(tally, layer)
        lut = tally.band()
        # Vivado HLS may shift the whole weight word to read its bits
        shift = self.costs.lut("shift", min(word, 4096))[2] if self.backend == "Vivado" else 0.0
        registers = 2 * layer.n_out * layer.sum_bits + layer.n_in * input_bits
        ff = Band(registers // 2, registers + word, 3 * (registers + word))
        blocks = bram18_blocks(word, factor)
        bram18 = Band(blocks, blocks, max(blocks, -(-word // 36) * -(-factor // 512)))
        return Counts(Band(lut.low, lut.likely, lut.high + math.ceil(shift)), ff, bram18, scale_dsp(layer))


@dataclass(frozen=True)
class ConfigKernel:
    """hls4ml as a configuration sets it: a strategy for all layers, or one for each."""

    settings: HlsSettings
    ratios: Ratios | None = None

    @property
    def name(self) -> str:
        """Name to show."""
        return f"hls4ml, {self.settings.backend}"

    def options(self, layer: LayerShape) -> Sequence[LayerCost]:
        """Return the cost at every legal reuse factor."""
        return self._kernel(layer).options(layer)

    def cost(self, layer: LayerShape) -> LayerCost:
        """Return the cost at the configuration's own reuse factor.

        Raises:
            ConfigError: hls4ml would replace the factor by another one.
        """
        return self._kernel(layer).cost(layer, self.settings.reuse_factor_of(layer.name))

    def _kernel(self, layer: LayerShape) -> StockKernel:
        settings = self.settings
        return StockKernel(settings.strategy_of(layer.name), settings.backend, settings.io_type, self.ratios)


def _expected(hls: Counts[Band], ratios: Ratios | None) -> Counts[Band]:
    """Return what Vivado will need; weight memories keep their size, so block RAM follows the arithmetic."""
    other = after_vivado(hls, ratios)
    return Counts(other.lut, other.ff, hls.bram18, other.dsp)


def scale_dsp(layer: LayerShape) -> Band:
    """DSPs of a scale per class: a 32-bit factor takes two; a small sum may take the other input."""
    return Band(layer.n_out, 2 * layer.n_out, 4 * layer.n_out) if layer.scaled else exactly(0)
