"""Files that are whole and no network of Keras: each is told what it is and what to do."""

from __future__ import annotations

import gzip
import importlib
import os
import pickle
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from xnorflow.base.errors import DataError, ToolNotFound
from xnorflow.net.spec_file import save_spec
from xnorflow.sources.keras.file.read import check_model, load_model

SAVE = r"save the whole network with model\.save"
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x80\x01"
TFLITE = b"\x1c\x00\x00\x00TFL3\x14\x00 \x00"


def packed(names: list[str]) -> Any:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"")

    return make


def weights_only(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["d"]
        file.create_group("d")


def foreign_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros(3)


def tarred(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("net.h5"))


def numpy_file(path: Path) -> None:
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))


def numpy_archive(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, a=np.zeros(3))


KINDS = [
    (b"", "the file is empty; copy or save it again"),
    (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        r"it is a pointer of git LFS .*; .*`git lfs pull`",
    ),
    (b"hello, world\n" * 99, f"it is a text file and no network; {SAVE}"),
    (b'{"class_name": "Sequential"}', f"it is JSON text, which has no weights; {SAVE}"),
    (b"\n<!DOCTYPE html>\n<html>", "it is a web page, .*; download the file itself"),
    (ONNX, "it looks like an ONNX network; xnorflow reads networks of QKeras"),
    (TFLITE, "it is a TensorFlow Lite network; xnorflow reads networks of QKeras"),
    (b"\x08\x01\x12\xff", f"it looks like a part of a TensorFlow SavedModel; {SAVE}"),
    (pickle.dumps({"a": 1}), "it is a Python pickle, which can run code and is never loaded"),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "it is a Python pickle, which can run code and is never loaded"),
    (gzip.compress(b"x"), "it is a compressed file; unpack it"),
    (bytes(range(256)), f"it is neither an .h5 nor a .keras file; {SAVE}"),
    (numpy_file, f"it is a numpy array and no network; {SAVE}"),
    (tarred, "it is a tar archive; unpack it"),
    (packed(["archive/data.pkl", "archive/data/0"]), "it is a PyTorch network; xnorflow reads networks of QKeras"),
    (packed(["m/saved_model.pb"]), f"it is a packed TensorFlow SavedModel; {SAVE}"),
    (packed(["net.h5"]), "it is a zip archive; unpack it"),
    (packed(["word/document.xml"]), f"it is a zip archive without config.json, so no .keras file; {SAVE}"),
    (numpy_archive, rf"it holds numpy arrays \(.npz\) and no network; {SAVE}"),
    (weights_only, f"it holds weights only, without the layers that they belong to; {SAVE}"),
    (foreign_hdf5, f"it is an HDF5 file, but Keras has not written a network to it; {SAVE}"),
]


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_model(path)
    text = str(caught.value)
    assert len(text.splitlines()) == 1 and path.name in text
    return text


@pytest.mark.parametrize("suffix", [".h5", ".keras", ".bin"])
@pytest.mark.parametrize(("content", "says"), KINDS, ids=[says[:40] for _, says in KINDS])
def test_a_file_that_is_whole_is_told_what_it_is(tmp_path, content, says, suffix):
    path = tmp_path / f"net{suffix}"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    text = refused(path)
    assert "damaged" not in text
    with pytest.raises(DataError, match=f"{path.name}: {says}") as caught:
        check_model(path)
    assert str(caught.value) == text


def test_a_golden_model_is_told_apart(tmp_path, tiny_spec):
    save_spec(tiny_spec, tmp_path / "spec.npz")
    assert "it is a golden model as `xnorflow extract` leaves it" in refused(tmp_path / "spec.npz")


def test_folders_are_told_what_they_are(tmp_path):
    assert "no such network file; it is a folder, give a file in it" in refused(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    assert "it is a TensorFlow SavedModel, which is a folder; save the whole" in refused(tmp_path)
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    for name in ("config.json", "model.weights.h5"):
        (tmp_path / name).touch()
    assert "it is an unpacked .keras file" in refused(tmp_path)


def test_what_may_not_be_read_says_so(tmp_path, monkeypatch):
    path = tmp_path / "net.h5"
    path.touch()
    opened = os.open

    def deny(name: Any, *arguments: Any, **options: Any) -> int:
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied", str(name))
        return opened(name, *arguments, **options)

    monkeypatch.setattr(os, "open", deny)
    assert refused(path) == f"cannot read {path}: Permission denied; name a file that you may read"


def test_pipes_and_devices_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.h5")
    assert "no such network file" in refused(tmp_path / "pipe.h5")
    assert "no such network file" in refused(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["n" * 300, "net\n.h5"])
def test_names_that_no_file_has_or_that_would_break_a_line(tmp_path, name):
    with pytest.raises(DataError) as caught:
        load_model(tmp_path / name)
    assert str(caught.value).isprintable()


def test_a_missing_h5py_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.delitem(sys.modules, "xnorflow.sources.keras.file.store")
    with pytest.raises(ToolNotFound, match=r"reading networks needs h5py .*; install it with pip install"):
        importlib.import_module("xnorflow.sources.keras.file.store")
