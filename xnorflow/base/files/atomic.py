"""Files that are either whole or absent, and locks between runs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

from xnorflow.base.errors import DataError, XnorflowError, shown
from xnorflow.base.files.targets import copy_into, find_target, is_stream

# descriptors of the locks that are held here; what a program leaves behind holds them along, see supervisor.py
held_locks: ContextVar[tuple[int, ...]] = ContextVar("held_locks", default=())


@contextlib.contextmanager
def atomic_open(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file for writing, which becomes ``path`` on success only; as ``atomic_path``."""
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        yield stream


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield an empty temporary file, which becomes ``path`` on success only.

    A link stays and the file that it leads to is replaced. What is no regular file, such as ``/dev/stdout``, stays
    as well and is written to.

    Raises:
        DataError: as ``check_target``, or the disk is full.
    """
    target = check_target(path)
    temporary: Path | None = None
    try:
        beside = None if is_stream(target) else target.parent
        if beside is not None:
            beside.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".xnorflow-", suffix=".part", dir=beside)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        if beside is None:
            copy_into(temporary, target)
        else:
            _put(temporary, target)
    except BrokenPipeError:
        raise  # whoever reads a pipe has had enough, which is no error
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def check_target(path: str | Path) -> Path:
    """Return the file that writing to ``path`` would make, replace or write to; nothing is touched.

    Raises:
        DataError: a folder, a place under a file or one that may not be written, or a name that no file can have.
    """
    if not str(path) or str(path).endswith("/"):
        raise DataError(f"cannot write to {shown(path) or 'a file without a name'}: name a file")
    try:
        return find_target(Path(path))
    except (OSError, ValueError) as error:
        raise write_error(Path(path), error) from error


def _put(temporary: Path, target: Path) -> None:
    with temporary.open("rb") as stream:
        os.fsync(stream.fileno())
    # mkstemp makes files that only the owner may read; a result is for everyone on the machine
    temporary.chmod(0o666 & ~_umask())
    temporary.replace(target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


ELSEWHERE = "choose another place"
# how to mend what hinders writing
ADVICE = {
    errno.ENOSPC: "free some space or choose another place",
    errno.EDQUOT: "free some space or choose another place",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "a file stands where a folder should be; choose another place",
    errno.EEXIST: "a file stands where a folder should be; choose another place",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that can be written",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENODEV: "it is a disk or a socket; name a file",
    errno.ENXIO: "nobody reads from it; start a reader first or name a file",
}


def write_error(path: Path, error: OSError | ValueError) -> DataError:
    """Return the one-line error for what could not be written: ``path``, or the target that the error names."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        # every file that could not be copied, each as (source, target, words)
        _, target, words = error.args[0][0]
        number = re.match(r"\[Errno (\d+)\]", str(words))
        error = OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(words)
    elif isinstance(error, OSError) and error.filename2 is not None:
        target = os.fsdecode(error.filename2)
    else:
        target = path
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    advice = ADVICE.get(error.errno or 0, ELSEWHERE) if isinstance(error, OSError) else ELSEWHERE
    return DataError(f"cannot write {shown(target)}: {shown(reason)}; {advice}")


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn the OSError of work that writes into ``folder`` into its one line."""
    try:
        yield
    except OSError as error:
        raise write_error(Path(os.fsdecode(error.filename or folder)), error) from error


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all; stray bytes of a file's name are escaped."""
    with atomic_open(path) as stream:
        stream.write(text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all; stray bytes of a file's name become question marks."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    with atomic_open(path) as stream:
        # JSON is Unicode, and strict readers refuse half a surrogate pair, escaped or not
        stream.write(text.encode("utf-8", "replace"))


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

    Raises:
        DataError: the folder can't be made or written, or its ``.lock`` is somebody's link or pipe.
    """
    handle = _open_lock(folder)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            words = f"xnorflow: another run holds {shown(folder)}; waiting for it to end"
            print(words, file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            raise XnorflowError(f"cannot lock {shown(folder)}: {error.strerror}; use a local file system") from error
        token = held_locks.set((*held_locks.get(), handle))
        try:
            yield
        finally:
            held_locks.reset(token)
    finally:
        os.close(handle)


def _open_lock(folder: Path) -> int:
    path = folder / ".lock"
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in str(folder.absolute())):
        what = "its path has a control character or stray bytes, which compilers can't read"
        raise DataError(f"cannot write {shown(folder)}: {what}; choose another name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # neither through a link nor emptied: the name may be somebody else's file
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(path, flags, 0o666)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ELOOP:
            raise DataError(f"cannot lock {shown(folder)}: {shown(path)} is a link; delete it") from error
        raise write_error(folder, error) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DataError(f"cannot lock {shown(folder)}: {shown(path)} is no regular file; delete it")
    return handle
