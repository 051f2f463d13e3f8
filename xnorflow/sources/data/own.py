"""The user's own data: an ``.npz`` file or a folder of images, checked before anything trains on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.base.arrays import UInt8Array
from xnorflow.base.errors import DataError
from xnorflow.base.files.atomic import is_file
from xnorflow.base.files.npz import load_npz
from xnorflow.base.packages import needed

Int64Array = npt.NDArray[np.int64]

# nineteen times MNIST as bytes, twice as float64
_MOST_BYTES = 1 << 30
MIN_IMAGES_PER_CLASS = 3  # one each for training, validation and test
_ARRAYS = {"images", "labels", "test_images", "test_labels"}
_SAVE = "save plain numbers with numpy.savez(path, images=..., labels=...)"
_TO_GREY = "the network wants 8-bit grey, convert it with Pillow: Image.open(file).convert('L').save(file)"
# convert('L') would not scale these, but cut them off at 255
_TO_8_BIT = "the network wants 8-bit grey, scale its values to 0..255 and save them as uint8"


@dataclass(frozen=True, eq=False)
class OwnData:
    """Checked arrays, not yet split; ``test_images`` is None where the user gave no test set.

    Images are (n, h, w); a last axis of length 1 has been dropped.
    """

    images: UInt8Array
    labels: Int64Array
    test_images: UInt8Array | None
    test_labels: Int64Array | None
    n_classes: int


def data_error(text: str) -> DataError:
    """Return the error for ``text``, which may quote a path or an error of several lines, as one line."""
    return DataError(" ".join(text.splitlines()).strip())


def load_arrays(path: Path) -> OwnData:
    """Load ``images``, ``labels`` and, where both are there, ``test_images``, ``test_labels`` of an ``.npz`` file.

    Raises:
        DataError: the file is missing or damaged, or its arrays are not a grey image data set.
    """
    arrays = _read_arrays(path)
    if ("test_images" in arrays) != ("test_labels" in arrays):
        only = "test_images" if "test_images" in arrays else "test_labels"
        raise data_error(f"{path}: {only} stands alone; give both test_images and test_labels or none")
    images, labels = _checked_pair(path, arrays, "")
    n_classes = _check_classes(path, labels, None)
    if "test_images" not in arrays:
        return OwnData(images, labels, None, None, n_classes)
    test_images, test_labels = _checked_pair(path, arrays, "test_")
    if test_images.shape[1:] != images.shape[1:]:
        raise data_error(
            f"{path}: test_images must have the size of images, {_by(images.shape[1:])} pixels, "
            f"got {_by(test_images.shape[1:])}; resize them"
        )
    if int(test_labels.max()) >= n_classes:
        raise data_error(
            f"{path}: test_labels must lie in 0..{n_classes - 1}, the classes of labels, "
            f"got {int(test_labels.max())}; relabel or remove those images"
        )
    return OwnData(images, labels, test_images, test_labels, n_classes)


def _read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        found = load_npz(path, _MOST_BYTES, _ARRAYS)
    except DataError as error:
        raise data_error(f"{error}; {_SAVE}") from error
    for key in ("images", "labels"):
        if key not in found:
            raise data_error(f"{path}: no array {key!r}, found {sorted(found)}; {_SAVE}")
    return found


def _checked_pair(path: Path, arrays: dict[str, npt.NDArray[Any]], prefix: str) -> tuple[UInt8Array, Int64Array]:
    images = _grey_images(arrays[f"{prefix}images"], f"{path}: {prefix}images")
    labels = _integer_labels(arrays[f"{prefix}labels"], f"{path}: {prefix}labels")
    if len(images) != len(labels):
        raise data_error(
            f"{path}: {prefix}images and {prefix}labels must be equally many, "
            f"got {len(images)} images and {len(labels)} labels"
        )
    return images, labels


def _grey_images(images: npt.NDArray[Any], where: str) -> UInt8Array:
    shape = images.shape
    if images.ndim == 4 and shape[3] in (3, 4):
        raise data_error(
            f"{where} must be grey, shape (n, h, w), got {shape[3]} colour channels, shape {shape}; "
            f"convert with images[..., :3].mean(axis=-1).astype('uint8') where they hold 0..255"
        )
    if images.ndim == 4 and shape[3] == 1:
        images = images[..., 0]
    if images.ndim != 3:
        mend = "reshape it"
        if images.ndim == 4 and shape[1] in (1, 3, 4):
            mend = f"its axis of {shape[1]} looks like channels: images[:, 0] is the first of them"
        raise data_error(f"{where} must have shape (n, h, w) or (n, h, w, 1), got {shape}; {mend}")
    if images.size == 0:
        raise data_error(f"{where} must hold at least one pixel, got shape {shape}; check how it was saved")
    return _to_uint8(images, where)


def _to_uint8(images: npt.NDArray[Any], where: str) -> UInt8Array:
    """Return pixels as 0..255: bool becomes 0 or 255, float in [0, 1] becomes round(255 x)."""
    kind = images.dtype.kind
    if kind in "biuf" and (images == images.flat[0]).all():
        raise data_error(
            f"{where} must not all be alike, got {images.flat[0]} in every pixel; check how it was saved"
        )
    if kind == "b":
        return images.astype(np.uint8) * np.uint8(255)
    if kind not in "iuf":
        raise data_error(f"{where} must be numbers, got dtype {images.dtype}; {_SAVE}")
    low, high = images.min(), images.max()
    if kind == "f":
        if not (np.isfinite(low) and np.isfinite(high)):
            bad = int(np.count_nonzero(~np.isfinite(images)))
            raise data_error(f"{where} must be finite, got NaN or infinity in {bad} pixels; mend those images")
        if low < 0 or high > 1:
            raise data_error(
                f"{where} as float must lie in [0, 1], got {low:g} to {high:g}; scale them, or save 0..255 as uint8"
            )
        return np.rint(images.astype(np.float64) * 255).astype(np.uint8)
    if low < 0 or high > 255:
        raise data_error(f"{where} as integer must lie in 0..255, got {low} to {high}; rescale, save as uint8")
    if high <= 1:
        raise data_error(
            f"{where} as integer must use 0..255, got {low} to {high}, which is all black; "
            f"save black-and-white images as bool or multiply them by 255"
        )
    return images.astype(np.uint8)


def _integer_labels(labels: npt.NDArray[Any], where: str) -> Int64Array:
    if labels.ndim != 1:
        one_hot = labels.ndim != 2 or labels.shape[1] > 1
        mend = (
            "one-hot labels become numbers with labels.argmax(axis=1)"
            if one_hot
            else "drop an axis with labels[:, 0]"
        )
        raise data_error(f"{where} must have shape (n,), got {labels.shape}; {mend}")
    if labels.dtype.kind not in "iu":
        raise data_error(f"{where} must be integers, got dtype {labels.dtype}; number the classes 0, 1, ...")
    if len(labels) and int(labels.min()) < 0:
        raise data_error(f"{where} must not be negative, got {labels.min()}; number the classes from 0")
    if len(labels) and int(labels.max()) > np.iinfo(np.int64).max:
        raise data_error(f"{where} must be class numbers, got {labels.max()}; number the classes from 0")
    return labels.astype(np.int64)


def _check_classes(path: Path, labels: Int64Array, names: list[str] | None) -> int:
    """Return the number of classes; every one of 0..k-1 needs enough images for all three parts."""
    classes, counts = np.unique(labels, return_counts=True)
    missing = np.flatnonzero(classes != np.arange(len(classes)))
    if len(missing):
        raise data_error(
            f"{path}: labels must be 0..k-1 with every class present, got none of class {missing[0]} "
            f"but up to {classes[-1]}; renumber the classes"
        )
    if len(classes) < 2:
        raise data_error(f"{path}: at least 2 classes are needed, got {len(classes)}; add another class")
    for number, count in zip(classes, counts, strict=True):
        if count < MIN_IMAGES_PER_CLASS:
            title = repr(names[number]) if names else str(number)
            raise data_error(
                f"{path}: every class needs at least {MIN_IMAGES_PER_CLASS} training images, "
                f"got {count} of class {title}; add images or remove the class"
            )
    return len(classes)


def load_folder(folder: Path) -> OwnData:
    """Load a folder with one subfolder of grey images per class; classes in the order of their names.

    Raises:
        DataError: a file that is no grey image, sizes that differ, too few classes or images.
        ToolNotFound: Pillow is not installed.
    """
    try:
        classes = _visible(folder)
        for entry in classes:
            if not entry.is_dir():
                raise data_error(f"{entry}: expected one subfolder per class, got a file; move or hide it")
        files = [_visible(entry) for entry in classes]
    except OSError as error:
        raise data_error(f"cannot read folder {folder}: {error}; check its access rights") from error
    for entry, inside in zip(classes, files, strict=True):
        if not inside:
            raise data_error(f"{entry}: class {entry.name!r} has 0 images, needs {MIN_IMAGES_PER_CLASS}; add some")
    labels = np.repeat(np.arange(len(files), dtype=np.int64), [len(inside) for inside in files])
    n_classes = _check_classes(folder, labels, [entry.name for entry in classes])
    paths = [path for inside in files for path in inside]
    images = [_read_image(path, _MOST_BYTES // len(paths)) for path in paths]
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape:
            raise data_error(
                f"{path} has {_by(image.shape)} pixels, but {paths[0]} has {_by(images[0].shape)} "
                f"(height x width); all images must have one size, resize them"
            )
    return OwnData(np.stack(images), labels, None, None, n_classes)


def _visible(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _by(size: tuple[int, ...]) -> str:
    return "x".join(str(length) for length in size)


def _read_image(path: Path, most_pixels: int) -> UInt8Array:
    with needed("Pillow", "reading image files", "pillow"):
        from PIL import Image
    try:
        if not is_file(path):  # opening a pipe would wait for ever
            raise OSError("it is a folder, a device or a broken link")
        with Image.open(path) as image:
            if (frames := getattr(image, "n_frames", 1)) > 1:
                raise OSError(f"it holds {frames} pictures")
            if math.prod(image.size) > most_pixels:
                raise OSError(f"{_by(image.size[::-1])} pixels, at most {most_pixels:,} are read of each image here")
            image.load()
            mode = image.mode
            pixels = np.array(image.convert("L") if mode == "1" else image)
    except (DataError, MemoryError):
        raise
    # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more on damaged bytes.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise data_error(f"cannot read {path} as an image: {reason}; replace, move or hide it") from error
    if mode not in ("1", "L"):
        deep = mode.startswith(("I", "F"))
        raise data_error(f"{path}: expected an 8-bit grey image, got mode {mode}; {_TO_8_BIT if deep else _TO_GREY}")
    return pixels.astype(np.uint8)
