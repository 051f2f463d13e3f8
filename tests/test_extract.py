from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xnorflow.errors import ConfigError
from xnorflow.extract import FRACTION_BITS, extract, extract_file, keras_scores
from xnorflow.keras2 import import_keras, import_qkeras
from xnorflow.modelfile import save_model
from xnorflow.spec import ConvSpec, NetSpec

# building TensorFlow graphs takes about a second per network
few = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
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
    spec = extract(model, bits, int(random.integers(1, 256)))
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
    spec = extract(model, bits)
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
    spec = extract(one_neuron(gamma, mean, 0.0, before=before))
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
    spec = extract(one_neuron(0.0, 1.0, beta, before=before))
    images = some_images((2, 3, 1), np.random.default_rng(0))
    assert spec.class_scores(images).tolist() == [[score]] * len(images)
    threshold = spec.hidden[0].thresholds[0]
    assert threshold == (-4 if score == 1 else 5), "no further out than it takes, for types grow with it"


def test_neuron_that_never_fires_has_a_threshold_one_above_its_largest_sum():
    model = chain((7,), dense(2, "d", kernel_initializer="ones"), norm("n"), sign(), dense(2, "scores"))
    low, one, zero = np.array([-1e5, 0], np.float32), np.ones(2, np.float32), np.zeros(2, np.float32)
    model.get_layer("n").set_weights([one, low, zero, one])
    assert extract(model).hidden[0].thresholds.tolist() == [8, 1]
    assert extract(model, bits=8).hidden[0].thresholds.tolist() == [7 * 255 + 1, 0]
    model.get_layer("n").set_weights([-one, low, zero, one])
    assert extract(model).hidden[0].thresholds.tolist() == [8, 1]


def score_model(*after: Any) -> Any:
    return chain((9,), dense(5, "d"), norm("n"), sign(), dense(4, "scores"), *after)


def one_channel() -> list[Any]:
    keras = import_keras()
    return [keras.layers.Reshape((4, 1)), norm("score_norm"), keras.layers.Flatten()]


@pytest.mark.parametrize("gamma", [1.0, 2.5, 1e-3, -1e-3, -7.0])
@pytest.mark.parametrize("softmax", [False, True])
def test_one_normalisation_for_all_scores_leaves_integers(gamma, softmax):
    keras = import_keras()
    after = [*one_channel(), *([keras.layers.Softmax()] if softmax else [])]
    random = np.random.default_rng(5)
    model = randomise(score_model(*after), random)
    layer = model.get_layer("score_norm")
    layer.set_weights([np.array([value], np.float32) for value in (gamma, 0.3, -1.0, 2.0)])
    spec = extract(model)
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
    spec = extract(model)
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
    save_model(model, tmp_path / "n.h5", {"bits": 8, "pixel_threshold": 77})
    spec = extract_file(tmp_path / "n.h5", 1, 5)
    assert (spec.input.bits, spec.input.thresholds.tolist()) == (8, [[77]])
    model.save(tmp_path / "plain.h5")
    spec = extract_file(tmp_path / "plain.h5", 1, 5)
    assert (spec.input.bits, spec.input.thresholds.tolist()) == (1, [[5]])


def test_dropout_and_names_are_kept_out_of_and_in_the_network():
    keras = import_keras()
    model = chain((4,), dense(3, "first"), sign(), keras.layers.Dropout(0.5), dense(2, "last"))
    spec = extract(model)
    assert spec.name == "net" and [layer.name for layer in spec.layers] == ["first", "last"]


def refused(name: str, fix: str, shape: tuple[int, ...], make: Any) -> Any:
    return pytest.param(name, fix, shape, make, id=f"{name}: {fix}"[:50])


def q(name: str, *arguments: Any, **options: Any) -> Any:
    return getattr(import_qkeras(), name)(*arguments, **options)


def layer(kind: str, *arguments: Any, **options: Any) -> Any:
    return getattr(import_keras().layers, kind)(*arguments, **options)


def head(*hidden: Any) -> list[Any]:
    return [*hidden, dense(2, "scores")]


