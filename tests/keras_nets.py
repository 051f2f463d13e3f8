"""Small Keras networks of binary layers, with the weights that are hardest to fold."""

from __future__ import annotations

from typing import Any

import numpy as np

from xnorflow.base.keras_stack import import_keras, import_qkeras
from xnorflow.net.spec import NetSpec
from xnorflow.sources.keras.extract import keras_scores

GAMMAS = [0.0, -0.0, 1e-3, -1e-3, 1.0, -1.0, 0.37, -2.9, 1e6, -1e6]
VARIANCES = [0.0, 1e-6, 1.0, 3.3, 1e6]


def dense(units: int, name: str, **options: Any) -> Any:
    qkeras = import_qkeras()
    quantizer = options.pop("kernel_quantizer", qkeras.binary(alpha=1))
    return qkeras.QDense(
        units, use_bias=options.pop("use_bias", False), kernel_quantizer=quantizer, name=name, **options
    )


def conv(channels: int, name: str, kernel: Any = 3, **options: Any) -> Any:
    qkeras = import_qkeras()
    quantizer = options.pop("kernel_quantizer", qkeras.binary(alpha=1))
    use_bias = options.pop("use_bias", False)
    return qkeras.QConv2D(channels, kernel, use_bias=use_bias, kernel_quantizer=quantizer, name=name, **options)


def norm(name: str | None = None, **options: Any) -> Any:
    return import_keras().layers.BatchNormalization(name=name, **options)


def sign(name: str | None = None, activation: Any = "binary") -> Any:
    return import_qkeras().QActivation(activation, name=name)


def pool(size: Any, name: str | None = None, **options: Any) -> Any:
    return import_keras().layers.MaxPooling2D(size, name=name, **options)


def flatten() -> Any:
    return import_keras().layers.Flatten()


def chain(shape: tuple[int, ...], *layers: Any) -> Any:
    keras = import_keras()
    return keras.Sequential([keras.layers.InputLayer(shape), *layers], name="net")


def randomise(model: Any, random: np.random.Generator) -> Any:
    """Give every layer the weights that are hardest to fold: see GAMMAS, and means that sums hit."""
    for layer in model.layers:
        if hasattr(layer, "kernel_quantizer"):
            kernel = random.uniform(-1, 1, layer.kernel.shape)
            kernel[random.random(kernel.shape) < 0.1] = 0
            layer.set_weights([kernel])
            n_in = int(np.prod(kernel.shape[:-1]))
        elif type(layer).__name__ == "BatchNormalization":
            size = layer.moving_mean.shape[0]
            layer.moving_mean.assign(random.integers(-n_in, n_in + 1, size).astype(np.float32))
            layer.moving_variance.assign(random.choice(VARIANCES, size).astype(np.float32))
            if layer.scale:
                layer.gamma.assign(random.choice(GAMMAS, size).astype(np.float32))
            if layer.center:
                beta = np.where(random.random(size) < 0.6, 0, random.normal(0, 2, size))
                layer.beta.assign(beta.astype(np.float32))
    return model


def some_images(shape: tuple[int, ...], random: np.random.Generator, n: int = 93) -> np.ndarray:
    """Return images from all dark to all bright, a hundred or so: not a multiple of any vector width."""
    images = random.integers(0, 256, (n, *shape), dtype=np.uint8)
    share = random.random((n, *[1] * len(shape)))
    bright = random.random((n, *shape)) < share
    images = np.where(bright, images | 128, images & 127).astype(np.uint8)
    return np.concatenate([images, np.zeros((1, *shape), np.uint8), np.full((1, *shape), 255, np.uint8)])


def assert_exact(model: Any, spec: NetSpec, images: np.ndarray) -> np.ndarray:
    """Check integer scores two ways: Keras' sums, and the plain predict of the whole model."""
    expected = spec.class_scores(images)
    assert np.array_equal(keras_scores(model, spec, images), expected)
    logits = model.predict(spec.input.encode(images).astype(np.float32), batch_size=50, verbose=0)
    return logits.reshape(expected.shape)


def score_model(*after: Any) -> Any:
    return chain((9,), dense(5, "d"), norm("n"), sign(), dense(4, "scores"), *after)


def one_channel() -> list[Any]:
    keras = import_keras()
    return [keras.layers.Reshape((4, 1)), norm("score_norm"), keras.layers.Flatten()]
