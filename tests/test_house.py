"""The house's own rules, read from the sources."""

import ast
import subprocess
import sys

import pytest
from conftest import ROOT
from house_sources import (
    HARDWARE,
    NETWORKS,
    PACKAGE,
    SCRIPTS,
    SOURCES,
    TESTS,
    TREES,
    defined,
    dotted,
    imports,
    module_of,
    own_imports,
    parting,
    picture,
    rooms,
)

# what no room alone is tested by
OF_THE_WHOLE = {f"test_{name}.py" for name in ("docs", "house", "networks", "packaging", "scripts", "surface")}
MOST_ROOMS, MOST_ROOT_MODULES = 10, 5
# who may import what, by top-level name of the imported package
KERNELS, KERAS_FILE = "routes.hls.kernels", "sources.keras.file"
OWNERS = {
    "tensorflow": {"base.keras_stack"},
    "tf_keras": {"base.keras_stack"},
    "keras": set(),
    "qkeras": {"base.keras_stack"},
    "hls4ml": {
        "base.keras_stack",
        *(f"{KERNELS}.{name}" for name in ("backend", "product", "read", "nodes", "templates")),
    },
    "h5py": {f"{KERAS_FILE}.read", f"{KERAS_FILE}.store"},
    "msgspec": {"fitting.calibration", f"{KERAS_FILE}.config", f"{KERAS_FILE}.layers", "base.files.plain"},
    "subprocess": {"base.processes.programs"},
    "concurrent": {"base.processes.parallel"},
    "multiprocessing": set(),
    "signal": {f"base.processes.{name}" for name in ("signals", "supervisor", "programs")},
    "pickle": set(),
    "marshal": set(),
    "shelve": set(),
    "dill": set(),
    "mlxtend": {"sources.data.sets"},
    "sklearn": {"sources.data.sets"},
    "PIL": {"sources.data.own"},
    "rich": {"base.progress", "show.table"},
    "fcntl": {"base.files.atomic"},
    "ctypes": {"routes.hls.worker", "base.processes.supervisor"},
    "matplotlib": {"fitting.pareto"},
}
# modules that may call these functions of base.keras_stack
KERAS_USERS = {
    *(f"sources.keras.{name}" for name in ("blocks", "extract", "file.read", "file.layers")),
    "sources.training.train",
    "sources.training.seed",
    "sources.data.sets",
}
HLS4ML_USERS = {"routes.hls.write.project"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_ATTRIBUTES = {"os.chdir", "os.system", "os.popen", "os.fork", "np.lib.format"}


# --- layers


def test_picture_shows_every_room_and_module():
    modules = {module_of(path) for path in SOURCES if path.name != "__init__.py"}
    assert sorted(picture()) == sorted(modules | rooms())


def test_the_root_stays_small():
    assert len([path for path in SOURCES if path.parent == PACKAGE]) <= MOST_ROOT_MODULES
    assert len([room for room in rooms() if "." not in room]) <= MOST_ROOMS


def test_every_room_says_what_it_is():
    for room in rooms():
        assert ast.get_docstring(TREES[PACKAGE / room.replace(".", "/") / "__init__.py"]), room


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "__init__.py"], ids=module_of)
def test_imports_point_up_the_picture(path):
    """Rooms stand in one order, and the files and rooms in a room in their own."""
    order = picture()
    for name in own_imports(path) - {module_of(path)}:
        mine, theirs = parting(module_of(path), name)
        assert order.index(theirs) < order.index(mine), (
            f"{module_of(path)} imports {name}, but {theirs} stands below {mine} in ARCHITECTURE.md"
        )


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_stand_in_the_rooms_of_what_they_test(path):
    room = path.parent.relative_to(ROOT / "tests")
    if not path.name.startswith("test_"):
        assert str(room) == ".", f"{path.name} is shared by tests, and stands beside conftest.py"
    elif str(room) == ".":
        assert path.name in OF_THE_WHOLE
    else:
        assert ".".join(room.parts) in rooms()


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_foreign_packages_have_one_owner(path):
    for name in imports(path):
        top = name.partition(".")[0]
        assert top not in OWNERS or module_of(path) in OWNERS[top], f"{path} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_keras_and_hls4ml_have_few_users(path):
    name, used = module_of(path), imports(path)
    if used & {
        "xnorflow.base.keras_stack.import_keras",
        "xnorflow.base.keras_stack.import_qkeras",
        "xnorflow.base.keras_stack",
    }:
        assert name in KERAS_USERS | HLS4ML_USERS
    if used & {"xnorflow.base.keras_stack.import_keras", "xnorflow.base.keras_stack.import_qkeras"}:
        assert name in KERAS_USERS
    if "xnorflow.base.keras_stack.import_hls4ml" in used:
        assert name in HLS4ML_USERS


