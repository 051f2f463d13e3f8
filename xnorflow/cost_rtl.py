"""Cost of our own Verilog: ``pe`` neurons in parallel, ``simd`` inputs of each per cycle.

Cycles and block RAM follow from the folding. LUTs and registers are sums of coefficient x feature,
fitted to real Yosys runs; the coefficients are data (``costs/rtl.yaml``), ``fit_coefficients``
makes new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xnorflow.cost import Amounts, Band, LayerCost, LayerShape, cost_table
from xnorflow.errors import ConfigError, DataError
from xnorflow.rtl.netplan import NetPlan
from xnorflow.rtl.rom import choose_memories

# cycles from the last word of weights to the output: memory, sum, threshold
PIPELINE_CYCLES = 3
FEATURES = ("layer", "bit", "sum_bit", "rom_lut", "output", "input")
# a RAMB18 reads 36 bits of 512 words; up to 64 words a LUT holds a bit of every word; up to 4 are wiring
BLOCK_BITS, BLOCK_DEPTH, LUT_DEPTH, WIRING_DEPTH = 36, 512, 64, 4
# least share of the blocks by formula that Yosys used
FEWEST_BLOCKS = 0.8


@dataclass(frozen=True)
class RtlCoefficients:
    """How LUTs and registers grow with the features of a folded layer.

    Attributes:
        lut: coefficient of each feature.
        ff: coefficient of each feature.
        band: lowest and highest real count over the sum.
        source: the runs that they are fitted to.
    """

    lut: Mapping[str, float]
    ff: Mapping[str, float]
    band: tuple[float, float]
    source: str

    @classmethod
    def from_dict(cls, table: Any) -> RtlCoefficients:
        """Build coefficients from what a data file says.

        Raises:
            DataError: a key is missing, or a feature is not known.
        """
        try:
            lut = {str(key): float(value) for key, value in table["lut"].items()}
            ff = {str(key): float(value) for key, value in table["ff"].items()}
            low, high = (float(value) for value in table["band"])
            made = cls(lut, ff, (low, high), str(table["source"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"RTL cost table: missing or wrong field ({error}); write it again") from error
        if unknown := sorted({*lut, *ff} - set(FEATURES)):
            raise DataError(f"RTL cost table: features must be of {', '.join(FEATURES)}, got {', '.join(unknown)}")
        if not 0 < low <= 1 <= high:
            raise DataError(f"RTL cost table: band must hold 1, got {low} to {high}")
        return made


def default_coefficients() -> RtlCoefficients:
    """Return the coefficients that come with xnorflow."""
    return RtlCoefficients.from_dict(cost_table("rtl.yaml"))


def reuse_factor(layer: LayerShape, pe: int, simd: int) -> int:
    """Return the cycles per vector: ``ceil(n_in / simd) * ceil(n_out / pe)``."""
    return -(-layer.n_in // simd) * -(-layer.n_out // pe)


def sum_bits(layer: LayerShape) -> int:
    """Return the bits of a neuron's accumulator: ``2 * hits`` and a sign, or a signed score."""
    largest = layer.n_in * ((1 << layer.input_bits) - 1)
    if layer.is_scores:
        return max(largest.bit_length() + 1 - (layer.input_bits == 1), layer.input_bits + 1)
    return (2 * largest).bit_length() + 1


