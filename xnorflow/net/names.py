"""Names of networks and layers: they become file names and identifiers in Verilog, C++ and Tcl."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xnorflow.base.checks import got
from xnorflow.base.errors import ConfigError

# what is put around a name (`weights_<name>.txt`) has to fit a file name of 255 letters as well
MOST_LETTERS = 64
NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{MOST_LETTERS - 1}}}")


def check_name(what: str, name: object) -> None:
    """Check the name of ``what``, a layer or a network.

    Raises:
        ConfigError: it is no identifier.
    """
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise ConfigError(
            f"the name of a {what} must be 1 to {MOST_LETTERS} letters a-z, digits and underscores, "
            f"and not begin with a digit; got {got(name)}"
        )


def check_differ(names: Sequence[str]) -> None:
    """Check that names differ by more than upper and lower case, as some file systems tell no more apart.

    Raises:
        ConfigError: two are alike.
    """
    if len({name.lower() for name in names}) != len(names):
        raise ConfigError(f"layer names must differ by more than upper and lower case, got {', '.join(names)}")


def derive_names(names: Sequence[str], what: str = "layer") -> list[str]:
    """Return names that pass both checks: each as it is where it does, else the nearest, ``fc_1`` for ``fc/1``."""
    derived: list[str] = []
    # a name that may stay as it is goes before one that would become the same
    taken = {name.lower() for name in names if NAME.fullmatch(name)}
    for index, name in enumerate(names):
        free = NAME.fullmatch(name) and name.lower() not in {other.lower() for other in derived}
        derived.append(name if free else _unused(_nearest(name, what), taken))
        taken.add(derived[index].lower())
    return derived


def _nearest(name: str, what: str) -> str:
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return (plain if NAME.match(plain) else f"{what}_{plain}".rstrip("_"))[:MOST_LETTERS]


def _unused(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found.lower() in taken:
        number += 1
        found = f"{name[: MOST_LETTERS - 1 - len(str(number))]}_{number}"
    return found
