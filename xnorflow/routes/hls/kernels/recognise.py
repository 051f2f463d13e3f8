"""Recognise binary layers in hls4ml's graph and put packed kernels in their place.

The pass runs before any of hls4ml's own, on the graph as it was read: layer for layer what Keras
has, or what ``routes/hls/write/frontend.py`` wrote. A binary layer is a dense layer or a convolution with
weights of +1/-1 that reads binary values: the network's input, or what a sign gave.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.errors import ConfigError
from xnorflow.net.thresholds import fold
from xnorflow.routes.hls.kernels.cpp_names import name_for_cpp
from xnorflow.routes.hls.kernels.edges import fires_behind
from xnorflow.routes.hls.kernels.nodes import is_ours, is_packed, number_type
from xnorflow.routes.hls.kernels.product import (
    Followers,
    check_binary,
    check_pooling,
    check_weights,
    folding_of,
    followers,
    followers_of,
    is_binary_product,
    is_output,
)
from xnorflow.routes.hls.kernels.read import read_packed
from xnorflow.routes.hls.kernels.score_types import keep_exact
from xnorflow.routes.hls.kernels.softmax import replace_softmax
from xnorflow.routes.hls.kernels.values import Values

_IMAGE = ("in_height", "in_width", "out_height", "out_width", "filt_height", "filt_width", "stride_height")
_POOL = ("in_height", "in_width", "out_height", "out_width", "pool_height", "pool_width", "n_filt")


def recognise(model: Any) -> bool:
    """Replace the binary layers of a graph; hls4ml calls it once, as the first pass.

    Raises:
        ConfigError: a binary layer that has no exact kernel, by name and with what to use instead.
    """
    for node in model.graph.values():
        check_weights(node)
    for product in [node for node in model.graph.values() if is_binary_product(node)]:
        values = read_packed(model, product)
        if values is not None:
            check_binary(product)
            _replace(model, product, followers_of(model, product), values)
    for node in [node for node in model.graph.values() if is_packed(node)]:
        _unpack_for_others(model, node)
    if any(is_ours(node) for node in model.graph.values()):
        _work_at_once(model)
    name_for_cpp(model)
    return True


def _replace(model: Any, product: Any, chain: Followers, values: Values) -> None:
    """Put our layer in the place of a product and what belongs to it."""
    stored = product.weights["weight"].data
    weights: NDArray[np.int8] = np.where(np.asarray(stored) > 0, np.int8(1), np.int8(-1))
    weights = weights.reshape(-1, weights.shape[-1])
    for node in chain.linears:
        model.remove_node(node)
    if chain.sign is None:
        sums = _sums(weights, values)
        keep_exact(model, _make(model, product, weights, sums), sums["range"], values.fraction_bits)
        return
    fires = fires_behind(product, chain.norm, chain.sign, values, len(weights), weights.shape[1])
    folded = fold(product.name, fires, weights, values.max_abs, values.step, pools_first=chain.pools_first)
    _make(model, product, folded.weights, _bits(folded.weights, folded.thresholds, values))
    for node in (chain.norm, chain.sign):
        if node is not None:
            model.remove_node(node)
    if chain.pool is not None:
        _replace_pool(model, chain.pool, folded.inverted)


def _bits(weights: NDArray[np.int8], thresholds: NDArray[np.int64], values: Values) -> dict[str, Any]:
    return {
        "packed_starts": values.start_values(weights, thresholds),
        "accum_bits": values.accumulator(len(weights)).bits,
        "shift": 0,
    }


def _sums(weights: NDArray[np.int8], values: Values) -> dict[str, Any]:
    lowest, highest = values.sum_range(weights)
    result = number_type(lowest, highest, values.fraction_bits)
    return {
        "packed_starts": values.constants(weights),
        "accum_bits": result.width,
        "sum_precision": result,
        "shift": values.step.bit_length() - 1,
        "range": (lowest, highest),
    }


def _make(model: Any, product: Any, weights: NDArray[np.int8], numbers: dict[str, Any]) -> Any:
    n_in, n_out = weights.shape
    attributes = {
        "n_in": n_in,
        "n_out": n_out,
        "packed_folding": folding_of(product, n_in, n_out),
        "packed_weights": weights,
        "trace": product.get_attr("trace", False),
        **numbers,
    }
    conv = product.class_name == "Conv2D"
    if conv:
        attributes |= {name: product.get_attr(name) for name in (*_IMAGE, "stride_width")}
    kind = "XnorWindow" if conv else "XnorMatrix"
    node = model.make_node(kind, product.name, attributes, product.inputs.copy(), product.outputs.copy())
    model.replace_node(product, node)
    return node


def _replace_pool(model: Any, pool: Any, inverted: NDArray[np.bool_]) -> None:
    check_pooling(pool)
    attributes = {name: pool.get_attr(name) for name in _POOL}
    attributes |= {"inverted": inverted, "trace": pool.get_attr("trace", False)}
    node = model.make_node("XnorPool2D", pool.name, attributes, pool.inputs.copy(), pool.outputs.copy())
    model.replace_node(pool, node)


def _unpack_for_others(model: Any, node: Any) -> None:
    """Give +1/-1 to whatever is not ours."""
    readers = followers(model, node)
    if len(readers) + is_output(model, node) > 1:
        names = ", ".join(reader.name for reader in readers)
        raise ConfigError(
            f"layer {node.name}: packed bits go to one layer only, got {names}; make the network a chain"
        )
    if readers and is_ours(readers[0]):
        return
    model.insert_node(model.make_node("XnorUnpack", f"{node.name}_values", {}, node.outputs.copy()))
    for reader in readers:
        if reader.class_name == "Softmax":
            replace_softmax(model, reader)


def _work_at_once(model: Any) -> None:
    """Layers work on successive images at once: pipelining the whole function would unroll every loop."""
    if model.config.pipeline_style not in (None, "auto", "dataflow"):
        raise ConfigError(f"PipelineStyle must be dataflow for XNOR kernels, got {model.config.pipeline_style}")
    model.config.pipeline_style = "dataflow"
