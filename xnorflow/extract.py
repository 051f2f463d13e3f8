"""From a trained Keras network to its NetSpec, exactly.

BatchNorm and sign fold into one integer threshold per neuron (Umuroglu et al. 2017, "FINN",
arXiv:1612.07119, section 4.2.2). No formula is used for it: the Keras layers themselves are
evaluated on every sum that a neuron can reach, so that their rounding is part of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.errors import ConfigError
from xnorflow.keras2 import import_keras
from xnorflow.modelfile import load_model
from xnorflow.spec import ConvSpec, DenseSpec, HiddenSpec, InputSpec, NetSpec, ScoreSpec

# Fraction bits of a per-class normalisation: with 20, scale and offset are off by 5e-7 at most.
FRACTION_BITS = 20
CHUNK = 4096

Fires = Callable[[NDArray[np.int64]], NDArray[np.bool_]]


@dataclass
class _Group:
    """A product layer and the layers behind it, up to the next product layer."""

    product: Any
    after: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.product.name)


def extract_file(path: Path, bits: int = 1, pixel_threshold: int = 128) -> NetSpec:
    """Read a network file and return its NetSpec; the file's own input settings win over the arguments."""
    model, settings = load_model(path)
    return extract(model, settings.get("bits", bits), settings.get("pixel_threshold", pixel_threshold))


def extract(model: Any, bits: int = 1, pixel_threshold: int = 128) -> NetSpec:
    """Return the NetSpec of a Keras model of binary layers.

    Args:
        model: Keras 2 model, a chain of layers; it reads +1/-1 (``bits == 1``) or pixels 0 to 255.
        bits: 1 or 8 bits per input pixel.
        pixel_threshold: the smallest pixel that counts as +1.

    Raises:
        ConfigError: a layer, quantizer or order of layers that has no exact binary equivalent, by name.
    """
    *hidden, last = _groups(model)
    shape = tuple(int(size) for size in model.input_shape[1:])
    source = InputSpec(shape, bits, pixel_threshold)
    layers: list[HiddenSpec] = []
    inverted: NDArray[np.bool_] = np.zeros(shape[-1], np.bool_)
    for group in hidden:
        largest = source.max_abs if not layers else 1
        layer, inverted = _hidden(group, _kernel(group, inverted), largest, 1 if bits == 8 and not layers else 2)
        layers.append(layer)
    return NetSpec(str(model.name), source, tuple(layers), _scores(last, _kernel(last, inverted)))


