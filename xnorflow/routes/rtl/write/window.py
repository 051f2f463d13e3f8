"""The wiring of a convolution's window and of its pooling."""

from __future__ import annotations

from xnorflow.routes.rtl.plan.window import WindowPlan
from xnorflow.routes.rtl.write.text import CLOCK, instance, joined, stream, stream_wires


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
