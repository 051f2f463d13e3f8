"""Thresholds learned per pixel: BatchNorm and sign in front of the network, folded exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from little_net import quarters, write_little

from xnorflow.base.errors import ConfigError
from xnorflow.base.keras_stack import import_keras, import_qkeras
from xnorflow.blocks import add_conv, add_dense, add_flatten, add_scores, start, with_learned_thresholds
from xnorflow.net.inputs import ALWAYS, LEARNED, NEVER, InputSettings
from xnorflow.net.spec import NetSpec
from xnorflow.sources.data.sets import DataSet
from xnorflow.sources.keras.extract import extract_file, extract_model, keras_scores
from xnorflow.sources.keras.file.read import load_model, save_model
from xnorflow.sources.training.settings import TrainConfig
from xnorflow.sources.training.train import _Trainer, build_network, train_network

# building TensorFlow graphs takes a second or two per network
few = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
GAMMAS = [0.0, -0.0, 1e-3, -1e-3, 1.0, -1.0, 0.37, -2.9]
VARIANCES = [0.0, 1e-6, 1.0, 3300.0, 1e6]
READS = InputSettings(1, LEARNED)
SHAPES = {"dense": (4, 5, 1), "conv": (4, 5, 2), "channels": (4, 5, 2)}
MODELS: dict[str, Any] = {}


def body(kind: str) -> Any:
    model = start("net", SHAPES[kind], flat=kind == "dense")
    if kind == "dense":
        add_dense(model, 6, "dense1")
    else:
        add_conv(model, 5, "conv1", pool=2)
        add_flatten(model)
    add_scores(model, 3)
    return model


def model_of(kind: str, scale: bool = True) -> Any:
    """Return a network with BatchNorm and sign in front: of each pixel, or of the channels."""
    if kind not in MODELS:
        keras, qkeras = import_keras(), import_qkeras()
        inner = body(kind)
        axis = -1 if kind == "channels" else list(range(1, len(inner.input_shape)))
        front = [keras.layers.BatchNormalization(axis, scale=scale, name="front"), qkeras.QActivation("binary")]
        behind = [type(layer).from_config(layer.get_config()) for layer in inner.layers]
        MODELS[kind] = keras.Sequential([keras.layers.InputLayer(inner.input_shape[1:]), *front, *behind], "net")
    return MODELS[kind]


def randomise(model: Any, random: np.random.Generator) -> Any:
    """Give the front the parameters that are hardest to fold: pixel values hit exactly, scales of 0."""
    front = model.get_layer("front")
    size = front.moving_mean.shape
    front.moving_mean.assign(random.integers(-9, 266, size) + random.choice([0, 0, 0.5], size))
    front.moving_variance.assign(random.choice(VARIANCES, size))
    front.beta.assign(np.where(random.random(size) < 0.5, 0, random.normal(0, 2, size)))
    if front.scale:
        front.gamma.assign(random.choice(GAMMAS, size))
    for layer in model.layers:
        if hasattr(layer, "kernel_quantizer"):
            layer.set_weights([random.uniform(-1, 1, layer.kernel.shape)])
    return model


def drawn(kind: str, seed: int, scale: bool = True) -> tuple[Any, NetSpec, np.random.Generator]:
    """Return a network with a random front, what extract makes of it, and the generator."""
    random = np.random.default_rng(seed)
    model = randomise(model_of(kind, scale), random)
    return model, extract_model(model, READS), random


def images_of(model: Any, random: np.random.Generator) -> np.ndarray:
    """Return images that show every pixel all 256 values, each beside other values of its neighbours."""
    shape = model.input_shape[1:]
    columns = [random.permutation(256) for _ in range(int(np.prod(shape)))]
    return np.stack(columns, axis=1).reshape(256, *shape).astype(np.uint8)


def assert_exact(model: Any, spec: NetSpec, random: np.random.Generator) -> None:
    images = images_of(model, random)
    assert np.array_equal(keras_scores(model, spec, images), spec.class_scores(images))


@few
@given(st.integers(0, 2**32))
def test_thresholds_equal_keras_on_all_256_values_of_each_pixel(seed):
    model, spec, random = drawn("dense", seed)
    images = images_of(model, random)
    sign = next(layer for layer in model.layers if layer.name.startswith("q_activation"))
    bits = import_keras().Model(model.input, sign.output).predict(images.astype(np.float32), verbose=0)
    encoded = spec.input.encode(images)
    # a pixel whose scale is negative comes out inverted, with its weights flipped
    flipped = (encoded == -bits).all(axis=0)
    assert (flipped | (encoded == bits).all(axis=0)).all()
    weights = np.where(np.asarray(model.get_layer("dense1").kernel) >= 0, 1, -1)
    signs = np.where(flipped & ~(encoded == bits).all(axis=0), -1, 1)
    first = bits @ weights
    assert np.array_equal(abs(spec.trace(images)["dense1"].sums), abs(first))
    assert np.array_equal(abs(encoded @ (weights * signs[:, None])), abs(first))
    assert_exact(model, spec, random)


@few
@given(st.integers(0, 2**32))
def test_convolutions_behind_thresholds_of_the_channels(seed):
    model, spec, random = drawn("channels", seed)
    assert len(np.unique(spec.input.thresholds.reshape(-1, 2), axis=0)) == 1
    assert_exact(model, spec, random)


@few
@given(st.integers(0, 2**32))
def test_convolutions_behind_thresholds_of_each_pixel(seed):
    model, spec, random = drawn("conv", seed, scale=False)
    assert len(np.unique(spec.input.thresholds)) > 2
    assert_exact(model, spec, random)


def test_a_convolution_cannot_flip_some_pixels_of_a_channel():
    MODELS.clear()
    model = model_of("conv")
    norm = model.get_layer("front")
    norm.moving_mean.assign(np.full(norm.moving_mean.shape, 100))
    extract_model(model, READS)
    gamma = np.ones(norm.gamma.shape)
    gamma[..., 1] = -1
    norm.gamma.assign(gamma)
    assert_exact(model, extract_model(model, READS), np.random.default_rng(0))
    gamma[..., 0, 0, 0] = -1
    norm.gamma.assign(gamma)
    with pytest.raises(ConfigError, match=r"layer conv1: .*one sign in each channel; train it with scale=False"):
        extract_model(model, READS)


def front_of(model: Any, mean: Any, beta: Any) -> Any:
    norm = model.get_layer("pixel_norm")
    norm.moving_mean.assign(mean)
    norm.beta.assign(beta)
    norm.moving_variance.assign(np.full(norm.beta.shape, 99.0))
    return model


def test_thresholds_by_hand():
    # deviation 10: +1 where (pixel - mean) / 10 + beta >= 0
    model = front_of(with_learned_thresholds(start_of(6)), [100, 100, 100, 100.5, 0, 300], [0, 1, -2, 0, 0.5, -1])
    spec = extract_model(model, READS)
    assert spec.input.thresholds[:, 0].tolist() == [100, 90, 120, 101, ALWAYS, NEVER]
    assert_exact(model, spec, np.random.default_rng(0))


def start_of(pixels: int) -> Any:
    model = start("net", (pixels,), flat=True)
    add_scores(model, 3)
    return model


def test_nan_is_refused():
    model = front_of(with_learned_thresholds(start_of(2)), [1, np.nan], [0, 0])
    with pytest.raises(ConfigError, match="layer pixel_norm: BatchNormalization holds NaN or infinity"):
        extract_model(model, READS)


def test_setting_and_network_must_agree():
    text = "network net: pixel_threshold must be learned where .*, and only there; it {} so, got {}"
    with pytest.raises(ConfigError, match=text.format("does not begin", "'learned'")):
        extract_model(start_of(2), READS)
    with pytest.raises(ConfigError, match=text.format("begins", "128")):
        extract_model(with_learned_thresholds(start_of(2)))
    with pytest.raises(ConfigError, match=text.format("begins", r"\[64, 128\]")):
        extract_model(with_learned_thresholds(start_of(2)), InputSettings(1, [64, 128]))


def test_a_saved_network_keeps_its_front(tmp_path):
    model = front_of(with_learned_thresholds(body("dense")), np.arange(20) * 9, np.linspace(-2, 2, 20))
    save_model(model, tmp_path / "net.h5", READS)
    loaded, found = load_model(tmp_path / "net.h5")
    assert found == READS
    spec = extract_file(tmp_path / "net.h5")
    assert np.array_equal(spec.input.thresholds, extract_model(model, READS).input.thresholds)
    assert_exact(loaded, spec, np.random.default_rng(0))


def uneven() -> DataSet:
    """Data that one threshold for all pixels tells little about: each pixel has a level of its own."""
    return quarters(np.random.default_rng(0).integers(0, 180, (6, 6)), noise=30, brighter=40)


@pytest.mark.parametrize("setting", [LEARNED, [60, 120, 180]])
def test_training_with_learned_and_with_several_thresholds(tmp_path, setting):
    network, data = write_little(tmp_path), uneven()
    config = TrainConfig(seed=3, epochs=6, batch_size=32, learning_rate=0.02, shift=0)
    trained = train_network(network, data, tmp_path / "out", config, InputSettings(1, setting))
    assert trained.card.input == InputSettings(1, setting)
    spec = extract_file(trained.path)
    assert trained.card.accuracy.test == (spec.predict(data.test.images) == data.test.labels).mean() > 0.5
    assert (spec.input.pixels, spec.input.bits_per_pixel) == (36, 1 if setting == LEARNED else 3)
    if setting == LEARNED:
        assert len(np.unique(spec.input.thresholds)) > 10


def test_checkpoint_of_another_input_is_not_resumed(tmp_path):
    network = write_little(tmp_path)
    config = TrainConfig(seed=3, epochs=1, batch_size=32, shift=0)
    weights = []
    for bits, setting in ((8, 128), (1, LEARNED)):
        # both read pixels, 36 of them
        trainer = _Trainer(network, uneven(), tmp_path / "out", config, InputSettings(bits, setting))
        weights.append(trainer.train(3)[0].get_weights())
        assert (tmp_path / "out" / "seed-3.npz").is_file()
    assert len(weights[1]) == len(weights[0]) + 3


def test_build_gets_the_shape_of_an_encoded_image(tmp_path):
    network = write_little(tmp_path)
    assert build_network(network, (6, 6, 2), 4, InputSettings(1, [1, 2, 3])).input_shape == (None, 216)
    assert build_network(network, (6, 6, 2), 4, READS).input_shape == (None, 72)
