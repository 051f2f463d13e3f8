"""Every setting of QKeras' binary layers: exact, or refused by name, on the plain backends and by ``extract``."""

import importlib.util

import numpy as np
import pytest

from xnorflow.base.errors import ConfigError

# looked for and not imported, as base/keras_stack.py must be the first
for package in ("hls4ml", "qkeras"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}", allow_module_level=True)

from hls4ml_nets import binary_dense, classes_of, convert, model_of, norm, sign  # noqa: E402

from xnorflow.base.keras_stack import import_keras, import_qkeras  # noqa: E402
from xnorflow.routes.hls.kernels.rom import unpack_words  # noqa: E402
from xnorflow.routes.hls.kernels.values import BIPOLAR  # noqa: E402
from xnorflow.sources.keras.extract import extract_model  # noqa: E402

EXACT = None


# QKeras itself rounds at random only where a layer has two neurons
def kernel(quantizer, n=6):
    return lambda: ((12,), binary_dense(n, "d1", kernel_quantizer=quantizer()), sign("s1"), binary_dense(3, "out"))


def signed(activation, n=6):
    return lambda: ((12,), binary_dense(n, "d1"), sign("s1", activation()), binary_dense(3, "out"))


def inside(activation):
    return lambda: ((12,), binary_dense(6, "d1", activation=activation()), binary_dense(3, "out"))


def dense(*between, **settings):
    return lambda: ((12,), binary_dense(6, "d1", **settings), *(layer() for layer in between), sign("s1"),
                    binary_dense(3, "out"))  # fmt: skip


def conv(*between, size=6, channels=2, **settings):
    def layers():
        qkeras, keras = import_qkeras(), import_keras()
        quantizer = qkeras.binary(alpha=1)
        first = qkeras.QConv2D(4, 3, **{"use_bias": False, "kernel_quantizer": quantizer, **settings}, name="c1")
        behind = [layer() for layer in between]
        flat = [] if any("Flatten" in type(layer).__name__ for layer in behind) else [keras.layers.Flatten()]
        return ((size, size, channels), first, *behind, *flat, binary_dense(3, "out"))

    return layers


def pool(**settings):
    return lambda: import_keras().layers.MaxPooling2D(2, name="p1", **settings)


def flatten(**settings):
    return lambda: import_keras().layers.Flatten(name="f1", **settings)


def q(name, *numbers, **settings):
    return lambda: getattr(import_qkeras(), name)(*numbers, **settings)


def s1():
    return sign("s1")


def text(value):
    return lambda: value


