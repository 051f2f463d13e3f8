"""Signals that end a run: SIGTERM and SIGHUP act as Ctrl-C, and none is lost.

``systemd``, ``timeout`` and ``kill`` send SIGTERM, a terminal that is closed SIGHUP. Only the command line listens,
as a library must leave the signals to its user.
"""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import ParamSpec

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_Options = ParamSpec("_Options")


class Stopped(KeyboardInterrupt):
    """One of ``SIGNALS`` came."""


class _Ear:
    """What was heard since a command began."""

    def __init__(self) -> None:
        self.heard: int | None = None
        self.deaf = False

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Stop what the main thread does, unless it is stopping for an earlier signal: no clean-up is left half."""
        self.heard = self.heard or number
        if not self.deaf and not _stopping():
            raise Stopped


_ear = _Ear()


def raise_pending() -> None:
    """Raise the signal that came since the command began, if one came.

    What the handler raises ends nothing where it is raised in a callback or finaliser of foreign code, as
    TensorFlow has them. So it is asked for before what was made in the meantime is taken as whole.

    Raises:
        Stopped: one came.
    """
    if _ear.heard is not None:
        raise Stopped


def stoppable(main: Callable[_Options, int]) -> Callable[_Options, int]:
    """Let a command's function end on any of ``SIGNALS`` as on Ctrl-C, with a line and exit code 128 + its number."""

    @functools.wraps(main)
    def run(*args: _Options.args, **kwargs: _Options.kwargs) -> int:
        with _listening():
            try:
                code = main(*args, **kwargs)
                raise_pending()
                return code
            except BaseException as error:
                # an error after a signal is its consequence: a terminal that was closed takes no output
                if _ear.heard is None and not isinstance(error, KeyboardInterrupt):
                    raise
                _ear.deaf = True
                return _stopped(_ear.heard or signal.SIGINT)

    return run


@contextlib.contextmanager
def _listening() -> Iterator[None]:
    """Hear ``SIGNALS``, but for those that are ignored, as ``nohup`` has it, or handled by other than Python."""
    _ear.heard, _ear.deaf = None, False
    before = {}
    try:
        # elsewhere than in the main thread no handler can be set
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, _ear.hear)
        yield
    finally:
        _ear.deaf = True
        for number, handler in before.items():
            signal.signal(number, handler)
        _ear.heard = None


def _stopping() -> bool:
    """Whether a ``Stopped`` is being handled, and clean-up is going on."""
    error = sys.exc_info()[1]
    while error is not None:
        if isinstance(error, Stopped):
            return True
        error = error.__context__
    return False


def _stopped(number: int) -> int:
    by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
    with contextlib.suppress(OSError, ValueError):
        print(f"xnorflow: stopped{by}; the same command goes on from here", file=sys.stderr, flush=True)
    return 128 + number
