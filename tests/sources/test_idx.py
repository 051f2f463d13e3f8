"""MNIST and Fashion-MNIST: idx files, where they are looked for, and what is done without them."""

import gzip
import os
import struct
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import pytest
from data_checks import message, parts
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow.base.errors import DataError
from xnorflow.sources.data.idx import IDX_FILES, read_idx
from xnorflow.sources.data.sets import DEBIAN_FOLDERS, DataSet, load_dataset

PINS = {
    "mnist": "ba7234ec1ca780866bb45c4bb8019544b2cbaf2cb814db2f57024ebede6af4aa",
    "fashion_mnist": "c5b2ec5121617ae9756f4fc849294d4b6fab76aa0352b7f412de753552e7d2e7",
}
BESIDE = Path(__file__).parents[3] / "shared/data/mnist"
VARIABLE = os.environ.get("XNORFLOW_DATA")  # before the fixture below takes it away
WAYS = ("--data-dir", "XNORFLOW_DATA", "network", "Keras", "mnist5k", "dataset-fashion-mnist", *IDX_FILES)
few = settings(max_examples=60, deadline=None)


def idx(array: np.ndarray, code: int = 8) -> bytes:
    """Lay out an idx file by hand, independently of the reader."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    """Neither a variable nor a package of the tester's own says where data is."""
    monkeypatch.delenv("XNORFLOW_DATA", raising=False)
    monkeypatch.setattr("xnorflow.sources.data.sets.DEBIAN_FOLDERS", {})


@pytest.fixture(scope="session")
def real_folder() -> Path:
    for folder in [BESIDE, *([Path(VARIABLE), Path(VARIABLE) / "mnist"] if VARIABLE else [])]:
        if all((folder / f"{stem}.gz").exists() for stem in IDX_FILES):
            return folder
    pytest.skip(f"the gzipped MNIST idx files are neither in {BESIDE} nor where XNORFLOW_DATA says")


@pytest.fixture(scope="session")
def real_mnist(real_folder) -> DataSet:
    return load_dataset("mnist", real_folder)


def fashion_arrays() -> list[np.ndarray]:
    """A stand-in of Fashion-MNIST's shapes and class counts; each image starts with its number."""
    made = []
    for count in (60_000, 10_000):
        images = np.zeros((count, 28, 28), np.uint8)
        images.reshape(count, -1)[:, :4] = np.arange(count, dtype=">u4").view(np.uint8).reshape(-1, 4)
        made += [images, (np.arange(count) % 10).astype(np.uint8)]
    return made


@pytest.fixture(scope="session")
def fashion_root(tmp_path_factory) -> Path:
    """Plain and gzipped files mixed, in a subfolder."""
    root = tmp_path_factory.mktemp("idx")
    (root / "fashion-mnist").mkdir()
    for stem, array in zip(IDX_FILES, fashion_arrays(), strict=True):
        if "labels" in stem:
            (root / f"fashion-mnist/{stem}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (root / f"fashion-mnist/{stem}").write_bytes(idx(array))
    return root


def fake_keras(monkeypatch, load_data):
    module = types.ModuleType("xnorflow.base.keras_stack")
    sets = {name: types.SimpleNamespace(load_data=load_data) for name in ("mnist", "fashion_mnist")}
    module.import_keras = lambda: types.SimpleNamespace(datasets=types.SimpleNamespace(**sets))
    monkeypatch.setitem(sys.modules, "xnorflow.base.keras_stack", module)


# --- idx files


shapes = st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple)


@few
@given(shapes, st.booleans(), st.randoms())
def test_idx_round_trip_and_every_truncation(shape, zipped, random):
    array = np.frombuffer(random.randbytes(int(np.prod(shape))), np.uint8).reshape(shape)
    content = gzip.compress(idx(array)) if zipped else idx(array)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("a.gz" if zipped else "a")
        path.write_bytes(content)
        assert np.array_equal(read_idx(path, shape), array) and read_idx(path, shape).shape == shape
        for length in range(len(content)):
            path.write_bytes(content[:length])
            with pytest.raises(DataError) as caught:
                read_idx(path, shape)
            assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@few
