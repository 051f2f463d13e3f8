"""Steps of a run: each in a folder of its own, done once, taken up again or started clean.

A step is done when its ``result.json`` exists, was written for the same inputs, and the files it
names still have the content they had. ``result.json`` is written last and whole, so a run that is
killed leaves the step undone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xnorflow import __version__
from xnorflow.base.errors import DataError, shown
from xnorflow.base.files.atomic import sha256_file, write_json, writing
from xnorflow.base.files.folders import MARKER, claim, discard, empty
from xnorflow.base.files.plain import Seconds, from_plain, read_plain
from xnorflow.base.processes import signals

RESULT, INPUTS = "result.json", "config.json"
StepValues = dict[str, Any]


@dataclass(frozen=True)
class StepResult:
    """What a step found out.

    Attributes:
        name: its folder's name, such as "03-convert".
        seconds: what it took when it ran.
        reused: whether an earlier run had done it.
        values: what it found, by name, of the types that its ``kind`` says.
        key: hash of everything it depends on.
        files: hash of each file that it left.
        note: what to say of it beside its name; empty where nothing but its time is to be said.
    """

    name: str
    seconds: float
    reused: bool
    values: StepValues
    key: str = ""
    files: dict[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class StepRecord:
    """What ``result.json`` holds: the key of the inputs, and the hash of every file that the step left."""

    key: str
    seconds: Seconds
    values: StepValues
    files: dict[str, str]


def run_step(
    folder: Path,
    inputs: Mapping[str, Any],
    work: Callable[[Path], Mapping[str, Any]],
    *,
    kind: Any = StepValues,
    keeps: Callable[[Path], bool] = lambda path: False,
    proves: Callable[[str], bool] = lambda name: True,
) -> StepResult:
    """Run ``work(folder)`` unless an earlier run did it for the same inputs.

    Args:
        folder: the step's folder; emptied before the work, but for what ``keeps`` says.
        inputs: everything the result depends on, as plain values.
        work: writes files into the folder and returns what it found, as a ``kind``.
        kind: TypedDict of what is found, by which it is read back.
        keeps: which files of an unfinished run the work can go on from.
        proves: which files, by name in the folder, must stay as they are for the step to be done.

    Raises:
        DataError: the folder is a link, not ours, or cannot be written.
    """
    done = finished(folder, inputs, kind)
    if done is not None:
        return done
    claim(folder)
    discard(folder / RESULT)
    empty(folder, keeps)
    write_json(folder / INPUTS, inputs)
    started = time.monotonic()
    with writing(folder):
        values = dict(work(folder))
        # foreign code may have swallowed a Ctrl-C, and not be done
        signals.raise_pending()
        seconds = round(time.monotonic() - started, 2)
        files = {name: sha256_file(folder / name) for name in _files(folder) if proves(name)}
    record = StepRecord(_key(inputs), seconds, values, files)
    write_json(folder / RESULT, dataclasses.asdict(record))
    return StepResult(folder.name, seconds, False, values, record.key, files)


def finished(folder: Path, inputs: Mapping[str, Any], kind: Any = StepValues) -> StepResult | None:
    """Return what an earlier run found for the same inputs; None where the step has to run."""
    try:
        result = read_result(folder, kind)
        if result is None or result.key != _key(inputs):
            return None
        same = all(sha256_file(folder / name) == digest for name, digest in result.files.items())
        return result if same else None
    except DataError:
        # whatever is wrong with it, running the step again mends it
        return None


def read_result(folder: Path, kind: Any = StepValues) -> StepResult | None:
    """Return what a step's folder says that the step found, for whatever inputs; None where it is not done.

    Raises:
        DataError: its ``result.json`` is damaged.
    """
    path = folder / RESULT
    if not os.path.lexists(path):
        return None
    try:
        record = read_plain(path, StepRecord)
        values = from_plain(kind, record.values, f"{shown(path)}: values")
    except DataError as error:
        raise DataError(f"{error}; delete its folder to run the step again") from error
    return StepResult(folder.name, record.seconds, True, values, record.key, record.files)


def plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs as they are read back from ``config.json``."""
    values: dict[str, Any] = json.loads(json.dumps(inputs, default=str))
    return values


def _key(inputs: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps([__version__, inputs], sort_keys=True, default=str).encode()).hexdigest()


def _files(folder: Path) -> list[str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (RESULT, MARKER))
    return [str(path.relative_to(folder)) for path in paths]
