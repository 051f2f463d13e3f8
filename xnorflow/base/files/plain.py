"""Plain data, as JSON holds it -> frozen dataclasses: the one way back from files, checked by type."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from xnorflow.base.checks import got
from xnorflow.base.errors import DataError, XnorflowError, shown
from xnorflow.base.files.atomic import read_bytes

_T = TypeVar("_T")

# what a field of a dataclass may hold beyond its type, looked at where it is read from a file
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Above0 = Annotated[float, Meta(gt=0)]

_MOST_BYTES = 16 << 20
# whole numbers of 64 bits: what tools count stays far below, and arithmetic on them never overflows a float
_LARGEST = 1 << 63


def read_json(path: Path, most_bytes: int = _MOST_BYTES) -> Any:
    """Return what a JSON file holds.

    Raises:
        DataError: as ``files.read_bytes``, or it is not JSON.
    """
    content = read_bytes(path, most_bytes)
    try:
        return msgspec.json.decode(content)
    except RecursionError as error:
        raise DataError(f"{shown(path)}: not JSON (nested too deep)") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        raise DataError(f"{shown(path)}: not JSON, or damaged ({reason})") from error


def read_plain(path: Path, kind: type[_T], most_bytes: int = _MOST_BYTES) -> _T:
    """Return what a JSON file holds as a ``kind``.

    Raises:
        DataError: as ``read_json`` and ``from_plain``.
    """
    return from_plain(kind, read_json(path, most_bytes), shown(path))


def from_plain(kind: type[_T], values: Any, where: str) -> _T:
    """Return plain values as a ``kind``: a dataclass, or any type with such in it.

    Args:
        kind: what to build; ``dataclasses.asdict`` is the way there.
        values: mappings, sequences, text, numbers, truth values and None.
        where: what an error names the values by.

    Raises:
        DataError: naming the field: it is missing, unknown, or not of its type, or its dataclass refuses it.
    """
    try:
        built = msgspec.convert(values, kind)
        _check_taken(values, msgspec.to_builtins(built, enc_hook=str), "")
    except RecursionError as error:
        raise DataError(f"{where}: nested too deep") from error
    except (msgspec.ValidationError, XnorflowError) as error:
        raise DataError(f"{where}: {_told(str(error), values)}") from error
    return built


def _check_taken(values: Any, taken: Any, field: str) -> None:
    """Refuse fields that msgspec has left out in silence, and numbers of very many digits."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            if name not in taken:
                raise DataError(f"unknown field {shown(f'{field}.{name}'.removeprefix('.'))}")
            _check_taken(value, taken[name], f"{field}.{name}")
    elif isinstance(values, Sequence) and not isinstance(values, str):
        for index, (value, entry) in enumerate(zip(values, taken, strict=True)):
            _check_taken(value, entry, f"{field}[{index}]")
    elif isinstance(values, int) and not -_LARGEST <= values < _LARGEST:
        raise DataError(f"field {shown(field.removeprefix('.'))} is a number of more than 64 bits")


def _told(message: str, values: Any) -> str:
    """Return a message such as ``Expected `int` >= 0 - at `$.a[0]``` with the field first and the value last."""
    text = " ".join(message.replace("`", "").split())
    what, at, place = text.rpartition(" - at $")
    what = shown(what if at else text)
    what = what[:1].lower() + what[1:]
    if not at or not place:
        return what
    if what.startswith("expected") and "got" not in what:
        with contextlib.suppress(LookupError, ValueError, TypeError):  # of a table's entries the key is not told
            keys = re.findall(r"\.([^.\[]+)|\[([^]]+)\]", place)
            found = functools.reduce(lambda outer, key: outer[key[0] or int(key[1])], keys, values)
            what += f", got {got(found)}"
    return f"field {shown(place.removeprefix('.'))}: {what}"
