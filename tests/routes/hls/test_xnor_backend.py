"""The backends as a user of plain hls4ml meets them: a Keras model, and nothing else of ours."""

import configparser
import importlib
import importlib.util
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from conftest import ROOT

from xnorflow.base.errors import ConfigError

# looked for and not imported, as base/keras_stack.py must be the first
for package in ("hls4ml", "qkeras"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}", allow_module_level=True)

from hls4ml_nets import binary_dense, classes_of, convert, model_of, norm, sign  # noqa: E402

from xnorflow.base.keras_stack import import_keras, import_qkeras  # noqa: E402
from xnorflow.routes.hls.kernels.values import BIPOLAR  # noqa: E402


def test_hls4ml_finds_the_backends_by_their_entry_point(hls4ml, monkeypatch):
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    entry = settings["options.entry_points"]["hls4ml.backends"].strip()
    module, _, name = entry.partition("=")[2].strip().partition(":")
    found = {}

    def note(key, value):
        found[key] = value

    monkeypatch.setattr(f"{module}.get_available_backends", list)
    getattr(importlib.import_module(module), name)(note, lambda key, value: None)
    assert set(found) == {"XnorVivado", "XnorVitis"}
    assert "**/*.h" in settings["options.package_data"]["xnorflow"].split()


def test_hls4ml_loads_the_backends_when_it_is_imported(package_env):
    code = (
        "from xnorflow.base.keras_stack import import_hls4ml as load; print(load().backends.get_available_backends())"
    )
    env = {**package_env, "HLS4ML_BACKEND_PLUGINS": "xnorflow.routes.hls.kernels.backend"}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert "'xnorvivado', 'xnorvitis'" in ended.stdout and "failed" not in ended.stdout


# --- networks


def dense_model():
    return model_of(
        (12,), binary_dense(6, "d1"), norm("b1"), sign("s1"), binary_dense(5, "d2"), norm("b2"), sign("s2"),
        binary_dense(3, "out"),
    )  # fmt: skip


def test_thresholds_are_those_that_extract_finds(hls4ml, tmp_path):
    from xnorflow.routes.hls.write.project import check_packed
    from xnorflow.sources.keras.extract import extract_model

    model = dense_model()
    graph = convert(hls4ml, model, tmp_path)
    check_packed(graph, extract_model(model))
    assert classes_of(graph) == {
        "inp": "Input", "d1_pack": "XnorPack", "d1": "XnorMatrix", "d2": "XnorMatrix", "out": "XnorMatrix"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["digits", "tfc", "cnv"])
def test_trained_networks_convert_to_what_extract_finds(hls4ml, tmp_path, name):
    from xnorflow.routes.hls.write.project import check_packed
    from xnorflow.sources.keras.extract import extract_model
    from xnorflow.sources.keras.file.read import load_model

    model, _ = load_model(ROOT / f"keras_models/{name}.h5")
    if any(layer.name.endswith("_norm") and "pool" in before.name for before, layer in pairwise(model.layers)):
        pytest.skip("pooling before BatchNorm is folded into an inverted output, not into the next weights")
    check_packed(convert(hls4ml, model, tmp_path, io_type="io_stream"), extract_model(model))


