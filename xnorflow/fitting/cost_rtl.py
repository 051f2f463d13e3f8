"""Cost of our own Verilog: ``pe`` neurons in parallel, ``simd`` inputs of each per cycle.

``routes/rtl/plan/cells.py`` counts what the generator writes. Only the LUTs of control are fitted, to Yosys runs:
the coefficients are data (``fitting/costs/rtl.yaml``), and ``benchmarks/rtl_costs.py`` makes new ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xnorflow.base.errors import ConfigError, DataError
from xnorflow.base.resources import Band, Counts, exactly
from xnorflow.fitting.cost import LayerCost, NetCost, cost_table
from xnorflow.net.folding import Folding
from xnorflow.net.layers import ConvSpec, DenseSpec, LayerSpec, ScoreSpec
from xnorflow.net.shapes import LayerShape
from xnorflow.routes.rtl.plan.cells import Cells, frame_cells, layer_cells, network_cells, result_cells, rom_cells
from xnorflow.routes.rtl.plan.fold import plan_layer
from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.plan.rom import Rom, blocks_of, choose_memories, columns_in, rom_of

_NAME = "RTL"
# shares of the blocks that a memory is worth, offered to the search: the rest of it is LUTs
BLOCK_SHARES = (0, 0.25, 0.5, 0.75, 1)
# scale and offset of a score layer whose values are not known
USUAL_SCALE, USUAL_OFFSET = 2**16, 2**20


@dataclass(frozen=True)
class RtlCoefficients:
    """LUTs of control, and how far a count may be off.

    Attributes:
        part: LUTs per part that has control.
        state: LUTs per bit of its state.
        lut_band: lowest and highest real count of LUTs over the estimate.
        ff_band: the same of registers.
        source: the runs that they are fitted to.
    """

    part: float
    state: float
    lut_band: tuple[float, float]
    ff_band: tuple[float, float]
    source: str

    @classmethod
    def from_dict(cls, table: Any) -> RtlCoefficients:
        """Build coefficients from what a data file says.

        Raises:
            DataError: a key is missing, or a band does not hold 1.
        """
        try:
            lut, ff = ((float(low), float(high)) for low, high in (table["lut_band"], table["ff_band"]))
            made = cls(float(table["part"]), float(table["state"]), lut, ff, str(table["source"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"RTL cost table: missing or wrong field ({error}); write it again") from error
        for low, high in (lut, ff):
            if not 0 < low <= 1 <= high:
                raise DataError(f"RTL cost table: a band must hold 1, got {low} to {high}")
        return made

    def amounts(self, cells: Cells, bram18: int) -> Counts[Band]:
        """Return the bands of a part's cells; the upper end of registers has their idle places with them."""
        lut = cells.lut + self.part * cells.parts + self.state * cells.state
        ff = _band(cells.ff, self.ff_band)
        ff = Band(ff.low, ff.likely, ff.high + cells.idle)
        return Counts(_band(lut, self.lut_band), ff, exactly(bram18), exactly(cells.dsp))


def _band(likely: float, band: tuple[float, float]) -> Band:
    # products of floats may turn 121 into 121.00000000000001
    high = math.ceil(likely * band[1] - 1e-6)
    return Band(int(likely * band[0] + 1e-6), round(likely), max(high, round(likely)))


def default_coefficients() -> RtlCoefficients:
    """Return the coefficients that come with xnorflow."""
    return RtlCoefficients.from_dict(cost_table("rtl.yaml"))


@dataclass(frozen=True)
class RtlKernel:
    """The Verilog that ``xnorflow.routes.rtl`` writes, folded into divisors of the layers' sizes.

    So no cycle is lost to a last word that is not full, and the words of one layer split well into
    those of the next. What a layer costs is that of a layer with any weights, which reads words as wide
    as keep up with it: the plan of a whole network knows both (``cost_of_plan``).

    Attributes:
        coefficients: LUTs of control, and bands.
        registers_every: counter stages between two registers.
    """

    coefficients: RtlCoefficients = field(default_factory=default_coefficients)
    registers_every: int = 1

    @property
    def name(self) -> str:
        """Name to show."""
        return _NAME

    def options(self, layer: LayerShape) -> Sequence[LayerCost]:
        """Return the cost at every folding, with weights in block RAM, in LUTs, and in part in either."""
        spec = _example(layer)
        found = []
        for pe in _divisors(layer.n_out):
            for simd in _divisors(layer.n_in):
                plan = _plan(layer, spec, Folding(pe, simd), self.registers_every)
                most = _blocks(_rom(plan))
                found += self._costs(layer, plan, sorted({int(share * most) for share in BLOCK_SHARES}))
        return found

    def cost(self, layer: LayerShape, pe: int, simd: int, bram18: int | None = None) -> LayerCost:
        """Return the cost at one folding, with at most ``bram18`` blocks of memory where there is a limit.

        Raises:
            ConfigError: more neurons or inputs in parallel than there are, or fewer than one.
        """
        plan = _plan(layer, _example(layer), Folding(pe, simd), self.registers_every)
        most = _blocks(_rom(plan))
        return self._costs(layer, plan, [most if bram18 is None else min(most, bram18)])[0]

    def _costs(self, layer: LayerShape, plan: LayerPlan, shares: Sequence[int]) -> list[LayerCost]:
        """Return the cost of a plan with each number of blocks."""
        rom = _rom(plan)
        cells = layer_cells(plan)
        if layer.pixel_input:
            cells += frame_cells(plan.words_in, plan.width_in * plan.bits)
        if layer.is_scores:
            cells += result_cells(plan)
        costs = []
        for blocks in shares:
            held = min(rom.columns, columns_in(blocks, rom.words))
            amounts = self.coefficients.amounts(cells + rom_cells(plan, rom, held), blocks_of(held, rom.words))
            costs.append(_layer_cost(plan, layer.name, amounts))
        return costs


