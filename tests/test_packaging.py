"""What is given away: the sdist, the wheel, what ``init`` lays down from it, the extras and the Makefile."""

import ast
import configparser
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, needs_qkeras

SHIPPED = ("hls_configs", "keras_models")
LEFT_OUT = shutil.ignore_patterns(".*cache", ".git", ".hypothesis", ".venv", "*.egg-info", "__pycache__", "build")


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def build(kind, source, target):
    """Build by the setuptools that is here, as an isolated build would have to fetch one."""
    pytest.importorskip("setuptools")
    code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
    argv = [sys.executable, "-c", code, str(target)]
    ended = subprocess.run(argv, cwd=source, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    (file,) = target.iterdir()
    return file


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The sdist, unpacked elsewhere."""
    tree = tmp_path_factory.mktemp("tree") / "xnorflow"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    target, elsewhere = tmp_path_factory.mktemp("sdist"), tmp_path_factory.mktemp("unpacked")
    with tarfile.open(build("sdist", tree, target)) as archive:
        # Python before 3.11.4 has no filters, and takes no argument of that name
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(elsewhere)
    (folder,) = elsewhere.iterdir()
    return folder


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory):
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A new environment with the wheel, which borrows what else it needs; returns its programs' folder."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=600)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder / "bin/python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True, timeout=600)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def call(program, *arguments, **options):
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    argv = [str(program), *map(str, arguments)]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=600, **options)


# --- what is in them


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a clone")
def test_sdist_has_every_file_of_the_repository(unpacked):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    names = {name for name in listed.stdout.splitlines() if (ROOT / name).exists() and not name.startswith(".ci/")}
    assert names - files_in(unpacked) == set()


def test_sdist_finds_its_own_tests(unpacked):
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/net/test_names.py",
        "tests/base/test_resources.py",
    ]
    env = {**os.environ, "PYTHONPATH": str(unpacked)}
    ended = subprocess.run(argv, cwd=unpacked, env=env, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stdout


def test_wheel_has_the_whole_package_and_the_networks_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = {f"xnorflow/{name}" for name in files_in(ROOT / "xnorflow")}
    shipped = {
        f"xnorflow/shipped/{folder}/{path.name}"
        for folder in SHIPPED
        for path in (ROOT / folder).iterdir()
        if path.is_file()
    }
    assert names == package | shipped


# --- the wheel, installed


def test_init_of_the_wheel_lays_down_what_the_checkout_has(installed, tmp_path):
    ended = call(installed / "xnorflow", "init", "my networks", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "  cd 'my networks'\n  xnorflow doctor\n" in ended.stdout
    for folder in SHIPPED:
        for path in (ROOT / folder).iterdir():
            if path.is_file():
                assert (tmp_path / "my networks" / folder / path.name).read_bytes() == path.read_bytes()
    where = call(installed / "python", "-c", "import xnorflow; print(xnorflow.__file__)", cwd=tmp_path)
    assert Path(where.stdout).is_relative_to(installed.parent)
    assert "zybo" in call(installed / "xnorflow", "devices", cwd=tmp_path).stdout.lower()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "fit"])
def test_command_without_a_checkout(installed, tmp_path, command):
    needs_qkeras()
    assert call(installed / "xnorflow", "init", ".", cwd=tmp_path).returncode == 0
    more = ["--pretrained"] if command == "run" else []
    ended = call(installed / "xnorflow", command, "hls_configs/digits.yaml", *more, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr


# --- the extras and the Makefile


def plain_name(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def test_extras_name_all_that_tests_import():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    texts = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    named = {plain_name(line) for text in texts for line in text.split("\n") if line and not line.startswith("#")}
    imported = set()
    for path in (ROOT / "tests").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.partition(".")[0])
    own = {path.stem for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")} | {"xnorflow"}
    sources = importlib.metadata.packages_distributions()
    for module in imported - own - set(sys.stdlib_module_names):
        found = {plain_name(name) for name in sources.get(module, [module])}
        assert found & named, f"tests import {module}, which no extra of setup.cfg names"


FAKE = """#!/bin/sh
echo "$0 $*" >> "$CALLS"
case "$*" in
  *venv*) for last; do :; done
    mkdir -p "$last/bin"
    for name in python xnorflow ruff mypy pytest; do cp "$0" "$last/bin/$name"; done;;
  *pip*) while [ ! -e "$SEEN" ]; do sleep 0.05; done;;
esac
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_demo_installs_no_development_tools_and_tells_that_it_is_alive(tmp_path):
    fake, calls, seen = tmp_path / "fake", tmp_path / "calls", tmp_path / "seen"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    env = {**os.environ, "CALLS": str(calls), "SEEN": str(seen)}
    argv = ["make", f"PYTHON={fake}", f"VENV={tmp_path / 'venv'}", "EVERY=0.1"]
    demo = subprocess.Popen([*argv, "demo"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    # pip ends only after a sign of life was read
    assert any(re.match(r"  \d+ s: \d+ MB in ", line) for line in iter(demo.stdout.readline, ""))
    seen.touch()
    demo.communicate(timeout=600)
    assert demo.returncode == 0
    installs = [line.rpartition(" ")[2] for line in calls.read_text().splitlines() if "pip install" in line]
    assert installs == [".[flow,rtl]"]
    for target in ("test", "demo", "test"):
        subprocess.run([*argv, target], cwd=ROOT, env=env, check=True, capture_output=True, timeout=600)
    installs = [line.rpartition(" ")[2] for line in calls.read_text().splitlines() if "pip install" in line]
    assert installs == [".[flow,rtl]", ".[flow,rtl,dev]"]
