"""NetSpec files taken apart and written again, and networks compared."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np

from xnorflow.net import spec_file as specfile
from xnorflow.net.layers import ConvSpec
from xnorflow.net.spec import NetSpec


def assert_equal(got: NetSpec, expected: NetSpec) -> None:
    assert (got.name, got.input.shape, got.input.bits) == (expected.name, expected.input.shape, expected.input.bits)
    assert np.array_equal(got.input.thresholds, expected.input.thresholds)
    assert [type(layer) for layer in got.layers] == [type(layer) for layer in expected.layers]
    for one, other in zip(got.layers, expected.layers, strict=True):
        assert one.name == other.name
        assert one.weights.dtype == np.int8 and np.array_equal(one.weights, other.weights)
        if isinstance(other, ConvSpec):
            assert (one.strides, one.pool) == (other.strides, other.pool)
    for one, other in zip(got.hidden, expected.hidden, strict=True):
        assert one.thresholds.dtype == np.int32 and np.array_equal(one.thresholds, other.thresholds)
    assert got.scores.fraction_bits == expected.scores.fraction_bits
    for key in ("scale", "offset"):
        one, other = getattr(got.scores, key), getattr(expected.scores, key)
        assert (one is None and other is None) or np.array_equal(one, other)


def arrays_of(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def write(path: Path, arrays: dict[str, np.ndarray], *, sign: bool = True) -> Path:
    """Write arrays as a NetSpec file, with the right hash unless told otherwise."""
    if sign:
        arrays = {**arrays, "sha256": np.array(specfile._digest({k: v for k, v in arrays.items() if k != "sha256"}))}
    np.savez(path, **arrays)
    return path


def with_header(arrays: dict[str, np.ndarray], change) -> dict[str, np.ndarray]:
    header = json.loads(arrays["header"].tobytes())
    change(header)
    return {**arrays, "header": np.frombuffer(json.dumps(header).encode(), np.uint8)}
