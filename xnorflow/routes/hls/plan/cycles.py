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

from xnorflow.net.layers import ConvSpec, LayerSpec
from xnorflow.routes.hls.settings import XNOR, HlsSettings


def layer_cycles(layer: LayerSpec, shape: tuple[int, ...], settings: HlsSettings, reuse_factor: int) -> int:
    """Return the cycles per image of a layer that reads images of ``shape``."""
    if not isinstance(layer, ConvSpec):
        return reuse_factor
    if settings.kernel == XNOR:
        return max(math.prod(shape[:2]), math.prod(layer.conv_shape(shape)[:2]) * reuse_factor)
    rows, columns = shape[:2] if settings.io_type == "io_stream" else layer.conv_shape(shape)[:2]
    return rows * columns * reuse_factor
