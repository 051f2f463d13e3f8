"""How a program of ours ends: an exit code, and one line on standard error for whatever went wrong."""

from __future__ import annotations

import contextlib
import errno
import inspect
import os
import platform
import shlex
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any, NoReturn, TextIO

from xnorflow import __version__
from xnorflow.base.doctor import packages
from xnorflow.base.errors import ConfigError, DataError, ToolFailed, XnorflowError, shown
from xnorflow.base.processes.signals import stoppable

# exit codes beside 0 and those of XnorflowError: 1 does not match or does not fit, 2 the user's mistake
UNEXPECTED = 3
MORE_MEMORY = "use fewer or smaller images, or a machine with more memory"
# longest words of an unexpected exception on the terminal; the log has all of them
_LONGEST = 300


def run_script(main: Callable[..., None]) -> NoReturn:
    """Call ``main`` with the command line's arguments and end the program."""

    def program() -> int:
        arguments = sys.argv[1:]
        try:
            inspect.signature(main).bind(*arguments)
        except TypeError as error:
            takes = " ".join(f"[{name.upper()}]" for name in inspect.signature(main).parameters)
            raise ConfigError(f"{error}; the script takes {takes}, got {shlex.join(arguments)}") from error
        main(*arguments)
        return 0

    sys.exit(ended(program))


def ended(program: Callable[[], int]) -> int:
    """Run a program and return its exit code.

    What it prints to standard output must arrive, or else it is an error; remarks on standard error need not.

    Raises:
        SystemExit: with ``UNEXPECTED``, after an exception that should not be, or as the program raised it.
    """
    _open_standard_streams()
    out, remarks = _Guarded(sys.stdout, _output_lost), _Guarded(sys.stderr, _discard)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(remarks):
        try:
            return stoppable(_flushed)(program)
        except XnorflowError as error:
            return _fail(f"error: {_lines(error)}", error.exit_code)
        except BrokenPipeError as error:
            _discard(sys.stdout, error)  # the reader of a pipe has had enough
            return 0
        except Exception as error:
            if _lacks_memory(error):
                code = _fail(f"error: not enough memory{_reason(error)}; {MORE_MEMORY}", XnorflowError.exit_code)
            else:
                code = _fail(_unexpected(error), UNEXPECTED)
            raise SystemExit(code) from error


def _flushed(program: Callable[[], int]) -> int:
    """Run a program; what it printed goes out here, where a failure is caught, and not at the interpreter's end."""
    try:
        code = program()
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return code


def _fail(line: str, code: int) -> int:
    print(f"xnorflow: {line}", file=sys.stderr)
    return code


def _lines(error: XnorflowError) -> str:
    """Return an error's words; only the last lines of a program that failed are lines of their own."""
    return "\n".join(map(shown, str(error).split("\n"))) if isinstance(error, ToolFailed) else shown(error)


def _reason(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return f" ({shown(words[:_LONGEST])})" if words else ""


def _lacks_memory(error: Exception) -> bool:
    # TensorFlow's own name for it, without importing TensorFlow
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"MemoryError", "ResourceExhaustedError"}) or getattr(error, "errno", None) == errno.ENOMEM


def _unexpected(error: Exception) -> str:
    """Write what a report of a fault needs to a file; return the line that names it."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="xnorflow-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as log:
            log.write(_account(error))
        where = f"the whole of it is in {shown(log.name)}; please report it with that file"
    except (OSError, MemoryError) as hindrance:
        where = f"no log could be written{_reason(hindrance)}; please report it"
    return f"unexpected {type(error).__name__}{_reason(error)}; {where}"


def _account(error: Exception) -> str:
    lines = [
        f"command line: {shlex.join(sys.argv)}",
        f"folder: {os.environ.get('PWD', '?')}",
        f"xnorflow {__version__} on {platform.platform()}",
        *(f"{package.name} {package.version or 'missing'}" for package in packages()),
        "",
        *traceback.format_exception(error),
    ]
    return "\n".join(lines)


# --- standard streams


class _Guarded:
    """A standard stream that hands its failures to a function, with the stream that failed."""

    def __init__(self, stream: TextIO, failed: Callable[[TextIO, OSError], None]) -> None:
        self._stream, self._failed = stream, failed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text, as a file does."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._failed(self._stream, error)
            return len(text)

    def flush(self) -> None:
        """Send on what was written, as a file does."""
        try:
            self._stream.flush()
        except OSError as error:
            self._failed(self._stream, error)


def _output_lost(stream: TextIO, error: OSError) -> None:
    _discard(stream, error)
    if isinstance(error, BrokenPipeError):
        raise error
    raise DataError(f"cannot write to standard output: {error.strerror}; send it to a file or a terminal") from error


def _discard(stream: TextIO, error: OSError) -> None:
    """Lead a stream nowhere; else Python complains once more at the interpreter's end."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _open_standard_streams() -> None:
    """Open what was closed before the program started, so that no other file takes its number.

    Output still can't be written, and says so; remarks are lost.
    """
    for number, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            handle = os.open(os.devnull, flags)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        if hasattr(getattr(sys, name), "reconfigure"):
            # a terminal that knows fewer letters than a name has
            getattr(sys, name).reconfigure(errors="backslashreplace")
