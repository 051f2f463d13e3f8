"""From a trained Keras network to its NetSpec, exactly.

BatchNorm and sign fold into one integer threshold per neuron (``thresholds.py``): the Keras layers
themselves are evaluated on every sum that a neuron can reach.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.checks import got
from xnorflow.base.errors import ConfigError
from xnorflow.base.keras_stack import import_keras
from xnorflow.net.inputs import LEARNED, InputSettings, InputSpec
from xnorflow.net.layers import ConvSpec, DenseSpec, HiddenSpec, ScoreSpec
from xnorflow.net.names import derive_names
from xnorflow.net.spec import NetSpec
from xnorflow.net.thresholds import CHUNK, Fires, find_edges, fold
from xnorflow.sources.keras.chain import Group, pooling, read_front, read_groups, score_norm, sign_chain
from xnorflow.sources.keras.file.read import bipolar_kernel, load_model

# Fraction bits of a per-class normalisation: with 20, scale and offset are off by 5e-7 at most.
FRACTION_BITS = 20


def extract_file(path: str | Path, settings: InputSettings | None = None) -> NetSpec:
    """Read a network file and return its NetSpec; what the file itself says of its input wins over ``settings``.

    Raises:
        XnorflowError: as ``load_model`` and ``extract_model``.
    """
    model, own = load_model(path)
    return extract_model(model, own or settings)


def extract_model(model: Any, settings: InputSettings | None = None) -> NetSpec:
    """Return the NetSpec of a Keras model of binary layers.

    Args:
        model: Keras 2 model, a chain of layers; it reads +1/-1, or pixels 0 to 255.
        settings: what it reads of an image, the defaults of InputSettings where None; thresholds are learned
            where the model reads pixels and compares them itself.

    A layer or network whose name could not be an identifier gets the nearest name that can.

    Raises:
        ConfigError: a layer, quantizer or order of layers that has no exact binary equivalent, by name.
    """
    settings = settings or InputSettings()
    groups = read_groups(model)
    *hidden, last = groups
    network, *names = (*derive_names([str(model.name)], "network"), *derive_names([group.name for group in groups]))
    source, inverted = _input(model, groups[0], settings)
    layers: list[HiddenSpec] = []
    for group, name in zip(hidden, names, strict=False):
        largest = source.max_abs if not layers else 1
        layer, inverted = _hidden(
            group, name, _kernel(group, inverted), largest, 1 if settings.bits == 8 and not layers else 2
        )
        layers.append(layer)
    largest = 1 if layers else source.max_abs
    return NetSpec(network, source, tuple(layers), _scores(last, names[-1], _kernel(last, inverted), largest))


def _input(model: Any, group: Group, settings: InputSettings) -> tuple[InputSpec, NDArray[np.bool_]]:
    """Return what the network reads, and which inputs of its first layer ``group`` come out inverted."""
    shape = tuple(int(size) for size in model.input_shape[1:])
    front = read_front(model)
    if bool(front) != settings.learned:
        begins = "begins" if front else "does not begin"
        raise ConfigError(
            f"network {model.name}: pixel_threshold must be {LEARNED} where the network begins with "
            f"BatchNormalization and QActivation('binary'), and only there; it {begins} so, "
            f"got {got(settings.pixel_threshold)}"
        )
    if settings.learned:
        return _learned(model, shape, group)
    return settings.keras_input(shape), np.zeros(shape[-1], np.bool_)


def _learned(model: Any, shape: tuple[int, ...], group: Group) -> tuple[InputSpec, NDArray[np.bool_]]:
    """Evaluate BatchNorm and sign of the pixels on every value that each of them can have."""
    keras = import_keras()
    sign = keras.Model(model.input, read_front(model)[-1].output)

    def fires(pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
        values = pixels.astype(np.float32).reshape(-1, *shape)
        on: NDArray[np.bool_] = sign.predict(values, batch_size=CHUNK, verbose=0).reshape(pixels.shape) > 0
        return on

    edges = find_edges("pixels", fires, np.arange(256), math.prod(shape))
    inverted = edges.falling
    # a pixel that fires up to `last` is one that fires from `last + 1`, inverted
    thresholds = np.where(inverted, edges.last + 1, edges.first)
    source = InputSpec(shape, 1, thresholds.reshape(-1, 1))
    if type(group.product).__name__ == "QConv2D":
        channels = inverted.reshape(-1, shape[-1])
        if (channels != channels[0]).any():
            raise ConfigError(
                f"layer {group.name}: a convolution has one weight for many pixels, so the scales of the pixels' "
                "BatchNormalization must have one sign in each channel; train it with scale=False"
            )
        inverted = channels[0]
    return source, inverted


def keras_values(model: Any, spec: NetSpec, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what Keras reads of images: pixels where it compares them itself, else what the network reads."""
    source = InputSpec(spec.input.shape, 8) if read_front(model) else spec.input
    return source.encode(images).astype(np.float32)


