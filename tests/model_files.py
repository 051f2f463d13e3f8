"""Files of Keras changed by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py


def with_config(stored: Path, path: Path, change: Callable[[Any], Any]) -> Path:
    """Copy a stored network with its configuration changed."""
    shutil.copy(stored, path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(change(config))
    return path


def with_layer(
    stored: Path,
    path: Path,
    name: str,
    change: Callable[[Any], None] = lambda layer: None,
    class_name: str | None = None,
    **settings: Any,
) -> Path:
    """Copy a stored network with the configuration of one layer changed."""

    def change_one(config: Any) -> Any:
        layer = next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)
        change(layer)
        layer["class_name"] = class_name or layer["class_name"]
        layer["config"].update(settings)
        return config

    return with_config(stored, path, change_one)
