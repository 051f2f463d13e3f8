"""Extraction against Keras: every integer score equal, on random and on hard networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras_nets import (
    assert_exact,
    chain,
    conv,
    dense,
    flatten,
    norm,
    one_channel,
    pool,
    randomise,
    score_model,
    sign,
    some_images,
)

from xnorflow.base.keras_stack import import_keras
from xnorflow.net.inputs import InputSettings
from xnorflow.net.layers import ConvSpec
from xnorflow.sources.keras.extract import FRACTION_BITS, extract_file, extract_model
from xnorflow.sources.keras.file.read import save_model

# building TensorFlow graphs takes about a second per network
few = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


norms = st.sampled_from([{}, {}, {}, {"scale": False}, {"center": False}, {"scale": False, "center": False}, None])


def hidden_dense(draw: st.DrawFn, index: int) -> list[Any]:
    options = draw(norms)
    middle = [] if options is None else [norm(f"n{index}", **options)]
    return [dense(draw(st.integers(1, 9)), f"dense{index}"), *middle, sign(f"s{index}")]


@st.composite
def dense_models(draw: st.DrawFn) -> Any:
    shape = (draw(st.integers(1, 20)),)
    layers = [layer for index in range(draw(st.integers(0, 2))) for layer in hidden_dense(draw, index)]
    return shape, [*layers, dense(draw(st.integers(1, 4)), "scores")]


@st.composite
def conv_models(draw: st.DrawFn) -> Any:
    size = [draw(st.integers(3, 8)), draw(st.integers(3, 8))]
    shape, layers = (*size, draw(st.integers(1, 2))), []
    for index in range(draw(st.integers(1, 2))):
        kernel = [draw(st.integers(1, min(3, side))) for side in size]
        # TensorFlow's convolution on the CPU needs equal strides
        stride = draw(st.integers(1, 2))
        size = [(side - k) // stride + 1 for side, k in zip(size, kernel, strict=True)]
        windows = [draw(st.integers(1, min(2, side))) for side in size]
        where = draw(st.sampled_from(["none", "before", "before", "after"]))
        if where != "none":
            size = [side // window for side, window in zip(size, windows, strict=True)]
        options = draw(norms)
        layers += [
            conv(draw(st.integers(1, 9)), f"conv{index}", kernel, strides=stride),
            *([pool(windows, f"p{index}")] if where == "before" else []),
            *([] if options is None else [norm(f"n{index}", **options)]),
            sign(f"s{index}"),
            *([pool(windows, f"p{index}")] if where == "after" else []),
        ]
    layers += [flatten(), *(hidden_dense(draw, 7) if draw(st.booleans()) else [])]
    return shape, [*layers, dense(draw(st.integers(1, 4)), "scores")]


def check_without_score_norm(parts: Any, bits: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    shape, layers = parts
    model = randomise(chain(shape, *layers), random)
    spec = extract_model(model, InputSettings(bits, int(random.integers(1, 256))))
    images = some_images(shape, random)
    assert np.array_equal(assert_exact(model, spec, images), spec.class_scores(images))


@few
@given(dense_models(), st.sampled_from([1, 8]), st.integers(0, 2**32))
def test_random_dense_networks(parts, bits, seed):
    check_without_score_norm(parts, bits, seed)


@few
@given(conv_models(), st.sampled_from([1, 8]), st.integers(0, 2**32))
def test_random_convolutional_networks(parts, bits, seed):
    check_without_score_norm(parts, bits, seed)


@few
@given(st.integers(0, 2**32), st.sampled_from([1, 8]))
def test_networks_of_three_layers(seed, bits):
    """Two fixed shapes, many weights: graphs are built once per shape and rank."""
    random = np.random.default_rng(seed)
    model = randomise(three_layers(bool(seed % 2)), random)
    spec = extract_model(model, InputSettings(bits))
    images = some_images(spec.input.shape, random)
    assert np.array_equal(assert_exact(model, spec, images), spec.class_scores(images))


MODELS: dict[Any, Any] = {}


def three_layers(flat: bool) -> Any:
    if flat not in MODELS:
        head = [dense(9, "d2"), norm("n2"), sign("s2"), dense(3, "scores")]
        if flat:
            MODELS[flat] = chain((17,), dense(8, "d1"), norm("n1"), sign("s1"), *head)
        else:
            first = [conv(8, "c1", 3), pool(2, "p1"), norm("n1"), sign("s1")]
            MODELS[flat] = chain((8, 7, 1), *first, flatten(), *head)
    return MODELS[flat]


def one_neuron(gamma: float, mean: float, beta: float, *, before: bool) -> Any:
    """4 inputs, weights all +1, one neuron; as a convolution with pooling before or after the sign."""
    keras = import_keras()
    order = [pool((1, 2)), norm("n"), sign()] if before else [norm("n"), sign(), pool((1, 2))]
    model = chain((2, 3, 1), conv(1, "c", 2), *order, flatten(), dense(1, "scores"))
    for layer in model.layers:
        if hasattr(layer, "kernel_quantizer"):
            layer.set_weights([np.ones(layer.kernel.shape)])
    model.get_layer("n").set_weights([np.array([value], np.float32) for value in (gamma, beta, mean, 0.999)])
    assert isinstance(model.get_layer("n"), keras.layers.BatchNormalization)
    return model


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("gamma", [1.0, -1.0, 1e-6, -1e-6, 1e6, -1e6])
@pytest.mark.parametrize("mean", [0.0, 2.0, -4.0, 4.0])
def test_sum_of_exactly_zero_is_plus_one(before, gamma, mean):
    """At sum == mean Keras' BatchNorm gives 0 and QActivation('binary') gives +1."""
    spec = extract_model(one_neuron(gamma, mean, 0.0, before=before))
    images = np.array([[[(i >> bit & 1) * 255] for bit in range(6)] for i in range(64)], np.uint8).reshape(
        64, 2, 3, 1
    )
    x = np.where(images >= 128, 1, -1).astype(np.int64)[..., 0]
    sums = np.stack([x[:, :, :2].sum(axis=(1, 2)), x[:, :, 1:].sum(axis=(1, 2))], axis=1)
    if before:
        fires = np.sign(gamma) * (sums.max(axis=1) - mean) >= 0
    else:
        fires = (np.sign(gamma) * (sums - mean) >= 0).any(axis=1)
    assert np.array_equal(spec.class_scores(images)[:, 0], np.where(fires, 1, -1))


