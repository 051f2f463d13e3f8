"""A Keras model as a chain of groups: a product layer and what stands behind it.

Everything that has no exact binary equivalent is refused here, by name and with what to use instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xnorflow.base.errors import ConfigError, shown

# what may stand before the first product layer
FRONT = ("BatchNormalization", "QActivation")
# layers that do nothing at inference
TRAINING_ONLY = (
    *("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
    "ActivityRegularization",
)


@dataclass
class Group:
    """A product layer and the layers behind it, up to the next product layer."""

    product: Any
    after: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the product layer."""
        return str(self.product.name)


def read_groups(model: Any) -> list[Group]:
    """Return the groups of a Keras model; the last one gives the scores.

    Raises:
        ConfigError: the model is no chain, or a layer has no exact binary equivalent.
    """
    _check_chain(model)
    read_front(model)
    groups: list[Group] = []
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("QDense", "QConv2D"):
            _check_product(layer)
            groups.append(Group(layer))
        elif kind in ("InputLayer", *TRAINING_ONLY) or (kind in FRONT and not groups):
            continue
        elif kind in ("BatchNormalization", "QActivation", "MaxPooling2D", "Activation", "Softmax") and groups:
            groups[-1].after.append(layer)
        elif kind in ("Flatten", "Reshape"):
            _check_reshape(layer, groups)
            if groups:
                groups[-1].after.append(layer)
        else:
            raise not_binary(layer.name, kind)
    if not groups or type(groups[-1].product).__name__ != "QDense":
        raise ConfigError(f"network {model.name}: the last layer must be a QDense that gives the scores")
    return groups


def not_binary(layer: str, kind: str) -> ConfigError:
    """Return the error for a layer of another kind."""
    return ConfigError(
        f"layer {shown(layer)}: {kind} is not a binary layer; use QDense or QConv2D with "
        "kernel_quantizer=binary(alpha=1), BatchNormalization and QActivation('binary')"
    )


def wrong_kernel(layer: str, quantizer: str) -> ConfigError:
    """Return the error for a kernel quantizer that does not give +1 and -1."""
    return ConfigError(f"layer {shown(layer)}: kernel quantizer must be binary(alpha=1), got {quantizer}")


def wrong_sign(layer: str, activation: str) -> ConfigError:
    """Return the error for a QActivation that is not the sign."""
    advice = "; for a softmax behind the scores use Activation('softmax')" if "softmax" in activation else ""
    return ConfigError(f"layer {shown(layer)}: activation must be QActivation('binary'), got {activation}{advice}")


def inner_activation(layer: str, activation: str) -> ConfigError:
    """Return the error for an activation that a QDense or QConv2D has itself."""
    use = "Activation('softmax') behind the scores" if activation == "softmax" else "QActivation('binary')"
    return ConfigError(
        f"layer {shown(layer)}: an activation must be a layer of its own, such as {use}, got {activation}"
    )


def read_front(model: Any) -> list[Any]:
    """Return the layers that compare the pixels themselves, BatchNorm and sign, or none.

    Raises:
        ConfigError: only one of them stands before the first product layer, or more than these two.
    """
    front = []
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("QDense", "QConv2D"):
            break
        if kind in FRONT:
            front.append(layer)
    kinds = tuple(type(layer).__name__ for layer in front)
    if kinds not in ((), FRONT):
        raise ConfigError(
            f"layer {front[0].name}: before the first QDense or QConv2D may stand BatchNormalization and "
            f"QActivation('binary'), which are thresholds of the pixels; got {', '.join(kinds)}"
        )
    if front:
        _check_finite(front[0])
        _check_sign(front[1])
    return front


def _check_chain(model: Any) -> None:
    if not model.built or len(model.inputs or ()) != 1 or None in model.inputs[0].shape[1:]:
        raise ConfigError(
            f"network {model.name}: must have one input of a fixed shape; begin it with InputLayer(shape)"
        )
    if len(model.outputs) != 1 or model.outputs[0] is not model.layers[-1].output:
        raise ConfigError(f"network {model.name}: must have one output, that of its last layer")
    for before, after in zip(model.layers, model.layers[1:], strict=False):
        if isinstance(after.input, list) or after.input is not before.output:
            raise ConfigError(
                f"layer {after.name}: the network must be a chain; this layer does not follow {before.name}"
            )


def _check_product(layer: Any) -> None:
    quantizer = layer.kernel_quantizer_internal
    kind = type(quantizer).__name__
    if kind != "binary":
        raise wrong_kernel(layer.name, "none" if quantizer is None else kind)
    if quantizer.use_01:
        raise wrong_kernel(layer.name, "use_01=True, whose weights are 0 and 1")
    if quantizer.alpha not in (1, 1.0):
        bare = "; QKeras takes a bare 'binary' for that, so write alpha=1" if quantizer.alpha == "auto_po2" else ""
        raise wrong_kernel(layer.name, f"alpha={quantizer.alpha!r}, which scales the weights{bare}")
    if layer.use_bias:
        raise ConfigError(f"layer {layer.name}: use_bias must be False; BatchNormalization has the offset already")
    activation = _function(layer)
    if activation not in ("", "linear"):
        raise inner_activation(layer.name, activation)
    if type(layer).__name__ == "QConv2D":
        if layer.padding != "valid":
            raise ConfigError(f"layer {layer.name}: padding must be 'valid', got {layer.padding!r}; no bit means 0")
        if layer.dilation_rate != (1, 1) or layer.groups != 1:
            raise ConfigError(f"layer {layer.name}: dilation and groups must be 1")
        _check_channels_last(layer)


