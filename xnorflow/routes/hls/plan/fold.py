"""Which reuse factors the kernels accept: hls4ml's own, and ours.

hls4ml silently replaces an illegal one (and under Latency takes any number); here it is refused.
"""

from __future__ import annotations

from functools import cache

from xnorflow.base.errors import ConfigError
from xnorflow.net.folding import Folding, check_folding, choose_folding, reuse_factor_of
from xnorflow.net.layers import ConvSpec, LayerSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.settings import XNOR, HlsSettings


@cache
def hls4ml_reuse_factors(n_in: int, n_out: int) -> tuple[int, ...]:
    """Return the legal reuse factors of a layer of ``n_out`` neurons with ``n_in`` inputs, rising.

    The rule is that of hls4ml 1.3.0, ``backends/fpga/fpga_backend.py``, ``_validate_reuse_factor``.
    """
    size = n_in * n_out
    divisors = {d for low in range(1, int(size**0.5) + 1) if size % low == 0 for d in (low, size // low)}
    return tuple(sorted(factor for factor in divisors if _is_legal(n_in, n_out, factor)))


def _is_legal(n_in: int, n_out: int, factor: int) -> bool:
    multipliers = -(-n_in * n_out // min(n_in, factor))
    if factor < n_in:
        return multipliers % n_out == 0
    return factor % n_in == 0


def layer_folding(layer: LayerSpec, settings: HlsSettings) -> Folding:
    """Return the folding of a layer with kernel "xnor": the given one, or the one of its reuse factor.

    Raises:
        ConfigError: no kernel has it.
    """
    given = settings.folding.get(layer.name)
    if given is not None:
        return check_folding(layer.name, layer.n_in, layer.n_out, given)
    return choose_folding(layer.name, layer.n_in, layer.n_out, settings.reuse_factor_of(layer.name))


def layer_reuse_factor(layer: LayerSpec, settings: HlsSettings) -> int:
    """Return the cycles that a layer takes for one product of its weight matrix."""
    if settings.kernel == XNOR:
        return reuse_factor_of(layer.n_in, layer.n_out, layer_folding(layer, settings))
    return settings.reuse_factor_of(layer.name)


def check_reuse_factors(spec: NetSpec, settings: HlsSettings) -> None:
    """Refuse reuse factors that hls4ml would replace or that crash its kernels, and that ours do not have.

    Raises:
        ConfigError: naming the layer, the value and the legal neighbours.
    """
    if settings.kernel == XNOR:
        for layer in spec.layers:
            layer_folding(layer, settings)
        return
    for layer in spec.layers:
        factor = settings.reuse_factor_of(layer.name)
        legal = _legal_here(layer, settings)
        if factor not in legal:
            below = [value for value in legal if value < factor]
            above = [value for value in legal if value > factor]
            near = " or ".join(str(value) for value in below[-1:] + above[:1])
            raise ConfigError(
                f"reuse_factor of layer {layer.name} ({layer.n_in} inputs, {layer.n_out} outputs) "
                f"cannot be {factor}; the nearest legal ones are {near}"
            )


def _legal_here(layer: LayerSpec, settings: HlsSettings) -> tuple[int, ...]:
    legal = hls4ml_reuse_factors(layer.n_in, layer.n_out)
    if (
        isinstance(layer, ConvSpec)
        and settings.io_type == "io_parallel"
        and settings.strategy_of(layer.name) == "Resource"
    ):
        # beyond n_in this kernel writes past the end of its arrays
        return tuple(factor for factor in legal if factor <= layer.n_in)
    return legal