@given(st.binary(max_size=60), st.booleans())
def test_idx_of_any_bytes_is_a_data_error(content, zipped):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gz"
        path.write_bytes(gzip.compress(content) if zipped else content)
        with pytest.raises(DataError):
            read_idx(path, (7, 9))


def test_every_damaged_byte_of_a_gzipped_idx_is_a_data_error(tmp_path):
    array = np.arange(240, dtype=np.uint8).reshape(4, 6, 10) % 7
    content = gzip.compress(idx(array), mtime=0)
    path, refused = tmp_path / "a.gz", 0
    for place in range(len(content)):
        for flip in (0x01, 0x06, 0xFF):
            path.write_bytes(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
            try:
                got = read_idx(path, array.shape)
            except DataError as error:
                refused += 1
                assert str(path) in str(error) and "\n" not in str(error)
            else:  # time stamp and system in gzip's own header mean nothing
                assert place < 10 and np.array_equal(got, array)
    assert refused >= 3 * (len(content) - 10)


GOOD = np.zeros((60_000, 28, 28), np.uint8)
BAD_IDX = {
    "empty": (b"", "magic number 00000803, got nothing"),
    "labels": (idx(np.zeros(60_000, np.uint8)), "magic number 00000803, got 00000801"),
    "floats": (idx(np.zeros((2, 28, 28), np.uint8), 0x0D), "got 00000d03"),
    "small": (idx(np.zeros((3, 28, 20), np.uint8)), "expected shape [60000, 28, 28], got [3, 28, 20]"),
    "header": (idx(GOOD)[:9], "expected shape [60000, 28, 28], got [60000]"),
    "magic only": (idx(GOOD)[:4], "expected shape [60000, 28, 28], got []"),
    "short": (idx(GOOD)[:-1], "expected 47040016 bytes, got 47040015: truncated"),
    "long": (idx(GOOD) + b"\0", "expected 47040016 bytes, got more"),
    "gzip": (gzip.compress(b"x"), "magic number 00000803, got 1f8b08"),
}


@pytest.mark.parametrize("case", BAD_IDX)
def test_bad_idx_names_file_expectation_and_the_ways(tmp_path, case):
    content, problem = BAD_IDX[case]
    for stem in IDX_FILES:
        (tmp_path / stem).write_bytes(content)
    message(DataError, "mnist", tmp_path, has=(tmp_path / IDX_FILES[0], problem, *WAYS))


def test_plain_bytes_named_gz_are_refused(tmp_path):
    for stem in IDX_FILES:
        (tmp_path / f"{stem}.gz").write_bytes(idx(np.zeros((2, 28, 28), np.uint8)))
    message(DataError, "mnist", tmp_path, has=(tmp_path / f"{IDX_FILES[0]}.gz", "gzip", *WAYS))


def test_absent_idx_files(tmp_path, monkeypatch):
    message(DataError, "mnist", tmp_path, has=(tmp_path, "none of them", *WAYS))
    message(DataError, "mnist", tmp_path / "a\nb", has=("no such folder", *WAYS))
    monkeypatch.setenv("XNORFLOW_DATA", str(tmp_path / "elsewhere"))
    message(DataError, "fashion_mnist", has=(tmp_path / "elsewhere", *WAYS))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / IDX_FILES[3]).write_bytes(b"")
    message(DataError, "mnist", tmp_path, has=(tmp_path / "mnist" / IDX_FILES[0], "or its .gz", *WAYS))


def test_real_mnist(real_mnist, real_folder):
    assert [len(part.labels) for part in parts(real_mnist)] == [55_000, 5_000, 10_000]
    assert real_mnist.sha256 == PINS["mnist"] and real_mnist.image_shape == (28, 28)
    assert real_mnist.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    raw = gzip.decompress((real_folder / f"{IDX_FILES[2]}.gz").read_bytes())[16:]
    assert real_mnist.test.images.tobytes() == raw
    trained = np.concatenate([real_mnist.train.images, real_mnist.validation.images])
    assert trained.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    held = np.bincount(real_mnist.validation.labels)
    whole = held + np.bincount(real_mnist.train.labels)
    assert np.abs(held - whole / 12).max() < 1
    assert not any(array.flags.writeable for part in parts(real_mnist) for array in (part.images, part.labels))


