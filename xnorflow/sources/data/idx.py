"""idx files, as MNIST and Fashion-MNIST come in."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from xnorflow.base.arrays import UInt8Array
from xnorflow.base.errors import DataError
from xnorflow.sources.data.own import data_error

DATA_VARIABLE = "XNORFLOW_DATA"


IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


_WAYS = (
    f"put {', '.join(IDX_FILES)} (or .gz) into a folder and pass --data-dir, or set {DATA_VARIABLE} to that "
    "folder, or connect to a network with neither given so that Keras gets them; mnist5k needs none of it, "
    "and fashion_mnist is Debian's package dataset-fashion-mnist"
)


_IDX_UINT8 = 0x08


def read_idx(path: Path, shape: tuple[int, ...]) -> UInt8Array:
    """Read an idx file of unsigned bytes that must have exactly ``shape``; gzipped if named ``.gz``.

    Layout: two zero bytes, the type code, the rank, each length as big-endian uint32, then the bytes.

    Raises:
        DataError: the file is missing, truncated, too long, not gzip or of another type or shape.
    """
    header = bytes((0, 0, _IDX_UINT8, len(shape))) + np.array(shape, dtype=">u4").tobytes()
    expected = len(header) + int(np.prod(shape, dtype=np.int64))
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            content = stream.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or "not gzip"
        raise _idx_error(path, f"expected a whole idx file, got: {reason}") from error
    if content[:4] != header[:4]:
        raise _idx_error(path, f"expected magic number {header[:4].hex()}, got {content[:4].hex() or 'nothing'}")
    if content[4 : len(header)] != header[4:]:
        lengths = content[4 : len(header)]
        got = np.frombuffer(lengths[: len(lengths) // 4 * 4], dtype=">u4").tolist()
        raise _idx_error(path, f"expected shape {list(shape)}, got {got}")
    if len(content) != expected:
        size = "more" if len(content) > expected else f"{len(content)}: truncated"
        raise _idx_error(path, f"expected {expected} bytes, got {size}")
    return np.frombuffer(content, dtype=np.uint8, offset=len(header)).reshape(shape)


def _idx_error(source: Path | str, problem: str) -> DataError:
    return data_error(f"{source}: {problem}; {_WAYS}")
