"""Steps of a run: each in a folder of its own, done once, taken up again or started clean.

A step is done when its ``result.json`` exists, everything that the step depended on is still the same, and the
files it names still have the content they had. ``result.json`` is written last and whole, so a run that is
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
from typing import Any, Protocol

from xnorflow.base.errors import DataError, shown
from xnorflow.base.files.atomic import sha256_file, write_json, writing
from xnorflow.base.files.folders import MARKER, claim, discard, empty
from xnorflow.base.files.plain import Seconds, from_plain, read_plain
from xnorflow.base.processes import signals
from xnorflow.flow.reads import plain

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
        files: hash of each file that it left.
        note: what to say of it beside its name; empty where nothing but its time is to be said.
    """

    name: str
    seconds: float
    reused: bool
    values: StepValues
    files: dict[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class StepRecord:
    """What ``result.json`` holds.

    Attributes:
        key: hash of what the step depended on.
        seconds: what it took.
        values: what it found.
        files: hash of every file that it left.
        reads: what it depended on, as plain values; its code is in ``key`` alone.
    """

    key: str
    seconds: Seconds
    values: StepValues
    files: dict[str, str]
    reads: dict[str, Any] = field(default_factory=dict)


class Dependencies(Protocol):
    """What a step depends on.

    Attributes:
        code: hash of the code that makes the step; empty where newer code is no reason to make it again.
        reads: what is known so far, by name, as plain values; all of it once the work is done.
    """

    code: str
    reads: dict[str, Any]

    def now(self, reads: Mapping[str, Any]) -> dict[str, Any]:
        """Return what ``reads`` of an earlier run would be now.

        Raises:
            LookupError: there is no such thing any more.
        """


class Inputs:
    """What a step depends on where it is known before the work, and is written down for a run that is stopped."""

    code = ""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self.reads: dict[str, Any] = plain(inputs)

    def now(self, reads: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs."""
        return self.reads


def run_step(
    folder: Path,
    inputs: Mapping[str, Any] | Dependencies,
    work: Callable[[Path], Mapping[str, Any]],
    *,
    kind: Any = StepValues,
    keeps: Callable[[Path], bool] = lambda path: False,
    proves: Callable[[str], bool] = lambda name: True,
) -> StepResult:
    """Run ``work(folder)`` unless an earlier run did it and all that it depended on is the same.

    Args:
        folder: the step's folder; emptied before the work, but for what ``keeps`` says.
        inputs: everything the result depends on, as plain values, or what takes note of it during the work.
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
    known = _dependencies(inputs)
    if isinstance(known, Inputs):
        write_json(folder / INPUTS, known.reads)
    started = time.monotonic()
    with writing(folder):
        values = dict(work(folder))
        # foreign code may have swallowed a Ctrl-C, and not be done
        signals.raise_pending()
        seconds = round(time.monotonic() - started, 2)
        files = {name: sha256_file(folder / name) for name in _files(folder) if proves(name)}
    record = StepRecord(_key(known.code, known.reads), seconds, values, files, known.reads)
    write_json(folder / RESULT, dataclasses.asdict(record))
    return StepResult(folder.name, seconds, False, values, files)


def finished(folder: Path, inputs: Mapping[str, Any] | Dependencies, kind: Any = StepValues) -> StepResult | None:
    """Return what an earlier run found where all that it depended on is the same; None where the step has to run."""
    known = _dependencies(inputs)
    try:
        if not os.path.lexists(folder / RESULT):
            return None
        record = read_plain(folder / RESULT, StepRecord)
        if record.key != _key(known.code, known.now(record.reads)):
            return None
        result = read_result(folder, kind)
        same = all(sha256_file(folder / name) == digest for name, digest in record.files.items())
        return result if same else None
    except (DataError, LookupError):
        # whatever is wrong with it, running the step again mends it
        return None


def _dependencies(inputs: Mapping[str, Any] | Dependencies) -> Dependencies:
    return Inputs(inputs) if isinstance(inputs, Mapping) else inputs


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
    return StepResult(folder.name, record.seconds, True, values, record.files)


def _key(code: str, reads: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps([code, reads], sort_keys=True).encode()).hexdigest()


def _files(folder: Path) -> list[str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (RESULT, MARKER))
    return [str(path.relative_to(folder)) for path in paths]
