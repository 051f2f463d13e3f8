"""Sizes and wiring of what a convolution adds to a layer: sliding window before it, pooling behind it.

The window sends the pixels under the kernel one by one, so that the layer behind it is the same as
for a dense layer: its "image" is a patch of ``kernel height x kernel width`` words of one pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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
    """Return the wiring from the incoming stream ``s_*`` to the stream of pixels ``pixel*``."""
    common, pixel = window.common * window.bits, window.channels * window.bits
    lines = [
        f"    wire [{common - 1}:0] a_data;",
        "    wire a_valid, a_ready, b_valid, b_ready, c_valid, c_ready, pixel_valid, pixel_ready;",
        f"    wire [{pixel - 1}:0] c_data, pixel;",
    ]
    clock = ".clk(clk), .rst(rst)"
    if window.parts > 1:
        lines += [
            f"    xnf_narrow #(.PARTS({window.parts}), .WIDTH({common})) split ({clock}, .s_valid(s_valid),",
            "        .s_ready(s_ready), .s_data(s_data), .m_valid(a_valid), .m_ready(a_ready), .m_data(a_data));",
        ]
    else:
        lines.append("    assign a_data = s_data, a_valid = s_valid, s_ready = a_ready;")
    if window.surplus:
        keep = window.source_words * window.parts - window.surplus
        lines += [
            f"    xnf_drop #(.KEEP({keep}), .DROP({window.surplus})) drop ({clock},",
            "        .s_valid(a_valid), .s_ready(a_ready), .m_valid(b_valid), .m_ready(b_ready));",
        ]
    else:
        lines.append("    assign b_valid = a_valid, a_ready = b_ready;")
    if window.joined > 1:
        lines += [
            f"    xnf_gather #(.RATIO({window.joined}), .WIDTH({common}), .USED({pixel})) join_words ({clock},",
            "        .s_valid(b_valid), .s_ready(b_ready), .s_data(a_data),",
            "        .m_valid(c_valid), .m_ready(c_ready), .m_data(c_data));",
        ]
    else:
        lines.append("    assign c_data = a_data, c_valid = b_valid, b_ready = c_ready;")
    (height, width, _), (rows, columns), (kh, kw) = window.shape, window.positions, window.kernel
    sv, sh = window.spec.strides
    return [
        *lines,
        f"    xnf_window #(.WIDTH({pixel}), .H({height}), .W({width}), .KH({kh}), .KW({kw}), .SV({sv}), .SH({sh}),",
        f"        .ROWS({rows}), .COLUMNS({columns}), .LB({window.line_bits})) window ({clock},",
        "        .s_valid(c_valid), .s_ready(c_ready), .s_data(c_data),",
        "        .m_valid(pixel_valid), .m_ready(pixel_ready), .m_data(pixel));",
    ]


def pool_lines(window: WindowPlan, pe: int, gather: bool) -> list[str]:
    """Return the wiring from the results ``f_*`` of ``pe`` bits to the outgoing stream ``m_*``."""
    (rows, columns), (ph, pw) = window.positions, window.spec.pool
    groups, clock = -(-window.spec.n_out // pe), ".clk(clk), .rst(rst)"
    lines = [f"    wire [{pe - 1}:0] p_data;", "    wire p_valid, p_ready;"]
    if (ph, pw) == (1, 1):
        lines.append("    assign p_data = f_data, p_valid = f_valid, f_ready = p_ready;")
    else:
        lines += [
            f"    xnf_pool #(.WIDTH({pe}), .GROUPS({groups}), .ROWS({rows}), .COLUMNS({columns}), .PH({ph}), .PW({pw}))",
            f"        pool ({clock}, .s_valid(f_valid), .s_ready(f_ready), .s_data(f_data),",
            "        .m_valid(p_valid), .m_ready(p_ready), .m_data(p_data));",
        ]
    if gather:
        lines += [
            f"    xnf_gather #(.RATIO({groups}), .WIDTH({pe}), .USED({window.spec.n_out})) pixels ({clock},",
            "        .s_valid(p_valid), .s_ready(p_ready), .s_data(p_data),",
            "        .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data));",
        ]
    else:
        lines.append("    assign m_data = p_data, m_valid = p_valid, p_ready = m_ready;")
    return lines
