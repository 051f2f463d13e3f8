"""Steps of a run: each in a folder of its own, done once, taken up again or started clean.

A step is done when its ``result.json`` exists, was written for the same inputs, and the files it
names still have the content they had. ``result.json`` is written last and whole, so a run that is
killed leaves the step undone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow import __version__, signals
from xnorflow.errors import DataError
from xnorflow.files import sha256_file, write_error, write_json
from xnorflow.plain import read_plain

RESULT = "result.json"


@dataclass(frozen=True)
class StepResult:
    """What a step found out.

    Attributes:
        name: its folder's name, such as "03-convert".
        seconds: what it took when it ran.
        reused: whether an earlier run had done it.
        values: plain values, as in its ``result.json``.
    """

    name: str
    seconds: float
    reused: bool
    values: dict[str, Any]


@dataclass(frozen=True)
class StepRecord:
    """What ``result.json`` holds: the key of the inputs, and the hash of every file that the step left."""

    key: str
    seconds: float
    values: dict[str, Any]
    files: dict[str, str]


def run_step(
    folder: Path,
    inputs: Mapping[str, Any],
    work: Callable[[Path], Mapping[str, Any]],
    *,
    keeps: Callable[[Path], bool] = lambda path: False,
) -> StepResult:
    """Run ``work(folder)`` unless an earlier run did it for the same inputs.

    Args:
        folder: the step's folder; emptied before the work, but for what ``keeps`` says.
        inputs: everything the result depends on, as plain values.
        work: writes files into the folder and returns plain values.
        keeps: which files of an unfinished run the work can go on from.
    """
    key = hashlib.sha256(json.dumps([__version__, inputs], sort_keys=True, default=str).encode()).hexdigest()
    done = _finished(folder, key)
    if done is not None:
        return done
    _clean(folder, keeps)
    write_json(folder / "config.json", inputs)
    started = time.monotonic()
    try:
        values = dict(work(folder))
        # foreign code may have swallowed a Ctrl-C, and not be done
        signals.check()
        seconds = round(time.monotonic() - started, 2)
        files = {str(path.relative_to(folder)): sha256_file(path) for path in _files(folder)}
    except OSError as error:
        raise write_error(Path(error.filename or folder), error) from error
    write_json(folder / RESULT, dataclasses.asdict(StepRecord(key, seconds, values, files)))
    return StepResult(folder.name, seconds, False, values)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != RESULT)


def _finished(folder: Path, key: str) -> StepResult | None:
    try:
        record = load_record(folder)
        if record.key != key or any(sha256_file(folder / name) != digest for name, digest in record.files.items()):
            return None
    except DataError:
        # whatever is wrong with it, running the step again mends it
        return None
    return StepResult(folder.name, record.seconds, True, record.values)


def load_record(folder: Path) -> StepRecord:
    """Return what a step's ``result.json`` holds.

    Raises:
        DataError: it is missing or damaged.
    """
    return read_plain(folder / RESULT, StepRecord)


def _clean(folder: Path, keeps: Callable[[Path], bool]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RESULT).unlink(missing_ok=True)
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif not keeps(path):
                path.unlink()
    except OSError as error:
        raise write_error(folder, error) from error
