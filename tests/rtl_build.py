"""Programs of small designs: Verilator's own code is compiled once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xnorflow.net.spec import NetSpec
from xnorflow.routes.rtl import build as verilator
from xnorflow.routes.rtl.simulate import RtlResult

_first: list[Path] = []


def check_equal(spec: NetSpec, images: np.ndarray, result: RtlResult) -> None:
    """Every score and class is the golden model's."""
    expected = spec.class_scores(images)
    assert np.array_equal(result.scores, expected)
    assert np.array_equal(result.classes, expected.argmax(axis=1))


def build(sources: Sequence[Path], folder: Path) -> Path:
    """Compile Verilog files for few images; return the program."""
    like = _first[0] if _first and all((_first[0].parent / name).exists() for name in verilator.RUNTIME) else None
    program = verilator.build(sources, folder, level=0, like=like)
    if like is None:
        _first[:] = [program]
    return program
