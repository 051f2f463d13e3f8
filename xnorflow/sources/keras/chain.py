"""A Keras model as a chain of groups: a product layer and what stands behind it.

Everything that has no exact binary equivalent is refused here, by name and with what to use instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xnorflow.base.errors import ConfigError, shown
from xnorflow.net.rules import (
    check_channels_last,
    check_finite,
    check_kernel,
    check_pool,
    check_product,
    check_sign,
    pools_first,
)

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
        check_finite(front[0].name, front[0].get_weights())
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
    check_kernel(layer.name, *_quantizer(layer.kernel_quantizer_internal))
    activation = _function(layer)
    if activation not in ("", "linear"):
        raise inner_activation(layer.name, activation)
    conv = type(layer).__name__ == "QConv2D"
    check_product(
        layer.name,
        bias=layer.use_bias,
        padded=conv and layer.padding != "valid",
        groups=layer.groups if conv else 1,
        dilation=layer.dilation_rate if conv else (1, 1),
    )
    if conv:
        check_channels_last(layer.name, layer.data_format)


def _quantizer(quantizer: Any) -> tuple[str, dict[str, Any]]:
    """Return a quantizer's class and arguments."""
    if quantizer is None:
        return "none", {}
    names = ("alpha", "use_01", "use_stochastic_rounding")
    return type(quantizer).__name__, {name: getattr(quantizer, name, None) for name in names}


def _function(layer: Any) -> str:
    """Return the name of a layer's activation function, whether QKeras' or Keras', or an empty one."""
    function = layer.activation
    return "" if function is None else str(getattr(function, "__name__", type(function).__name__))


def _kind(layer: Any) -> str:
    """Return a layer's class, an Activation's with its function."""
    kind = type(layer).__name__
    return f"Activation({_function(layer)!r})" if kind == "Activation" else kind


def _check_norm(layer: Any, group: Group) -> None:
    """A hidden layer's BatchNorm has one scale and one offset per neuron or channel."""
    product = group.product.output_shape
    if list(layer.axis) != [len(product) - 1] or len(layer.input.shape) != len(product):
        raise ConfigError(
            f"layer {layer.name}: BatchNormalization must normalise the channels of {group.name} "
            "(axis=-1, and before any Flatten)"
        )
    check_finite(layer.name, layer.get_weights())


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
    behind = {_kind(layer): layer for layer in group.after if type(layer).__name__ != "Flatten"}
    first = pools_first(group.name, [_kind(layer) for layer in group.after if type(layer).__name__ != "Flatten"])
    layer = behind.get("MaxPooling2D")
    if layer is None:
        return (1, 1), False
    check_channels_last(layer.name, layer.data_format)
    check_pool(layer.name, layer.pool_size, layer.strides, padded=layer.padding != "valid")
    return (int(layer.pool_size[0]), int(layer.pool_size[1])), first


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
    label = str(getattr(layer.activation, "__name__", layer.activation))
    check_sign(layer.name, *_quantizer(layer.quantizer), label)


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