@pytest.mark.parametrize(("beta", "score"), [(3.0, 1), (0.0, 1), (-3.0, -1)])
@pytest.mark.parametrize("before", [True, False])
def test_batchnorm_scale_of_zero_makes_a_constant(before, beta, score):
    spec = extract_model(one_neuron(0.0, 1.0, beta, before=before))
    images = some_images((2, 3, 1), np.random.default_rng(0))
    assert spec.class_scores(images).tolist() == [[score]] * len(images)
    threshold = spec.hidden[0].thresholds[0]
    assert threshold == (-4 if score == 1 else 5), "no further out than it takes, for types grow with it"


def test_neuron_that_never_fires_has_a_threshold_one_above_its_largest_sum():
    model = chain((7,), dense(2, "d", kernel_initializer="ones"), norm("n"), sign(), dense(2, "scores"))
    low, one, zero = np.array([-1e5, 0], np.float32), np.ones(2, np.float32), np.zeros(2, np.float32)
    model.get_layer("n").set_weights([one, low, zero, one])
    assert extract_model(model).hidden[0].thresholds.tolist() == [8, 1]
    assert extract_model(model, InputSettings(8)).hidden[0].thresholds.tolist() == [7 * 255 + 1, 0]
    model.get_layer("n").set_weights([-one, low, zero, one])
    assert extract_model(model).hidden[0].thresholds.tolist() == [8, 1]


