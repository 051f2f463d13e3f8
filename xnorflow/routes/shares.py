"""Images shared out among the cores: both routes simulate in several processes, each on its share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from xnorflow.base.processes.parallel import in_parallel

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class ImageShare:
    """The images of one process: those numbered ``start`` to ``end - 1``.

    Attributes:
        index: number of the share, from 0.
        start: its first image.
        end: the first image behind it.
    """

    index: int
    start: int
    end: int

    @property
    def images(self) -> slice:
        """What takes the share's rows out of an array with a row per image."""
        return slice(self.start, self.end)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def shares_of(images: int, workers: int | None = None) -> tuple[ImageShare, ...]:
    """Split so many images into shares that differ by one at most; none is empty.

    Args:
        images: how many there are.
        workers: shares at most; by default one per core.
    """
    count = min(workers or cores(), images)
    bounds = [images * index // count for index in range(count + 1)] if count else []
    return tuple(ImageShare(index, bounds[index], bounds[index + 1]) for index in range(count))


def in_shares(work: Callable[[ImageShare], _Found], images: int, workers: int | None = None) -> list[_Found]:
    """Return ``work(share)`` of every share, in order; they run at the same time (``parallel.in_parallel``)."""
    return in_parallel(work, shares_of(images, workers))
