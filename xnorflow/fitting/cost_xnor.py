"""Cost of our XNOR-popcount kernels in an HLS project (``xnor/nnet_xnor*.h``).

Cycles and ROM words follow from the folding, and so do the operators of a cycle. LUTs are counted
twice: as cells a 7-series part needs for the operators, and as HLS will charge for them. No HLS
report of these kernels is at hand, so the band reaches from the one to what Vivado made of HLS
counts elsewhere. ``docs/kernels.md`` derives the counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from xnorflow.base.device import bram18_blocks
from xnorflow.base.ints import smallest_type
from xnorflow.base.resources import Band, Counts, Ratios, exactly
from xnorflow.fitting.cost import LayerCost, hls_to_vivado
from xnorflow.fitting.cost_hls4ml import OperatorCosts, Tally, scale_dsp
from xnorflow.net.folding import (
    LUT_ROM_DEPTH,
    Folding,
    check_folding,
    choose_folding,
    folding_for,
    legal_reuse_factors,
    reuse_factor_of,
)
from xnorflow.net.shapes import LayerShape
from xnorflow.routes.hls.kernels.operators import cycle_operators
from xnorflow.routes.hls.settings import HlsSettings

# operators of the header as rows of costs/hls_operators.yaml: (row, how many, how wide); None: the operator's width.
# A full adder is 5 word-wide logic operators, a 6:3 counter 17 of one bit.
HLS_ROWS: dict[str, list[tuple[str, int, int | None]]] = {
    "xor_": [("xor", 2, None)],
    "full_adder": [("xor", 5, None)],
    "counter": [("xor", 17, 1)],
    "add": [("add", 1, None)],
    "select": [("select", 1, None)],
}
# LUT6 of an operator: XNORs go into the full adders behind them, the start value into the accumulator's adder
LUT6 = {"xor_": 0.0, "full_adder": 2.0, "counter": 3.0, "add": 1.0, "select": 0.0}
# counters of neurons and inputs, handshakes: of one layer, and at most
CONTROL_LUTS, MOST_CONTROL_LUTS = 60, 250
# cycles from the last word of weights to the output, smallest and largest: memory, counters, adders, threshold
DEPTH = (3, 12)


@dataclass(frozen=True)
class XnorKernel:
    """Our kernels in a Vivado HLS or Vitis HLS project.

    Attributes:
        backend: "Vivado" or "Vitis".
        io_type: "io_stream", or "io_parallel", where whole images stand between convolutions, twice.
        ratios: from HLS report to Vivado, where a user has calibrated them.
    """

    backend: str = "Vivado"
    io_type: str = "io_parallel"
    ratios: Ratios | None = None
    costs: OperatorCosts = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "costs", OperatorCosts(self.backend))

    @property
    def name(self) -> str:
        """Name to show."""
        return "XNOR"

    def options(self, layer: LayerShape) -> Sequence[LayerCost]:
        """Return the cost at every reuse factor, each with the folding that stands for it."""
        foldings = [folding_for(layer.n_in, layer.n_out, rf) for rf in legal_reuse_factors(layer.n_in, layer.n_out)]
        return [self.cost(layer, folding) for folding in foldings if folding is not None]

    def cost(self, layer: LayerShape, folding: Folding) -> LayerCost:
        """Return the cost of a folding that divides the layer."""
        factor = reuse_factor_of(layer.n_in, layer.n_out, folding)
        # a convolution's window takes in one pixel per cycle
        interval = max(layer.vectors * factor, layer.pixels_in if layer.vectors > 1 else 1)
        latency = (interval + DEPTH[0], interval + DEPTH[1])
        hls = self._hls(layer, folding, factor)
        expected = self._expected(layer, folding, factor, hls)
        return LayerCost(
            layer.name,
            self.name,
            factor,
            interval,
            latency,
            expected,
            hls,
            folding=(folding.pe, folding.simd),
        )

    def _hls(self, layer: LayerShape, folding: Folding, factor: int) -> Counts[Band]:
        tally = Tally(self.costs)
        for (name, width), times in cycle_operators(folding, layer.input_bits, accum_bits(layer)).items():
            for row, count, wide in HLS_ROWS[name]:
                tally.add(row, wide or width, count * times)
        band = tally.band()
        memory = _memory_luts(layer, folding, factor)
        lut = Band(
            band.low + memory + CONTROL_LUTS,
            band.likely + memory + CONTROL_LUTS,
            band.high + memory + MOST_CONTROL_LUTS,
        )
        blocks = rom_bram18(folding, factor)
        if layer.vectors > 1 and self.io_type == "io_parallel":
            blocks += 2 * bram18_blocks(layer.n_out, layer.vectors)
        return Counts(lut, self._registers(layer, folding), exactly(blocks), scale_dsp(layer))

    def _registers(self, layer: LayerShape, folding: Folding) -> Band:
        """Input, accumulators and output; a pipelined compressor stores up to every sum and carry on top."""
        held = layer.n_in * layer.input_bits + folding.pe * accum_bits(layer)
        held += layer.n_out * (accum_bits(layer) if layer.is_scores else 1)
        products = folding.pe * folding.simd * layer.input_bits
        return Band(held, held + products // 2 + CONTROL_LUTS, 2 * (held + products) + MOST_CONTROL_LUTS)

    def _expected(self, layer: LayerShape, folding: Folding, factor: int, hls: Counts[Band]) -> Counts[Band]:
        cells = sum(
            LUT6[name] * (math.ceil(width / 6) if name == "counter" else width) * times
            for (name, width), times in cycle_operators(folding, layer.input_bits, accum_bits(layer)).items()
        )
        memory = _memory_luts(layer, folding, factor)
        likely = round(cells) + memory + CONTROL_LUTS
        ratios = self.ratios or hls_to_vivado()
        high = max(math.ceil(1.3 * likely), round(hls.lut.likely * ratios["lut"][1]))
        lut = Band(round(cells * 0.9) + memory, likely, high)
        return Counts(lut, hls.ff, hls.bram18, hls.dsp)


@dataclass(frozen=True)
class XnorConfigKernel:
    """Our kernels as a configuration sets them."""

    settings: HlsSettings
    ratios: Ratios | None = None

    @property
    def name(self) -> str:
        """Name to show."""
        return f"XNOR, {self.settings.backend}"

    def options(self, layer: LayerShape) -> Sequence[LayerCost]:
        """Return the cost at every reuse factor."""
        return XnorKernel(self.settings.backend, self.settings.io_type, self.ratios).options(layer)

    def cost(self, layer: LayerShape) -> LayerCost:
        """Return the cost at the configuration's own folding or reuse factor.

        Raises:
            ConfigError: it does not divide the layer.
        """
        given = self.settings.folding.get(layer.name)
        if given is not None:
            folding = check_folding(layer.name, layer.n_in, layer.n_out, given)
        else:
            factor = self.settings.reuse_factor_of(layer.name)
            folding = choose_folding(layer.name, layer.n_in, layer.n_out, factor)
        return XnorKernel(self.settings.backend, self.settings.io_type, self.ratios).cost(layer, folding)


def accum_bits(layer: LayerShape) -> int:
    """Return the width of an accumulator: of hits and a start value, or of a sum."""
    hits = layer.n_in * ((1 << layer.input_bits) - 1)
    if not layer.is_scores:
        return smallest_type(-(hits + 1), hits).bits
    # the widest that weights can make it
    return smallest_type(-hits, hits).bits


def rom_place(reuse_factor: int) -> str:
    """Return where the ROM goes: "block" RAM, or "lut" up to the words that one LUT6 holds a bit of."""
    return "block" if reuse_factor > LUT_ROM_DEPTH else "lut"


def rom_bram18(folding: Folding, reuse_factor: int) -> int:
    """Return the 18 Kb blocks of the ROM: ``reuse_factor`` words of ``pe * simd`` bits."""
    return bram18_blocks(folding.pe * folding.simd, reuse_factor) if rom_place(reuse_factor) == "block" else 0


def _memory_luts(layer: LayerShape, folding: Folding, factor: int) -> int:
    """LUTs of ROMs: weights where they are not in block RAM, and start values; with one word both are constants."""
    groups = layer.n_out // folding.pe
    starts = folding.pe * accum_bits(layer) * math.ceil(groups / LUT_ROM_DEPTH) if groups > 1 else 0
    weights = folding.pe * folding.simd if 1 < factor <= LUT_ROM_DEPTH else 0
    return starts + weights
