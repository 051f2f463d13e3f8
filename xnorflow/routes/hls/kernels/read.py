"""How the values that a binary layer reads become packed words."""

from __future__ import annotations

from typing import Any

import numpy as np
from hls4ml.model.types import IntegerPrecisionType

from xnorflow.base.errors import ConfigError
from xnorflow.routes.hls.kernels.edges import check_activation
from xnorflow.routes.hls.kernels.nodes import is_packed, uses_streams
from xnorflow.routes.hls.kernels.product import check_reshape, is_chosen, kind_of
from xnorflow.routes.hls.kernels.values import BIPOLAR, Values, numbers_of


def read_packed(model: Any, product: Any) -> Values | None:
    """Let a layer read packed words, and return what they hold; None where its input is not binary.

    Raises:
        ConfigError: packed bits that would have to change their shape.
    """
    if product.class_name == "Dense" and len(product.get_input_variable().shape) != 1:
        return None
    passed, node = [], product.get_input_node()
    while node is not None and (node.class_name == "Reshape" or kind_of(node) == "linear"):
        if node.class_name == "Reshape":
            check_reshape(node)
        passed.append(node)
        node = node.get_input_node()
    if node is None:
        return None
    if node.class_name == "Input":
        values = _numbers_of_input(model, node)
        _insert_pack(model, product, node, values)
        return values
    if kind_of(node) == "sign":
        node = _pack_in_place_of(model, node, whole=product.class_name == "Dense" and not uses_streams(model))
    if not is_packed(node):
        return None
    if product.class_name == "Conv2D" and any(step.class_name == "Reshape" for step in passed):
        raise ConfigError(f"layer {product.name}: a convolution can't read packed bits through a Reshape")
    for step in passed:
        # words hold channels, rows of words are HWC order: flattening changes nothing
        model.remove_node(step)
    return BIPOLAR


def _numbers_of_input(model: Any, node: Any) -> Values:
    """Return what the network's input holds, by its type; +1/-1 where the configuration chooses none."""
    kind = node.get_output_variable().type
    if not is_chosen(model, node, "result"):
        kind.precision = IntegerPrecisionType(2)
    precision = kind.precision
    if not hasattr(precision, "signed") or precision.integer > precision.width:
        raise ConfigError(f"input {node.name}: its type must be an integer or fixed-point one, got {precision}")
    return numbers_of(precision.width, precision.integer, bool(precision.signed))


def _insert_pack(model: Any, product: Any, source: Any, values: Values) -> None:
    attributes = {"n_words": _words(model, product, source.get_output_variable().shape), "planes": values.planes}
    pack = model.make_node("XnorPack", f"{product.name}_pack", attributes, product.inputs.copy())
    model.insert_node(pack, before=product)


def _words(model: Any, product: Any, shape: list[int]) -> int:
    """One word for each pixel; a whole vector where all of it is there at once."""
    if product.class_name == "Conv2D":
        shape = product.get_input_variable().shape
    elif not uses_streams(model):
        return 1
    return int(np.prod(shape[:-1], initial=1))


def _pack_in_place_of(model: Any, sign: Any, *, whole: bool) -> Any:
    """Take the sign of numbers of other layers: +1 from 0 on, as QKeras' ``binary``."""
    check_activation(sign)
    before = sign.get_input_node()
    if kind_of(before) == "norm" and before.get_input_node().class_name == "Input":
        raise ConfigError(
            f"layer {sign.name}: thresholds that a network learns for its pixels are not packed; compare the pixels "
            "before the network, and give it +1/-1"
        )
    shape = sign.get_output_variable().shape
    words = 1 if whole else int(np.prod(shape[:-1], initial=1))
    attributes = {"n_words": words, "planes": 1, "trace": sign.get_attr("trace", False)}
    pack = model.make_node("XnorPack", sign.name, attributes, sign.inputs.copy(), sign.outputs.copy())
    model.replace_node(sign, pack)
    return pack
