"""Cost of our own Verilog: ``pe`` neurons in parallel, ``simd`` inputs of each per cycle.

Cycles and block RAM follow from the folding. LUTs and registers are sums of coefficient x feature,
fitted to real Yosys runs; the coefficients are data (``costs/rtl.yaml``), ``fit_coefficients``
makes new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xnorflow.cost import Amounts, Band, LayerCost, LayerShape, bram18_blocks, cost_table, exactly
from xnorflow.errors import ConfigError, DataError

# cycles from the last word of weights to the output: memory, sum, threshold
PIPELINE_CYCLES = 3
FEATURES = ("layer", "bit", "sum_bit", "rom_bit", "output", "input")


@dataclass(frozen=True)
class RtlCoefficients:
    """How LUTs and registers grow with the features of a folded layer.

    Attributes:
        lut: coefficient of each feature.
        ff: coefficient of each feature.
        band: lowest and highest real count over the sum.
        lutrom_depth: memories of at most this depth are in LUTs.
        source: the runs that they are fitted to.
    """

    lut: Mapping[str, float]
    ff: Mapping[str, float]
    band: tuple[float, float]
    lutrom_depth: int
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
            made = cls(lut, ff, (low, high), int(table["lutrom_depth"]), str(table["source"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"RTL cost table: missing or wrong field ({error}); write it again") from error
        if unknown := sorted({*lut, *ff} - set(FEATURES)):
            raise DataError(
                f"RTL cost table: features must be of {', '.join(FEATURES)}, got {', '.join(unknown)}"
            )
        if not 0 < low <= 1 <= high:
            raise DataError(f"RTL cost table: band must hold 1, got {low} to {high}")
        return made


def default_coefficients() -> RtlCoefficients:
    """Return the coefficients that come with xnorflow."""
    return RtlCoefficients.from_dict(cost_table("rtl.yaml"))


def reuse_factor(layer: LayerShape, pe: int, simd: int) -> int:
    """Return the cycles per vector: ``ceil(n_in / simd) * ceil(n_out / pe)``."""
    return -(-layer.n_in // simd) * -(-layer.n_out // pe)


def features(layer: LayerShape, pe: int, simd: int, lutrom_depth: int) -> dict[str, float]:
    """Return what LUTs and registers depend on.

    ``layer`` is 1, ``bit`` the products per cycle (bits of a pixel count each), ``sum_bit`` the bits
    of the sums that are held, ``rom_bit`` the bits of a weight memory in LUTs, ``output`` the
    neurons and ``input`` the inputs.
    """
    depth = reuse_factor(layer, pe, simd)
    return {
        "layer": 1.0,
        "bit": float(pe * simd * layer.input_bits),
        "sum_bit": float(pe * layer.sum_bits),
        "rom_bit": float(pe * simd * depth) if depth <= lutrom_depth else 0.0,
        "output": float(layer.n_out),
        "input": float(layer.n_in * layer.input_bits),
    }


@dataclass(frozen=True)
class RtlKernel:
    """The Verilog that ``xnorflow.rtl`` writes."""

    coefficients: RtlCoefficients = field(default_factory=default_coefficients)

    @property
    def name(self) -> str:
        """Name to show."""
        return "RTL"

    def options(self, layer: LayerShape) -> Sequence[LayerCost]:
        """Return the cost at every folding that no other of the same cycles per row or column beats."""
        return [self.cost(layer, pe, simd) for pe in _parts(layer.n_out) for simd in _parts(layer.n_in)]

    def cost(self, layer: LayerShape, pe: int, simd: int) -> LayerCost:
        """Return the cost at one folding.

        Raises:
            ConfigError: more neurons or inputs in parallel than there are, or fewer than one.
        """
        if not (1 <= pe <= layer.n_out and 1 <= simd <= layer.n_in):
            raise ConfigError(
                f"layer {layer.name}: pe must be 1 to {layer.n_out} and simd 1 to {layer.n_in}, "
                f"got {pe} and {simd}"
            )
        table = self.coefficients
        depth = reuse_factor(layer, pe, simd)
        values = features(layer, pe, simd, table.lutrom_depth)
        blocks = 0 if depth <= table.lutrom_depth else bram18_blocks(pe * simd, depth)
        expected = Amounts(self._band(table.lut, values), self._band(table.ff, values), exactly(blocks))
        cycles = layer.vectors * depth
        latency = (cycles + PIPELINE_CYCLES, cycles + PIPELINE_CYCLES)
        return LayerCost(layer.name, self.name, depth, cycles, latency, expected, folding=(pe, simd))

    def _band(self, coefficients: Mapping[str, float], values: Mapping[str, float]) -> Band:
        likely = max(0.0, sum(coefficients[name] * values[name] for name in coefficients))
        low, high = self.coefficients.band
        return Band(int(likely * low), round(likely), -int(-likely * high // 1))


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
