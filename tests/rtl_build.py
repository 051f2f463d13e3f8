"""Programs of small designs: Verilator's own code is compiled once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xnorflow.rtl import verilator

_first: list[Path] = []


def build(sources: Sequence[Path], folder: Path) -> Path:
    """Compile Verilog files for few images; return the program."""
    like = _first[0] if _first and all((_first[0].parent / name).exists() for name in verilator.RUNTIME) else None
    program = verilator.build(sources, folder, level=0, like=like)
    if like is None:
        _first[:] = [program]
    return program
