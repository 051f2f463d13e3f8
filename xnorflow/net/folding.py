"""Which foldings a layer's kernel takes, and which one stands for a reuse factor.

``pe`` neurons look at ``simd`` inputs each per cycle, so that a product of the whole weight matrix
takes ``(n_in / simd) * (n_out / pe)`` cycles: the reuse factor. Kernel, cost and configuration all
ask here.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from functools import cache

from xnorflow.base.checks import got, whole
from xnorflow.base.errors import ConfigError

# up to this many words a ROM is cheaper in LUTs: one LUT6 holds a bit of 64 words
LUT_ROM_DEPTH = 64


@dataclass(frozen=True)
class Folding:
    """How a layer is folded: how much of it works in one cycle.

    Attributes:
        pe: neurons per cycle.
        simd: inputs of each per cycle.
    """

    pe: int
    simd: int

    def __post_init__(self) -> None:
        for name in ("pe", "simd"):
            value = getattr(self, name)
            if not whole(value) or value < 1:
                raise ConfigError(f"folding: {name} must be a whole number >= 1, got {got(value)}")

    def check(self, layer: str, n_in: int, n_out: int, *, divides: bool = False) -> None:
        """Refuse more neurons or inputs per cycle than a layer has; with ``divides`` also what leaves a rest.

        Raises:
            ConfigError: naming the layer, the value and what it may be.
        """
        for name, whole_layer, what in (("pe", n_out, "outputs"), ("simd", n_in, "inputs")):
            value = getattr(self, name)
            if divides and whole_layer % value:
                legal = ", ".join(str(width) for width in range(1, whole_layer + 1) if whole_layer % width == 0)
                raise ConfigError(
                    f"layer {layer}: {name} must divide its {whole_layer} {what} ({legal}), got {got(value)}"
                )
            if value > whole_layer:
                raise ConfigError(
                    f"layer {layer}: {name} must be 1 to {whole_layer}, its number of {what}, got {got(value)}"
                )


@cache
def legal_reuse_factors(n_in: int, n_out: int) -> tuple[int, ...]:
    """Return the reuse factors of a layer of ``n_out`` neurons with ``n_in`` inputs, rising."""
    return tuple(sorted({chunks * groups for chunks in _divisors(n_in) for groups in _divisors(n_out)}))


@cache
def folding_for(n_in: int, n_out: int, reuse_factor: int) -> Folding | None:
    """Return the folding that stands for a reuse factor: the one with the fewest neurons in parallel.

    Every folding of a reuse factor looks at equally many weights per cycle, so what differs is
    accumulators and start values, one for each of ``pe``. None where the factor is not legal.
    """
    for pe in _divisors(n_out):
        chunks, rest = divmod(reuse_factor, n_out // pe)
        if rest == 0 and chunks > 0 and n_in % chunks == 0:
            return Folding(pe, n_in // chunks)
    return None


def choose_folding(layer: str, n_in: int, n_out: int, reuse_factor: int) -> Folding:
    """Return the folding of a layer for a reuse factor.

    Raises:
        ConfigError: no folding has this reuse factor; names the nearest ones.
    """
    folding = folding_for(n_in, n_out, reuse_factor)
    if folding is None:
        legal = legal_reuse_factors(n_in, n_out)
        at = bisect.bisect(legal, reuse_factor)
        near = " or ".join(str(factor) for factor in legal[max(0, at - 1) : at + 1])
        raise ConfigError(
            f"layer {layer}: the XNOR kernel of {n_in} inputs and {n_out} outputs has no folding of reuse factor "
            f"{reuse_factor}; the nearest ones are {near}"
        )
    return folding


def check_folding(layer: str, n_in: int, n_out: int, folding: Folding) -> Folding:
    """Return a folding that a user gave.

    Raises:
        ConfigError: pe does not divide the outputs, or simd the inputs.
    """
    folding.check(layer, n_in, n_out, divides=True)
    return folding


def reuse_factor_of(n_in: int, n_out: int, folding: Folding) -> int:
    """Return the cycles that a folding takes for one product of the weight matrix."""
    return (n_in // folding.simd) * (n_out // folding.pe)


def _divisors(total: int) -> list[int]:
    return [width for width in range(1, total + 1) if total % width == 0]
