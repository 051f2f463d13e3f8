"""Trained Keras networks in files: written small and whole, read without running foreign code."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.errors import ConfigError, DataError, ToolNotFound, shown
from xnorflow.base.files.atomic import atomic_open, is_file, open_regular
from xnorflow.base.keras_stack import import_keras, import_qkeras
from xnorflow.net.inputs import InputSettings
from xnorflow.net.names import derive_names
from xnorflow.net.spec import MOST_WEIGHTS
from xnorflow.sources.keras.file.config import LayerConfig, NetworkConfig, read_network
from xnorflow.sources.keras.file.kinds import describe_folder
from xnorflow.sources.keras.file.layers import MOST_VALUES, Binary
from xnorflow.sources.keras.file.store import INPUT_ATTRIBUTE, Store, open_store, read_weights

# how far QKeras' x + (sign(x) - x) may be from a sign, where trained values are no larger than a few thousand
ROUNDING = 1e-3


def save_model(model: Any, path: Path, settings: InputSettings) -> None:
    """Write a Keras model to ``path`` (``.h5``), its kernels as +1/-1 and compressed.

    The latent weights matter to training only; as +1/-1 a kernel takes about one bit per weight.

    Args:
        model: a model whose QDense and QConv2D kernels are binary.
        path: file to write.
        settings: what the network reads of an image, kept in the file.
    """
    import h5py

    keras = import_keras()
    frozen = keras.models.clone_model(model)
    frozen.set_weights(model.get_weights())
    for layer in frozen.layers:
        if hasattr(layer, "kernel_quantizer_internal"):
            layer.set_weights([bipolar_kernel(layer)])
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.h5"
        frozen.save(plain, save_format="h5", include_optimizer=False)
        packed = Path(folder) / "packed.h5"
        with h5py.File(plain, "r") as source, h5py.File(packed, "w") as target:
            _copy_compressed(source, target)
            target.attrs[INPUT_ATTRIBUTE] = json.dumps(dataclasses.asdict(settings), sort_keys=True)
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


def load_model(path: str | Path) -> tuple[Any, InputSettings | None]:
    """Read a Keras model; return it as a Sequential, with what it reads of an image, where the file says so.

    The file is one that ``model.save`` of Keras 2 or 3 wrote, ``.h5`` or ``.keras``, whatever its name. Layers whose
    names could not be identifiers get the nearest that can, and kernels of binary weights are +1/-1.

    Raises:
        DataError: it is missing, cannot be read, is another kind of file, damaged, or too large.
        ConfigError: it holds a layer or object that is not allowed.
    """
    with _opened(Path(path)) as (network, store):
        return _build(network, store), store.settings


def check_model(path: Path) -> None:
    """Look at a network's file as ``load_model`` does, but for the weights; this takes no TensorFlow.

    Raises:
        XnorflowError: as ``load_model``.
    """
    with _opened(path):
        pass


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[NetworkConfig, Store]]:
    if not is_file(path):
        if path.is_dir():
            with _naming(path):
                raise DataError(describe_folder(path))
        raise DataError(f"no such network file: {shown(path)}; train one with `xnorflow train`")
    with open_regular(path) as stream, _naming(path), open_store(stream) as store:
        yield read_network(store.config), store


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file's name in front of what is wrong with it."""
    try:
        yield
    except (ConfigError, DataError) as error:
        raise type(error)(f"{shown(path)}: {error}") from error
    except (ToolNotFound, MemoryError):
        raise
    except Exception as error:
        # what h5py, zipfile, json and numpy raise for a damaged file has no common base
        raise DataError(f"{shown(path)}: damaged, or not written by Keras ({_first_line(error)})") from error


def _build(network: NetworkConfig, store: Store) -> Any:
    """Make the network of Keras 2 layers, each with its weights."""
    keras = import_keras()
    model = keras.Sequential(name=derive_names([network.name], "network")[0])
    pixels, *names = derive_names(["pixels", *(layer.name for layer in network.layers)])
    model.add(keras.layers.InputLayer(network.shape, name=pixels))
    shape, count = network.shape, 0
    for entry, name in zip(network.layers, names, strict=True):
        stored = store.weights(entry.kind, entry.name)
        count += sum(math.prod(array.shape) for array in stored)
        if count > MOST_WEIGHTS:
            raise DataError(f"its layers have more than {MOST_WEIGHTS:,} weights, the most that are read")
        try:
            layer = _make(entry, name)
            _check_kernel(layer, shape, stored)
            shape = _output_shape(layer, shape)
            # only now does Keras take memory
            model.add(layer)
            layer.set_weights(read_weights(stored))
        except (ValueError, TypeError, AssertionError, ArithmeticError) as error:
            raise DataError(f"layer {shown(entry.name)}: damaged ({_first_line(error)})") from error
        if "kernel_quantizer" in entry.settings and _bipolar(layer.kernel_quantizer_internal):
            layer.set_weights([bipolar_kernel(layer), *layer.get_weights()[1:]])
    return model


def _make(entry: LayerConfig, name: str) -> Any:
    """Return the layer, which has no weights before it is added to a network."""
    keras, qkeras = import_keras(), import_qkeras()
    settings: dict[str, Any] = {
        # rounding by chance ends with training; in Keras 2 it does not even run on a batch
        key: qkeras.binary(value.use_01, value.alpha) if isinstance(value, Binary) else value
        for key, value in entry.settings.items()
    }
    if entry.kind == "QActivation":
        # as text, for in Keras 2 a layer that holds the quantizer itself cannot be copied or converted
        settings["activation"] = str(settings["activation"]).replace("binary()", "binary")
    return getattr(qkeras if entry.kind.startswith("Q") else keras.layers, entry.kind)(**settings, name=name)


def _check_kernel(layer: Any, shape: tuple[int, ...], stored: list[Any]) -> None:
    """Compare the kernel that Keras would make for inputs of ``shape`` with the one in the file."""
    if hasattr(layer, "units"):
        expected = (shape[-1], layer.units)
    elif hasattr(layer, "filters"):
        channels = shape[0 if layer.data_format == "channels_first" else -1]
        expected = (*layer.kernel_size, channels // layer.groups, layer.filters)
    else:
        return
    if not stored or stored[0].shape != expected:
        found = stored[0].shape if stored else "no weights"
        raise ValueError(f"its kernel must have the shape {expected}, got {found}")


def _output_shape(layer: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    after = tuple(int(size) for size in layer.compute_output_shape((None, *shape))[1:])
    if min(after, default=0) < 1 or math.prod(after) > MOST_VALUES:
        raise ValueError(f"it gives values of shape {after}; 1 to {MOST_VALUES:,} are possible")
    return after


def _bipolar(quantizer: Any) -> bool:
    return quantizer.alpha in (1, 1.0) and not quantizer.use_01


def bipolar_kernel(layer: Any) -> NDArray[Any]:
    """Return the kernel of a binary layer as its quantizer gives it: +1 and -1, without the quantizer's rounding.

    Raises:
        ConfigError: a trained value is no number, or too large for the quantizer.
    """
    values = np.asarray(layer.kernel_quantizer_internal(layer.kernel))
    signs = np.where(values >= 0, 1, -1).astype(values.dtype)
    if not (np.abs(values - signs) < ROUNDING).all():
        largest = np.abs(np.asarray(layer.kernel)).max()
        raise ConfigError(
            f"layer {layer.name}: weights are not all +1 or -1, as a trained value is no number (NaN) or too large "
            f"for QKeras to round; the largest is {largest:g}; train it again and keep them from -1 to 1"
        )
    return signs


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return shown(text.splitlines()[0][:200]) if text else type(error).__name__
