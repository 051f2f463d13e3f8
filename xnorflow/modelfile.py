"""Trained Keras networks in files: written small and whole, read without running foreign code."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.errors import ConfigError, DataError
from xnorflow.files import atomic_open
from xnorflow.inputs import check_input
from xnorflow.keras2 import import_keras, import_qkeras

# Every class that may stand in a network's file. Anything else, Lambda and custom objects above
# all, could run code while it loads.
ALLOWED_CLASSES = {
    *("Sequential", "Functional", "Model", "InputLayer", "QDense", "QConv2D", "BatchNormalization"),
    *("QActivation", "Activation", "Softmax", "MaxPooling2D", "Flatten", "Reshape", "Dropout"),
    *("binary", "Clip", "Zeros", "Ones", "GlorotUniform", "GlorotNormal", "HeNormal", "HeUniform"),
    *("RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Constant", "QInitializer"),
}
# what else Keras writes as {"class_name": ...} without running code
ALLOWED_VALUES = {"__tuple__", "TensorShape", "DTypePolicy", "Policy", "float32"}
ALLOWED_MODULES = re.compile(r"^(keras|tf_keras|qkeras|builtins)(\.|$)")
ALLOWED_ACTIVATIONS = re.compile(r"^(linear|softmax|binary|binary\(alpha=1(\.0)?\))$")
INPUT_ATTRIBUTE = "xnorflow_input"


def save_model(model: Any, path: Path, input_settings: dict[str, Any]) -> None:
    """Write a Keras model to ``path`` (``.h5``), its kernels as +1/-1 and compressed.

    The latent weights matter to training only; as +1/-1 a kernel takes about one bit per weight.

    Args:
        model: a model whose QDense and QConv2D kernels are binary.
        path: file to write.
        input_settings: ``bits`` and ``pixel_threshold`` of the input, kept in the file.
    """
    import h5py

    keras = import_keras()
    frozen = keras.models.clone_model(model)
    frozen.set_weights(model.get_weights())
    for layer in frozen.layers:
        if hasattr(layer, "kernel_quantizer_internal"):
            layer.set_weights([np.asarray(layer.kernel_quantizer_internal(layer.kernel))])
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.h5"
        frozen.save(plain, save_format="h5", include_optimizer=False)
        packed = Path(folder) / "packed.h5"
        with h5py.File(plain, "r") as source, h5py.File(packed, "w") as target:
            _copy_compressed(source, target)
            target.attrs[INPUT_ATTRIBUTE] = json.dumps(input_settings, sort_keys=True)
        content = packed.read_bytes()
    with atomic_open(path) as stream:
        stream.write(content)


def _copy_compressed(source: Any, target: Any) -> None:
    for key, value in source.attrs.items():
        target.attrs[key] = value
    for name, item in source.items():
        if hasattr(item, "items"):
            _copy_compressed(item, target.create_group(name))
        else:
            copied = target.create_dataset(
                name, data=item[()], compression="gzip" if item.ndim else None, track_times=False
            )
            for key, value in item.attrs.items():
                copied.attrs[key] = value


def load_model(path: Path) -> tuple[Any, dict[str, Any]]:
    """Read a Keras 2 model (``.h5`` or ``.keras``); return it with its input settings, if it has any.

    Raises:
        DataError: missing, damaged or not a Keras file.
        ConfigError: the file holds a layer or object that is not allowed.
    """
    config, settings = _read_config(path)
    try:
        _check_objects(config, path)
    except RecursionError as error:
        raise DataError(f"{path}: damaged; its configuration is nested too deeply") from error
    keras, qkeras = import_keras(), import_qkeras()
    custom: dict[str, Any] = {}
    qkeras.utils._add_supported_quantized_objects(custom)
    try:
        return keras.models.load_model(path, custom_objects=custom, compile=False), settings
    except Exception as error:
        # what Keras, TensorFlow, h5py and zipfile raise for a damaged file has no common base
        raise DataError(f"{path}: damaged or not readable by Keras 2 ({_first_line(error)})") from error


def _read_config(path: Path) -> tuple[Any, dict[str, Any]]:
    import h5py

    if not path.is_file():
        raise DataError(f"no such network file: {path}; train one with `xnorflow train`")
    try:
        # exactly when Keras takes the file for an archive, so that what is checked is what is loaded
        if path.name.endswith(".keras") and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return json.loads(archive.read("config.json")), {}
        with h5py.File(path, "r") as stored:
            settings = json.loads(stored.attrs.get(INPUT_ATTRIBUTE, "{}"))
            check_input(**settings)
            return json.loads(stored.attrs["model_config"]), settings
    except Exception as error:
        # h5py raises OSError, KeyError, RuntimeError or ValueError as the damage falls
        raise DataError(f"{path}: damaged, or not a Keras .h5 or .keras file ({_first_line(error)})") from error


def _check_objects(value: Any, path: Path) -> None:
    if isinstance(value, list):
        for item in value:
            _check_objects(item, path)
    if not isinstance(value, dict):
        return
    name = value.get("class_name")
    if name is not None and not (isinstance(name, str) and name in ALLOWED_CLASSES | ALLOWED_VALUES):
        config = value.get("config")
        where = value.get("name") or (config.get("name", "") if isinstance(config, dict) else "")
        raise ConfigError(
            f"{path}: {name} {where!r} is refused; a binary network is made of QDense, QConv2D, "
            "BatchNormalization, QActivation('binary'), MaxPooling2D, Flatten, and loading others could run code"
        )
    module = value.get("module")
    if isinstance(module, str) and not ALLOWED_MODULES.match(module):
        raise ConfigError(f"{path}: {name} from module {module!r} is refused; only Keras' and QKeras' own may load")
    activation = value.get("activation")
    if isinstance(activation, str) and not ALLOWED_ACTIVATIONS.match(activation.replace(" ", "")):
        raise ConfigError(
            f"{path}: activation {activation!r} in {value.get('name')!r} is refused; "
            "use QActivation('binary'), which gives +1 at zero"
        )
    for item in value.values():
        _check_objects(item, path)


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
