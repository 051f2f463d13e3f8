"""The sources of the project, as the tests of its rules read them."""

import ast
import re

from conftest import ROOT

PACKAGE = ROOT / "xnorflow"
SOURCES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(path for folder in ("scripts", "benchmarks", "hls_configs") for path in (ROOT / folder).glob("*.py"))
NETWORKS = sorted((ROOT / "keras_models").glob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
HARDWARE = sorted(path for ending in ("h", "v", "cpp") for path in PACKAGE.rglob(f"*.{ending}"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in [*SOURCES, *SCRIPTS, *NETWORKS]}


def module_of(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def picture():
    """Rooms and modules in the order of ARCHITECTURE.md's first picture, such as ``net`` and ``net.spec``."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```")[1]
    open_rooms, found = [], []
    for indent, name, ending in re.findall(r"^((?:  )+)(\w+)(/|\.py) ", text, re.MULTILINE):
        del open_rooms[len(indent) // 2 - 1 :]
        found.append(".".join([*open_rooms, name]))
        if ending == "/":
            open_rooms.append(name)
    return found


def parting(one, other):
    """Return where two modules part: the room or module below their common room that each of them is in."""
    one, other = one.split("."), other.split(".")
    same = next(at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return ".".join(one[: same + 1]), ".".join(other[: same + 1])


def rooms():
    return {module_of(path.parent / "x").rpartition(".")[0] for path in SOURCES} - {""}


def nodes(tree):
    """Everything in a file but what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and dotted(node.test) == "TYPE_CHECKING"):
            yield node
            yield from nodes(node)


def imports(path):
    """Modules that a file imports, at its top or anywhere in it, as full names."""
    found = set()
    for node in nodes(TREES[path]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def own_imports(path):
    """Modules of the package that a file imports."""
    names = {module_of(source) for source in SOURCES}
    return {name.removeprefix("xnorflow.") for name in imports(path)} & names


def dotted(node):
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def defined(tree):
    """Yield the public names that a module defines."""
    for node in tree.body:
        targets = []
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            targets = [ast.Name(node.name)]
        elif isinstance(node, ast.Assign):
            targets = [one for target in node.targets for one in getattr(target, "elts", [target])]
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        yield from (one.id for one in targets if isinstance(one, ast.Name) and not one.id.startswith("_"))
