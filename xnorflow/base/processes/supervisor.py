"""Runs one program, and lets nothing that it starts outlive it or xnorflow.

Run as ``python -I -S supervisor.py SECONDS LOCKS PROGRAM ...``, beside every program. xnorflow holds the other end
of its standard input and never writes to it: it is closed when the program is to stop, and by the kernel when
xnorflow dies, whatever killed it, so there is no moment in which a program runs unwatched. Standard output is the
program's. Standard error says how it ended.

It adopts what loses its parent (``PR_SET_CHILD_SUBREAPER``), so it also finds what left the program's process group
or session, and knows when the last of it is gone. Until then it holds the descriptors ``LOCKS``: where xnorflow was
killed, the lock on a project folder is free only when nothing writes there. It imports nothing of xnorflow and
little of Python, as it starts before every program, and has one thread, so that it may fork.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from typing import NoReturn

PATIENCE_S = 1.0
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_ORDER, OUTPUT, STATUS = 0, 1, 2

_prctl = ctypes.CDLL(None).prctl


class _Family:
    """The program and all that came of it; ``code`` is how the program ended, as ``subprocess`` counts."""

    def __init__(self, command: list[str]) -> None:
        """Start the program."""
        self.code: int | None = None
        self._woken, wake = os.pipe()
        for end in (self._woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake)
        # SIGTERM goes to the whole group, to which this process belongs; SIGINT may as well, from a service manager.
        # A handler, unlike an ignored signal, is not passed on to the program.
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            if number == signal.SIGCHLD or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda number, frame: None)
        _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        mine = os.getpid()
        self._leader = os.fork()
        if self._leader == 0:
            _become(command, mine)

    def wait(self, deadline: float | None) -> bool:
        """Wait until the program has ended or is to stop; False where the deadline came first."""
        poll = select.poll()
        for source in (self._woken, _ORDER):
            poll.register(source, select.POLLIN)
        while self.left() and self.code is None:
            left_s = None if deadline is None else deadline - time.monotonic()
            if left_s is not None and left_s <= 0:
                return False
            if any(source == _ORDER for source, _ in poll.poll(None if left_s is None else 1000 * left_s + 1)):
                return True
            self._sleep(0)
        return True

    def end(self) -> None:
        """End whatever is left: politely, then by force and from the top, as orphans come to this process."""
        if not self.left():
            return
        for pid in _children():
            _send(pid, signal.SIGTERM)
        os.killpg(0, signal.SIGTERM)
        patience = time.monotonic() + PATIENCE_S
        while self.left() and time.monotonic() < patience:
            self._sleep(patience - time.monotonic())
        seen = time.monotonic()
        # one that may not be killed, such as a sudo, is not waited for
        while self.left() and time.monotonic() < seen + PATIENCE_S:
            if any([_send(pid, signal.SIGKILL) for pid in _children()]):
                seen = time.monotonic()
            self._sleep(0.05)

    def left(self) -> bool:
        """Take note of those that have ended; return whether any is left."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._leader:
                    self.code = os.waitstatus_to_exitcode(ended[1])
            return True
        return False

    def _sleep(self, seconds: float) -> None:
        """Sleep until a child ends, but not longer."""
        select.select([self._woken], [], [], max(0.0, seconds))
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)


def _become(command: list[str], supervisor: int) -> NoReturn:
    """Replace this process, a child of the supervisor, by the program."""
    status = os.dup(STATUS)
    try:
        # where the supervisor itself is killed
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(1)
        # Python ignores these
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), _ORDER)
        os.dup2(OUTPUT, STATUS)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(status, f"errno {error.errno}\n".encode())
    finally:
        os._exit(1)


def _children() -> list[int]:
    """Return the processes whose parent is this one."""
    found = []
    with os.scandir("/proc") as entries:
        for name in (entry.name for entry in entries if entry.name.isdigit()):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with os.fdopen(os.open(f"/proc/{name}/stat", os.O_RDONLY), "rb") as stat:
                    # the program's name, in brackets, may have brackets and spaces
                    fields = stat.read().rpartition(b")")[2].split()
                if int(fields[1]) == os.getpid():
                    found.append(int(name))
    return found


def _send(pid: int, number: signal.Signals) -> bool:
    """Send a signal to a child, which keeps its id until it is waited for; return whether that is allowed."""
    try:
        os.kill(pid, number)
    except PermissionError:
        return False
    return True


def main(seconds: str, locks: str, *command: str) -> None:
    """Run the program; report ``expired`` where it took longer, ``errno N`` where it could not start, ``ended N``."""
    for lock in filter(None, locks.split(",")):
        os.set_inheritable(int(lock), False)
    family = _Family(list(command))
    in_time = family.wait(time.monotonic() + float(seconds) if seconds else None)
    family.end()
    report = f"ended {family.code}\n" if in_time else "expired\n"
    os.write(STATUS, report.encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
