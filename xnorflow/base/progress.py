"""Progress of long work on the terminal: a bar with the time left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from xnorflow.base.errors import shown

Advance = Callable[[int], None]


@contextlib.contextmanager
def progress_bar(what: str, total: int) -> Iterator[Advance]:
    """Show a bar on standard error; yields the function that moves it on by so many units.

    On a stream that is not a terminal only the finished bar is printed.
    """
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task(shown(what), total=total)
        yield lambda amount: bar.advance(task, amount)
