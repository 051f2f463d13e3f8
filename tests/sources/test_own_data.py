"""Data sets of a user's own: an .npz file, or a folder of images."""

import io
import os
import sys
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from data_checks import message, parts
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow.base.errors import DataError, ToolNotFound
from xnorflow.sources.data.sets import load_dataset

# --- the user's own .npz


def own(n_classes=3, each=10, size=(5, 4)) -> dict[str, np.ndarray]:
    labels = np.arange(n_classes * each) % n_classes
    images = np.random.default_rng(0).integers(0, 256, (len(labels), *size), np.uint8)
    return {"images": images, "labels": labels}


def saved(folder: Path, **arrays: np.ndarray) -> str:
    np.savez(folder / "my.npz", **arrays)
    return str(folder / "my.npz")


def test_own_npz(tmp_path):
    arrays = own()
    data = load_dataset(saved(tmp_path, **arrays))
    assert (data.name, data.n_classes, data.image_shape) == ("my", 3, (5, 4))
    assert [len(part.labels) for part in parts(data)] == [21, 3, 6]
    assert [np.bincount(part.labels).tolist() for part in parts(data)] == [[7] * 3, [1] * 3, [2] * 3]
    label_of = {image.tobytes(): label for image, label in zip(*arrays.values(), strict=True)}
    pairs = [(i.tobytes(), int(j)) for part in parts(data) for i, j in zip(part.images, part.labels, strict=True)]
    assert dict(pairs) == label_of and len(pairs) == 30
    assert load_dataset(saved(tmp_path, **arrays)).sha256 == data.sha256
    grey = {**arrays, "images": arrays["images"][..., None]}
    assert load_dataset(saved(tmp_path, **grey)).sha256 == data.sha256
    arrays["images"][0, 0, 0] ^= 1
    assert load_dataset(saved(tmp_path, **arrays)).sha256 != data.sha256


def test_own_npz_with_its_own_test_set(tmp_path):
    test = own(3, 2)
    name = saved(tmp_path, **own(), test_images=test["images"], test_labels=test["labels"])
    data = load_dataset(name)
    assert [len(part.labels) for part in parts(data)] == [27, 3, 6]
    assert np.array_equal(data.test.images, test["images"]) and np.array_equal(data.test.labels, test["labels"])


@pytest.mark.parametrize("dtype", [bool, np.int64, ">u2", np.float16, np.float32, np.float64])
def test_own_pixels_become_uint8(tmp_path, dtype):
    arrays = own()
    floats = np.dtype(dtype).kind == "f"
    images = (arrays["images"] / 255 if floats else arrays["images"] & 0xFE).astype(dtype)
    data = load_dataset(saved(tmp_path, images=images, labels=arrays["labels"]))
    got = sorted(image.tobytes() for part in parts(data) for image in part.images)
    pixels = {"b": (arrays["images"] > 1) * 255, "f": arrays["images"]}
    wanted = pixels.get(np.dtype(dtype).kind, arrays["images"] & 0xFE).astype(np.uint8)
    assert got == sorted(image.tobytes() for image in wanted)


def with_pixel(value: float) -> np.ndarray:
    images = own()["images"] / 255
    images[1, 2, 3] = value
    return images