# layers, what the plain backends say (None where they are exact), what ``extract`` says
CASES = {
    "binary(alpha=1)": (kernel(q("binary", alpha=1)), EXACT, EXACT),
    "binary(alpha=1.0) as text": (kernel(text("binary(alpha=1.0)")), EXACT, EXACT),
    "binary": (kernel(text("binary")), "d1: kernel quantizer .* got alpha='auto_po2'", "d1: kernel quantizer"),
    "auto": (kernel(q("binary", alpha="auto")), "d1: kernel quantizer .* got alpha='auto'", "d1: kernel quantizer"),
    "alpha=2": (kernel(q("binary", alpha=2)), "d1: kernel quantizer .* got alpha=2", "d1: kernel quantizer"),
    "use_01": (kernel(q("binary", alpha=1, use_01=True)), "d1: kernel quantizer .* use_01=True", "d1: "),
    "use_01 as text": (kernel(text("binary(use_01=True,alpha=1)")), "d1: .* use_01=True", "d1: "),
    "stochastic rounding": (
        kernel(q("binary", alpha=1, use_stochastic_rounding=True), 2),
        "d1: .* got use_stochastic_rounding=True",
        "d1: .* got use_stochastic_rounding=True",
    ),
    "stochastic_binary": (kernel(q("stochastic_binary", alpha=1)), "d1: .* got stochastic_binary", "d1: "),
    "quantized_bits of 1": (kernel(q("quantized_bits", 1, 1, alpha=1)), "d1: .* quantized_bits of 1 bit", "d1: "),
    "sign binary()": (signed(text("binary()")), EXACT, EXACT),
    "sign object": (signed(q("binary")), EXACT, EXACT),
    "sign alpha=1": (signed(q("binary", alpha=1)), EXACT, EXACT),
    "sign alpha=2": (signed(q("binary", alpha=2)), "s1: activation must be QActivation", "s1: activation must be"),
    "sign alpha as text": (signed(text("binary(alpha=0.5)")), "s1: activation must be", "s1: activation must be"),
    "sign use_01": (signed(text("binary(use_01=True)")), "s1: activation must be", "s1: activation must be"),
    "sign binary_tanh": (signed(text("binary_tanh")), "s1: .* binary_tanh", "s1: activation must be"),
    "sign stochastic": (
        signed(q("binary", use_stochastic_rounding=True), 2),
        "s1: activation must be",
        "s1: activation must",
    ),
    "inside: binary": (inside(text("binary")), EXACT, "d1: "),
    "inside: object": (inside(q("binary", alpha=1)), EXACT, "d1: "),
    "inside: linear": (lambda: dense(activation="linear")(), EXACT, EXACT),
    "inside: use_01": (inside(q("binary", use_01=True)), "d1_binary: activation must be", "d1: "),
    "bias": (dense(use_bias=True), "d1: use_bias must be False", "d1: use_bias must be False"),
    "quantized bias": (dense(bias_quantizer="binary(alpha=1)", use_bias=True), "d1: use_bias", "d1: use_bias"),
    "quantizer of no bias": (dense(bias_quantizer="quantized_bits(4)"), EXACT, EXACT),
    "constraint": (dense(kernel_constraint="max_norm", kernel_regularizer="l2"), EXACT, EXACT),
    "norm": (dense(lambda: norm("b1")), EXACT, EXACT),
    "norm without scale": (dense(lambda: import_keras().layers.BatchNormalization(scale=False)), EXACT, EXACT),
    "norm without centre": (dense(lambda: import_keras().layers.BatchNormalization(center=False)), EXACT, EXACT),
    "convolution": (conv(pool(), lambda: norm("b1"), s1), EXACT, EXACT),
    "padding": (conv(s1, padding="same"), "c1: padding must be 'valid'", "c1: padding must be 'valid'"),
    "dilation": (conv(s1, dilation_rate=2), "c1: groups and dilation_rate must be 1", "c1: groups and dilation_rate"),
    "groups": (conv(s1, groups=2), "c1: groups and dilation_rate must be 1", "c1: groups and dilation_rate"),
    "channels first": (conv(s1, channels=6, data_format="channels_first"), "c1: data_format", "c1: data_format"),
    "conv inside: binary": (conv(activation="binary"), EXACT, "c1: "),
    "axis": (conv(lambda: norm("b1", axis=1), s1), "b1: BatchNormalization must normalise the 4", "b1: "),
    "pool that pads": (conv(s1, pool(padding="same"), size=7), "p1: pooling must have", "p1: pooling must have"),
    "pool that overlaps": (conv(s1, pool(strides=1)), "p1: pooling must have", "p1: pooling must have"),
    "pool first, channels first": (conv(pool(data_format="channels_first"), s1), "p1: data_format", "p1: data_form"),
    "flatten": (conv(s1, flatten(data_format="channels_first")), "f1: data_format must be", "f1: Flatten"),
}


def graph_scores(graph, images):
    """What the numbers in a graph of dense layers give."""
    values = images.astype(np.int64)
    for node in graph.get_layers():
        if node.class_name == "XnorMatrix":
            folding = node.get_attr("packed_folding")
            weights = unpack_words(
                node.get_weights("weight").words, node.get_attr("n_in"), node.get_attr("n_out"), folding
            )
            sums = values @ weights.astype(np.int64)
            starts = np.asarray(node.get_weights("start").data, np.int64)
            values = np.where(sums >= BIPOLAR.thresholds(weights, starts), 1, -1)
    return sums


@pytest.mark.parametrize("name", CASES)
def test_a_setting_is_exact_or_refused_on_the_plain_backends(hls4ml, tmp_path, name):
    (shape, *layers), error, _ = CASES[name][0](), *CASES[name][1:]
    model = model_of(shape, *layers)
    if error is not EXACT:
        with pytest.raises(ConfigError, match=f"^layer {error}"):
            convert(hls4ml, model, tmp_path)
        return
    graph = convert(hls4ml, model, tmp_path)
    assert not set(classes_of(graph).values()) - {"Input", "XnorPack", "XnorMatrix", "XnorWindow", "XnorPool2D"}
    if len(shape) == 1:
        images = np.random.default_rng(2).choice(np.array([-1, 1], np.float32), (100, 12))
        assert np.array_equal(graph_scores(graph, images), model.predict(images, verbose=0))


@pytest.mark.parametrize("name", CASES)
def test_a_setting_is_exact_or_refused_by_extract(name):
    (shape, *layers), _, error = CASES[name][0](), *CASES[name][1:]
    model = model_of(shape, *layers)
    if error is not EXACT:
        with pytest.raises(ConfigError, match=f"^layer {error}"):
            extract_model(model)
        return
    images = np.random.default_rng(2).choice(np.array([0, 255], np.uint8), (100, *shape))
    scores = model.predict(np.where(images > 0, 1, -1).astype(np.float32), verbose=0)
    assert np.array_equal(extract_model(model).class_scores(images), scores.reshape(len(images), -1))
