"""Python packages that only some commands need: what it means where one can't be imported."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator

from xnorflow.base.errors import ToolNotFound, shown

# of a reason, which may hold the whole of a library's own account
_LONGEST = 300


@contextlib.contextmanager
def needed(packages: str, purpose: str, install: str) -> Iterator[None]:
    """Import packages in the body; say how to get them where they are missing.

    Args:
        packages: their names, as a sentence has them.
        purpose: what needs them, as in "data set digits".
        install: what ``pip install`` takes.

    Raises:
        ToolNotFound: one is missing, or is there and can't be loaded: memory is short, or a file is damaged.
    """
    try:
        yield
    except ImportError as error:
        reason = _reason(error)
        if isinstance(error, ModuleNotFoundError) and _absent(error.name or ""):
            words = f"{reason}; install with: pip install {install}"
        else:
            words = (
                f"installed, but not to be loaded: {reason}; use a machine with more memory where that is short, "
                f"else: pip install --force-reinstall {install}"
            )
        raise ToolNotFound(f"{purpose} needs {packages}: {words}") from error


def _absent(module: str) -> bool:
    """Whether the package of a module is not there at all."""
    try:
        return importlib.util.find_spec(module.partition(".")[0]) is None
    except ValueError:
        return True


def _reason(error: ImportError) -> str:
    """Return the line that says why, also of a message that holds a whole traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if line.partition(":")[0].endswith("Error")]
    return shown((named or lines or [type(error).__name__])[-1 if named else 0][:_LONGEST])