def test_keras_and_c_simulation_agree(hls4ml, tmp_path):
    keras, qkeras = import_keras(), import_qkeras()
    six_bits = qkeras.quantized_bits(6, 1, alpha=1)
    conv = qkeras.QConv2D(5, 3, use_bias=False, kernel_quantizer=qkeras.binary(alpha=1), name="c1")
    model = model_of(
        (6, 7, 2), conv, keras.layers.MaxPooling2D(2, name="p1"), norm("b1"), sign("s1"), keras.layers.Flatten(),
        binary_dense(8, "d1"), norm("b2"), sign("s2"),
        qkeras.QDense(4, kernel_quantizer=six_bits, bias_quantizer=six_bits, name="plain"),
    )  # fmt: skip
    graph = convert(
        hls4ml, model, tmp_path, io_type="io_stream", c1={"ReuseFactor": 6}, d1={"Folding": {"pe": 4, "simd": 5}}
    )
    kinds = classes_of(graph)
    assert (kinds["c1"], kinds["p1"], kinds["d1"], kinds["plain"]) == (
        "XnorWindow",
        "XnorPool2D",
        "XnorMatrix",
        "Dense",
    )
    assert kinds["d1_values"] == "XnorUnpack"
    graph.compile()
    images = np.random.default_rng(1).choice(np.array([-1, 1], np.float32), (200, 6, 7, 2))
    expected = model.predict(images, verbose=0)
    assert np.array_equal(graph.predict(images).reshape(expected.shape), expected)


def test_numbers_at_the_input_are_taken_by_their_type(hls4ml, tmp_path):
    for precision, planes in (("auto", 1), ("int<2>", 1), ("uint<8>", 8), ("fixed<4,2>", 4), ("uint<1>", 1)):
        graph = convert(hls4ml, dense_model(), tmp_path, inp={"Precision": {"result": precision}})
        nodes = {node.name: node for node in graph.get_layers()}
        assert nodes["d1_pack"].get_output_variable().planes == planes
    with pytest.raises(ConfigError, match="give its input a narrower type"):
        convert(hls4ml, dense_model(), tmp_path, inp={"Precision": {"result": "fixed<24,12>"}})


def test_a_sign_behind_other_layers_is_packed(hls4ml, tmp_path):
    keras = import_keras()
    model = model_of((8,), keras.layers.Dense(6, name="real"), sign("s0"), binary_dense(4, "d1"), sign("s1"))
    assert list(classes_of(convert(hls4ml, model, tmp_path)).items())[-3:] == [
        ("s0", "XnorPack"), ("d1", "XnorMatrix"), ("d1_values", "XnorUnpack")
    ]  # fmt: skip


def test_layers_that_are_not_binary_stay(hls4ml, tmp_path):
    keras = import_keras()
    model = model_of((8,), keras.layers.Dense(6, activation="relu", name="real"), binary_dense(4, "d1"))
    assert not [kind for kind in classes_of(convert(hls4ml, model, tmp_path)).values() if kind.startswith("Xnor")]


def refused(name):
    keras, qkeras = import_keras(), import_qkeras()
    return {
        "use_bias must be False": [binary_dense(4, "d1", use_bias=True), sign("s")],
        "got alpha='auto'": [binary_dense(4, "d1", kernel_quantizer=qkeras.binary(alpha="auto")), sign("s")],
        "got binary_tanh": [binary_dense(4, "d1"), sign("s", "binary_tanh"), binary_dense(2, "d2")],
        "must be followed by pooling": [
            qkeras.QConv2D(4, 2, use_bias=False, kernel_quantizer=qkeras.binary(alpha=1), name="d1"), norm("b"),
            keras.layers.MaxPooling2D(2), sign("s"),
        ],
        "strides equal to pool_size": [
            qkeras.QConv2D(4, 2, use_bias=False, kernel_quantizer=qkeras.binary(alpha=1), name="d1"), sign("s"),
            keras.layers.MaxPooling2D(2, strides=1),
        ],
        "padding must be 'valid'": [
            qkeras.QConv2D(4, 2, use_bias=False, padding="same", kernel_quantizer=qkeras.binary(alpha=1), name="d1"),
        ],
    }[name]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        *("use_bias must be False", "got alpha='auto'", "got binary_tanh", "must be followed by pooling"),
        *("strides equal to pool_size", "padding must be 'valid'"),
    ],
)
def test_what_is_not_exact_is_refused_by_name(hls4ml, tmp_path, text):
    layers = refused(text)
    shape = (8, 8, 1) if "Conv" in type(layers[0]).__name__ else (8,)
    with pytest.raises(ConfigError) as caught:
        convert(hls4ml, model_of(shape, *layers), tmp_path)
    assert text in str(caught.value) and str(caught.value).startswith("layer ")


