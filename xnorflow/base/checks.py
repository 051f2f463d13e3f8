"""What a user gave, looked at value by value: whole numbers, names of a list, and how an error shows it."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any

from xnorflow.base.errors import ConfigError

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxstring = 2, 4, 4, 100


def got(value: Any) -> str:
    """Return a value as an error shows it: shortened, on one line."""
    try:
        return _SHORT.repr(value)
    except ValueError:
        return "a number with very many digits"


def whole(value: Any) -> bool:
    """Whether a value is a whole number; YAML's true and false, which Python counts as 1 and 0, are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> bool:
    """Whether a value is a number, and not true or false."""
    return whole(value) or isinstance(value, float)


def check_one_of(key: str, value: Any, allowed: Sequence[str]) -> None:
    """Refuse a value that is none of those allowed.

    Raises:
        ConfigError: naming the key, what is allowed and the value.
    """
    if value not in allowed:
        raise ConfigError(f"{key} must be {' or '.join(allowed)}, got {got(value)}")


def check_named_by_text(key: str, table: Any) -> None:
    """Refuse a table of layers, as a user gave it, that names one by anything but text; what is no table passes.

    Raises:
        ConfigError: naming the key and what stands there.
    """
    for layer in table if isinstance(table, dict) else ():
        if not isinstance(layer, str):
            raise ConfigError(f"{key}: layers are named by text, got {got(layer)}; put it in quotes")


def check_layer_names(key: str, table: Any, network: str, layers: Sequence[str]) -> None:
    """Refuse a table of layers that names one the network does not have; what is no table passes.

    Raises:
        ConfigError: naming the key, the layer and the network's layers.
    """
    for layer in table if isinstance(table, dict) else ():
        if layer not in layers:
            raise ConfigError(f"{key}: network {network} has no layer {layer!r}; it has {', '.join(layers)}")
