"""Files of Keras 3: the same layers in other words, as Keras 3.12 with qkeras-v3 1.2.1 writes them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from keras_nets import chain, conv, dense, flatten, norm, pool, randomise, sign
from model_files import with_config
from numpy.random import default_rng

from xnorflow.base.errors import ConfigError, DataError
from xnorflow.base.keras_stack import import_keras
from xnorflow.net.spec_file import spec_sha256
from xnorflow.sources.keras.extract import extract_model
from xnorflow.sources.keras.file.read import load_model

FLOAT32 = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}


@pytest.fixture(scope="module")
def model() -> Any:
    """A chain as a Model, whose file says what each layer reads."""
    layers = (conv(2, "c"), pool(2), norm(), sign("s"), flatten(), dense(5, "d"), norm(), sign(), dense(3, "scores"))
    model = randomise(chain((6, 6, 1), *layers), default_rng(0))
    return import_keras().Model(model.input, model.output, name="net")


def to_keras_3(document: Any) -> Any:
    """Say a configuration of Keras 2 in the words of Keras 3."""
    config = document["config"]
    last = config["layers"][-1]["config"]["name"]
    config["output_layers"] = [last, 0, 0]
    for layer in config["layers"]:
        own = layer["config"]
        if layer["class_name"] == "InputLayer":
            own["batch_shape"] = own.pop("batch_input_shape")
        elif layer["class_name"].startswith("Q"):
            layer["class_name"] = f"qkeras>{layer['class_name']}"
        own["dtype"] = FLOAT32
        if layer["class_name"] == "qkeras>QConv2D":
            own["mask"] = None
        if layer["class_name"] == "qkeras>QActivation":
            own["activation"] = {"class_name": "qkeras>binary", "config": {"use_01": False, "alpha": None}}
        layer["inbound_nodes"] = [called(node) for node in layer["inbound_nodes"]]
    return document


def called(node: Any) -> Any:
    tensor = {"shape": [None, 6], "dtype": "float32", "keras_history": node[0][:3]}
    return {"args": [{"class_name": "__keras_tensor__", "config": tensor}], "kwargs": {"mask": None}}


def test_files_of_keras_3_hold_the_same_network(model, tmp_path):
    model.save(tmp_path / "two.h5")
    model.save(tmp_path / "two.keras")
    with_config(tmp_path / "two.h5", tmp_path / "three.h5", to_keras_3)
    with (
        zipfile.ZipFile(tmp_path / "two.keras") as source,
        zipfile.ZipFile(tmp_path / "three.keras", "w") as target,
    ):
        target.writestr("config.json", json.dumps(to_keras_3(json.loads(source.read("config.json")))))
        target.writestr("model.weights.h5", source.read("model.weights.h5"))
    expected = spec_sha256(extract_model(model))
    for name in ("two.h5", "two.keras", "three.h5", "three.keras"):
        assert spec_sha256(extract_model(load_model(tmp_path / name)[0])) == expected, name


def entry(config: Any, name: str) -> Any:
    return next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)


@pytest.mark.parametrize("words", [lambda config: config, to_keras_3], ids=["Keras 2", "Keras 3"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda config: entry(config, "s")["inbound_nodes"].clear(), "layer s: the network must be a chain"),
        (
            lambda config: entry(config, "s").update(inbound_nodes=entry(config, "c")["inbound_nodes"]),
            "layer s: the network must be a chain; this layer does not follow batch_normalization",
        ),
        (
            lambda config: entry(config, "s")["inbound_nodes"].extend(entry(config, "s")["inbound_nodes"]),
            "layer s: the network must be a chain",
        ),
        (lambda config: config["config"].update(output_layers=[["d", 0, 0]]), "network net: must have one output"),
        (lambda config: config["config"].update(output_layers=[]), "network net: must have one output"),
    ],
)
def test_a_model_that_is_no_chain_is_refused(model, tmp_path, words, change, says):
    def edit(config: Any) -> Any:
        config = words(config)
        change(config)
        return config

    model.save(tmp_path / "net.h5")
    with pytest.raises(ConfigError, match=says):
        load_model(with_config(tmp_path / "net.h5", tmp_path / "edited.h5", edit))


@pytest.mark.parametrize("words", [lambda config: config, to_keras_3], ids=["Keras 2", "Keras 3"])
def test_a_layer_called_as_in_training_is_refused(model, tmp_path, words):
    def edit(config: Any) -> Any:
        config = words(config)
        (node,) = entry(config, "s")["inbound_nodes"]
        (node["kwargs"] if isinstance(node, dict) else node[0][3])["training"] = True
        return config

    path: Path = tmp_path / "net.h5"
    model.save(path)
    with pytest.raises(ConfigError, match="layer s: is called with training=True"):
        load_model(with_config(path, tmp_path / "edited.h5", edit))


def test_weights_that_a_mask_leaves_out_are_refused(model, tmp_path):
    def edit(config: Any) -> Any:
        entry(config, "c")["config"]["mask"] = [[1, 0, 1]] * 3
        return config

    model.save(tmp_path / "net.h5")
    with pytest.raises(DataError, match=r"layer c: damaged.*mask"):
        load_model(with_config(tmp_path / "net.h5", tmp_path / "edited.h5", edit))
