"""Types behind the sums of a binary layer, wide enough for every sum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xnorflow.base.ints import fixed_type
from xnorflow.routes.hls.kernels.edges import check_norm
from xnorflow.routes.hls.kernels.nodes import number_type
from xnorflow.routes.hls.kernels.product import check_reshape, followers, is_chosen, is_output, kind_of
from xnorflow.routes.hls.kernels.softmax import replace_softmax

# fraction bits of a normalisation, and significant bits of its smallest scale, at least
_FRACTION_BITS, SCALE_BITS = 20, 16


def keep_exact(model: Any, node: Any, sums: tuple[int, int], fraction_bits: int) -> None:
    """Give the reshapes, the BatchNorm and the softmax behind sums types that hold what they compute.

    hls4ml's own are 16 bits wide, or rounded. A type that the user's configuration names for a
    layer stays.

    Args:
        model: the graph.
        node: the layer whose sums these are.
        sums: lowest and highest sum, in units.
        fraction_bits: a unit is ``2 ** -fraction_bits``.
    """
    precision = node.get_output_variable().type.precision
    lowest, highest = (value * 2.0**-fraction_bits for value in sums)
    while not is_output(model, node) and len(readers := followers(model, node)) == 1:
        node = readers[0]
        if kind_of(node) == "linear":
            before = node.get_input_node()
            model.remove_node(node)
            node = before
            continue
        if node.class_name == "Softmax":
            replace_softmax(model, node)
            return
        if kind_of(node) == "norm":
            check_norm(node, math.prod(node.get_input_variable().shape[-1:]))
            precision, lowest, highest = _solve_norm(model, node, lowest, highest)
        elif node.class_name == "Reshape":
            check_reshape(node)
        elif not _keeps_numbers(node):
            return
        if not is_chosen(model, node, "result"):
            node.get_output_variable().type.precision = precision


def _keeps_numbers(node: Any) -> bool:
    """Whether a layer gives some of the numbers that it reads, or 0."""
    return kind_of(node) == "pool" or (node.class_name == "Activation" and node.get_attr("activation") == "relu")


def _solve_norm(model: Any, norm: Any, lowest: float, highest: float) -> tuple[Any, float, float]:
    scale, offset = (np.asarray(norm.weights[name].data_unquantized, np.float64) for name in ("scale", "bias"))
    smallest = float(np.abs(scale[scale != 0]).min(initial=1.0))
    fraction = max(_FRACTION_BITS, SCALE_BITS - math.floor(math.log2(smallest)))
    for name, values in (("scale", scale), ("bias", offset)):
        if not is_chosen(model, norm, name):
            units = [int(value) for value in np.rint(values * 2.0**fraction).ravel()]
            bits = fixed_type(units, fraction).bits
            weight = norm.weights[name]
            weight.type.name = f"{norm.name}_{name}_t"
            weight.update_precision(number_type(-(1 << (bits - 1)), (1 << (bits - 1)) - 1, fraction))
    ends = np.concatenate([scale * lowest + offset, scale * highest + offset])
    low, high = float(ends.min()), float(ends.max())
    # a unit more on each side for the rounding of scale and offset, which large sums multiply
    slack = math.ceil(max(abs(lowest), abs(highest))) + 1
    units = 2**fraction
    precision = number_type(math.floor(low * units) - slack, math.ceil(high * units) + slack, fraction)
    return precision, low, high
