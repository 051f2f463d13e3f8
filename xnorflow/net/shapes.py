"""Shapes of layers, without their weights: what costs and foldings depend on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xnorflow.base.errors import ConfigError
from xnorflow.net.layers import ConvSpec, ScoreSpec
from xnorflow.net.spec import NetSpec


@dataclass(frozen=True)
class ConvShape:
    """What a convolution adds to a layer's shape: its image is (height, width, channels)."""

    image: tuple[int, int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    pool: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class LayerShape:
    """A layer as the cost depends on it.

    Attributes:
        n_in: inputs of one neuron.
        n_out: neurons, or output channels.
        input_bits: 1, or 8 for a first layer on pixels.
        pixel_input: the layer reads the network's input, which hls4ml carries as ``int<2>``.
        is_scores: last layer: sums leave it, there is no threshold.
        scaled: last layer with a scale and an offset per class.
        vectors: products of the whole weight matrix per image: 1, or output pixels of a convolution.
        pixels_in: 1, or input pixels of a convolution.
        conv: of a convolution, its image, kernel, strides and pooling.
    """

    name: str
    n_in: int
    n_out: int
    input_bits: int = 1
    pixel_input: bool = False
    is_scores: bool = False
    scaled: bool = False
    vectors: int = 1
    pixels_in: int = 1
    conv: ConvShape | None = None

    @property
    def sum_bits(self) -> int:
        """Bits of a signed sum: ``ceil(log2(n_in + 1)) + 1``, and 8 more for pixels of 8 bits."""
        extra = 8 if self.input_bits == 8 else 0
        return math.ceil(math.log2(self.n_in + 1)) + 1 + extra


def layer_shapes(spec: NetSpec) -> tuple[LayerShape, ...]:
    """Return the layers of a network as the cost depends on them."""
    shapes = []
    for layer, shape in spec.walk():
        first = layer is spec.layers[0]
        shapes.append(
            LayerShape(
                layer.name,
                layer.n_in,
                layer.n_out,
                input_bits=spec.input.bits if first else 1,
                pixel_input=first,
                is_scores=isinstance(layer, ScoreSpec),
                scaled=isinstance(layer, ScoreSpec) and layer.scale is not None,
                **(_conv(layer, shape) if isinstance(layer, ConvSpec) else {}),
            )
        )
    return tuple(shapes)


def _conv(layer: ConvSpec, shape: tuple[int, ...]) -> dict[str, Any]:
    height, width, channels = shape
    kernel = (int(layer.weights.shape[0]), int(layer.weights.shape[1]))
    return {
        "vectors": math.prod(layer.conv_shape(shape)[:2]),
        "pixels_in": height * width,
        "conv": ConvShape((height, width, channels), kernel, layer.strides, layer.pool),
    }


def dense_shapes(sizes: Sequence[int], input_bits: int = 1) -> tuple[LayerShape, ...]:
    """Return the layers of a fully connected network, such as (784, 256, 256, 256, 10).

    Raises:
        ConfigError: fewer than two sizes, or one below 1.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ConfigError(f"sizes must be two or more numbers of at least 1, got {tuple(sizes)}")
    last = len(sizes) - 2
    return tuple(
        LayerShape(
            "scores" if at == last else f"dense{at + 1}",
            sizes[at],
            sizes[at + 1],
            input_bits=input_bits if at == 0 else 1,
            pixel_input=at == 0,
            is_scores=at == last,
        )
        for at in range(len(sizes) - 1)
    )
