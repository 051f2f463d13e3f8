"""Sizes and wiring of what a convolution adds to a layer: sliding window before it, pooling behind it.

The window sends the pixels under the kernel one by one, so that the layer behind it is the same as
for a dense layer: its "image" is a patch of ``kernel height x kernel width`` words of one pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from xnorflow.rtl.text import CLOCK, instance, joined, stream, stream_wires
from xnorflow.spec import ConvSpec


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


def window_lines(window: WindowPlan) -> list[str]:
    """Return the wiring from the incoming stream ``s`` to the stream ``pixel`` of pixels under the kernel."""
    common, pixel = window.common * window.bits, window.channels * window.bits
    (height, width, _), (rows, columns), (kh, kw) = window.shape, window.positions, window.kernel
    sizes = {
        "WIDTH": pixel, "IN_HEIGHT": height, "IN_WIDTH": width, "KERNEL_HEIGHT": kh, "KERNEL_WIDTH": kw,
        "STRIDE_HEIGHT": window.spec.strides[0], "STRIDE_WIDTH": window.spec.strides[1],
        "ROWS": rows, "COLUMNS": columns, "LINE_BITS": window.line_bits,
    }  # fmt: skip
    return [
        *stream_wires("split", common),
        *stream_wires("kept", common),
        *stream_wires("image", pixel),
        *stream_wires("pixel", pixel),
        *_split(window, common),
        *_keep(window),
        *_join(window, common, pixel),
        *instance("xnf_window", "window", sizes, CLOCK | stream("s", "image") | stream("m", "pixel")),
    ]


def _split(window: WindowPlan, width: int) -> list[str]:
    if window.parts == 1:
        return joined("split", "s")
    sizes = {"PARTS": window.parts, "WIDTH": width}
    return instance("xnf_narrow", "splitter", sizes, CLOCK | stream("s", "s") | stream("m", "split"))


def _keep(window: WindowPlan) -> list[str]:
    if not window.surplus:
        return joined("kept", "split")
    sizes = {"KEEP": window.source_words * window.parts - window.surplus, "DROP": window.surplus}
    ports = CLOCK | stream("s", "split") | stream("m", "kept")
    del ports["s_data"], ports["m_data"]
    return ["    assign kept_data = split_data;", *instance("xnf_drop", "drop", sizes, ports)]


def _join(window: WindowPlan, common: int, pixel: int) -> list[str]:
    if window.joined == 1:
        return joined("image", "kept")
    sizes = {"RATIO": window.joined, "WIDTH": common, "USED": pixel}
    return instance("xnf_gather", "gather", sizes, CLOCK | stream("s", "kept") | stream("m", "image"))


def pool_lines(window: WindowPlan, pe: int, gather: bool) -> list[str]:
    """Return the wiring from the results ``fired`` of ``pe`` bits to the outgoing stream ``m``."""
    (rows, columns), (ph, pw) = window.positions, window.spec.pool
    groups = -(-window.spec.n_out // pe)
    lines = stream_wires("pooled", pe)
    if (ph, pw) == (1, 1):
        lines += joined("pooled", "fired")
    else:
        sizes = {"WIDTH": pe, "GROUPS": groups, "ROWS": rows, "COLUMNS": columns}
        sizes |= {"POOL_HEIGHT": ph, "POOL_WIDTH": pw}
        lines += instance("xnf_pool", "pool", sizes, CLOCK | stream("s", "fired") | stream("m", "pooled"))
    if not gather:
        return lines + joined("m", "pooled")
    sizes = {"RATIO": groups, "WIDTH": pe, "USED": window.spec.n_out}
    return lines + instance("xnf_gather", "outputs", sizes, CLOCK | stream("s", "pooled") | stream("m", "m"))
