"""Building blocks of a binary network in QKeras, as ``keras_models/`` uses them.

Weights and activations are bipolar. The forward pass is ``sign``; the gradient is that of the
straight-through estimator that QKeras gives ``QActivation("binary")`` (the derivative of tanh),
after Courbariaux et al. 2016, arXiv:1602.02830. QKeras keeps the latent weights in [-1, 1].
"""

from __future__ import annotations

import math
from typing import Any

from xnorflow.base.errors import ConfigError
from xnorflow.base.keras_stack import import_keras, import_qkeras


def start(name: str, shape: tuple[int, ...], *, flat: bool) -> Any:
    """Return a ``Sequential`` that reads images of ``shape``, as one vector when ``flat``."""
    keras = import_keras()
    model = keras.Sequential(name=name)
    model.add(keras.layers.InputLayer((math.prod(shape),) if flat else shape, name="pixels"))
    return model


def with_learned_thresholds(model: Any) -> Any:
    """Return the network with a learned threshold for each pixel in front; it reads pixels 0 to 255.

    BatchNormalization of each pixel by itself, then sign: +1 where pixel >= mean - beta * deviation. It
    learns beta only, as a scale would change no sign, unless it turned negative.
    """
    keras, qkeras = import_keras(), import_qkeras()
    shape = tuple(model.input_shape[1:])
    whole = keras.Sequential(name=model.name)
    whole.add(keras.layers.InputLayer(shape, name="pixels"))
    axes = list(range(1, len(shape) + 1))
    # no deviation below one grey level: a pixel that is dark but once in a thousand images would get a huge scale
    whole.add(keras.layers.BatchNormalization(axes, 0.9, 1.0, scale=False, name="pixel_norm"))
    whole.add(qkeras.QActivation("binary", name="pixel_sign"))
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            # a copy, for a layer keeps the place that it was first given
            whole.add(type(layer).from_config(layer.get_config()))
    return whole


def add_dense(model: Any, neurons: int, name: str) -> None:
    """Add a binary dense layer: XNOR product, BatchNorm, sign."""
    qkeras = import_qkeras()
    model.add(qkeras.QDense(neurons, use_bias=False, kernel_quantizer=_bipolar(), name=name))
    _add_norm_and_sign(model, name)


def add_conv(model: Any, channels: int, name: str, *, kernel: int = 3, pool: int = 1) -> None:
    """Add a binary convolution without padding: XNOR product, max-pooling, BatchNorm, sign.

    Pooling stands before BatchNorm and sign, as in XNOR-Net (Rastegari et al. 2016, arXiv:1603.05279):
    there are sums to choose from, and a quarter as many values to normalise. In hardware it is an OR of
    bits all the same.

    Raises:
        ConfigError: what arrives is smaller than the kernel, or what leaves it than the pooling window.
    """
    keras, qkeras = import_keras(), import_qkeras()
    _check_size(model, name, "kernel", kernel)
    model.add(qkeras.QConv2D(channels, kernel, use_bias=False, kernel_quantizer=_bipolar(), name=name))
    _check_size(model, name, "pooling window", pool)
    if pool > 1:
        model.add(keras.layers.MaxPooling2D(pool, name=f"{name}_pool"))
    _add_norm_and_sign(model, name)


def _check_size(model: Any, name: str, what: str, size: int) -> None:
    rows, columns = model.output_shape[1:3]
    if min(rows, columns) < size:
        raise ConfigError(
            f"layer {name}: its {what} of {size}x{size} does not fit what arrives there, {rows}x{columns}; "
            "the images are too small for this network"
        )


def add_flatten(model: Any) -> None:
    """Add the step from an image to a vector, in HWC order."""
    model.add(import_keras().layers.Flatten(name="flatten"))


def add_scores(model: Any, classes: int) -> None:
    """Add the last layer: one integer score per class, then one scalar normalisation for all.

    BatchNormalization over a single channel learns one scale and one offset (TensorNorm in
    Brevitas' BNN-PYNQ examples). It conditions the loss and never changes the class.
    """
    keras, qkeras = import_keras(), import_qkeras()
    model.add(qkeras.QDense(classes, use_bias=False, kernel_quantizer=_bipolar(), name="scores"))
    model.add(keras.layers.Reshape((classes, 1), name="one_channel"))
    model.add(keras.layers.BatchNormalization(name="score_norm"))
    model.add(keras.layers.Flatten(name="logits"))


def _bipolar() -> Any:
    # a bare `binary` would silently learn power-of-two scales (alpha="auto_po2")
    return import_qkeras().binary(alpha=1)


def _add_norm_and_sign(model: Any, name: str) -> None:
    keras, qkeras = import_keras(), import_qkeras()
    model.add(keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-4, name=f"{name}_norm"))
    model.add(qkeras.QActivation("binary", name=f"{name}_sign"))
