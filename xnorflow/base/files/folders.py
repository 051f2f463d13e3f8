"""Folders that xnorflow empties: each shows first that it is ours, and nothing is deleted through a link."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from xnorflow.base.errors import DataError, shown
from xnorflow.base.files.atomic import read_bytes, write_error, write_text

MARKER = ".xnorflow"
REMARK = "xnorflow made this folder and empties it before it writes into it again.\n"
# a step's folder of before there was a marker: these files hold hashes
STEP_FILES = ("config.json", "result.json")
HASH = re.compile(rb'"[0-9a-f]{64}"')
_MOST_BYTES = 1 << 26


def make(folder: Path) -> None:
    """Make a folder, or take the one that is there; a link is not followed, as what it leads to is not ours.

    Raises:
        DataError: a link or a file stands there, or it cannot be made.
    """
    try:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            what = "a link" if folder.is_symlink() else "no folder"
            raise DataError(
                f"{shown(folder)} is {what}, where a folder is needed; move it away, or name another --project"
            )
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error


def claim(folder: Path) -> None:
    """Make a folder, or take one that is ours or empty, and mark it as one that may be emptied.

    Raises:
        DataError: as ``make``, or what stands there is somebody else's.
    """
    make(folder)
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise write_error(folder, error) from error
    # the marker, or what a killed run left of writing it
    ours = not names or any(MARKER in name for name in names)
    if not ours and not any(_holds_hash(folder / name) for name in STEP_FILES):
        raise DataError(
            f"{shown(folder)} would be emptied, but holds {shown(min(names))}, not xnorflow's; "
            "move it away, or name another --project"
        )
    if not (folder / MARKER).is_file():
        write_text(folder / MARKER, REMARK)


def _holds_hash(path: Path) -> bool:
    try:
        return HASH.search(read_bytes(path, _MOST_BYTES)) is not None
    except DataError:
        return False


def empty(folder: Path, keeps: Callable[[Path], bool] = lambda path: False) -> None:
    """Claim a folder and delete what is in it, but for files that ``keeps`` wants.

    Raises:
        DataError: as ``claim``.
    """
    claim(folder)
    for path in sorted(folder.iterdir()):
        if path.name != MARKER and (_is_folder(path) or not keeps(path)):
            discard(path)


def discard(path: Path) -> None:
    """Delete a file, a folder with all that is in it, or a link but not what it leads to.

    Raises:
        DataError: it cannot be deleted.
    """
    try:
        if _is_folder(path):
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(path, error) from error


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
