"""Sizes and wiring of what a convolution adds to a layer: sliding window before it, pooling behind it.

The window sends the pixels under the kernel one by one, so that the layer behind it is the same as
for a dense layer: its "image" is a patch of ``kernel height x kernel width`` words of one pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from xnorflow.net.layers import ConvSpec


@dataclass(frozen=True)
class WindowPlan:
    """The window of one convolution.

    Attributes:
        spec: the convolution.
        shape: (height, width, channels) of its input.
        bits: bits per value.
        source_width: values per word that comes in.
        source_words: such words per image.
    """

    spec: ConvSpec
    shape: tuple[int, int, int]
    bits: int
    source_width: int
    source_words: int

    @property
    def channels(self) -> int:
        """Values per pixel."""
        return self.shape[2]

    @property
    def common(self) -> int:
        """Values per word between the split and the joining of words."""
        return math.gcd(self.source_width, self.channels)

    @property
    def parts(self) -> int:
        """Words into which each incoming word is split."""
        return self.source_width // self.common

    @property
    def joined(self) -> int:
        """Split words per pixel."""
        return self.channels // self.common

    @property
    def surplus(self) -> int:
        """Split words behind each image that hold no pixel."""
        return self.source_words * self.parts - self.shape[0] * self.shape[1] * self.joined

    @property
    def positions(self) -> tuple[int, int]:
        """Rows and columns of kernel positions."""
        rows, columns, _ = self.spec.conv_shape(self.shape)
        return rows, columns

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the kernel."""
        return int(self.spec.weights.shape[0]), int(self.spec.weights.shape[1])

    @property
    def line_bits(self) -> int:
        """Base-2 logarithm of the number of lines stored.

        Those under the kernel, a step more and as many for the next image: with fewer the layer
        waits at the end of each image until the next one's first lines are there.
        """
        return (2 * self.kernel[0] + self.spec.strides[0] - 1).bit_length()

    @property
    def cycles(self) -> int:
        """Cycles per image of the window itself: words that come in, or pixels that go out."""
        rows, columns = self.positions
        return max(self.source_words * self.parts, rows * columns * self.kernel[0] * self.kernel[1])