def test_a_top_function_in_one_pipeline_is_refused(hls4ml, tmp_path):
    model = dense_model()
    settings = hls4ml.utils.config_from_keras_model(model, granularity="name")
    settings["Model"]["PipelineStyle"] = "pipeline"
    with pytest.raises(ConfigError, match="PipelineStyle must be dataflow"):
        hls4ml.converters.convert_from_keras_model(
            model, hls_config=settings, backend="XnorVivado", output_dir=str(tmp_path)
        )


def test_words_wider_than_usual_widen_the_integers_of_the_project(hls4ml, tmp_path):
    model = model_of((1100,), binary_dense(2, "d1"), sign("s1"))
    convert(hls4ml, model, tmp_path, d1={"ReuseFactor": 2}).write()
    header = (tmp_path / "firmware/myproject.h").read_text(encoding="utf-8")
    assert header.index("#define AP_INT_MAX_W 1100") < header.index("#include")
    word = (tmp_path / "firmware/weights").glob("w*.h")
    assert '_t("0x' in next(word).read_text(encoding="utf-8")


def test_every_header_lands_beside_those_that_include_it(hls4ml, tmp_path):
    convert(hls4ml, dense_model(), tmp_path).write()
    folder = tmp_path / "firmware/nnet_utils"
    ours = {path.name for path in (ROOT / "xnorflow/routes/hls/kernels").glob("*.h")}
    included = re.findall(r'#include "(nnet_xnor\w*\.h)"', (folder / "nnet_xnor.h").read_text(encoding="utf-8"))
    assert {"nnet_xnor.h", *included} == ours == {path.name for path in folder.glob("nnet_xnor*")}


def named(*names):
    source, dense, batch, activation, scores, after = names
    keras = import_keras()
    layers = [
        binary_dense(6, dense), norm(batch), sign(activation), binary_dense(3, scores), norm(after)
    ]  # fmt: skip
    model = keras.Sequential([keras.layers.InputLayer((12,), name=source), *layers], name="net")
    model.get_layer(batch).moving_mean.assign(np.arange(6))
    return model


@pytest.mark.parametrize(
    ("names", "parameter"),
    [
        (("int", "class", "module", "reg", "wire", "output"), "int_"),
        (("x-y", "a/b", "c.d", "e-f", "g.h", "i-j"), "x_y"),
        (("w2", "layer1", "weights", "result", "bias", "kernel"), "w2_"),
    ],
)
def test_names_that_cpp_does_not_take_are_other_names_there(hls4ml, tmp_path, names, parameter):
    from xnorflow.sources.keras.extract import extract_model

    model = named(*names)
    graph = convert(hls4ml, model, tmp_path)
    product = next(node for node in graph.get_layers() if node.name == names[1])
    thresholds = extract_model(model).hidden[0].thresholds
    assert np.array_equal(
        BIPOLAR.thresholds(extract_model(model).hidden[0].weights, np.asarray(product.get_weights("start").data)),
        thresholds,
    )
    graph.write()
    header = (tmp_path / "firmware/myproject.h").read_text(encoding="utf-8")
    assert re.search(rf"input_t {parameter}\[12\]", header)
    types = re.findall(r"typedef .* (\S+);", (tmp_path / "firmware/defines.h").read_text(encoding="utf-8"))
    assert types and all(re.fullmatch(r"\w+", name) for name in types)


def test_a_layer_called_like_a_weight_is_refused_where_hls4ml_reads_it_wrongly(hls4ml, tmp_path):
    with pytest.raises(ConfigError, match="layer beta: hls4ml mistakes its weights for one another"):
        convert(hls4ml, named("inp", "d1", "beta", "s1", "out", "n1"), tmp_path)
