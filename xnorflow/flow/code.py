"""A hash of the code that makes a step, so that what older code made is made again."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
# sources of hardware, which stand beside the modules that hand them on
_HARDWARE = (".v", ".h", ".cpp")


def code_hash(module: str) -> str:
    """Return a hash over a module and all of the package that it imports, at its top or anywhere in it.

    Files of Verilog and C++ that such a module names, beside it or in the room around its own, belong to it.

    Args:
        module: full name, such as ``xnorflow.flow.steps_rtl``.
    """
    return _hash(module, PACKAGE)


@cache
def _hash(module: str, package: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted({path for name in _closure(module, package) for path in _files(name, package)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _closure(module: str, package: Path) -> set[str]:
    found: set[str] = set()
    left = [module]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [other for other in _imports(_source(name, package)) if _source(other, package).is_file()]
    return found


def _source(module: str, package: Path) -> Path:
    path = package.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _imports(source: Path) -> tuple[str, ...]:
    """Return the names in the package that a file imports, modules and what is in them."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source.read_bytes())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        # the front door offers everything, and makes nothing
        found += [name for name in names if name.startswith("xnorflow.")]
    return tuple(found)


def _files(module: str, package: Path) -> Iterator[Path]:
    """Yield a module's source, and the sources of hardware that it names, by their file, folder or ending."""
    source = _source(module, package)
    yield source
    text = source.read_text(encoding="utf-8")
    folders = [folder for folder in source.parents[:2] if folder.is_relative_to(package)]
    for near in (path for folder in folders for path in folder.iterdir() if not (path / "__init__.py").exists()):
        for path in [near, *near.rglob("*")]:
            if path.suffix in _HARDWARE and any(f'"{name}"' in text for name in (near.name, f"*{path.suffix}")):
                yield path
