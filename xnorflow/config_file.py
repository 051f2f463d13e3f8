"""Configurations as files."""

from __future__ import annotations

from pathlib import Path

from xnorflow.config import BuildConfig, config_to_yaml
from xnorflow.files import write_text


def write_config(config: BuildConfig, path: str | Path, remark: str) -> None:
    """Write a configuration with a remark on its first line, as ``load_config`` reads it.

    Raises:
        DataError: the file can't be written.
    """
    path = Path(path)
    write_text(path, config_to_yaml(config, path, remark))
