"""What a file that is no Keras network is, by its content and not its name, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

# enough for every mark below; that of a tar archive stands at byte 257
HEAD_BYTES = 512
SAVE_WHOLE = "save the whole network with model.save('network.h5') or model.save('network.keras')"
_QKERAS = "xnorflow reads networks of QKeras; build it there, train it, and save it with model.save('network.h5')"
_UNPACK = "unpack it and give the network in it"

# (mark at the beginning, what such a file is, what to do)
_MARKS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (re.compile(rb"\Z"), "the file is empty", "copy or save it again"),
    (
        re.compile(rb"version https://git-lfs\.github\.com/"),
        "it is a pointer of git LFS that stands for the network",
        "fetch the network itself with `git lfs pull`",
    ),
    (re.compile(rb"....TFL3", re.DOTALL), "it is a TensorFlow Lite network", _QKERAS),
    (re.compile(rb"\x08[\x03-\x20][\x12\x1a\x3a\x42]"), "it looks like an ONNX network", _QKERAS),
    (re.compile(rb"\x08\x01\x12"), "it looks like a part of a TensorFlow SavedModel", SAVE_WHOLE),
    (re.compile(rb"\x80[\x02-\x05]"), "it is a Python pickle, which can run code and is never loaded", _QKERAS),
    (re.compile(rb"\x93NUMPY"), "it is a numpy array and no network", SAVE_WHOLE),
    (re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!"), "it is a compressed file", _UNPACK),
    (re.compile(rb".{257}ustar", re.DOTALL), "it is a tar archive", _UNPACK),
    (
        re.compile(rb"\s*<(!doctype|html)", re.IGNORECASE),
        "it is a web page, as a download of the wrong link leaves it",
        "download the file itself",
    ),
    (re.compile(rb"\s*\{"), "it is JSON text, which has no weights", SAVE_WHOLE),
)


def describe(head: bytes) -> str:
    """Return what a file is, and what to do, from its first ``HEAD_BYTES`` bytes."""
    for mark, kind, advice in _MARKS:
        if mark.match(head):
            return f"{kind}; {advice}"
    control = set(head) & (set(range(32)) - set(b"\t\n\r\f"))
    kind = "it is neither an .h5 nor a .keras file" if control else "it is a text file and no network"
    return f"{kind}; {SAVE_WHOLE}"


def describe_folder(folder: Path) -> str:
    """Return what a folder is that was given for a network's file."""
    if (folder / "saved_model.pb").exists() or (folder / "keras_metadata.pb").exists():
        return f"it is a TensorFlow SavedModel, which is a folder; {SAVE_WHOLE}"
    if (folder / "config.json").exists() and (folder / "model.weights.h5").exists():
        return f"it is an unpacked .keras file; {SAVE_WHOLE}, and leave it packed"
    return "no such network file; it is a folder, give a file in it"


def describe_archive(names: Collection[str]) -> str:
    """Return what a zip archive without ``config.json`` is, from the names in it."""
    if {"header.npy", "sha256.npy"} <= set(names):
        return "it is a golden model as `xnorflow extract` leaves it; give the network that it was made from"
    if any(name.endswith("data.pkl") for name in names):
        return f"it is a PyTorch network; {_QKERAS}"
    if any(name.endswith("saved_model.pb") for name in names):
        return f"it is a packed TensorFlow SavedModel; {SAVE_WHOLE}"
    if names and all(name.endswith(".npy") for name in names):
        return f"it holds numpy arrays (.npz) and no network; {SAVE_WHOLE}"
    if any(name.endswith((".h5", ".keras")) for name in names):
        return f"it is a zip archive; {_UNPACK}"
    return f"it is a zip archive without config.json, so no .keras file; {SAVE_WHOLE}"


def describe_hdf5(names: Collection[str]) -> str:
    """Return what an HDF5 file without ``model_config`` is, from the groups and attributes at its root."""
    weights = {"layers", "_layer_checkpoint_dependencies", "layer_names", "model_weights", "top_level_model_weights"}
    if weights & set(names):
        return f"it holds weights only, without the layers that they belong to; {SAVE_WHOLE}"
    return f"it is an HDF5 file, but Keras has not written a network to it; {SAVE_WHOLE}"