def keras_scores(model: Any, spec: NetSpec, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return Keras' own integer scores, shape (n, n_classes), of uint8 images.

    They are the output of the last product layer, before the normalisation: integers that
    float32 holds exactly, so no rounding stands between them and the golden model.
    """
    keras = import_keras()
    last = read_groups(model)[-1]
    product = keras.Model(model.input, last.product.output)
    sums = product.predict(keras_values(model, spec, images), batch_size=1000, verbose=0)
    sums = sums.reshape(len(sums), -1)
    integers = np.rint(sums).astype(np.int64)
    if not np.array_equal(integers, sums):
        raise ConfigError(f"layer {last.name}: Keras gives scores that are not integers")
    sign = _score_sign(last)
    return spec.scores.normalise(integers if sign is None else integers * sign)


def keras_classes(
    model: Any, spec: NetSpec, images: NDArray[np.uint8], scores: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the classes that Keras gives, shape (n,), knowing its integer ``scores``.

    They are those of the integer scores, but for a normalisation per class: there Keras' own float
    scores decide, so that a class that the fixed-point normalisation changes is seen.
    """
    deciding: NDArray[Any] = scores
    if spec.scores.scale is not None:
        deciding = model.predict(keras_values(model, spec, images), batch_size=1000, verbose=0)
    classes: NDArray[np.int64] = deciding.reshape(len(images), -1).argmax(axis=1)
    return classes


def _kernel(group: Group, inverted: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return the layer's weights with the inputs that arrive inverted flipped."""
    layer = group.product
    weights: NDArray[np.int8] = bipolar_kernel(layer).astype(np.int8)
    # Flatten keeps channels last, so input i of a dense layer belongs to channel i % channels
    channel = np.arange(weights.shape[-2]) % len(inverted)
    weights[..., inverted[channel], :] *= -1
    return weights


def _hidden(
    group: Group, name: str, weights: NDArray[np.int8], largest: int, step: int
) -> tuple[HiddenSpec, NDArray[np.bool_]]:
    """Return the layer, and which of its outputs come out inverted."""
    pool, pools_first = pooling(group)
    folded = fold(group.name, _fires(group), weights, largest, step, pools_first=pools_first)
    thresholds = folded.thresholds.astype(np.int32)
    if type(group.product).__name__ == "QDense":
        return DenseSpec(name, folded.weights, thresholds), folded.inverted
    strides = (int(group.product.strides[0]), int(group.product.strides[1]))
    return ConvSpec(name, folded.weights, thresholds, strides, pool), folded.inverted


def _fires(group: Group) -> Fires:
    """Return the function from sums (n, n_out) to whether Keras' BatchNorm and sign give +1."""
    keras = import_keras()
    # the rank of the real activations, for Keras computes a 4-axis BatchNorm by another kernel
    axes = (1, 1) if len(group.product.output_shape) == 4 else ()
    inputs = keras.Input((*axes, group.product.output_shape[-1]))
    outputs = inputs
    for layer in sign_chain(group):
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)

    def fires(sums: NDArray[np.int64]) -> NDArray[np.bool_]:
        values = sums.astype(np.float32).reshape(len(sums), *axes, -1)
        on: NDArray[np.bool_] = model.predict(values, batch_size=CHUNK, verbose=0).reshape(sums.shape) > 0
        return on

    return fires


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


def _score_sign(group: Group) -> int | None:
    """Return the sign of a scalar normalisation; None where the scores have one per class."""
    norm = score_norm(group)
    if norm is None:
        return 1
    scale, _ = _affine(norm)
    if len(scale) > 1:
        return None
    if scale[0] == 0:
        raise ConfigError(f"layer {norm.name}: its scale is 0, so every class has the same score; train it again")
    return 1 if scale[0] > 0 else -1


def _scores(group: Group, name: str, weights: NDArray[np.int8], largest: int) -> ScoreSpec:
    sign = _score_sign(group)
    if sign is not None:
        return ScoreSpec(name, (weights * sign).astype(np.int8))
    scale, offset = _affine(score_norm(group))
    unit = 1 << FRACTION_BITS
    if max(np.abs(scale).max() * weights.shape[0] * largest, np.abs(offset).max()) * unit >= 2**52:
        raise ConfigError(f"layer {group.name}: the normalisation per class is too large for fixed point")
    return ScoreSpec(
        name,
        weights,
        np.rint(scale * unit).astype(np.int64),
        np.rint(offset * unit).astype(np.int64),
        FRACTION_BITS,
    )
