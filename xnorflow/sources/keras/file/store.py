"""Configuration and weights in the files that Keras writes: ``.h5``, and ``.keras`` of Keras 2 and 3.

What a file is shows in its content, not in its name. Whatever it declares (sizes, types, links) is looked at
before it is read, so a file can neither unpack to more than these limits nor reach another file.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import zipfile
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.errors import ConfigError, DataError, ToolNotFound, shown
from xnorflow.net.inputs import InputSettings
from xnorflow.net.spec import MOST_WEIGHTS
from xnorflow.sources.keras.file.kinds import HEAD_BYTES, describe, describe_archive, describe_hdf5

try:
    import h5py
except ImportError as error:
    raise ToolNotFound(
        f"reading networks needs h5py ({error}); install it with pip install 'xnorflow[flow]'"
    ) from error

# four times such weights in float32: an optimizer that was saved along keeps two more numbers for each
_MOST_BYTES = 16 * MOST_WEIGHTS
# a layer takes 3 kB of configuration
MOST_CONFIG = 8_000_000
INPUT_ATTRIBUTE = "xnorflow_input"
HDF5 = b"\x89HDF\r\n\x1a\n"
# how Keras names the classes that have weights, in a .keras file
_SNAKE = {"QDense": "q_dense", "QConv2D": "q_conv2d", "BatchNormalization": "batch_normalization"}


class Store:
    """An open file of Keras.

    Attributes:
        config: its configuration, as JSON holds it.
        settings: what the network reads, which xnorflow keeps in its own files; None in others.
    """

    def __init__(self, root: h5py.File, config: Any, settings: InputSettings | None, packed: bool) -> None:
        self._root, self._packed = root, packed
        self._count: dict[str, int] = {}
        self.config, self.settings = config, settings

    def weights(self, kind: str, name: str) -> list[h5py.Dataset]:
        """Return the weights of a layer of class ``kind``, unread; ask for the layers in their order.

        Raises:
            DataError: they are missing, of another type, too large or elsewhere.
        """
        if kind not in _SNAKE:
            return []
        group = self._packed_group(kind) if self._packed else self._group(name)
        found = [_child(group, key) for key in (sorted(group, key=int) if self._packed else _weight_names(group))]
        for weight in found:
            _check(weight, name)
        return found

    def _packed_group(self, kind: str) -> Any:
        count = self._count[kind] = self._count.get(kind, -1) + 1
        # Keras before 2.14 calls it by the longer name
        layers = "layers" if "layers" in self._root else "_layer_checkpoint_dependencies"
        return _child(self._root, f"{layers}/{_SNAKE[kind]}{f'_{count}' if count else ''}/vars")

    def _group(self, name: str) -> Any:
        return _child(self._root, f"model_weights/{name}")


def _weight_names(group: Any) -> list[str]:
    stored = group.attrs["weight_names"]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in stored]


def _child(group: Any, path: str) -> Any:
    """Return what stands at ``path``, which no link of the file leads away from."""
    for part in path.strip("/").split("/"):
        link = group.get(part, getlink=True)
        if link is None:
            raise DataError(f"damaged; it has no {shown(path)}")
        if not isinstance(link, h5py.HardLink):
            raise DataError(f"{shown(path)} is a link to elsewhere, which is not followed; save the network again")
        group = group[part]
    return group


def _check(weight: Any, name: str) -> None:
    """Refuse what is no plain array of the file's own, or a small one that unpacks to gigabytes."""
    where = f"layer {shown(name)}: its weights"
    if not isinstance(weight, h5py.Dataset) or weight.shape is None or weight.dtype.kind not in "fiu":
        raise DataError(f"{where} are not numbers; save the network again in float32")
    if weight.external or weight.is_virtual:
        raise DataError(f"{where} lie in another file, which is not read; save the network again, as one file")
    if max(math.prod(weight.shape), math.prod(weight.chunks or ())) > MOST_WEIGHTS:
        raise DataError(f"{where} have the shape {weight.shape}; at most {MOST_WEIGHTS:,} are read")


@contextlib.contextmanager
def open_store(stream: IO[bytes]) -> Iterator[Store]:
    """Open a file of Keras.

    Raises:
        DataError: it is none, or larger than any network for these parts.
    """
    size = os.fstat(stream.fileno()).st_size
    if size > _MOST_BYTES:
        raise DataError(f"it has {size:,} bytes, at most {_MOST_BYTES:,} are read")
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if head.startswith(HDF5):
        with h5py.File(stream, "r") as root:
            yield Store(root, *_read_hdf5(root), packed=False)
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            if "config.json" not in names:
                raise DataError(describe_archive(names))
            config = _json(_member(archive, "config.json", MOST_CONFIG))
            weights = io.BytesIO(_member(archive, "model.weights.h5", _MOST_BYTES))
        with h5py.File(weights, "r") as root:
            yield Store(root, config, None, packed=True)
    else:
        raise DataError(describe(head))


def _read_hdf5(root: h5py.File) -> tuple[Any, InputSettings | None]:
    if "model_config" not in root.attrs:
        raise DataError(describe_hdf5([*root, *root.attrs]))
    settings = None
    try:
        if INPUT_ATTRIBUTE in root.attrs:
            settings = InputSettings(**_json(_attribute(root, INPUT_ATTRIBUTE)))
    except (TypeError, ConfigError) as error:
        raise DataError(f"damaged input settings ({shown(error)})") from error
    return _json(_attribute(root, "model_config")), settings


def _attribute(root: h5py.File, name: str) -> str | bytes:
    stored = root.attrs.get_id(name)
    if stored.shape != () or stored.get_storage_size() > MOST_CONFIG:
        raise DataError(f"damaged; its {name} is no text of at most {MOST_CONFIG:,} bytes")
    value: str | bytes = root.attrs[name]
    return value


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a member of an archive; zipfile unpacks no more of it than the size that was looked at."""
    if name not in archive.namelist():
        raise DataError(
            f"it is a .keras file without {name}; save the network again with model.save('network.keras')"
        )
    member = archive.getinfo(name)
    if member.file_size > most:
        raise DataError(f"its {name} unpacks to {member.file_size:,} bytes, at most {most:,} are read")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # the other ways unpack a whole block before it can be counted
        raise DataError(f"its {name} is compressed in a way that Keras does not write; save the network again")
    with archive.open(member) as packed:
        return packed.read(member.file_size + 1)


def _json(text: str | bytes) -> Any:
    if not isinstance(text, str | bytes) or len(text) > MOST_CONFIG:
        raise DataError(f"damaged; its configuration is no text of at most {MOST_CONFIG:,} bytes")
    return json.loads(text)


def read_weights(weights: list[h5py.Dataset]) -> list[NDArray[Any]]:
    """Return the arrays of ``Store.weights``."""
    return [np.asarray(weight[()]) for weight in weights]
