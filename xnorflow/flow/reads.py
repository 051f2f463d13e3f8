"""What a step reads while it works, noted as it is read, so that no dependency can be forgotten.

A step that was done once is up to date as long as everything that it read then is the same now: a verifying
trace (Mokhov, Mitchell and Peyton Jones 2018, "Build Systems a la Carte", doi:10.1145/3236774, section 4.2.2).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from xnorflow.base.device import part_values

_Settings = TypeVar("_Settings")
Note = Callable[[str, Any], None]


def noted(settings: _Settings, name: str, note: Note) -> _Settings:
    """Return settings that are as ``settings``, and tell ``note`` of every field that is read.

    Args:
        settings: a dataclass; fields that are dataclasses are noted field by field.
        name: what they are called, such as "config".
        note: called with the field's name, such as "config.rtl.bram36", and what it holds, as plain values.
    """
    kind = type(settings)
    fields = {item.name for item in dataclasses.fields(cast("Any", settings))}

    def read(self: object, attribute: str) -> Any:
        value = object.__getattribute__(self, attribute)
        if attribute not in fields:
            return value
        note(f"{name}.{attribute}", _plain(attribute, value))
        return noted(value, f"{name}.{attribute}", note) if dataclasses.is_dataclass(value) else value

    reader = type(kind.__name__, (kind,), {"__getattribute__": read, "__module__": kind.__module__})
    copy: Any = object.__new__(reader)
    vars(copy).update(vars(settings))
    return cast("_Settings", copy)


def value_of(settings: Any, name: str) -> Any:
    """Return what a field holds now, as ``noted`` would note it.

    Args:
        settings: a dataclass.
        name: a field's name, or one of a field's field: "rtl.bram36".

    Raises:
        LookupError: there is no such field.
    """
    value = settings
    for attribute in name.split("."):
        if not dataclasses.is_dataclass(value) or attribute not in {item.name for item in dataclasses.fields(value)}:
            raise LookupError(name)
        value = getattr(value, attribute)
    return _plain(attribute, value)


def _plain(attribute: str, value: Any) -> Any:
    if attribute == "part":
        # a part may be a file, which may change
        return plain(part_values(value))
    # its own fields are noted as they are read
    return type(value).__name__ if dataclasses.is_dataclass(value) else plain(value)


def plain(value: Any) -> Any:
    """Return a value as it is read back from JSON."""
    return json.loads(json.dumps(value, default=_other))


def _other(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    is_settings = dataclasses.is_dataclass(value) and not isinstance(value, type)
    return dataclasses.asdict(value) if is_settings else str(value)