@pytest.mark.parametrize("gamma", [1.0, 2.5, 1e-3, -1e-3, -7.0])
@pytest.mark.parametrize("softmax", [False, True])
def test_one_normalisation_for_all_scores_leaves_integers(gamma, softmax):
    keras = import_keras()
    after = [*one_channel(), *([keras.layers.Softmax()] if softmax else [])]
    random = np.random.default_rng(5)
    model = randomise(score_model(*after), random)
    layer = model.get_layer("score_norm")
    layer.set_weights([np.array([value], np.float32) for value in (gamma, 0.3, -1.0, 2.0)])
    spec = extract_model(model)
    assert (spec.scores.scale, spec.scores.offset, spec.scores.fraction_bits) == (None, None, 0)
    images = some_images((9,), random, 400)
    logits = assert_exact(model, spec, images)
    scores = spec.class_scores(images)
    # float scores of equal integers may differ in their last digit, so compare the order of unequal ones
    higher = scores[:, :, None] > scores[:, None, :]
    assert (logits[:, :, None] > logits[:, None, :])[higher].all()
    assert (scores == scores.max(axis=1, keepdims=True)).sum() > len(scores), "no ties among these images"
    assert np.array_equal(spec.predict(images), [row.tolist().index(max(row)) for row in scores])


@settings(few, max_examples=10)
@given(st.integers(0, 2**32))
def test_normalisation_per_class_is_close_to_keras(seed):
    random = np.random.default_rng(seed)
    if "per class" not in MODELS:
        MODELS["per class"] = score_model(norm("score_norm"))
    model = randomise(MODELS["per class"], random)
    gamma = random.choice([-2.0, -0.5, 0.0, 0.3, 1.0, 3.0], 4)
    rest = [random.normal(0, 1, 4), random.integers(-5, 6, 4), random.uniform(0.5, 3, 4)]
    model.get_layer("score_norm").set_weights([np.asarray(value, np.float32) for value in (gamma, *rest)])
    spec = extract_model(model)
    images = some_images((9,), random)
    logits = assert_exact(model, spec, images).astype(np.float64)
    scores = spec.class_scores(images)
    assert spec.scores.fraction_bits == FRACTION_BITS
    # scale and offset are each off by half a unit at most, the rest is float32's own rounding
    close = (spec.scores.n_in + 1) * 0.5 / 2**FRACTION_BITS + 1e-5
    assert np.abs(scores / 2**FRACTION_BITS - logits).max() <= close
    top = np.sort(logits, axis=1)
    clear = top[:, -1] - top[:, -2] > 2 * close
    assert np.array_equal(spec.predict(images)[clear], logits.argmax(axis=1)[clear])


def test_input_settings_of_the_file_win(tmp_path):
    model = score_model()
    save_model(model, tmp_path / "n.h5", InputSettings(8, 77))
    spec = extract_file(tmp_path / "n.h5", InputSettings(1, 5))
    assert (spec.input.bits, spec.input.thresholds.tolist()) == (8, [[77]])
    model.save(tmp_path / "plain.h5")
    spec = extract_file(tmp_path / "plain.h5", InputSettings(1, 5))
    assert (spec.input.bits, spec.input.thresholds.tolist()) == (1, [[5]])


def test_dropout_and_names_are_kept_out_of_and_in_the_network():
    keras = import_keras()
    model = chain((4,), dense(3, "first"), sign(), keras.layers.Dropout(0.5), dense(2, "last"))
    spec = extract_model(model)
    assert spec.name == "net" and [layer.name for layer in spec.layers] == ["first", "last"]


def test_convolution_keeps_strides_and_pool():
    spec = extract_model(
        chain((9, 9, 2), conv(3, "c", (2, 3), strides=2), sign(), pool((2, 1)), flatten(), dense(2, "scores"))
    )
    layer = spec.hidden[0]
    assert isinstance(layer, ConvSpec)
    assert (layer.weights.shape, layer.strides, layer.pool) == ((2, 3, 2, 3), (2, 2), (2, 1))
