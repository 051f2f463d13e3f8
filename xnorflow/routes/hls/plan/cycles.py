"""Cycles per image of the kernels, by formula.

A dense kernel takes its reuse factor. A convolution of hls4ml takes it once per output pixel when it
has the whole image (``io_parallel``), and once per input pixel when pixels arrive one by one
(``io_stream``). Ours takes it once per output pixel in both, but never less than one cycle per input
pixel, which is what its window takes in. Layers run concurrently on successive images
(``DATAFLOW``), so the slowest one sets the interval. The few cycles that filling a pipeline adds to
the latency are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from xnorflow.net.layers import ConvSpec, LayerSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.plan.fold import layer_reuse_factor
from xnorflow.routes.hls.settings import XNOR, HlsSettings


@dataclass(frozen=True)
class Cycles:
    """Cycles by formula.

    Attributes:
        layers: cycles per image of each layer, by name.
    """

    layers: dict[str, int]

    @property
    def interval_cycles(self) -> int:
        """Cycles between two images: those of the slowest layer."""
        return max(self.layers.values())

    def images_per_s(self, clock_mhz: float) -> float:
        """Images per second at a clock, if the design reaches it."""
        return clock_mhz * 1e6 / self.interval_cycles


def cycles(spec: NetSpec, settings: HlsSettings) -> Cycles:
    """Return the cycles per image of every layer."""
    return Cycles({layer.name: _layer_cycles(layer, shape, settings) for layer, shape in spec.walk()})


def _layer_cycles(layer: LayerSpec, shape: tuple[int, ...], settings: HlsSettings) -> int:
    factor = layer_reuse_factor(layer, settings)
    if not isinstance(layer, ConvSpec):
        return factor
    if settings.kernel == XNOR:
        return max(math.prod(shape[:2]), math.prod(layer.conv_shape(shape)[:2]) * factor)
    rows, columns = shape[:2] if settings.io_type == "io_stream" else layer.conv_shape(shape)[:2]
    return rows * columns * factor