def memory_sizes(layer: LayerShape, pe: int, simd: int, memory: str, most: int | None = None) -> tuple[int, int]:
    """Return RAMB18 blocks and LUTs of the weight memory, whose words hold weights and start values.

    In block RAM the last 36 bits of a word may be too few for a block: then they are in LUTs, as is
    what goes beyond ``most`` blocks.
    """
    depth, word = reuse_factor(layer, pe, simd), pe * (simd + sum_bits(layer))
    if depth == 1:
        return 0, 0
    per_bit = -(-depth // LUT_DEPTH)
    if memory == "lut" or depth <= WIRING_DEPTH:
        return 0, word * per_bit
    columns, rest = divmod(word, BLOCK_BITS)
    if rest * per_bit > BLOCK_BITS // 2:
        columns, rest = columns + 1, 0
    rows = -(-depth // BLOCK_DEPTH)
    if most is not None and columns * rows > most:
        columns = most // rows
        rest = word - columns * BLOCK_BITS
    return columns * rows, rest * per_bit


def features(
    layer: LayerShape, pe: int, simd: int, memory: str = "block", most: int | None = None
) -> dict[str, float]:
    """Return what LUTs and registers depend on.

    ``layer`` is 1, ``bit`` the products per cycle (bits of a pixel count each), ``sum_bit`` the bits
    of the sums that are held, ``rom_lut`` the LUTs of the weight memory, ``output`` the neurons and
    ``input`` the inputs.
    """
    return {
        "layer": 1.0,
        "bit": float(pe * simd * layer.input_bits),
        "sum_bit": float(pe * sum_bits(layer)),
        "rom_lut": float(memory_sizes(layer, pe, simd, memory, most)[1]),
        "output": float(layer.n_out),
        "input": float(layer.n_in * layer.input_bits),
    }


@dataclass(frozen=True)
class RtlKernel:
    """The Verilog that ``xnorflow.rtl`` writes.

    Attributes:
        divisors_only: fold into divisors only. Then no cycle is lost to a last word that is not full,
            and the words of one layer split well into those of the next.
    """

    coefficients: RtlCoefficients = field(default_factory=default_coefficients)
    divisors_only: bool = True

    @property
    def name(self) -> str:
        """Name to show."""
        return "RTL"

    def options(self, layer: LayerShape) -> Sequence[LayerCost]:
        """Return the cost at every folding that no other of the same turns beats, weights in either memory."""
        parts = _divisors if self.divisors_only else _parts
        foldings = [(pe, simd) for pe in parts(layer.n_out) for simd in parts(layer.n_in)]
        deep = [fold for fold in foldings if reuse_factor(layer, *fold) > WIRING_DEPTH]
        return [self.cost(layer, *fold, "lut") for fold in foldings] + [self.cost(layer, *fold) for fold in deep]

    def cost(
        self, layer: LayerShape, pe: int, simd: int, memory: str = "block", most: int | None = None
    ) -> LayerCost:
        """Return the cost at one folding, with at most ``most`` RAMB18 blocks where there is a limit.

        Raises:
            ConfigError: more neurons or inputs in parallel than there are, or fewer than one.
        """
        if not (1 <= pe <= layer.n_out and 1 <= simd <= layer.n_in):
            raise ConfigError(
                f"layer {layer.name}: pe must be 1 to {layer.n_out} and simd 1 to {layer.n_in}, got {pe} and {simd}"
            )
        if memory not in ("block", "lut"):
            raise ConfigError(f"layer {layer.name}: memory must be block or lut, got {memory!r}")
        depth = reuse_factor(layer, pe, simd)
        values = features(layer, pe, simd, memory, most)
        blocks = memory_sizes(layer, pe, simd, memory, most)[0]
        table = self.coefficients
        # Yosys drops columns of start values that are constant, so the formula is the most there can be
        bram18 = Band(int(FEWEST_BLOCKS * blocks), blocks, blocks)
        expected = Amounts(self._band(table.lut, values), self._band(table.ff, values), bram18)
        cycles = layer.vectors * depth
        latency = (cycles + PIPELINE_CYCLES, cycles + PIPELINE_CYCLES)
        return LayerCost(layer.name, self.name, depth, cycles, latency, expected, folding=(pe, simd), memory=memory)

    def _band(self, coefficients: Mapping[str, float], values: Mapping[str, float]) -> Band:
        likely = max(0.0, sum(coefficients[name] * values[name] for name in coefficients))
        low, high = self.coefficients.band
        return Band(int(likely * low), round(likely), -int(-likely * high // 1))


def cost_of_plan(layers: Sequence[LayerShape], plan: NetPlan, bram36: int) -> tuple[LayerCost, ...]:
    """Return what each layer costs as it is generated: block RAM as ``rtl.rom`` deals it out, cycles of the plan.

    The plan's cycles are never fewer than ``RtlKernel``'s: it also counts the words that come in.
    """
    costs = []
    for shape, layer, memory in zip(layers, plan.layers, choose_memories(plan.layers, bram36), strict=True):
        blocks = -(-memory.block_bits // BLOCK_BITS) * -(-layer.reuse_factor // BLOCK_DEPTH)
        cost = RtlKernel().cost(shape, layer.pe, layer.simd, "block" if blocks else "lut", blocks)
        latency = layer.cycles + layer.depth
        costs.append(replace(cost, interval_cycles=layer.cycles, latency_cycles=(latency, latency)))
    return tuple(costs)


def _divisors(total: int) -> list[int]:
    return [width for width in range(1, total + 1) if total % width == 0]


def _parts(total: int) -> list[int]:
    """Return the smallest width for each number of turns: one per distinct ``ceil(total / width)``."""
    turns = {-(-total // width) for width in range(1, total + 1)}
    return sorted({-(-total // turn) for turn in turns})


def fit_coefficients(
    names: Sequence[str], rows: Sequence[Mapping[str, float]], counts: Sequence[float]
) -> tuple[dict[str, float], float]:
    """Fit counts to features by least squares of the relative error.

    Args:
        names: features to use.
        rows: ``features`` of each run.
        counts: LUTs or registers of each run.

    Returns:
        Coefficients and the median relative error over these runs; hold some runs out for an honest one.

    Raises:
        DataError: fewer runs than features, or a count below 1.
    """
    if len(rows) < len(names) or len(rows) != len(counts) or min(counts) < 1:
        raise DataError(f"a fit needs at least {len(names)} runs with counts of 1 or more, got {len(rows)}")
    target = np.array(counts, dtype=np.float64)
    matrix = np.array([[row[name] for name in names] for row in rows], dtype=np.float64)
    solution = np.linalg.lstsq(matrix / target[:, None], np.ones(len(rows)), rcond=None)[0]
    errors = np.abs(matrix @ solution / target - 1)
    return {name: float(value) for name, value in zip(names, solution, strict=True)}, float(np.median(errors))
