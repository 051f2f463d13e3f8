"""Programs that xnorflow runs: finding them, and the one place that starts processes."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO, TypeVar

from xnorflow.errors import ToolFailed, ToolNotFound
from xnorflow.files import write_error

LAST_LINES = 10
Item = TypeVar("Item")
Found = TypeVar("Found")
# programs that the threads of the ``in_parallel`` around this thread have running
_running: ContextVar[set[subprocess.Popen[str]] | None] = ContextVar("_running", default=None)
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

    Standard output and error go to ``log``, after a first line with the command. The program gets
    a process group of its own, which is stopped as a whole on a time limit, Ctrl-C or any error.

    Args:
        argv: program and arguments; no shell is involved.
        cwd: its working folder.
        log: file that keeps its output.
        env: variables to add to this process's own.
        timeout_s: time limit in seconds.
        on_line: called with each line of output as it comes.

    Raises:
        ToolFailed: it could not start, failed or took too long; the message has its last lines.
        DataError: the log cannot be written.
    """
    command = [str(part) for part in argv]
    started = time.monotonic()
    tail: deque[str] = deque(maxlen=LAST_LINES)
    expired = threading.Event()

    def run(stream: TextIO) -> int:
        with _log_errors(log):
            print(f"$ {shlex.join(command)}", file=stream, flush=True)
        process = _start(command, cwd, env)
        timer = _stop_after(process, timeout_s, expired)
        with _stopped_on_error(process, timer):
            assert process.stdout is not None
            for line in process.stdout:
                with _log_errors(log):
                    stream.write(line)
                tail.append(line.rstrip())
                if on_line is not None:
                    on_line(line.rstrip())
            code = process.wait()
            with _log_errors(log):
                stream.flush()
            return code

    code = _with_log(log, run)
    if expired.is_set():
        raise ToolFailed(f"{command[0]} took longer than {timeout_s:g} s and was stopped; log: {log}")
    if code != 0:
        raise ToolFailed(_failure(command[0], code, tail, log))
    return time.monotonic() - started


def in_parallel(work: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Return ``work(item)`` of every item, each in a thread of its own.

    When one fails, or on Ctrl-C, the programs that the others run are stopped: Ctrl-C reaches the
    main thread only, which would otherwise wait for them to end.
    """
    running: set[subprocess.Popen[str]] = set()

    def in_thread(item: Item) -> Found:
        _running.set(running)
        return work(item)

    chosen = list(items)
    with ThreadPoolExecutor(max(1, len(chosen))) as pool:
        futures = [pool.submit(in_thread, item) for item in chosen]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            for future in filter(lambda future: future.done(), futures):
                future.result()
        except BaseException:
            while not all(future.done() for future in futures):
                for process in tuple(running):
                    _stop_group(process)
                wait(futures, timeout=0.1)
            raise
    return [future.result() for future in futures]


def _with_log(log: Path, run: Callable[[TextIO], int]) -> int:
    with _log_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        stream = log.open("w", encoding="utf-8", errors="replace")
    try:
        return run(stream)
    finally:
        # what a full disk refuses was reported when it was written or flushed
        with contextlib.suppress(OSError):
            stream.close()


@contextlib.contextmanager
def _log_errors(log: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(log, error) from error


@contextlib.contextmanager
def _stopped_on_error(process: subprocess.Popen[str], timer: threading.Timer | None) -> Iterator[None]:
    running = _running.get()
    if running is not None:
        running.add(process)
    try:
        yield
    except BaseException:
        _stop_group(process)
        raise
    finally:
        if timer is not None:
            timer.cancel()
        if running is not None:
            running.discard(process)
        if process.stdout is not None:
            process.stdout.close()


def _start(command: list[str], cwd: Path, env: Mapping[str, str] | None) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ToolFailed(f"cannot start {command[0]} in {cwd}: {error.strerror}") from error


def _stop_after(
    process: subprocess.Popen[str], timeout_s: float | None, expired: threading.Event
) -> threading.Timer | None:
    if timeout_s is None:
        return None

    def stop() -> None:
        expired.set()
        _stop_group(process)

    timer = threading.Timer(timeout_s, stop)
    timer.daemon = True
    timer.start()
    return timer


def _stop_group(process: subprocess.Popen[str]) -> None:
    """Ask the whole process group to end, then make it."""
    for sign, patience_s in ((signal.SIGTERM, 2.0), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
            # the leader is gone; what it left behind in its group goes too
            if sign == signal.SIGTERM:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            return


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
