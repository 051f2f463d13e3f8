"""Arrays in .npz files, whose sizes are looked at before they are read."""

import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest

from xnorflow.base.errors import DataError
from xnorflow.base.files.npz import load_npz

MOST = 1 << 20


def refused(path, most_bytes=MOST, names=None):
    with pytest.raises(DataError) as caught:
        load_npz(path, most_bytes, names)
    text = str(caught.value)
    assert len(text.splitlines()) == 1 and text.isprintable()
    return text


def archive(path, *members, kind=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", kind) as stream:
        for name, content in members:
            stream.writestr(name, content)
    return path


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def claiming(shape, array):
    """A member whose header says another shape than its content has."""
    old = repr(array.shape).encode()
    text = npy(array)
    start, end = text.index(old), text.index(b"\n")
    line = text[:end].replace(old, repr(shape).encode()).rstrip()
    assert len(line) <= end and start
    return line.ljust(end) + text[end:]


def peak_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back(tmp_path, save):
    arrays = {"a": np.arange(12).reshape(3, 4), "b": np.array("text"), "c": np.zeros((0, 3), np.uint8)}
    save(tmp_path / "a.npz", **arrays)
    back = load_npz(tmp_path / "a.npz", MOST)
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype and np.array_equal(back[name], array)


def test_arrays_that_are_not_asked_for_are_not_read(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(3), big=np.zeros(MOST), odd=np.array([{}]))
    back = load_npz(tmp_path / "a.npz", 1000, {"a", "none"})
    assert back.keys() == {"a", "big", "odd"} and back["a"].tolist() == [0, 1, 2]
    assert back["big"].size == back["odd"].size == 0


def test_a_small_file_that_unpacks_to_much_is_refused_unread(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.zeros(20 << 20, np.uint8), b=np.zeros(20 << 20, np.uint8))
    assert path.stat().st_size < 100_000
    assert peak_of(lambda: refused(path)) < 2 << 20
    assert "arrays take 41,943," in refused(path) and "at most 30,000,000 are read" in refused(path, 30_000_000)
    assert load_npz(path, 41 << 20)["a"].nbytes == 20 << 20
    assert load_npz(path, 21 << 20, {"a"})["a"].nbytes == 20 << 20


def test_a_size_that_the_archive_understates_is_not_exceeded(tmp_path):
    content = npy(np.zeros(4 << 20, np.uint8))
    path = archive(tmp_path / "a.npz", ("a.npy", content))
    size = len(content).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (1000).to_bytes(4, "little")))
    # numpy sets the memory of the shape aside at once, but it is not written to
    assert "cannot read" in refused(path)


@pytest.mark.parametrize("shape", [(10**15,), (2**32, 2**32), (-1,), (10**30,), (5,)])
def test_a_shape_that_the_content_does_not_have(tmp_path, shape):
    path = archive(tmp_path / "a.npz", ("a.npy", claiming(shape, np.zeros((1, 1, 1, 1, 1, 1), np.uint8))))
    refused(path)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused_as_they_unpack_all_at_once(tmp_path, kind):
    path = archive(tmp_path / "a.npz", ("a.npy", npy(np.zeros(100 << 10, np.uint8))), kind=kind)
    assert "compressed in another way" in refused(path)


def test_files_that_are_no_archive(tmp_path):
    path = tmp_path / "a.npz"
    assert "no such file" in refused(path)
    for content in (b"", b"hello", b"\x80\x04N.", b"PK\x01\x02"):
        path.write_bytes(content)
        assert "not an .npz archive" in refused(path)
    path.write_bytes(npy(np.arange(3)))
    assert "single .npy array" in refused(path)
    path.write_bytes(b"PK\x03\x04")
    assert "zip" in refused(path)
    assert "not a numpy array" in refused(archive(path, ("a", b"raw")))
    np.savez(path, a=np.array([{}]))
    assert "pickled objects" in refused(path)


def test_pipes_and_devices_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    assert "not a regular file" in refused(tmp_path / "a.npz")