def _function(layer: Any) -> str:
    """Return the name of a layer's activation function, whether QKeras' or Keras', or an empty one."""
    function = layer.activation
    return "" if function is None else str(getattr(function, "__name__", type(function).__name__))


def _kind(layer: Any) -> str:
    """Return a layer's class, an Activation's with its function."""
    kind = type(layer).__name__
    return f"Activation({_function(layer)!r})" if kind == "Activation" else kind


def _check_channels_last(layer: Any) -> None:
    if layer.data_format != "channels_last":
        raise ConfigError(f"layer {layer.name}: data_format must be 'channels_last', got {layer.data_format!r}")


def _check_norm(layer: Any, group: Group) -> None:
    """A hidden layer's BatchNorm has one scale and one offset per neuron or channel."""
    product = group.product.output_shape
    if list(layer.axis) != [len(product) - 1] or len(layer.input.shape) != len(product):
        raise ConfigError(
            f"layer {layer.name}: BatchNormalization must normalise the channels of {group.name} "
            "(axis=-1, and before any Flatten)"
        )
    _check_finite(layer)


def _check_finite(layer: Any) -> None:
    if not all(np.isfinite(value).all() for value in layer.get_weights()):
        raise ConfigError(f"layer {layer.name}: BatchNormalization holds NaN or infinity; train the network again")


def _check_reshape(layer: Any, groups: list[Group]) -> None:
    if type(layer).__name__ == "Flatten" and layer.data_format == "channels_last":
        return
    size = layer.output_shape[1:]
    if groups and sorted(size, reverse=True) == [groups[-1].product.output_shape[-1], 1]:
        return
    raise ConfigError(
        f"layer {layer.name}: {type(layer).__name__} to {size} is not supported; use Flatten in HWC order"
    )


def pooling(group: Group) -> tuple[tuple[int, int], bool]:
    """Return the pooling window of a hidden group, and whether it stands before the sign.

    Raises:
        ConfigError: the group's layers stand in another order than the two that are exact.
    """
    kinds = [_kind(layer) for layer in group.after if type(layer).__name__ != "Flatten"]
    order = "pooling, BatchNormalization, QActivation('binary') or BatchNormalization, QActivation('binary'), pooling"
    if kinds.count("QActivation") != 1 or kinds.count("MaxPooling2D") > 1 or kinds.count("BatchNormalization") > 1:
        raise ConfigError(f"layer {group.name}: must be followed by {order}; got {', '.join(kinds) or 'nothing'}")
    if set(kinds) - {"QActivation", "MaxPooling2D", "BatchNormalization"}:
        raise ConfigError(f"layer {group.name}: must be followed by {order}; got {', '.join(kinds)}")
    sign = kinds.index("QActivation")
    if "BatchNormalization" in kinds and kinds.index("BatchNormalization") != sign - 1:
        raise ConfigError(f"layer {group.name}: BatchNormalization must stand right before QActivation('binary')")
    if "MaxPooling2D" not in kinds:
        return (1, 1), False
    layer = next(layer for layer in group.after if type(layer).__name__ == "MaxPooling2D")
    _check_channels_last(layer)
    if layer.padding != "valid" or layer.pool_size != layer.strides:
        raise ConfigError(f"layer {layer.name}: pooling must have padding 'valid' and strides equal to pool_size")
    return (int(layer.pool_size[0]), int(layer.pool_size[1])), kinds.index("MaxPooling2D") < sign


def sign_chain(group: Group) -> list[Any]:
    """Return BatchNorm (if any) and sign of a hidden group, checked.

    Raises:
        ConfigError: another activation, or a BatchNorm that is not one scale and offset per channel.
    """
    chain = [layer for layer in group.after if type(layer).__name__ in ("BatchNormalization", "QActivation")]
    for layer in chain:
        if type(layer).__name__ == "QActivation":
            _check_sign(layer)
        else:
            _check_norm(layer, group)
    return chain


def _check_sign(layer: Any) -> None:
    quantizer = layer.quantizer
    if type(quantizer).__name__ != "binary" or quantizer.use_01 or quantizer.alpha not in (None, 1, 1.0):
        raise wrong_sign(layer.name, str(getattr(layer.activation, "__name__", layer.activation)))


def score_norm(group: Group) -> Any:
    """Return the BatchNorm behind the scores, None where there is none.

    Raises:
        ConfigError: something else stands behind the scores than a BatchNorm and a softmax.
    """
    kinds = {layer: _kind(layer) for layer in group.after}
    chain = [layer for layer in kinds if kinds[layer] not in ("Flatten", "Reshape", "Activation('linear')")]
    order = ["Softmax" if kinds[layer] == "Activation('softmax')" else kinds[layer] for layer in chain]
    if order not in ([], ["Softmax"], ["BatchNormalization"], ["BatchNormalization", "Softmax"]):
        raise ConfigError(
            f"layer {group.name}: the scores may be followed by one BatchNormalization and then a softmax only, "
            f"or by neither; got {', '.join(kinds[layer] for layer in chain)}"
        )
    return chain[0] if "BatchNormalization" in order else None
