"""A NetSpec in one ``.npz`` file, without pickle: read back whole and checked, or refused.

Entries: ``header`` (JSON: format version, input, layers with their shapes), ``pixels`` (thresholds of
the pixels), ``w0`` ``w1`` ... (weights as packed bits, +1 stored as 1), ``t0`` ... (thresholds), ``scale``
and ``offset`` where the scores have them, and ``sha256`` over all the others.

Format 1, which is still read, had one threshold for all pixels, in the header.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.errors import DataError, XnorflowError
from xnorflow.files import atomic_open
from xnorflow.spec import ConvSpec, DenseSpec, HiddenSpec, InputSpec, NetSpec, ScoreSpec

FORMAT_VERSION = 2
Arrays = dict[str, NDArray[Any]]


def save_spec(spec: NetSpec, path: str | Path) -> str:
    """Write ``spec`` to ``path`` (``.npz``), whole or not at all; return its sha256."""
    arrays = _to_arrays(spec)
    digest = _digest(arrays)
    with atomic_open(Path(path)) as stream:
        np.savez_compressed(stream, sha256=np.array(digest), **arrays)  # type: ignore[arg-type]
    return digest


def spec_sha256(spec: NetSpec) -> str:
    """Return the hash that ``save_spec`` would store."""
    return _digest(_to_arrays(spec))


def load_spec(path: str | Path) -> NetSpec:
    """Read a NetSpec.

    Raises:
        DataError: the file is missing, damaged, of another format, or its hash does not match.
    """
    advice = "extract it again with `xnorflow extract`"
    try:
        with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as stored:
            arrays: Arrays = {name: stored[name] for name in stored.files}
        digest = str(arrays.pop("sha256"))
        if digest != _digest(arrays):
            raise DataError(f"its content does not match its sha256 {digest[:12]}")
        return _from_arrays(arrays)
    except FileNotFoundError as error:
        raise DataError(f"no such file: {path}; {advice}") from error
    except XnorflowError as error:
        raise DataError(f"{path}: {error}; {advice}") from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, IndexError, AttributeError) as error:
        raise DataError(f"{path}: not a NetSpec file or damaged ({_reason(error)}); {advice}") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, MemoryError) as error:
        raise DataError(f"{path}: damaged archive ({_reason(error)}); {advice}") from error
    except Exception as error:
        # zlib.error and the exceptions of numpy's header parser have no common base but this one
        raise DataError(f"{path}: damaged ({_reason(error)}); {advice}") from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _digest(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _to_arrays(spec: NetSpec) -> Arrays:
    arrays: Arrays = {"pixels": spec.input.thresholds.astype("<i2")}
    described = []
    for index, layer in enumerate(spec.layers):
        arrays[f"w{index}"] = np.packbits(layer.weights.ravel() > 0)
        entry: dict[str, Any] = {"name": layer.name, "shape": list(layer.weights.shape)}
        if isinstance(layer, ScoreSpec):
            entry |= {"kind": "scores", "fraction_bits": layer.fraction_bits}
        else:
            arrays[f"t{index}"] = layer.thresholds.astype("<i4")
            entry["kind"] = "dense"
        if isinstance(layer, ConvSpec):
            entry |= {"kind": "conv", "strides": list(layer.strides), "pool": list(layer.pool)}
        described.append(entry)
    if spec.scores.scale is not None and spec.scores.offset is not None:
        arrays["scale"] = spec.scores.scale.astype("<i8")
        arrays["offset"] = spec.scores.offset.astype("<i8")
    header = {
        "format": FORMAT_VERSION,
        "name": spec.name,
        "input": {"shape": list(spec.input.shape), "bits": spec.input.bits},
        "layers": described,
    }
    arrays["header"] = np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
    return arrays


def _from_arrays(arrays: Arrays) -> NetSpec:
    header = json.loads(arrays["header"].tobytes().decode())
    if header["format"] not in (1, FORMAT_VERSION):
        raise ValueError(f"format {header['format']}, this version reads 1 and {FORMAT_VERSION}")
    stored = header["input"]
    thresholds = stored["pixel_threshold"] if header["format"] == 1 else arrays["pixels"]
    *hidden, scores = header["layers"]
    return NetSpec(
        header["name"],
        InputSpec(tuple(stored["shape"]), stored["bits"], thresholds),
        tuple(_hidden(entry, index, arrays) for index, entry in enumerate(hidden)),
        ScoreSpec(
            scores["name"],
            _weights(scores, len(hidden), arrays),
            arrays.get("scale"),
            arrays.get("offset"),
            scores["fraction_bits"],
        ),
    )


def _weights(entry: dict[str, Any], index: int, arrays: Arrays) -> NDArray[np.int8]:
    shape = tuple(entry["shape"])
    packed, count = arrays[f"w{index}"], math.prod(shape)
    if packed.shape != ((count + 7) // 8,):
        raise ValueError(f"layer {entry['name']}: {packed.size} bytes for {count} weights")
    bits = np.unpackbits(packed, count=count).reshape(shape)
    return np.where(bits == 1, np.int8(1), np.int8(-1))


def _hidden(entry: dict[str, Any], index: int, arrays: Arrays) -> HiddenSpec:
    weights, thresholds = _weights(entry, index, arrays), arrays[f"t{index}"]
    if entry["kind"] == "dense":
        return DenseSpec(entry["name"], weights, thresholds)
    if entry["kind"] == "conv":
        return ConvSpec(entry["name"], weights, thresholds, tuple(entry["strides"]), tuple(entry["pool"]))
    raise ValueError(f"layer {entry['name']}: unknown kind {entry['kind']!r}")