def test_rules_name_modules_that_exist():
    names = {module_of(path) for path in SOURCES}
    assert set().union(*OWNERS.values()) | KERAS_USERS | HLS4ML_USERS <= names


HEAVY = {"tensorflow", "tf_keras", "keras", "qkeras", "hls4ml", "h5py", "sklearn", "mlxtend", "PIL", "matplotlib"}


@pytest.mark.parametrize(
    ("modules", "also_absent"),
    [
        ("xnorflow", {"numpy", "yaml", "rich"}),
        ("xnorflow.net.spec, xnorflow.net.spec_file", {"yaml", "rich"}),
        ("xnorflow.net.spec, xnorflow.flow.config", {"rich"}),
        ("xnorflow.routes.hls.worker", {"yaml", "rich"}),
        ("xnorflow.api, xnorflow.cli.main", set()),
    ],
)
def test_import_pulls_in_only_what_it_needs(modules, also_absent):
    # isolated: neither the tester's PYTHONPATH nor their user site says what is there
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {modules}; print(*sys.modules, sep='\\n')"
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    loaded = {name.partition(".")[0] for name in ended.stdout.splitlines()}
    assert "xnorflow" in loaded
    assert not loaded & (HEAVY | also_absent)


# --- names


def test_no_public_name_has_two_meanings():
    homes = {}
    for path in SOURCES:
        for name in set(defined(TREES[path])) - {"main"}:
            homes.setdefault(name, []).append(module_of(path))
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


# --- what no source does


@pytest.mark.parametrize("path", TREES, ids=lambda path: str(path.relative_to(ROOT)))
def test_calls_that_are_not_made(path):
    for node in ast.walk(TREES[path]):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        where = f"{path.name}:{node.lineno}"
        # safe in a process of one thread
        allowed = {"os.fork"} if path.name == "supervisor.py" else set()
        assert name not in (FORBIDDEN_CALLS | FORBIDDEN_ATTRIBUTES) - allowed, f"{where} calls {name}"
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        assert "shell" not in keywords, f"{where} uses a shell"
        if name in ("np.load", "numpy.load"):
            pickle = keywords.get("allow_pickle")
            assert isinstance(pickle, ast.Constant) and pickle.value is False, f"{where} may unpickle"
        if name in ("yaml.load", "yaml.load_all"):
            assert dotted(keywords["Loader"]) in ("_UniqueKeyLoader", "yaml.SafeLoader"), f"{where}: unsafe YAML"
        assert name not in ("yaml.unsafe_load", "yaml.full_load"), f"{where}: unsafe YAML"


def test_own_yaml_loader_is_safe():
    import yaml

    from xnorflow.base.files.yaml_file import _UniqueKeyLoader

    assert issubclass(_UniqueKeyLoader, yaml.SafeLoader)


@pytest.mark.parametrize("path", TREES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_bare_except_and_no_swallowed_exception(path):
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{path.name}:{node.lineno}: bare except"
            if dotted(node.type) in ("Exception", "BaseException"):
                assert any(isinstance(inner, ast.Raise) for inner in ast.walk(node)), f"{path.name}:{node.lineno}"


# --- sizes


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_functions_are_short(path):
    for node in ast.walk(TREES[path]):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{path.name}: {node.name} has {lines} lines"


@pytest.mark.parametrize(
    ("path", "most"),
    [
        *((path, 300) for path in [*SOURCES, *HARDWARE, *TESTS]),
        *((path, 60) for path in NETWORKS),
        *((path, 40) for path in SCRIPTS),
    ],
    ids=lambda value: str(value.relative_to(ROOT)) if hasattr(value, "relative_to") else "",
)
def test_files_are_short(path, most):
    if path.parent.name != "scripts" and path in SCRIPTS:
        most = 300
    assert len(path.read_text(encoding="utf-8").splitlines()) <= most


def test_numbers_of_files_found():
    assert len(SOURCES) > 25 and len(NETWORKS) >= 5 and SCRIPTS
    assert len(TESTS) > 40
    assert {path.suffix for path in HARDWARE} == {".h", ".v", ".cpp"}