V, IMAGE = (4,), (6, 6, 1)
BINARY = r"kernel quantizer must be binary\(alpha=1\)"
BEHIND = r"must be followed by .*BatchNormalization, QActivation\('binary'\)"
ACTIVATION = r"activation must be QActivation\('binary'\)"
REFUSED = [
    refused("d1", "use_bias must be False", V, lambda: head(dense(3, "d1", use_bias=True), sign())),
    refused("c1", "use_bias must be False", IMAGE, lambda: head(conv(3, "c1", use_bias=True), sign(), flatten())),
    refused("scores", "use_bias must be False", V, lambda: [dense(3, "scores", use_bias=True)]),
    refused("c1", "padding must be 'valid'", IMAGE, lambda: head(conv(3, "c1", padding="same"), sign(), flatten())),
    refused("c1", "dilation and groups", IMAGE, lambda: head(conv(3, "c1", dilation_rate=2), sign(), flatten())),
    refused("d1", BINARY, V, lambda: head(dense(3, "d1", kernel_quantizer=q("binary", alpha=2.0)), sign())),
    refused("d1", BINARY, V, lambda: head(dense(3, "d1", kernel_quantizer=q("binary", alpha="auto")), sign())),
    refused("d1", BINARY, V, lambda: head(dense(3, "d1", kernel_quantizer="binary"), sign())),
    refused("d1", BINARY, V, lambda: head(dense(3, "d1", kernel_quantizer="binary()"), sign())),
    refused("d1", BINARY, V, lambda: head(dense(3, "d1", kernel_quantizer=q("ternary")), sign())),
    refused("d1", BINARY, V, lambda: head(dense(3, "d1", kernel_quantizer=q("quantized_bits", 4)), sign())),
    refused("d1", BINARY, V, lambda: head(dense(3, "d1", kernel_quantizer=q("stochastic_binary")), sign())),
    refused("d1", BINARY, V, lambda: head(dense(3, "d1", kernel_quantizer=None), sign())),
    refused(
        "d1", "use_01|weights are not all", V, lambda: head(dense(3, "d1", kernel_quantizer=binary_01()), sign())
    ),
    refused("c1", BINARY, IMAGE, lambda: head(conv(3, "c1", kernel_quantizer=q("ternary")), sign(), flatten())),
    refused("d1", "QActivation layer of its own", V, lambda: head(dense(3, "d1", activation="relu"))),
    refused("plain", "Dense is not a binary layer; use QDense", V, lambda: head(layer("Dense", 3, name="plain"))),
    refused("plain", "Conv2D is not a binary layer", IMAGE, lambda: head(layer("Conv2D", 3, 3, name="plain"))),
    refused("odd", "Lambda is not a binary layer", V, lambda: head(layer("Lambda", abs, name="odd"))),
    refused(
        "ap",
        "AveragePooling2D is not",
        IMAGE,
        lambda: head(conv(2, "c"), sign(), layer("AveragePooling2D", name="ap")),
    ),
    refused("relu", "ReLU is not a binary layer", V, lambda: head(dense(3, "d1"), layer("ReLU", name="relu"))),
    refused("d1", BEHIND, V, lambda: head(dense(3, "d1"), layer("Activation", "relu"))),
    refused("t", ACTIVATION, V, lambda: head(dense(3, "d1"), sign("t", "binary_tanh"))),
    refused("t", ACTIVATION, V, lambda: head(dense(3, "d1"), sign("t", "ternary"))),
    refused("t", ACTIVATION, V, lambda: head(dense(3, "d1"), sign("t", "quantized_relu(2)"))),
    refused("t", ACTIVATION, V, lambda: head(dense(3, "d1"), sign("t", q("binary", alpha="auto")))),
    refused("t", ACTIVATION, V, lambda: head(dense(3, "d1"), sign("t", q("binary", alpha=0.5)))),
    refused("t", ACTIVATION, V, lambda: head(dense(3, "d1"), sign("t", binary_01()))),
    refused("t", ACTIVATION, V, lambda: head(dense(3, "d1"), sign("t", q("stochastic_binary")))),
    refused("d1", BEHIND, V, lambda: head(dense(3, "d1"))),
    refused("d1", BEHIND, V, lambda: head(dense(3, "d1"), norm())),
    refused("d1", BEHIND, V, lambda: head(dense(3, "d1"), norm(), norm(), sign())),
    refused("d1", BEHIND, V, lambda: head(dense(3, "d1"), sign(), sign())),
    refused("d1", "right before QActivation", V, lambda: head(dense(3, "d1"), sign(), norm())),
    refused("c1", "right before QActivation", IMAGE, lambda: head(conv(3, "c1"), norm(), pool(2), sign(), flatten())),
    refused("c1", BEHIND, IMAGE, lambda: head(conv(3, "c1"), pool(2), sign(), pool(2), flatten())),
    refused(
        "p",
        "strides equal to pool_size",
        IMAGE,
        lambda: head(conv(3, "c"), sign(), pool(2, "p", strides=1), flatten()),
    ),
    refused("p", "'valid'", IMAGE, lambda: head(conv(3, "c"), sign(), pool(3, "p", padding="same"), flatten())),
    refused(
        "p",
        "channels_last",
        IMAGE,
        lambda: head(conv(4, "c"), sign(), pool(2, "p", data_format="channels_first"), flatten()),
    ),
    refused("n", "axis=-1", IMAGE, lambda: head(conv(4, "c"), norm("n", axis=1), sign(), flatten())),
    refused("n", "before any Flatten", IMAGE, lambda: head(conv(4, "c"), flatten(), norm("n"), sign())),
    refused(
        "r", "use Flatten in HWC order", IMAGE, lambda: head(conv(4, "c"), sign(), layer("Reshape", (64,), name="r"))
    ),
    refused(
        "pm",
        "Permute is not",
        IMAGE,
        lambda: head(conv(4, "c"), sign(), layer("Permute", (3, 1, 2), name="pm"), flatten()),
    ),
    refused("n", "before the first QDense .*; got BatchNormalization$", V, lambda: head(norm("n"))),
    refused("s", "before the first QDense .*; got QActivation$", V, lambda: head(sign("s"))),
    refused("s", "got QActivation, BatchNormalization$", V, lambda: head(sign("s"), norm("n"))),
    refused("s", "must be QActivation\\('binary'\\)", V, lambda: head(norm("n"), sign("s", "binary_tanh"))),
    refused("net", "last layer must be a QDense", IMAGE, lambda: [conv(2, "c1")]),
    refused("scores", "one BatchNormalization and then a softmax", V, lambda: [*head(), norm(), norm()]),
    refused("scores", "one BatchNormalization and then a softmax", V, lambda: [*head(), layer("Softmax"), norm()]),
    refused("scores", "one BatchNormalization and then a softmax", V, lambda: [*head(), sign()]),
    refused("scores", "one BatchNormalization and then a softmax", V, lambda: [*head(), layer("Activation", "tanh")]),
]


