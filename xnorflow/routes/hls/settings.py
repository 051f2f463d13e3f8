"""Settings of the HLS route: which tool, which kernels, and how each layer is folded and typed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from xnorflow.base.checks import check_layer_names, check_named_by_text, check_one_of, got, whole
from xnorflow.base.errors import ConfigError
from xnorflow.net.folding import Folding
from xnorflow.net.spec import NetSpec

HLS_BACKENDS = ("Vivado", "Vitis")
IO_TYPES = ("io_parallel", "io_stream")
STRATEGIES = ("Latency", "Resource")
XNOR, STOCK = "xnor", "hls4ml"
KERNELS = (XNOR, STOCK)
_PRECISION = re.compile(r"ap_u?int<([1-9]|[1-9][0-9])>")


@dataclass(frozen=True)
class Precision:
    """Types that replace the solved ones of a layer; for experiments, as they may overflow.

    Attributes:
        accum: type of the accumulator, such as ``ap_int<11>``.
        result: type of the sums that the threshold is compared with.
    """

    accum: str | None = None
    result: str | None = None

    def __post_init__(self) -> None:
        for name in ("accum", "result"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and _PRECISION.fullmatch(value)):
                raise ConfigError(f"precision {name} must be ap_int<N> or ap_uint<N>, N 1 to 99, got {got(value)}")


@dataclass(frozen=True)
class HlsSettings:
    """How an HLS project is made of a network.

    Attributes:
        backend: "Vivado" or "Vitis", as hls4ml calls Vivado HLS and Vitis HLS.
        io_type: "io_parallel" (whole images in registers) or "io_stream" (one pixel at a time).
        kernel: "xnor" for our packed kernels, "hls4ml" for its own.
        strategy: hls4ml strategy of each layer, or one for all, for kernel "hls4ml".
        reuse_factor: cycles per image of each layer (per output pixel in a convolution), or one for all.
        folding: for kernel "xnor", neurons and inputs per cycle of each layer whose reuse factor does not say it.
        precision: types that replace the solved ones, per layer, for kernel "hls4ml".
    """

    backend: str = "Vivado"
    io_type: str = "io_parallel"
    kernel: str = XNOR
    strategy: str | dict[str, str] = "Resource"
    reuse_factor: int | dict[str, int] = 1
    folding: dict[str, Folding] = field(default_factory=dict)
    precision: dict[str, Precision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_one_of("backend", self.backend, HLS_BACKENDS)
        check_one_of("io_type", self.io_type, IO_TYPES)
        check_one_of("kernel", self.kernel, KERNELS)
        for strategy in self.strategy.values() if isinstance(self.strategy, dict) else [self.strategy]:
            check_one_of("strategy", strategy, STRATEGIES)
        for factor in self.reuse_factor.values() if isinstance(self.reuse_factor, dict) else [self.reuse_factor]:
            if not whole(factor) or factor < 1:
                raise ConfigError(f"reuse_factor must be a whole number >= 1, got {got(factor)}")
        for key, table in self._tables().items():
            check_named_by_text(key, table)
        self._check_kernel()

    def _check_kernel(self) -> None:
        """Refuse settings that the kernel would not look at."""
        if self.kernel == STOCK and self.folding:
            raise ConfigError(
                f"folding goes with kernel {XNOR} or backend Verilog, got kernel {STOCK} and {self.backend}; "
                "give a reuse_factor instead"
            )
        if self.kernel == XNOR and (self.strategy != "Resource" or self.precision):
            raise ConfigError(f"strategy and precision go with kernel {STOCK}; kernel {XNOR} works its types out")
        both = set(self.folding) & set(self.reuse_factor if isinstance(self.reuse_factor, dict) else ())
        if both:
            raise ConfigError(f"layer {min(both)} has a folding and a reuse_factor, which follows from it; give one")

    def _tables(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("strategy", "reuse_factor", "precision", "folding")}

    def reuse_factor_of(self, layer: str) -> int:
        """Reuse factor of a layer; 1 where a per-layer table leaves it out."""
        return self.reuse_factor.get(layer, 1) if isinstance(self.reuse_factor, dict) else self.reuse_factor

    def strategy_of(self, layer: str) -> str:
        """Strategy of a layer; "Resource" where a per-layer table leaves it out."""
        return self.strategy.get(layer, "Resource") if isinstance(self.strategy, dict) else self.strategy

    def check_layers(self, spec: NetSpec) -> None:
        """Refuse settings that name a layer the network does not have, and foldings that leave a rest of one.

        Raises:
            ConfigError: naming the key, the layer and what it may be.
        """
        for key, table in self._tables().items():
            check_layer_names(key, table, spec.name, [layer.name for layer in spec.layers])
        for layer in spec.layers:
            if layer.name in self.folding:
                self.folding[layer.name].check(layer.name, layer.n_in, layer.n_out, divides=True)