def keras_scores(model: Any, spec: NetSpec, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return Keras' own integer scores, shape (n, n_classes), of uint8 images.

    They are the output of the last product layer, before the normalisation: integers that
    float32 holds exactly, so no rounding stands between them and the golden model.
    """
    keras = import_keras()
    last = _groups(model)[-1]
    product = keras.Model(model.input, last.product.output)
    sums = product.predict(spec.input.encode(images).astype(np.float32), batch_size=1000, verbose=0)
    sums = sums.reshape(len(sums), -1)
    integers = np.rint(sums).astype(np.int64)
    if not np.array_equal(integers, sums):
        raise ConfigError(f"layer {last.name}: Keras gives scores that are not integers")
    sign = _score_sign(last)
    return spec.scores.normalise(integers if sign is None else integers * sign)


def _groups(model: Any) -> list[_Group]:
    _check_chain(model)
    groups: list[_Group] = []
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("QDense", "QConv2D"):
            _check_product(layer)
            groups.append(_Group(layer))
        elif kind in ("InputLayer", "Dropout"):
            continue
        elif kind in ("BatchNormalization", "QActivation", "MaxPooling2D", "Activation", "Softmax") and groups:
            groups[-1].after.append(layer)
        elif kind in ("Flatten", "Reshape"):
            _check_reshape(layer, groups)
            if groups:
                groups[-1].after.append(layer)
        else:
            raise ConfigError(
                f"layer {layer.name}: {kind} is not a binary layer; use QDense or QConv2D with "
                "kernel_quantizer=binary(alpha=1), BatchNormalization and QActivation('binary')"
            )
    if not groups or type(groups[-1].product).__name__ != "QDense":
        raise ConfigError(f"network {model.name}: the last layer must be a QDense that gives the scores")
    return groups


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
        raise ConfigError(f"layer {layer.name}: kernel quantizer must be binary(alpha=1), got {kind}")
    if quantizer.alpha not in (1, 1.0):
        raise ConfigError(
            f"layer {layer.name}: kernel quantizer must be binary(alpha=1), got alpha={quantizer.alpha!r}, "
            "which scales the weights"
        )
    if layer.use_bias:
        raise ConfigError(f"layer {layer.name}: use_bias must be False; BatchNormalization has the offset already")
    activation = layer.get_config().get("activation")
    if activation not in (None, "linear"):
        raise ConfigError(
            f"layer {layer.name}: activation must be a QActivation layer of its own, got {activation!r}"
        )
    if type(layer).__name__ == "QConv2D":
        if layer.padding != "valid":
            raise ConfigError(f"layer {layer.name}: padding must be 'valid', got {layer.padding!r}; no bit means 0")
        if layer.dilation_rate != (1, 1) or layer.groups != 1:
            raise ConfigError(f"layer {layer.name}: dilation and groups must be 1")
        _check_channels_last(layer)


def _check_channels_last(layer: Any) -> None:
    if layer.data_format != "channels_last":
        raise ConfigError(f"layer {layer.name}: data_format must be 'channels_last', got {layer.data_format!r}")


def _check_norm(layer: Any, group: _Group) -> None:
    """A hidden layer's BatchNorm has one scale and one offset per neuron or channel."""
    product = group.product.output_shape
    if list(layer.axis) != [len(product) - 1] or len(layer.input.shape) != len(product):
        raise ConfigError(
            f"layer {layer.name}: BatchNormalization must normalise the channels of {group.name} "
            "(axis=-1, and before any Flatten)"
        )
    if not all(np.isfinite(value).all() for value in layer.get_weights()):
        raise ConfigError(f"layer {layer.name}: BatchNormalization holds NaN or infinity; train the network again")


def _check_reshape(layer: Any, groups: list[_Group]) -> None:
    if type(layer).__name__ == "Flatten" and layer.data_format == "channels_last":
        return
    size = layer.output_shape[1:]
    if groups and sorted(size, reverse=True) == [groups[-1].product.output_shape[-1], 1]:
        return
    raise ConfigError(
        f"layer {layer.name}: {type(layer).__name__} to {size} is not supported; use Flatten in HWC order"
    )


def _kernel(group: _Group, inverted: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return the layer's weights with the inputs that arrive inverted flipped."""
    layer = group.product
    weights = np.asarray(layer.kernel_quantizer_internal(layer.kernel))
    if not np.isin(weights, (-1, 1)).all():
        raise ConfigError(f"layer {layer.name}: weights are not all +1 or -1 (NaN in the trained network?)")
    weights = weights.astype(np.int8)
    # Flatten keeps channels last, so input i of a dense layer belongs to channel i % channels
    channel = np.arange(weights.shape[-2]) % len(inverted)
    weights[..., inverted[channel], :] *= -1
    return weights


def _hidden(
    group: _Group, weights: NDArray[np.int8], largest: int, step: int
) -> tuple[HiddenSpec, NDArray[np.bool_]]:
    """Return the layer, and which of its outputs come out inverted."""
    pool, pooled_first = _pooling(group)
    n_in = int(np.prod(weights.shape[:-1]))
    first, last, falling = _scan(group, n_in * largest, step)
    n_out = weights.shape[-1]
    inverted = np.zeros(n_out, np.bool_)
    # a neuron that never fires: one above the largest sum, no further, as the types grow with it
    thresholds = np.minimum(first, n_in * largest + 1)
    if pooled_first:
        # max over sums is OR over bits only while the comparison stays >=; so keep the weights,
        # store NOT (sum <= last), and let the next layer flip the weights that read it
        inverted = falling
        thresholds[falling] = last[falling] + step
    else:
        weights = np.where(falling, -weights, weights).astype(np.int8)
        thresholds[falling] = -last[falling]
    if type(group.product).__name__ == "QDense":
        return DenseSpec(group.name, weights, thresholds.astype(np.int32)), inverted
    strides = (int(group.product.strides[0]), int(group.product.strides[1]))
    return ConvSpec(group.name, weights, thresholds.astype(np.int32), strides, pool), inverted


def _pooling(group: _Group) -> tuple[tuple[int, int], bool]:
    """Return the pooling window, and whether it stands before the sign."""
    kinds = [type(layer).__name__ for layer in group.after if type(layer).__name__ != "Flatten"]
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


def _scan(group: _Group, highest: int, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Evaluate BatchNorm and sign on every reachable sum.

    Returns:
        Per neuron: the smallest sum that gives +1 (``highest + step`` where none does), the
        largest that gives +1, and whether +1 lies below -1 (a negative BatchNorm scale).
    """
    fires = _fires(group)
    n_out = int(group.product.output_shape[-1])
    sums = np.arange(-highest, highest + 1, step)
    first = np.full(n_out, highest + step)
    last = np.full(n_out, -highest - step)
    count = np.zeros(n_out, np.int64)
    for start in range(0, len(sums), CHUNK):
        chunk = sums[start : start + CHUNK, None]
        on = fires(np.broadcast_to(chunk, (len(chunk), n_out)))
        count += on.sum(axis=0)
        first = np.minimum(first, np.where(on, chunk, highest + step).min(axis=0))
        last = np.maximum(last, np.where(on, chunk, -highest - step).max(axis=0))
    rising = (last == highest) | (count == 0)
    falling = ~rising & (first == -highest)
    if not (rising | falling).all() or not ((last - first) // step + 1 == count)[count > 0].all():
        neuron = int(np.argmin(rising | falling))
        raise ConfigError(f"layer {group.name}: neuron {neuron} has no single threshold (BatchNorm overflows?)")
    return first, last, falling


def _fires(group: _Group) -> Fires:
    """Return the function from sums (n, n_out) to whether Keras' BatchNorm and sign give +1."""
    keras = import_keras()
    chain = [layer for layer in group.after if type(layer).__name__ in ("BatchNormalization", "QActivation")]
    for layer in chain:
        if type(layer).__name__ == "QActivation":
            _check_sign(layer)
        else:
            _check_norm(layer, group)
    # the rank of the real activations, for Keras computes a 4-axis BatchNorm by another kernel
    axes = (1, 1) if len(group.product.output_shape) == 4 else ()
    inputs = keras.Input((*axes, group.product.output_shape[-1]))
    outputs = inputs
    for layer in chain:
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)

    def fires(sums: NDArray[np.int64]) -> NDArray[np.bool_]:
        values = sums.astype(np.float32).reshape(len(sums), *axes, -1)
        on: NDArray[np.bool_] = model.predict(values, batch_size=CHUNK, verbose=0).reshape(sums.shape) > 0
        return on

    return fires


def _check_sign(layer: Any) -> None:
    quantizer = layer.quantizer
    name = type(quantizer).__name__ if not callable(getattr(quantizer, "__name__", None)) else quantizer.__name__
    if name != "binary" or quantizer.use_01 or quantizer.alpha not in (None, 1, 1.0):
        raise ConfigError(f"layer {layer.name}: activation must be QActivation('binary'), got {layer.activation!s}")


def _score_norm(group: _Group) -> Any:
    """Return the BatchNorm behind the scores, None where there is none."""
    kinds = {layer: type(layer).__name__ for layer in group.after}
    kinds |= {layer: layer.activation.__name__.capitalize() for layer in kinds if kinds[layer] == "Activation"}
    chain = [layer for layer in kinds if kinds[layer] not in ("Flatten", "Reshape", "Linear")]
    order = [kinds[layer] for layer in chain]
    if order not in ([], ["Softmax"], ["BatchNormalization"], ["BatchNormalization", "Softmax"]):
        raise ConfigError(
            f"layer {group.name}: the scores may be followed by one BatchNormalization and then a softmax only; "
            f"got {', '.join(order)}"
        )
    return chain[0] if "BatchNormalization" in order else None


def _affine(norm: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scale and offset of a BatchNormalization, one each per channel."""
    size = int(norm.moving_mean.shape[0])
    gamma = norm.gamma.numpy().astype(np.float64) if norm.scale else np.ones(size)
    beta = norm.beta.numpy().astype(np.float64) if norm.center else np.zeros(size)
    scale = gamma / np.sqrt(norm.moving_variance.numpy().astype(np.float64) + norm.epsilon)
    offset = beta - norm.moving_mean.numpy() * scale
    if not (np.isfinite(scale).all() and np.isfinite(offset).all()):
        raise ConfigError(f"layer {norm.name}: BatchNormalization holds NaN or infinity; train the network again")
    return scale, offset


def _score_sign(group: _Group) -> int | None:
    """Return the sign of a scalar normalisation; None where the scores have one per class."""
    norm = _score_norm(group)
    if norm is None:
        return 1
    scale, _ = _affine(norm)
    if len(scale) > 1:
        return None
    if scale[0] == 0:
        raise ConfigError(f"layer {norm.name}: its scale is 0, so every class has the same score; train it again")
    return 1 if scale[0] > 0 else -1


def _scores(group: _Group, weights: NDArray[np.int8]) -> ScoreSpec:
    sign = _score_sign(group)
    if sign is not None:
        return ScoreSpec(group.name, (weights * sign).astype(np.int8))
    scale, offset = _affine(_score_norm(group))
    unit = 1 << FRACTION_BITS
    if max(np.abs(scale).max() * weights.shape[0], np.abs(offset).max()) * unit >= 2**52:
        raise ConfigError(f"layer {group.name}: the normalisation per class is too large for fixed point")
    return ScoreSpec(
        group.name,
        weights,
        np.rint(scale * unit).astype(np.int64),
        np.rint(offset * unit).astype(np.int64),
        FRACTION_BITS,
    )