SAME = own()["images"]
BAD_ARRAYS = {
    "rank 2": ({"images": SAME.reshape(30, 20)}, ("shape (n, h, w)", "(30, 20)")),
    "rank 4": ({"images": SAME[..., None, None]}, ("(30, 5, 4, 1, 1)",)),
    "rgb": ({"images": np.stack([SAME] * 3, -1)}, ("grey", "3 colour channels", ".mean(axis=-1)")),
    "rgba": ({"images": np.stack([SAME] * 4, -1)}, ("grey", "4 colour channels")),
    "channels first": ({"images": SAME.reshape(30, 1, 4, 5)}, ("(30, 1, 4, 5)", "images[:, 0]")),
    "two channels": ({"images": np.stack([SAME] * 2, -1)}, ("(30, 5, 4, 2)", "reshape")),
    "all alike": ({"images": np.full((30, 5, 4), 7)}, ("all be alike", "got 7 in every pixel")),
    "float all 0": ({"images": np.zeros((30, 5, 4))}, ("all be alike", "got 0.0 in every pixel")),
    "no pixels": ({"images": SAME[:, :0]}, ("at least one pixel", "(30, 0, 4)")),
    "no images": ({"images": SAME[:0], "labels": np.zeros(0, int)}, ("at least one pixel",)),
    "count": ({"images": SAME[:29]}, ("29 images", "30 labels")),
    "nan": ({"images": with_pixel(np.nan)}, ("NaN", "1 pixels")),
    "inf": ({"images": with_pixel(np.inf)}, ("infinity", "1 pixels")),
    "float 2": ({"images": with_pixel(2)}, ("[0, 1]", "got 0 to 2")),
    "float -1": ({"images": with_pixel(-1)}, ("[0, 1]", "got -1 to 1")),
    "int 256": ({"images": SAME.astype(int) + 1}, ("0..255", "got 1 to 256")),
    "int -1": ({"images": SAME.astype(int) - 1}, ("0..255", "got -1 to 254")),
    "int 0 and 1": ({"images": SAME & 1}, ("0..255", "got 0 to 1", "bool")),
    "complex": ({"images": SAME.astype(complex)}, ("numbers", "complex128")),
    "text": ({"images": SAME.astype(str)}, ("numbers", "<U3")),
    "object": ({"images": SAME.astype(object)}, ("pickled",)),
    "pickled labels": ({"labels": np.array([{}] * 30)}, ("pickled",)),
    "missing class": ({"labels": np.arange(30) % 3 * 2}, ("none of class 1", "up to 4")),
    "from 1": ({"labels": np.arange(30) % 3 + 1}, ("none of class 0", "up to 3")),
    "huge": ({"labels": np.full(30, 2**64 - 1, np.uint64)}, ("class numbers", 2**64 - 1)),
    "one class": ({"labels": np.zeros(30, int)}, ("at least 2 classes", "got 1")),
    "few": ({"labels": np.array([0] * 28 + [1] * 2)}, ("at least 3", "2 of class 1")),
    "negative": ({"labels": np.arange(30) % 3 - 1}, ("negative", "-1")),
    "float labels": ({"labels": np.arange(30) % 3 / 1}, ("integers", "float64")),
    "whole column": ({"labels": own()["labels"][:, None]}, ("(n,)", "(30, 1)", "labels[:, 0]")),
    "true and false": ({"labels": np.arange(30) % 2 == 1}, ("integers", "bool")),
    "text labels": ({"labels": np.array(["a", "b"])[np.arange(30) % 2]}, ("integers", "<U1", "number the classes")),
    "one-hot": ({"labels": np.eye(3, dtype=int)[np.arange(30) % 3]}, ("(n,)", "(30, 3)", "argmax")),
    "test alone": ({"test_images": SAME}, ("test_images stands alone",)),
    "test labels alone": ({"test_labels": own()["labels"]}, ("test_labels stands alone",)),
    "test size": ({"test_images": SAME[:, 1:], "test_labels": own()["labels"]}, ("5x4", "4x4")),
    "test class": ({"test_images": SAME, "test_labels": own()["labels"] + 1}, ("0..2", "got 3")),
    "test count": ({"test_images": SAME[1:], "test_labels": own()["labels"]}, ("29 images", "30 labels")),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_bad_own_arrays(tmp_path, case):
    change, has = BAD_ARRAYS[case]
    message(DataError, saved(tmp_path, **{**own(), **change}), has=(tmp_path / "my.npz", *has))


def test_files_that_are_no_npz(tmp_path):
    path = tmp_path / "my.npz"
    message(DataError, str(path), has=(path, "no such file", "numpy.savez"))
    foreign = "not an .npz archive"
    for content, has in ((b"", foreign), (b"hello", foreign), (b"PK\x03\x04", ""), (b"\x80\x04N.", foreign)):
        path.write_bytes(content)
        message(DataError, str(path), has=(path, has, "numpy.savez"))
    with path.open("wb") as stream:
        np.save(stream, SAME)
    message(DataError, str(path), has=(path, "single .npy array"))
    message(DataError, saved(tmp_path, x_train=SAME), has=(path, "'images'", "['x_train']"))
    message(DataError, saved(tmp_path, images=SAME), has=(path, "'labels'", "['images']"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images", b"raw")
        archive.writestr("labels.npy", b"raw")
    message(DataError, str(path), has=(path, "not a numpy array"))
    message(DataError, "x" * 300 + ".npz", has=("too long",))
    message(DataError, "\0.npz", has=("null",))


def test_sizes_are_looked_at_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("xnorflow.sources.data.own._MOST_BYTES", 1 << 20)
    np.savez_compressed(tmp_path / "my.npz", images=np.zeros((2000, 28, 28), np.uint8), labels=np.zeros(2000))
    assert (tmp_path / "my.npz").stat().st_size < 10_000
    message(DataError, str(tmp_path / "my.npz"), has=("take 1,584,256 bytes", "at most 1,048,576", "numpy.savez"))
    os.mkfifo(tmp_path / "pipe.npz")
    message(DataError, str(tmp_path / "pipe.npz"), has=("not a regular file",))


def npz_bytes(compressed: bool) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **own(2, 4, (2, 2)))
    return stream.getvalue()


@settings(max_examples=250, deadline=None)
@given(
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    st.integers(0, 2000),
)
def test_damaged_npz_is_only_ever_a_data_error(compressed, changes, cut):
    content = bytearray(npz_bytes(compressed))
    for place, value in changes:
        content[place % len(content)] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "my.npz"
        path.write_bytes(content if cut > len(content) else content[:cut])
        try:
            data = load_dataset(str(path))
        except DataError as error:
            assert str(path) in str(error) and len(str(error).splitlines()) == 1
        else:  # the damage hit nothing that matters
            assert cut >= len(content) and data.n_classes == 2


# --- the user's own folder


@pytest.fixture
def folder(tmp_path) -> Path:
    image = pytest.importorskip("PIL.Image")
    root = tmp_path / "shapes"
    rng = np.random.default_rng(1)
    for name in ("square", "circle"):
        (root / name).mkdir(parents=True)
        for number, suffix in enumerate(["png", "bmp", "pgm", "tif", "png"]):
            pixels = rng.integers(0, 256, (6, 7), np.uint8)
            pixels[0, 0] = 200 if name == "circle" else 100
            image.fromarray(pixels).save(root / name / f"{number}.{suffix}")
    return root


def test_own_folder(folder, monkeypatch):
    (folder / ".git").mkdir()
    (folder / "circle/.DS_Store").write_bytes(b"hidden")
    data = load_dataset(str(folder))
    assert (data.name, data.n_classes, data.image_shape) == ("shapes", 2, (6, 7))
    assert [len(part.labels) for part in parts(data)] == [6, 2, 2]
    for part in parts(data):  # circle comes before square
        assert np.array_equal(part.images[:, 0, 0] == 100, part.labels == 1) and set(part.labels) == {0, 1}
    monkeypatch.chdir(folder)
    assert (load_dataset(".").name, load_dataset(".").sha256) == ("shapes", data.sha256)


def test_folder_takes_jpg_and_black_and_white(folder):
    image = pytest.importorskip("PIL.Image")
    image.new("L", (7, 6), 90).save(folder / "circle/0.jpg")
    image.new("1", (7, 6), 1).save(folder / "circle/1.png")
    data = load_dataset(str(folder))
    assert any((picture == 255).all() for part in parts(data) for picture in part.images)
    assert sum(len(part.labels) for part in parts(data)) == 12


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA", "I;16", "F"])
def test_folder_refuses_all_but_8_bit_grey(folder, mode):
    name = "c.tif" if mode == "F" else "c.png"
    pytest.importorskip("PIL.Image").new(mode, (7, 6)).save(folder / "square" / name)
    # .convert('L') would cut 16 bits off at 255
    mend = "scale its values to 0..255" if mode in ("I;16", "F") else ".convert('L')"
    message(DataError, str(folder), has=(folder / "square" / name, f"mode {mode}", "grey", mend))


def test_bad_folders(folder):
    image = pytest.importorskip("PIL.Image")
    odd = folder / "square/9.png"
    image.new("L", (6, 7)).save(odd)
    message(DataError, str(folder), has=(f"{odd} has 7x6", f"{folder / 'circle/0.png'} has 6x7", "resize"))
    odd.write_bytes((folder / "square/0.png").read_bytes()[:50])
    message(DataError, str(folder), has=(odd, "cannot read"))
    odd.write_text("no image")
    message(DataError, str(folder), has=(odd, "cannot read"))
    odd.unlink()
    odd.symlink_to("nowhere.png")
    message(DataError, str(folder), has=(odd, "broken link"))
    odd.unlink()
    odd = odd.with_suffix(".tif")
    image.new("L", (7, 6)).save(odd, save_all=True, append_images=[image.new("L", (7, 6))])
    message(DataError, str(folder), has=(odd, "it holds 2 pictures"))
    odd.unlink()
    odd.mkdir()
    message(DataError, str(folder), has=(odd, "folder"))
    odd.rmdir()
    (folder / "readme.txt").write_text("x")
    message(DataError, str(folder), has=(folder / "readme.txt", "subfolder"))
    (folder / "readme.txt").unlink()
    (folder / "oval").mkdir()
    message(DataError, str(folder), has=(folder / "oval", "'oval' has 0 images"))
    for number in range(2):
        image.new("L", (7, 6)).save(folder / f"oval/{number}.png")
    message(DataError, str(folder), has=(folder, "2 of class 'oval'"))


def test_the_size_of_an_image_is_looked_at_before_it_is_unpacked(folder, monkeypatch):
    monkeypatch.setattr("xnorflow.sources.data.own._MOST_BYTES", 1 << 20)
    odd = folder / "square/9.png"
    pytest.importorskip("PIL.Image").new("L", (5000, 4000)).save(odd)
    tracemalloc.start()
    message(DataError, str(folder), has=(odd, "4000x5000 pixels, at most 95,325 are read of each"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20


def test_folder_without_classes(tmp_path):
    message(DataError, str(tmp_path), has=(tmp_path, "at least 2 classes", "got 0"))


def test_absent_pillow_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    message(ToolNotFound, str(folder), has=("pip install pillow",))
