"""Chains in hls4ml's graph: a binary product and the layers that belong to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hls4ml.model.quantizers import QKerasBinaryQuantizer

from xnorflow.base.errors import ConfigError
from xnorflow.net.folding import Folding, check_folding, choose_folding

_ORDER = "pooling, BatchNormalization, QActivation('binary') or BatchNormalization, QActivation('binary'), pooling"

ORDERS = [
    [*first, *norm, "sign", *last]
    for norm in ([], ["norm"])
    for first, last in (("", ""), (["pool"], ""), ("", ["pool"]))
]


@dataclass
class Behind:
    """What follows a product.

    Attributes:
        linears: linear activations, which change nothing.
        norm: the BatchNorm before the sign, if any.
        sign: the sign; None where the sums themselves leave the layer.
        pool: max-pooling that belongs to the layer, if any.
        pools_first: whether it stands before the sign.
    """

    linears: list[Any] = field(default_factory=list)
    norm: Any | None = None
    sign: Any | None = None
    pool: Any | None = None
    pools_first: bool = False


def followers(model: Any, node: Any) -> list[Any]:
    """Return the nodes that read what a node gives."""
    return [other for other in model.graph.values() if node.outputs[0] in other.inputs]


def is_output(model: Any, node: Any) -> bool:
    """Whether the network gives what this node gives."""
    return node.outputs[0] in model.outputs


def is_chosen(model: Any, node: Any, name: str) -> bool:
    """Whether the configuration names a type for this layer, or for its kind; a default for all is no choice."""
    tables = ((model.config.layer_name_precision, node.name), (model.config.layer_type_precision, node.class_name))
    for table, key in tables:
        value = table.get(f"{key.lower()}_{name}", table.get(f"{key.lower()}_default"))
        if value not in (None, "auto", model.config.model_precision.get("default")):
            return True
    return False


def kind_of(node: Any) -> str | None:
    """Return "linear", "norm", "sign" or "pool"; None for any other layer."""
    if node.class_name == "Activation":
        return {"linear": "linear", "binary_tanh": "sign"}.get(node.get_attr("activation"))
    if node.class_name == "BatchNormalization":
        return "norm"
    return "pool" if node.class_name == "Pooling2D" and node.get_attr("pool_op") == "Max" else None


def is_binary_product(node: Any) -> bool:
    """Whether a node is a dense layer or a convolution with binary weights."""
    quantizer = node.get_attr("weight_quantizer")
    binary = isinstance(quantizer, QKerasBinaryQuantizer) or getattr(quantizer, "bipolar", False)
    return node.class_name in ("Dense", "Conv2D") and bool(binary)


def keras_layer(model: Any, name: str) -> Any | None:
    """Return the Keras layer itself; None where the graph was not read from a Keras model, or holds no such layer."""
    keras = model.config.get_config_value("KerasModel")
    return next((layer for layer in getattr(keras, "layers", ()) if layer.name == name), None)


def check_weights(node: Any) -> None:
    """Refuse weights that no kernel, hls4ml's neither, takes as Keras does.

    Raises:
        ConfigError: naming the layer and what is allowed.
    """
    quantizer = getattr(node.get_attr("weight_quantizer"), "qkeras_config", None)
    if not isinstance(quantizer, dict) or node.class_name not in ("Dense", "Conv2D"):
        return
    kind, settings = quantizer["class_name"], quantizer["config"]
    if settings.get("use_01"):
        raise _not_binary(node, "use_01=True, whose weights are 0 and 1")
    if kind == "quantized_bits" and settings["bits"] == 1:
        raise _not_binary(node, "quantized_bits of 1 bit")
    keras = keras_layer(node.model, node.name)
    groups, dilation = getattr(keras, "groups", 1), getattr(keras, "dilation_rate", (1, 1))
    if groups != 1 or any(rate != 1 for rate in dilation):
        raise ConfigError(f"layer {node.name}: groups and dilation_rate must be 1, got {groups} and {dilation}")


def _not_binary(node: Any, found: str) -> ConfigError:
    return ConfigError(f"layer {node.name}: kernel quantizer must be binary(alpha=1), got {found}")


def check_product(node: Any) -> None:
    """Refuse what no packed kernel computes exactly.

    Raises:
        ConfigError: naming the layer and what is allowed.
    """
    quantizer = node.get_attr("weight_quantizer")
    config = getattr(quantizer, "qkeras_config", {"class_name": "binary", "config": {"alpha": 1}})
    kind, settings = config["class_name"], config["config"]
    if kind != "binary":
        raise _not_binary(node, kind)
    if settings.get("use_stochastic_rounding"):
        raise _not_binary(node, "use_stochastic_rounding=True")
    alpha = settings.get("alpha")
    if np.ndim(alpha) or alpha != 1:
        bare = ", as QKeras takes a bare 'binary'" if alpha == "auto_po2" else ""
        raise _not_binary(node, f"alpha={alpha!r}, which scales weights{bare}")
    use_bias = node.get_attr("use_bias")
    if use_bias or (use_bias is None and node.get_attr("bias_data") is not None):
        raise ConfigError(f"layer {node.name}: use_bias must be False; BatchNormalization has the offset already")
    if any(node.get_attr(f"pad_{side}", 0) for side in ("top", "bottom", "left", "right")):
        raise ConfigError(f"layer {node.name}: padding must be 'valid'; no bit means 0")
    _check_channels_last(node)


def _check_channels_last(node: Any) -> None:
    if node.get_attr("data_format", "channels_last") != "channels_last":
        raise ConfigError(f"layer {node.name}: data_format must be 'channels_last'")


def check_reshape(node: Any) -> None:
    """Refuse a Flatten that reorders: hls4ml keeps the order of an image.

    Raises:
        ConfigError: naming the layer.
    """
    if len(node.get_input_variable().shape) > 1:
        _check_channels_last(node)


def check_pool(pool: Any) -> None:
    """Refuse pooling that is more than an OR over windows side by side.

    Raises:
        ConfigError: naming the layer.
    """
    steps = [(pool.get_attr(f"pool_{side}"), pool.get_attr(f"stride_{side}")) for side in ("height", "width")]
    pads = [pool.get_attr(f"pad_{side}", 0) for side in ("top", "bottom", "left", "right")]
    if any(size != step for size, step in steps) or any(pads):
        raise ConfigError(f"layer {pool.name}: pooling must have padding 'valid' and strides equal to pool_size")
    _check_channels_last(pool)


def behind(model: Any, product: Any) -> Behind:
    """Return what belongs to a product.

    Raises:
        ConfigError: a sign whose layers stand in another order than the two that are exact.
    """
    chain = _walk(model, product)
    kinds = [kind for kind, _ in chain]
    if "sign" not in kinds:
        linears = []
        for kind, node in chain:
            if kind != "linear":
                break
            linears.append(node)
        return Behind(linears)
    found = Behind([node for kind, node in chain if kind == "linear"])
    order = [kind for kind in kinds if kind != "linear"]
    if order not in ORDERS:
        raise ConfigError(f"layer {product.name}: must be followed by {_ORDER}; got {', '.join(order)}")
    found.pools_first = order[0] == "pool"
    for kind, node in chain:
        if kind != "linear":
            setattr(found, kind, node)
    return found


def _walk(model: Any, product: Any) -> list[tuple[str, Any]]:
    """Follow the chain up to its sign, and one pooling beyond it."""
    chain: list[tuple[str, Any]] = []
    node = product
    while not is_output(model, node) and len(readers := followers(model, node)) == 1:
        node = readers[0]
        kind = kind_of(node)
        signed = any(known == "sign" for known, _ in chain)
        pooled = any(known == "pool" for known, _ in chain)
        if kind is None or (signed and (kind != "pool" or pooled)):
            break
        chain.append((kind, node))
    return chain


def folding_of(product: Any, n_in: int, n_out: int) -> Folding:
    """Return the folding that the configuration asks for: ``Folding``, or the one of its ``ReuseFactor``.

    Raises:
        ConfigError: it does not divide the layer.
    """
    asked = product.get_attr("folding")
    if asked is None:
        return choose_folding(product.name, n_in, n_out, int(product.model.config.get_reuse_factor(product)))
    if not isinstance(asked, dict) or set(asked) != {"pe", "simd"}:
        raise ConfigError(f"layer {product.name}: Folding must be {{'pe': P, 'simd': S}}, got {asked!r}")
    return check_folding(product.name, n_in, n_out, Folding(**asked))
