"""Programs that xnorflow runs: finding them, and the one place that starts processes."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from xnorflow.base.errors import ConfigError, ToolFailed, ToolNotFound
from xnorflow.base.files.atomic import held_locks, write_error
from xnorflow.base.processes import signals
from xnorflow.base.processes.parallel import stopped_with_others

SUPERVISOR = Path(__file__).with_name("supervisor.py")
LAST_LINES, LINE_CHARACTERS = 10, 1000
# as much as a pipe holds at most
CHUNK_BYTES = 1 << 20
MOST_SECONDS = 1_000_000
# how to get each program; the name of the variable that overrides its path is derived from its own
INSTALL = {
    "g++": "sudo apt install g++ (or your system's C++ compiler package)",
    "vivado_hls": "install Vivado 2019.2 or 2020.1 and source its settings64.sh",
    "vitis_hls": "install Vitis 2022 or later and source its settings64.sh",
    "vivado": "install Vivado and source its settings64.sh",
    "nextpnr-xilinx": "build github.com/openXC7/nextpnr-xilinx and set XNORFLOW_CHIPDB to the part's .bin file",
    "nextpnr-himbaechel": "build it from github.com/YosysHQ/nextpnr with uarch xilinx, chip databases included",
}


def override_variable(name: str) -> str:
    """Return the environment variable that overrides the path of a program: g++ -> XNORFLOW_GXX."""
    return "XNORFLOW_" + name.upper().replace("+", "X").replace("-", "_")


def find_tool(name: str) -> Path | None:
    """Return the program's path, from its override variable or PATH; None where it is missing."""
    override = os.environ.get(override_variable(name))
    found = shutil.which(override or name)
    return Path(found) if found else None


def require_tool(name: str, purpose: str) -> Path:
    """Return the program's path.

    Args:
        name: program name, such as ``g++``.
        purpose: what the step needs it for, as in "the C simulation".

    Raises:
        ToolNotFound: it is not on PATH, or its override variable names no program.
    """
    found = find_tool(name)
    if found is None:
        variable = override_variable(name)
        override = os.environ.get(variable)
        where = f"{variable}={override}" if override else "PATH"
        advice = INSTALL.get(name, "install it")
        raise ToolNotFound(
            f"{purpose} needs {name}, which is not in {where}; {advice}, or set {variable} to its path"
        )
    return found


def check_time_limit(timeout_s: float | None) -> None:
    """Check a time limit in seconds; None is none.

    Raises:
        ConfigError: it is not a number above 0, or more than ``MOST_SECONDS``.
    """
    number = isinstance(timeout_s, (int, float)) and not isinstance(timeout_s, bool)
    if timeout_s is not None and not (number and 0 < timeout_s <= MOST_SECONDS):
        raise ConfigError(
            f"a time limit must be above 0 and at most {MOST_SECONDS:,} seconds, got {timeout_s!r}; "
            "leave it out for none"
        )


def require_all(lookers: Iterable[Callable[[], object]]) -> None:
    """Call what looks for programs, and say all that is missing in one line.

    Raises:
        ToolNotFound: any of them raised it.
    """
    missing: list[str] = []
    for look in lookers:
        try:
            look()
        except ToolNotFound as error:
            missing.append(str(error))
    if missing:
        raise ToolNotFound("; ".join(dict.fromkeys(missing)))


def run_tool(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    log: Path,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    on_line: Callable[[str], None] | None = None,
) -> float:
    """Run a program to its end and return the seconds it took.

    Standard output and error go to ``log``, after a first line with the command. Nothing that the program
    started outlives it: what is left is ended at its end, on a time limit, on Ctrl-C or any error, and
    when this process is killed.

    Args:
        argv: program and arguments; no shell is involved.
        cwd: its working folder.
        log: file that keeps its output.
        env: variables to add to this process's own.
        timeout_s: time limit in seconds.
        on_line: called with each line of output as it comes, cut to ``LINE_CHARACTERS``.

    Raises:
        ConfigError: a time limit that is none.
        ToolFailed: it could not start, failed or took too long; the message has its last lines.
        DataError: the log cannot be written.
    """
    check_time_limit(timeout_s)
    signals.raise_pending()
    command = [str(part) for part in argv]
    started = time.monotonic()
    with _written(log) as stream:
        output = _Output(stream, log, on_line)
        output.log(f"$ {shlex.join(command)}\n")
        with _supervised(command, cwd, env, timeout_s) as process:
            report = _read_to_end(process, output)
    word, _, number = report.decode(errors="replace").strip().partition(" ")
    if word == "expired":
        raise ToolFailed(f"{command[0]} took longer than {timeout_s:g} s and was stopped; log: {log}")
    if word == "errno":
        raise _no_start(command, cwd, os.strerror(int(number.split()[0])))
    code = int(number) if word == "ended" else process.returncode
    if word != "ended":
        # the supervisor was killed, or could not run
        output.tail.extend(report.decode(errors="replace").splitlines())
    if code != 0:
        raise ToolFailed(_failure(command[0], code, output.tail, log))
    return time.monotonic() - started