def _layer_cost(plan: LayerPlan, name: str, amounts: Counts[Band]) -> LayerCost:
    latency = plan.cycles + plan.depth
    folding = (plan.pe, plan.simd)
    return LayerCost(name, _NAME, plan.reuse_factor, plan.cycles, (latency, latency), amounts, folding=folding)


def cost_of_plan(plan: NetPlan, bram36: int, clock_mhz: float, *, paced: bool = True) -> NetCost:
    """Return what a network costs as it is generated.

    Block RAM and cycles are exact: memories are those that ``rtl.rom`` deals out, with the weights'
    own columns, and cycles are the plan's, which also counts the words that come in.

    Args:
        plan: the plan.
        bram36: block RAM that weights may take.
        clock_mhz: clock.
        paced: take the network's own pace and latency; else its slowest layer's and the layers' sum, which
            for convolutions are known in no time, and may be too low.
    """
    memories = choose_memories(plan.layers, bram36)
    coefficients = default_coefficients()
    costs = tuple(
        _layer_cost(layer, layer.spec.name, coefficients.amounts(cells, memory.bram18))
        for layer, memory, cells in zip(plan.layers, memories, network_cells(plan, memories), strict=True)
    )
    return NetCost(costs, clock_mhz, (plan.interval_cycles, plan.latency_cycles) if paced else None)


def _divisors(total: int) -> list[int]:
    return [width for width in range(1, total + 1) if total % width == 0]


def _example(layer: LayerShape) -> LayerSpec:
    """Return a layer of this shape, for its sizes: its weights and thresholds are any.

    Raises:
        ConfigError: a convolution of which only the number of its pixels is known.
    """
    n_in, n_out = layer.n_in, layer.n_out
    if layer.is_scores:
        scale = (np.full(n_out, USUAL_SCALE), np.full(n_out, USUAL_OFFSET), 20) if layer.scaled else ()
        return ScoreSpec(layer.name, np.ones((n_in, n_out), np.int8), *scale)
    if layer.conv is None and layer.vectors > 1:
        raise ConfigError(f"layer {layer.name}: a convolution as Verilog needs its image and kernel, got none")
    shape = (n_in, n_out) if layer.conv is None else (*layer.conv.kernel, layer.conv.image[2], n_out)
    weights, thresholds = np.ones(shape, np.int8), np.zeros(n_out, np.int32)
    if layer.conv is None:
        return DenseSpec(layer.name, weights, thresholds)
    return ConvSpec(layer.name, weights, thresholds, layer.conv.strides, layer.conv.pool)


def _plan(layer: LayerShape, spec: LayerSpec, folding: Folding, registers_every: int) -> LayerPlan:
    """Return the plan of a layer whose words come in as wide as keeps up with it."""
    pe, simd = folding.pe, folding.simd
    image: tuple[int, ...] = layer.conv.image if layer.conv else (layer.n_in,)
    cycles = layer.vectors * -(-layer.n_in // simd) * -(-layer.n_out // pe)
    values = math.prod(image)
    if layer.pixel_input:
        width = 8 * -(-values * layer.input_bits // (8 * cycles)) // layer.input_bits
    else:
        # of the widths that the layer before may send, the least that keeps up, without splitting words
        whole = layer.conv.image[2] if layer.conv else simd
        width = next((width for width in _divisors(whole) if width * cycles >= values), whole)
    words = -(-values // width)
    return plan_layer(spec, image, 0, layer.input_bits, folding, width, words, registers_every)


def _rom(plan: LayerPlan) -> Rom:
    return rom_of(plan, _columns(plan), plan.pe * plan.sum_bits)


def _blocks(rom: Rom) -> int:
    """Return the RAMB18 that a weight memory is worth, where there are enough."""
    return blocks_of(rom.block_columns, rom.words)


def _columns(plan: LayerPlan) -> int:
    """Return the columns of the weight memory, less those that are likely equal where words are few.

    Of ``2**words`` columns that there can be, two are constant; of so many random bits
    ``1 - (1 - 2**-words)**word_bits`` of the others are there.
    """
    words = plan.reuse_factor
    if words >= 48:
        return plan.word_bits
    kinds = 2.0**words
    return round((kinds - 2) * -math.expm1(plan.word_bits * math.log1p(-1 / kinds))) if words > 1 else 0
