"""Files that are either whole or absent, and locks between runs."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from xnorflow.errors import DataError, XnorflowError, shown


@contextlib.contextmanager
def atomic_open(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary neighbour of ``path`` for writing; rename it on success only.

    Raises:
        DataError: the folder is read-only, missing its rights, or the disk is full.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files that only the owner may read; a result is for everyone on the machine
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_error(path: Path, error: OSError) -> DataError:
    """Return the one-line error for a file that could not be written."""
    reason = error.strerror or str(error)
    return DataError(f"cannot write {path}: {reason}; free some space or choose a folder you may write to")


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with atomic_open(path) as stream:
        stream.write(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def is_file(path: Path) -> bool:
    """Return whether a regular file, or a link to one, stands at ``path``.

    Raises:
        DataError: it cannot be told, as rights forbid to look or no file can have such a name.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise read_error(path, error) from error


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file for reading; a pipe or a device, which may never end, is refused and not waited for.

    Raises:
        DataError: it is missing, not a regular file, or cannot be read.
    """
    try:
        # without O_NONBLOCK the opening of a pipe waits for a writer
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise read_error(path, error) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DataError(f"cannot read {shown(path)}: it is not a regular file; name one")
    with os.fdopen(handle, "rb") as stream:
        yield stream


def read_bytes(path: Path, most_bytes: int) -> bytes:
    """Return the content of a regular file that has at most ``most_bytes`` bytes.

    Raises:
        DataError: it is missing, not a regular file, larger, or cannot be read.
    """
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most_bytes:
            raise DataError(
                f"cannot read {shown(path)}: {size:,} bytes, at most {most_bytes:,} are read; name another"
            )
        try:
            return stream.read(most_bytes)
        except OSError as error:
            raise read_error(path, error) from error


def read_error(path: Path, error: OSError | ValueError) -> DataError:
    """Return the one-line error for a file that could not be read."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"no such file: {shown(path)}")
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return DataError(f"cannot read {shown(path)}: {reason}; name a file that you may read")


def sha256_file(path: Path) -> str:
    """Return the hex sha256 of a file's bytes.

    Raises:
        DataError: as ``open_regular``.
    """
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        try:
            for block in iter(lambda: stream.read(1 << 20), b""):
                digest.update(block)
        except OSError as error:
            raise read_error(path, error) from error
    return digest.hexdigest()


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process; a second process says so and waits for its turn.

    The lock is the kernel's (``flock``), so a killed run leaves none behind.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / ".lock").open("w")
    except OSError as error:
        raise write_error(folder, error) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"xnorflow: another run holds {folder}; waiting for it to end", file=sys.stderr, flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:
            raise XnorflowError(f"cannot lock {folder}: {error.strerror}; use a local file system") from error
        yield