class _Output:
    """What a program prints: all of it for its log, each line for who wants it, the last ones for an error."""

    def __init__(self, stream: TextIO, log: Path, on_line: Callable[[str], None] | None) -> None:
        self.tail: deque[str] = deque(maxlen=LAST_LINES)
        self._stream, self._path, self._on_line = stream, log, on_line
        utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._line = ""

    def log(self, text: str) -> None:
        """Write into the log only."""
        with _log_errors(self._path):
            self._stream.write(text)
            self._stream.flush()

    def add(self, data: bytes, final: bool = False) -> None:
        """Take what the program wrote; at the end, the last line as it stands."""
        text = self._decoder.decode(data, final)
        self.log(text)
        *whole, rest = text.split("\n")
        for part in whole:
            self._end_line(part)
        # a line may have no end and be of any length
        self._line = (self._line + rest)[:LINE_CHARACTERS]
        if final and self._line:
            self._end_line("")

    def _end_line(self, rest: str) -> None:
        line, self._line = (self._line + rest)[:LINE_CHARACTERS].rstrip(), ""
        self.tail.append(line)
        if self._on_line is not None:
            self._on_line(line)


def _read_to_end(process: subprocess.Popen[bytes], output: _Output) -> bytes:
    """Read the program's output until its supervisor ends; return what that reported."""
    assert process.stdout is not None and process.stderr is not None, "_start asks for them"
    printed, status = process.stdout.fileno(), process.stderr.fileno()
    report, ended = b"", False
    with selectors.DefaultSelector() as selector:
        for source in (printed, status):
            selector.register(source, selectors.EVENT_READ)
        while not ended:
            for key, _ in selector.select():
                data = os.read(key.fd, CHUNK_BYTES)
                if key.fd == status:
                    report, ended = report + data, not data
                elif data:
                    output.add(data)
                else:
                    selector.unregister(printed)
    # What is left is in the pipe. The pipe's end is not waited for: who could not be stopped may hold it open.
    os.set_blocking(printed, False)
    with contextlib.suppress(BlockingIOError):
        output.add(os.read(printed, CHUNK_BYTES))
    output.add(b"", final=True)
    return report


@contextlib.contextmanager
def _written(log: Path) -> Iterator[TextIO]:
    with _log_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        stream = log.open("w", encoding="utf-8", errors="replace")
    try:
        yield stream
    finally:
        # what a full disk refuses was reported when it was written
        with contextlib.suppress(OSError):
            stream.close()


@contextlib.contextmanager
def _log_errors(log: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(log, error) from error


@contextlib.contextmanager
def _supervised(
    command: list[str], cwd: Path, env: Mapping[str, str] | None, timeout_s: float | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program under its supervisor; at the end, or on any error, nothing of it is left."""
    process = _start(command, cwd, env, timeout_s)
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    with stopped_with_others(process.stdin.close), process.stdout, process.stderr:
        try:
            yield process
        finally:
            process.stdin.close()
            # Where the supervisor was killed, the group is still there. Its number cannot be another's before
            # the supervisor is waited for.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _start(
    command: list[str], cwd: Path, env: Mapping[str, str] | None, timeout_s: float | None
) -> subprocess.Popen[bytes]:
    locks = held_locks.get()
    limit = "" if timeout_s is None else str(float(timeout_s))
    supervisor = [sys.executable, "-I", "-S", str(SUPERVISOR), limit, ",".join(map(str, locks))]
    try:
        return subprocess.Popen(
            [*supervisor, *command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=locks,
            start_new_session=True,
        )
    except OSError as error:
        raise _no_start(command, cwd, error.strerror or str(error)) from error


def _no_start(command: list[str], cwd: Path, reason: str) -> ToolFailed:
    return ToolFailed(f"cannot start {command[0]} in {cwd}: {reason}")


def _failure(program: str, code: int, tail: Sequence[str], log: Path) -> str:
    how = f"was killed by {_signal_name(-code)}" if code < 0 else f"failed with exit code {code}"
    if not tail:
        return f"{program} {how}; log: {log}; it printed nothing"
    last = "\n".join(f"    {line}" for line in tail)
    return f"{program} {how}; log: {log}; its last lines:\n{last}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
