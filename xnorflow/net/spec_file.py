"""A NetSpec in one ``.npz`` file, without pickle: read back whole and checked, or refused.

Entries: ``header`` (JSON: format version, input, layers with their shapes), ``pixels`` (thresholds of
the pixels), ``w0`` ``w1`` ... (weights as packed bits, +1 stored as 1), ``t0`` ... (thresholds), ``scale``
and ``offset`` where the scores have them, and ``sha256`` over all the others.

Format 1, which is still read, had one threshold for all pixels, in the header.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.errors import DataError, XnorflowError, shown
from xnorflow.base.files.atomic import atomic_open, is_file
from xnorflow.base.files.npz import load_npz
from xnorflow.net.inputs import InputSpec
from xnorflow.net.layers import ConvSpec, DenseSpec, HiddenSpec, ScoreSpec
from xnorflow.net.spec import MOST_WEIGHTS, NetSpec

_FORMAT_VERSION = 2
# MOST_WEIGHTS take 8 MB here; the rest is for thresholds, of 4 bytes for each neuron, and the pixels' own
_MOST_BYTES = 32_000_000
# a layer takes 100 bytes of it
MOST_HEADER = 1_000_000
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
    path, advice = Path(path), "extract it again with `xnorflow extract`"
    if not is_file(path):
        raise DataError(f"no such file: {shown(path)}; {advice}")
    try:
        arrays = load_npz(path, _MOST_BYTES)
    except DataError as error:
        raise DataError(f"{error}; {advice}") from error
    try:
        digest = str(arrays.pop("sha256"))
        if digest != _digest(arrays):
            raise DataError(f"its content does not match its sha256 {shown(digest[:12])}")
        return _from_arrays(arrays)
    except XnorflowError as error:
        raise DataError(f"{shown(path)}: {error}; {advice}") from error
    except MemoryError:
        raise
    except Exception as error:
        # a header can be any JSON, so any of Python's own exceptions may come
        raise DataError(f"{shown(path)}: not a NetSpec file or damaged ({_reason(error)}); {advice}") from error


def _reason(error: Exception) -> str:
    return shown(" ".join(str(error).split())[:120]) or type(error).__name__


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
        "format": _FORMAT_VERSION,
        "name": spec.name,
        "input": {"shape": list(spec.input.shape), "bits": spec.input.bits},
        "layers": described,
    }
    arrays["header"] = np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
    return arrays


def _from_arrays(arrays: Arrays) -> NetSpec:
    if arrays["header"].nbytes > MOST_HEADER:
        raise ValueError(f"a header of {arrays['header'].nbytes:,} bytes, at most {MOST_HEADER:,} are read")
    header = json.loads(arrays["header"].tobytes().decode())
    if header["format"] not in (1, _FORMAT_VERSION):
        raise ValueError(f"format {header['format']}, this version reads 1 and {_FORMAT_VERSION}")
    weights = sum(math.prod(entry["shape"]) for entry in header["layers"])
    if weights > MOST_WEIGHTS:
        raise ValueError(f"{weights:,} weights, at most {MOST_WEIGHTS:,} are read")
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
