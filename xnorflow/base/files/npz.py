"""Arrays in ``.npz`` files: how large they are is looked at before they are read."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.errors import DataError, shown
from xnorflow.base.files.atomic import open_regular


def load_npz(path: Path, most_bytes: int, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file by name; those that ``names`` leaves out stand there empty, unread.

    A few kilobytes can unpack to gigabytes, so the sizes that the archive declares are added up first. No more
    than that is unpacked of any member, whatever its content and the shape in its header say.

    Raises:
        DataError: it is missing, not a regular file, no such archive, or damaged; an array holds pickled objects;
            or the arrays take more than ``most_bytes``.
    """
    with open_regular(path) as stream:
        try:
            return _arrays(stream, most_bytes, names)
        # damaged bytes make zipfile, zlib, tokenize and numpy raise a dozen unrelated kinds of exception
        except Exception as error:
            raise DataError(f"cannot read {shown(path)}: {_reason(error)}") from error


def _arrays(stream: IO[bytes], most_bytes: int, names: Collection[str] | None) -> dict[str, NDArray[Any]]:
    magic = stream.read(6)
    stream.seek(0)
    if magic == b"\x93NUMPY":
        raise ValueError("it is a single .npy array, not an .npz archive")
    if not magic.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise ValueError("it is not an .npz archive")
    archive = np.load(stream, allow_pickle=False)
    found: dict[str, NDArray[Any]] = {name: np.empty(0) for name in archive.files}
    wanted = found.keys() if names is None else found.keys() & set(names)
    members = [member for member in archive.zip.infolist() if member.filename.removesuffix(".npy") in wanted]
    # zipfile unpacks these two piece by piece; numpy writes no others
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise ValueError("it is compressed in another way than numpy.savez_compressed does it")
    size = sum(member.file_size for member in members)
    if size > most_bytes:
        raise ValueError(f"its arrays take {size:,} bytes, at most {most_bytes:,} are read")
    for name in wanted:
        found[name] = archive[name]
        if not isinstance(found[name], np.ndarray):
            raise ValueError(f"{name} is not a numpy array")
    return found


def _reason(error: Exception) -> str:
    """Return what is wrong with the file, on one line."""
    text = " ".join(str(error).split())
    if "allow_pickle" in text:
        return "it holds pickled objects, which can run code and are never loaded"
    return shown(text[:200]) or type(error).__name__
