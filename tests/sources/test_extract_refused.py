"""What has no exact binary equivalent is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_nets import chain, conv, dense, flatten, norm, one_channel, pool, score_model, sign

from xnorflow.base.errors import ConfigError
from xnorflow.base.keras_stack import import_keras, import_qkeras
from xnorflow.net.inputs import InputSettings
from xnorflow.sources.keras.extract import FRACTION_BITS, extract_model


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
    refused("c1", "groups and dilation_rate", IMAGE, lambda: head(conv(3, "c1", dilation_rate=2), sign(), flatten())),
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
    refused(
        "d1", r"layer of its own, such as QActivation.*, got relu", V, lambda: head(dense(3, "d1", activation="relu"))
    ),
    refused(
        "scores", r"such as Activation\('softmax'\) behind", V, lambda: [dense(2, "scores", activation="softmax")]
    ),
    refused("d1", "of its own, such as QActivation", V, lambda: head(dense(3, "d1", activation="binary"))),
    refused("d1", r"alpha='auto_po2', .*a bare 'binary'", V, lambda: head(dense(3, "d1", kernel_quantizer="binary"))),
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
    refused(
        "d1", rf"{BEHIND}.*; got Activation\('relu'\)", V, lambda: head(dense(3, "d1"), layer("Activation", "relu"))
    ),
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
    refused("scores", r"or by neither; got Activation\('tanh'\)", V, lambda: [*head(), layer("Activation", "tanh")]),
    refused("t", r"got softmax; .*Activation\('softmax'\)", V, lambda: head(dense(3, "d1"), sign("t", "softmax"))),
]


def binary_01() -> Any:
    return import_qkeras().binary(use_01=True, alpha=1)


@pytest.mark.parametrize(("name", "fix", "shape", "make"), REFUSED)
def test_what_is_not_binary_is_refused_by_name(name, fix, shape, make):
    with pytest.raises(ConfigError, match=fix) as caught:
        extract_model(chain(shape, *make()))
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
        extract_model(model)


def test_nan_in_a_kernel_is_refused():
    model = score_model()
    kernel = np.ones((9, 5), np.float32)
    kernel[2, 3] = np.nan
    model.get_layer("d").set_weights([kernel])
    with pytest.raises(ConfigError, match=r"layer d: weights are not all \+1 or -1"):
        extract_model(model)


def test_score_scale_of_zero_is_refused():
    model = score_model(*one_channel())
    model.get_layer("score_norm").set_weights([np.array([value], np.float32) for value in (0, 0, 0, 1)])
    with pytest.raises(ConfigError, match="layer score_norm: its scale is 0"):
        extract_model(model)


def test_score_scale_too_large_for_fixed_point_is_refused():
    model = score_model(norm("score_norm"))
    model.get_layer("score_norm").gamma.assign([1e12, 1, 1, 1])
    with pytest.raises(ConfigError, match="layer scores: the normalisation per class is too large"):
        extract_model(model)
    # pixels of 8 bits make the scores 255 times as large where no layer stands between
    model = chain((9,), dense(4, "scores"), norm("score_norm"))
    model.get_layer("score_norm").gamma.assign([1e8, 1, 1, 1])
    assert extract_model(model, InputSettings(1)).scores.fraction_bits == FRACTION_BITS
    with pytest.raises(ConfigError, match="layer scores: the normalisation per class is too large"):
        extract_model(model, InputSettings(8))


def test_networks_that_are_no_chain_are_refused():
    keras = import_keras()
    source = keras.Input((4,))
    first = sign("s")(dense(4, "d")(source))
    other = sign("t")(dense(4, "e")(source))
    both = dense(2, "scores")(keras.layers.Add(name="sum")([first, other]))
    with pytest.raises(ConfigError, match="must be a chain"):
        extract_model(keras.Model(source, both))
    last = dense(2, "scores")
    with pytest.raises(ConfigError, match="must have one output"):
        extract_model(keras.Model(source, [last(first), first]))
    with pytest.raises(ConfigError, match="one input of a fixed shape"):
        extract_model(keras.Model([source, keras.Input((3,))], last(first)))
    with pytest.raises(ConfigError, match="one input of a fixed shape"):
        extract_model(keras.Sequential([dense(2, "scores")]))
    with pytest.raises(ConfigError, match="one input of a fixed shape"):
        extract_model(chain((None, None, 1), conv(2, "c"), sign(), flatten()))
    shared = dense(4, "twice")
    twice = dense(2, "scores")(sign()(shared(sign()(shared(source)))))
    with pytest.raises(ConfigError, match="must be a chain"):
        extract_model(keras.Model(source, twice))
    with pytest.raises(ConfigError, match=r"input shape must be \(n,\) or \(height, width, channels\)"):
        extract_model(chain((4, 4), flatten(), dense(2, "scores")))
