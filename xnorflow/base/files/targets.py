"""Where writing to a path leads: to a file that is made or replaced, or into a device or pipe that stays."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path


def find_target(path: Path) -> Path:
    """Return the file that a link leads to, or ``path`` itself where it is written to and stays.

    Raises:
        OSError: nothing can be written there.
        ValueError: no file can have such a name.
    """
    kind = _kind(path)
    if kind in (None, stat.S_IFREG) and not is_stream(path):
        target = Path(os.path.realpath(path))
        _check_place(target)
        return target
    if kind == stat.S_IFDIR:
        raise _error(errno.EISDIR)
    if kind not in (stat.S_IFREG, stat.S_IFCHR, stat.S_IFIFO):
        raise _error(errno.ENODEV)
    if not os.access(path, os.W_OK):
        raise _error(errno.EACCES)
    return path


def _kind(path: Path) -> int | None:
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        return None


def is_stream(path: Path) -> bool:
    """Whether a target is no file of its own: a device or a pipe, or where standard output or error go."""
    return _kind(path) not in (None, stat.S_IFREG) or _standard_stream(path) is not None


def _standard_stream(path: Path) -> int | None:
    """Return 1 or 2 where standard output or error is this very file."""
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if os.path.samestat(path.stat(), os.fstat(number)):
                return number
    return None


def _check_place(target: Path) -> None:
    """Raise OSError where a file can't be made, and its folders neither."""
    there = next(folder for folder in target.parents if folder.exists())
    if any(len(os.fsencode(name)) > os.pathconf(there, "PC_NAME_MAX") for name in target.relative_to(there).parts):
        raise _error(errno.ENAMETOOLONG)
    if not os.access(there, os.W_OK | os.X_OK):
        raise _error(errno.EROFS if os.statvfs(there).f_flag & os.ST_RDONLY else errno.EACCES)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def copy_into(temporary: Path, target: Path) -> None:
    """Write the content of a file into a target that ``is_stream``."""
    standard = _standard_stream(target)
    # a pipe that nobody reads is refused and not waited for
    handle = os.dup(standard) if standard else os.open(target, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "wb") as stream, temporary.open("rb") as source:
        if not standard:
            os.set_blocking(handle, True)
        shutil.copyfileobj(source, stream)
