"""What a network's file may say of its layers: how QKeras' quantizers are read, and what training leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_nets import chain, conv, dense, flatten, norm, sign
from model_files import with_layer

from xnorflow.base.errors import ConfigError
from xnorflow.base.keras_stack import import_keras, import_qkeras
from xnorflow.net.spec_file import spec_sha256
from xnorflow.sources.keras.chain import read_groups, sign_chain
from xnorflow.sources.keras.extract import extract_model
from xnorflow.sources.keras.file.read import load_model


@pytest.fixture(scope="module")
def model() -> Any:
    return chain((6, 6, 1), conv(2, "c"), norm("n"), sign("s"), flatten(), dense(3, "scores"))


@pytest.fixture(scope="module")
def stored(model, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.h5"
    model.save(path)
    return path


# what QKeras itself makes of each of these is asked in the test
EQUAL = [
    *("binary", "binary()", "binary(alpha=1)", "binary(alpha=1.0)", "binary( alpha = 1 )", "binary(False,1)"),
    *("binary(alpha=True)", "binary(use_01=False)", "binary(use_stochastic_rounding=True)"),
    {"class_name": "binary", "config": {"alpha": 1}},
    {"class_name": "binary", "module": "qkeras.quantizers", "config": {"use_01": False, "alpha": None}},
    {"class_name": "qkeras>binary", "module": "qkeras.quantizers", "config": {"alpha": 1.0}},
]


@pytest.mark.parametrize("activation", EQUAL, ids=str)
def test_spellings_of_binary_are_one_sign(stored, tmp_path, activation):
    quantizers = import_qkeras().quantizers
    if isinstance(activation, str):
        quantizer = quantizers.get_quantizer(activation)
    else:
        quantizer = quantizers.binary(**activation["config"])
    values = np.array([-3, -0.25, -0.0, 0, 1e-30, 7], np.float32)
    loaded, _ = load_model(with_layer(stored, tmp_path / "a.h5", "s", activation=activation))
    layer = loaded.get_layer("s")
    assert sign_chain(read_groups(loaded)[0])[-1] is layer
    copied = type(layer).from_config(layer.get_config())  # as hls4ml and clone_model do
    for function in (quantizer, layer.quantizer, copied.quantizer):
        assert (np.asarray(function(values)) > 0).tolist() == [False, False, True, True, True, True]


OTHER = [
    *(
        "relu",
        "binary_tanh",
        "ternary",
        "quantized_bits(4)",
        "quantized_po2(9999999999)",
        "eval",
        "",
        "binary(",
        "a\nb",
    ),
    *("binary(1)", "binary(use_01=True)", "binary(alpha=0.5)", "binary(alpha='auto')", "binary(alpha=None)"),
    *(
        "binary(what=1)",
        "binary(0,1,0,0)",
        "binary(alpha=[1])",
        "binary(alpha=quantized_po2(9))",
        "a\nb",
        None,
        3,
        [],
        {},
    ),
    {"class_name": "quantized_po2", "config": {"bits": 9999999999}},
    {"class_name": "binary", "config": {"alpha": [1, 1]}},
    {"class_name": "binary", "config": None},
    {"class_name": "binary", "module": "os", "config": {}},
    {"class_name": ["binary"], "config": {}},
]


@pytest.mark.parametrize("activation", OTHER, ids=repr)
def test_other_activations_are_refused_by_name(stored, tmp_path, activation):
    with pytest.raises(ConfigError, match=r"layer s: activation must be QActivation\('binary'\), got .+") as caught:
        extract_model(load_model(with_layer(stored, tmp_path / "other.h5", "s", activation=activation))[0])
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("quantizer", OTHER, ids=repr)
def test_other_kernel_quantizers_are_refused_by_name(stored, tmp_path, quantizer):
    with pytest.raises(ConfigError, match=r"layer c: kernel quantizer must be binary\(alpha=1\), got .+") as caught:
        extract_model(load_model(with_layer(stored, tmp_path / "other.h5", "c", kernel_quantizer=quantizer))[0])
    assert len(str(caught.value).splitlines()) == 1


def test_a_bare_binary_kernel_is_told_where_its_scales_come_from(tmp_path):
    chain((4,), dense(2, "scores", kernel_quantizer="binary")).save(tmp_path / "bare.h5")
    loaded, _ = load_model(tmp_path / "bare.h5")
    with pytest.raises(ConfigError, match=r"got alpha='auto_po2', .*QKeras takes a bare 'binary' for that, so write"):
        extract_model(loaded)


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("Dense", "Dense is not a binary layer; use QDense"),
        ("ReLU", "ReLU is not a binary layer"),
        ("Sequential", "Sequential is not a binary layer"),
        ("QBatchNormalization", "QBatchNormalization is not a binary layer"),
        ("Lambda", "'Lambda' is refused, for loading it could run code"),
        ("TFOpLambda", "'TFOpLambda' is refused, for loading it could run code"),
        ("My\nLayer", r"'My\\nLayer' is refused, for loading it could run code"),
    ],
)
def test_only_what_is_not_known_could_run_code(stored, tmp_path, kind, fix):
    with pytest.raises(ConfigError, match=f"layer n: {fix}") as caught:
        load_model(with_layer(stored, tmp_path / "kind.h5", "n", class_name=kind))
    assert ("run code" in str(caught.value)) == ("run code" in fix)


@pytest.mark.parametrize(
    ("activation", "fix"),
    [
        ("sigmoid", "an Activation may only be 'softmax', behind the scores; got sigmoid; between layers use QAct"),
        ("relu", "may only be 'softmax', behind the scores; got relu; between layers use QActivation"),
        ("quantized_po2(9999999999)", "may only be 'softmax', behind the scores; got quantized_po2"),
    ],
)
def test_activations_are_told_what_holds(stored, tmp_path, activation, fix):
    def change(layer: Any) -> None:
        layer |= {"class_name": "Activation", "config": {"name": "s", "activation": activation}}

    with pytest.raises(ConfigError, match=f"layer s: .*{fix}"):
        load_model(with_layer(stored, tmp_path / "act.h5", "s", change))


@pytest.mark.parametrize(
    ("activation", "use"),
    [
        ("softmax", r"such as Activation\('softmax'\) behind the scores, got softmax"),
        ("quantized_po2(9999999999)", r"such as QActivation\('binary'\), got quantized_po2"),
        ({"class_name": "binary", "config": {}}, r"such as QActivation\('binary'\), got "),
    ],
)
def test_an_activation_in_a_dense_layer_is_told_where_it_goes(stored, tmp_path, activation, use):
    with pytest.raises(ConfigError, match=f"layer scores: an activation must be a layer of its own, {use}"):
        load_model(with_layer(stored, tmp_path / "act.h5", "scores", activation=activation))


def test_a_softmax_behind_the_scores_is_left_out(model, tmp_path):
    layers = import_keras().layers
    for number, last in enumerate((layers.Activation("softmax"), layers.Softmax(), layers.Activation("linear"))):
        path = tmp_path / f"{number}.keras"
        import_keras().Model(model.input, last(model.output), name="net").save(path)
        assert spec_sha256(extract_model(load_model(path)[0])) == spec_sha256(extract_model(model))


def training_only() -> list[dict[str, Any]]:
    keras, qkeras = import_keras(), import_qkeras()
    initializers, constraints, regularizers = keras.initializers, keras.constraints, keras.regularizers
    return [
        {"kernel_initializer": "lecun_uniform", "kernel_regularizer": regularizers.L1(0.01)},
        {"kernel_initializer": initializers.LecunNormal(), "kernel_regularizer": "l2"},
        {"kernel_initializer": initializers.Orthogonal(), "kernel_regularizer": regularizers.L1L2(0.01, 0.1)},
        {"kernel_initializer": initializers.Identity(), "kernel_constraint": constraints.MaxNorm(2)},
        {"kernel_initializer": initializers.VarianceScaling(2.0), "kernel_constraint": constraints.NonNeg()},
        {"kernel_regularizer": regularizers.OrthogonalRegularizer(), "kernel_constraint": constraints.UnitNorm()},
        {"activity_regularizer": regularizers.L2(0.1), "kernel_constraint": qkeras.qlayers.Clip(-1, 1)},
        # an infinity, which is not JSON
        {"kernel_constraint": constraints.MinMaxNorm(max_value=np.inf)},
    ]


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_what_only_training_uses_does_not_matter(tmp_path, suffix):
    layers = [(dense(4, f"d{index}", **options), sign()) for index, options in enumerate(training_only())]
    model = chain((4,), *(part for pair in layers for part in pair), dense(3, "scores"))
    model.save(tmp_path / f"net{suffix}")
    loaded, _ = load_model(tmp_path / f"net{suffix}")
    images = np.random.default_rng(0).choice([-1, 1], (50, 4)).astype(np.float32)
    assert np.array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))
    read_groups(loaded)


def test_layers_that_only_training_uses_are_left_out(tmp_path):
    layers = import_keras().layers
    noise = (layers.GaussianNoise(0.1), layers.Dropout(0.2), layers.ActivityRegularization(0.1))
    model = chain((9,), noise[0], dense(5, "d"), norm(), sign(), *noise[1:], dense(3, "scores"))
    model.save(tmp_path / "net.h5")
    assert spec_sha256(extract_model(load_model(tmp_path / "net.h5")[0])) == spec_sha256(extract_model(model))
    plain = chain((9,), dense(5, "d"), norm(), sign(), dense(3, "scores"))
    plain.set_weights(model.get_weights())
    assert spec_sha256(extract_model(model)) == spec_sha256(extract_model(plain))


@pytest.mark.parametrize("size", [3.7, 900, -2e8, 1e9])
def test_trained_values_beyond_one_are_signs_all_the_same(tmp_path, size):
    """QKeras' x + (sign(x) - x) gives 1.0000002 there, and 0 where float32 has no room for the 1."""
    model = chain((9,), dense(3, "scores"))
    random = np.random.default_rng(0)
    kernel = (size * random.uniform(-1, 1, (9, 3))).astype(np.float32)
    model.layers[0].set_weights([kernel])
    model.save(tmp_path / "net.h5")
    if abs(size) < 1e3:
        loaded, _ = load_model(tmp_path / "net.h5")
        assert np.array_equal(extract_model(loaded).scores.weights, np.where(kernel >= 0, 1, -1))
        assert np.array_equal(extract_model(model).scores.weights, np.where(kernel >= 0, 1, -1))
    else:
        with pytest.raises(ConfigError, match=r"layer scores: weights are not all .* too large for QKeras to round"):
            load_model(tmp_path / "net.h5")
        with pytest.raises(ConfigError, match=r"layer scores: weights are not all .* too large for QKeras to round"):
            extract_model(model)
