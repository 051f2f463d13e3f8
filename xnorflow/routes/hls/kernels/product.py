"""Chains in hls4ml's graph: a binary product and the layers that belong to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hls4ml.model.quantizers import QKerasBinaryQuantizer

from xnorflow.base.errors import ConfigError
from xnorflow.net.folding import Folding, check_folding, choose_folding
from xnorflow.net.rules import (
    NORM,
    POOL,
    SIGN,
    check_channels_last,
    check_kernel,
    check_pool,
    check_product,
    pools_first,
    wrong_kernel,
)

# kinds as they are called here, as Keras' layers
_KERAS_KINDS = {"norm": NORM, "sign": SIGN, "pool": POOL}
_SIDES = ("top", "bottom", "left", "right")


@dataclass
class Followers:
    """What belongs to a product, of the layers that follow it.

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
        check_kernel(node.name, "binary", settings)
    if kind == "quantized_bits" and settings["bits"] == 1:
        raise wrong_kernel(node.name, "quantized_bits of 1 bit")
    check_product(node.name, bias=False, padded=False, **_spread(node))


def _spread(node: Any) -> dict[str, Any]:
    keras = keras_layer(node.model, node.name)
    return {"groups": getattr(keras, "groups", 1), "dilation": getattr(keras, "dilation_rate", (1, 1))}


def check_binary(node: Any) -> None:
    """Refuse what no packed kernel computes exactly.

    Raises:
        ConfigError: naming the layer and what is allowed.
    """
    quantizer = node.get_attr("weight_quantizer")
    config = getattr(quantizer, "qkeras_config", {"class_name": "binary", "config": {"alpha": 1}})
    check_kernel(node.name, config["class_name"], config["config"])
    use_bias = node.get_attr("use_bias")
    bias = use_bias or (use_bias is None and node.get_attr("bias_data") is not None)
    padded = any(node.get_attr(f"pad_{side}", 0) for side in _SIDES)
    check_product(node.name, bias=bool(bias), padded=padded, **_spread(node))
    _check_format(node)


def _check_format(node: Any) -> None:
    check_channels_last(node.name, node.get_attr("data_format", "channels_last"))


def check_reshape(node: Any) -> None:
    """Refuse a Flatten that reorders: hls4ml keeps the order of an image.

    Raises:
        ConfigError: naming the layer.
    """
    if len(node.get_input_variable().shape) > 1:
        _check_format(node)


def check_pooling(pool: Any) -> None:
    """Refuse pooling that is more than an OR over windows side by side.

    Raises:
        ConfigError: naming the layer.
    """
    size, strides = ([pool.get_attr(f"{what}_{side}") for side in ("height", "width")] for what in ("pool", "stride"))
    check_pool(pool.name, size, strides, padded=any(pool.get_attr(f"pad_{side}", 0) for side in _SIDES))
    _check_format(pool)


def followers_of(model: Any, product: Any) -> Followers:
    """Return what belongs to a product.

    Raises:
        ConfigError: a sign whose layers stand in another order than those that are exact.
    """
    chain = _walk(model, product)
    kinds = [kind for kind, _ in chain]
    if "sign" not in kinds:
        first_other = next((at for at, kind in enumerate(kinds) if kind != "linear"), len(kinds))
        return Followers([node for _, node in chain[:first_other]])
    found = Followers([node for kind, node in chain if kind == "linear"])
    found.pools_first = pools_first(product.name, [_KERAS_KINDS[kind] for kind in kinds if kind != "linear"])
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
