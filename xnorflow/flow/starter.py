"""The shipped networks and configurations, laid down in a folder of the user's own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from xnorflow.base.errors import DataError, shown
from xnorflow.base.files.atomic import read_bytes, write_error
from xnorflow.base.files.folders import discard

# setup.py puts these into the wheel; the configurations name their network as ../keras_models/NAME.py
FOLDERS = ("hls_configs", "keras_models")
_MOST_BYTES = 1 << 26


def lay_down(folder: Path) -> tuple[Path, ...]:
    """Copy the networks, their trained weights and cards, and the configurations into ``folder``, all or none.

    What is there already is never replaced: a configuration or network of the user's own may have the same name.

    Args:
        folder: one that is empty, or not there yet.

    Returns:
        The files written.

    Raises:
        DataError: it holds something or cannot be written, or the package was installed without the files.
    """
    sources = shipped()
    with _filled(folder) as stage:
        for source in sources:
            target = stage / source.parent.name / source.name
            target.parent.mkdir(exist_ok=True)
            # neither rights nor dates of the installed file: what is laid down is to be edited
            target.write_bytes(read_bytes(source, _MOST_BYTES))
    return tuple(folder / source.parent.name / source.name for source in sources)


def shipped() -> tuple[Path, ...]:
    """Return the files that come along: beside the package in a checkout, in it where it was installed from a wheel.

    Raises:
        DataError: they are in neither place.
    """
    package = Path(str(resources.files("xnorflow")))
    for place in (package / "shipped", package.parent):
        if all((place / name).is_dir() for name in FOLDERS):
            return tuple(path for name in FOLDERS for path in sorted((place / name).iterdir()) if path.is_file())
    raise DataError(
        f"the networks that come along are not in {shown(package)}; install xnorflow again: pip install "
        "--force-reinstall xnorflow"
    )


@contextlib.contextmanager
def _filled(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill, whose content is then that of ``folder``; where that fails, nothing is left of it."""
    there = folder.is_dir()
    moved: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = sorted(path.name for path in folder.iterdir())
        if held:
            raise DataError(f"{shown(folder)} is not empty: it holds {shown(held[0])}; name a new or an empty folder")
        # inside of it, as a shell may stand in it, or a disk end there: it cannot be replaced as a whole
        with tempfile.TemporaryDirectory(prefix=".xnorflow-", suffix=".part", dir=folder) as stage:
            yield Path(stage)
            for path in sorted(Path(stage).iterdir()):
                moved.append(path.rename(folder / path.name))
    except BaseException as error:
        for path in moved:
            discard(path)
        if not there:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise write_error(folder, error) from error
        raise