def test_variable_subfolder_and_plain_files_give_the_same_mnist(real_folder, tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    for stem in IDX_FILES:
        (tmp_path / "mnist" / stem).write_bytes(gzip.decompress((real_folder / f"{stem}.gz").read_bytes()))
    monkeypatch.setenv("XNORFLOW_DATA", str(tmp_path))
    assert load_dataset("mnist").sha256 == PINS["mnist"]
    monkeypatch.setenv("XNORFLOW_DATA", str(tmp_path / "absent"))
    assert load_dataset("mnist", tmp_path).sha256 == PINS["mnist"]  # the argument goes first


def test_mnist_files_are_not_taken_for_fashion(real_folder):
    message(DataError, "fashion_mnist", real_folder, has=("expected the labels of fashion_mnist", "5923", *WAYS))


def test_real_fashion_of_the_debian_package():
    folder = DEBIAN_FOLDERS["fashion_mnist"]
    if not folder.is_dir():
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    data = load_dataset("fashion_mnist", folder)
    assert [len(part.labels) for part in parts(data)] == [55_000, 5_000, 10_000]
    assert data.sha256 == PINS["fashion_mnist"]
    assert data.test.labels[:5].tolist() == [9, 2, 1, 1, 6]


def test_fashion_from_idx_and_from_keras_are_equal(fashion_root, monkeypatch):
    train, train_labels, test, test_labels = fashion_arrays()
    fake_keras(monkeypatch, lambda: ((train, train_labels), (test, test_labels)))
    data = load_dataset("fashion_mnist", fashion_root)
    assert data.sha256 == load_dataset("fashion_mnist").sha256
    # the package comes before Keras, and after what the user says
    fake_keras(monkeypatch, lambda: pytest.fail("Keras was asked"))
    monkeypatch.setattr(
        "xnorflow.sources.data.sets.DEBIAN_FOLDERS", {"fashion_mnist": fashion_root / "fashion-mnist"}
    )
    assert data.sha256 == load_dataset("fashion_mnist").sha256
    message(DataError, "fashion_mnist", fashion_root / "absent", has=("no such folder",))
    assert np.array_equal(data.test.images, test)
    assert np.bincount(data.validation.labels).tolist() == [500] * 10
    numbers = [part.images.reshape(-1, 784)[:, :4].copy().view(">u4").ravel() for part in parts(data)[:2]]
    assert sorted(np.concatenate(numbers)) == list(range(60_000))  # disjoint, nothing lost


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (np.arange(60_000) % 11, "expected the labels of fashion_mnist"),
        (np.zeros(59_999), "expected shape [60000], got [59999]"),
    ],
)
def test_bad_labels_among_good_images(fashion_root, tmp_path, labels, problem):
    for file in (fashion_root / "fashion-mnist").iterdir():
        (tmp_path / file.name).symlink_to(file)
    path = tmp_path / f"{IDX_FILES[1]}.gz"
    path.unlink()
    path.write_bytes(gzip.compress(idx(labels.astype(np.uint8))))
    message(DataError, "fashion_mnist", tmp_path, has=(path, problem, *WAYS))


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_absent_network(monkeypatch, name):
    def fail():
        raise Exception("URL fetch failure on https://example.org:\n no route")

    fake_keras(monkeypatch, fail)
    message(DataError, name, has=(name, "URL fetch failure", *WAYS))
    monkeypatch.setitem(sys.modules, "xnorflow.base.keras_stack", None)
    message(DataError, name, has=(name, "xnorflow.base.keras_stack", *WAYS))
    fake_keras(monkeypatch, lambda: ((np.zeros((2, 3)), np.zeros(2)), (np.zeros((2, 3)), np.zeros(2))))
    message(DataError, name, has=("got ((2, 3), (2,)", *WAYS))