def binary_01() -> Any:
    return import_qkeras().binary(use_01=True, alpha=1)


@pytest.mark.parametrize(("name", "fix", "shape", "make"), REFUSED)
def test_what_is_not_binary_is_refused_by_name(name, fix, shape, make):
    with pytest.raises(ConfigError, match=fix) as caught:
        extract(chain(shape, *make()))
    text = str(caught.value)
    assert text.startswith((f"layer {name}: ", f"network {name}: "))
    assert len(text.splitlines()) == 1 and "object at 0x" not in text


@pytest.mark.parametrize("which", ["gamma", "beta", "moving_mean", "moving_variance"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["n", "score_norm"])
def test_nan_in_batchnorm_is_refused(which, value, name):
    model = score_model(norm("score_norm"))
    variable = getattr(model.get_layer(name), which)
    if (which, value, name) == ("moving_variance", np.inf, "score_norm"):
        pytest.skip("a finite scale of 0")
    variable.assign(np.array([1.0, value, *[1.0] * (variable.shape[0] - 2)], np.float32))
    with pytest.raises(ConfigError, match=f"layer {name}: BatchNormalization holds NaN or infinity; train"):
        extract(model)


def test_nan_in_a_kernel_is_refused():
    model = score_model()
    kernel = np.ones((9, 5), np.float32)
    kernel[2, 3] = np.nan
    model.get_layer("d").set_weights([kernel])
    with pytest.raises(ConfigError, match=r"layer d: weights are not all \+1 or -1"):
        extract(model)


def test_score_scale_of_zero_is_refused():
    model = score_model(*one_channel())
    model.get_layer("score_norm").set_weights([np.array([value], np.float32) for value in (0, 0, 0, 1)])
    with pytest.raises(ConfigError, match="layer score_norm: its scale is 0"):
        extract(model)


def test_score_scale_too_large_for_fixed_point_is_refused():
    model = score_model(norm("score_norm"))
    model.get_layer("score_norm").gamma.assign([1e12, 1, 1, 1])
    with pytest.raises(ConfigError, match="layer scores: the normalisation per class is too large"):
        extract(model)
    # pixels of 8 bits make the scores 255 times as large where no layer stands between
    model = chain((9,), dense(4, "scores"), norm("score_norm"))
    model.get_layer("score_norm").gamma.assign([1e8, 1, 1, 1])
    assert extract(model, bits=1).scores.fraction_bits == FRACTION_BITS
    with pytest.raises(ConfigError, match="layer scores: the normalisation per class is too large"):
        extract(model, bits=8)


def test_networks_that_are_no_chain_are_refused():
    keras = import_keras()
    source = keras.Input((4,))
    first = sign("s")(dense(4, "d")(source))
    other = sign("t")(dense(4, "e")(source))
    both = dense(2, "scores")(keras.layers.Add(name="sum")([first, other]))
    with pytest.raises(ConfigError, match="must be a chain"):
        extract(keras.Model(source, both))
    last = dense(2, "scores")
    with pytest.raises(ConfigError, match="must have one output"):
        extract(keras.Model(source, [last(first), first]))
    with pytest.raises(ConfigError, match="one input of a fixed shape"):
        extract(keras.Model([source, keras.Input((3,))], last(first)))
    with pytest.raises(ConfigError, match="one input of a fixed shape"):
        extract(keras.Sequential([dense(2, "scores")]))
    with pytest.raises(ConfigError, match="one input of a fixed shape"):
        extract(chain((None, None, 1), conv(2, "c"), sign(), flatten()))
    shared = dense(4, "twice")
    twice = dense(2, "scores")(sign()(shared(sign()(shared(source)))))
    with pytest.raises(ConfigError, match="must be a chain"):
        extract(keras.Model(source, twice))
    with pytest.raises(ConfigError, match=r"input shape must be \(n,\) or \(height, width, channels\)"):
        extract(chain((4, 4), flatten(), dense(2, "scores")))


def test_convolution_keeps_strides_and_pool():
    spec = extract(
        chain((9, 9, 2), conv(3, "c", (2, 3), strides=2), sign(), pool((2, 1)), flatten(), dense(2, "scores"))
    )
    layer = spec.hidden[0]
    assert isinstance(layer, ConvSpec)
    assert (layer.weights.shape, layer.strides, layer.pool) == ((2, 3, 2, 3), (2, 2), (2, 1))
