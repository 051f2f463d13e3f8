"""Work in several threads that begins and ends together: the one place that makes threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import ContextVar, copy_context
from typing import TypeVar

Item = TypeVar("Item")
_Found = TypeVar("_Found")


class _Group:
    """Programs that the threads of an ``in_parallel`` have running; ``error`` is what stopped them."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._stops: set[Callable[[], None]] = set()
        self._stopped = False

    @contextlib.contextmanager
    def holding(self, stop: Callable[[], None]) -> Iterator[None]:
        """Have ``stop`` called when the group is to stop, or was before."""
        with self._lock:
            self._stops.add(stop)
        if self._stopped:
            stop()
        try:
            yield
        finally:
            with self._lock:
                self._stops.discard(stop)

    def stop(self, error: BaseException | None = None) -> None:
        """Stop all programs, without waiting for them; only the first error counts, others follow from it."""
        with self._lock:
            if not self._stopped:
                self.error, self._stopped = error, True
            stops = tuple(self._stops)
        for stop in stops:
            stop()


_group: ContextVar[_Group | None] = ContextVar("_group", default=None)


def in_parallel(work: Callable[[Item], _Found], items: Iterable[Item]) -> list[_Found]:
    """Return ``work(item)`` of every item, each in a thread of its own.

    When one fails, or on Ctrl-C, the programs that the others run are stopped, and the first failure is raised.
    """
    group = _Group()

    def in_thread(item: Item) -> _Found:
        _group.set(group)
        try:
            return work(item)
        except BaseException as error:
            # here, as no signal interrupts this thread
            group.stop(error)
            raise

    chosen = list(items)
    with ThreadPoolExecutor(max(1, len(chosen))) as pool, stopped_with_others(group.stop):
        try:
            futures = [pool.submit(copy_context().run, in_thread, item) for item in chosen]
            wait(futures)
        except BaseException:
            # Ctrl-C reaches the main thread only; the pool waits for the others
            group.stop()
            raise
    if group.error is not None:
        raise group.error
    return [future.result() for future in futures]


def stopped_with_others(stop: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
    """Have ``stop`` called when the ``in_parallel`` around this thread is stopped; it must not wait."""
    group = _group.get()
    return contextlib.nullcontext() if group is None else group.holding(stop)
