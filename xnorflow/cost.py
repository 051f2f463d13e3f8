"""What a layer costs at a reuse factor, before any tool runs.

A kernel turns a ``LayerShape`` into ``LayerCost`` options: cycles by formula, cells as a band of
low, likely and high. Kernels: ``cost_hls4ml.StockKernel`` (hls4ml as it is),
``cost_xnor.XnorKernel`` (our kernels in its projects) and ``cost_rtl.RtlKernel`` (our Verilog); any
class with the two methods of ``Kernel`` plugs in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol

import yaml

from xnorflow.errors import ConfigError, DataError
from xnorflow.resources import Counts
from xnorflow.spec import ConvSpec, NetSpec, ScoreSpec

# by resource: the least, the likely and the largest factor from one count to another
Ratios = Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True)
class Band:
    """A count with the range it may really have."""

    low: int
    likely: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.likely <= self.high:
            raise ConfigError(f"a band must rise from 0 on, got {self.low}, {self.likely}, {self.high}")

    def __add__(self, other: Band) -> Band:
        return Band(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def at(self, level: str) -> int:
        """Return the count at ``low``, ``likely`` or ``high``."""
        return {"low": self.low, "likely": self.likely, "high": self.high}[level]

    def times(self, low: float, likely: float, high: float) -> Band:
        """Return the band of the product with an independent factor.

        The factor's range and the band's own are independent errors, so they add in quadrature of
        logarithms: ``ln(high / likely)**2`` of the two are summed, and likewise below.
        """
        middle = self.likely * likely
        ends = [math.log(max(1, count)) for count in (self.low, self.likely, self.high)]
        above = math.hypot(ends[2] - ends[1], math.log(high / likely))
        below = math.hypot(ends[1] - ends[0], math.log(likely / low))
        low, high = middle * math.exp(-below), middle * math.exp(above)
        # logarithms may turn 660 into 660.0000001
        return Band(int(low + 1e-6), round(middle), max(round(middle), math.ceil(high - 1e-6)))


def exactly(value: int) -> Band:
    """Return the band of a count that is known."""
    return Band(value, value, value)


NO_CELLS = Counts.each(exactly(0))


def counts_at(bands: Counts[Band], level: str) -> Counts[int]:
    """Return the counts at the ``low``, ``likely`` or ``high`` end of their bands."""
    return bands.map(lambda band: band.at(level))


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


@dataclass(frozen=True)
class LayerCost:
    """One way to build a layer.

    Attributes:
        reuse_factor: cycles per vector.
        interval_cycles: cycles between two images.
        latency_cycles: from first input to last output, smallest and largest.
        expected: cells after Vivado or Yosys.
        hls: cells as the HLS report will state them; None for a route without HLS.
        folding: (pe, simd), but for hls4ml's own kernels.
    """

    layer: str
    kernel: str
    reuse_factor: int
    interval_cycles: int
    latency_cycles: tuple[int, int]
    expected: Counts[Band]
    hls: Counts[Band] | None = None
    folding: tuple[int, int] | None = None


@dataclass(frozen=True)
class NetCost:
    """One option per layer.

    Attributes:
        planned_cycles: interval and latency where a plan knows them; else they are the layers'.
    """

    layers: tuple[LayerCost, ...]
    clock_mhz: float
    planned_cycles: tuple[int, int] | None = None

    @property
    def interval_cycles(self) -> int:
        """Cycles between two images: the slowest layer's, as all layers work at once."""
        if self.planned_cycles is not None:
            return self.planned_cycles[0]
        return max(layer.interval_cycles for layer in self.layers)

    @property
    def latency_cycles(self) -> tuple[int, int]:
        """Cycles from first input to last output, smallest and largest."""
        if self.planned_cycles is not None:
            return self.planned_cycles[1], self.planned_cycles[1]
        least, most = zip(*(layer.latency_cycles for layer in self.layers), strict=True)
        return sum(least), sum(most)

    @property
    def images_per_s(self) -> float:
        """Images per second at the clock."""
        return self.clock_mhz * 1e6 / self.interval_cycles

    @property
    def expected(self) -> Counts[Band]:
        """Cells after Vivado or Yosys."""
        return sum((layer.expected for layer in self.layers), NO_CELLS)

    @property
    def hls(self) -> Counts[Band] | None:
        """Cells as the HLS report will state them; None for a route without HLS."""
        parts = [layer.hls for layer in self.layers if layer.hls is not None]
        return sum(parts, NO_CELLS) if len(parts) == len(self.layers) else None

    @property
    def reuse_factors(self) -> dict[str, int]:
        """Reuse factor of each layer, as ``HlsSettings.reuse_factor`` takes it."""
        return {layer.layer: layer.reuse_factor for layer in self.layers}


class Kernel(Protocol):
    """A way to build layers."""

    @property
    def name(self) -> str:
        """Name to show."""

    def options(self, layer: LayerShape) -> Sequence[LayerCost]:
        """Return every way to build the layer that the search may choose."""


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


def hls_to_vivado() -> Ratios:
    """Return what Vivado makes of HLS counts, as runs that are known have it."""
    ratios: Ratios = cost_table("hls_to_vivado.yaml")
    return ratios


@cache
def cost_table(file: str) -> Any:
    """Return a data file of ``xnorflow/costs/``.

    Raises:
        DataError: missing or not YAML.
    """
    try:
        return yaml.safe_load((resources.files("xnorflow") / "costs" / file).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DataError(f"cannot read cost table {file}: {error}; install xnorflow again") from error
