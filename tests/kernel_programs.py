"""Small C++ programs around the kernels."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

HEADERS = sorted((ROOT / "xnorflow/routes/hls/kernels").glob("*.h"))


def hls4ml_templates():
    found = importlib.util.find_spec("hls4ml")
    if found is None:
        pytest.skip("needs hls4ml")
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    return Path(found.origin).parent / "templates/vivado"


def compile_and_run(folder, source, *flags):
    templates = hls4ml_templates()
    (folder / "main.cpp").write_text(source, encoding="utf-8")
    includes = ["-isystem", templates / "ap_types", "-isystem", templates / "nnet_utils", "-I", HEADERS[0].parent]
    command = ["g++", "-std=c++11", "-O0", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label", *flags]
    made = subprocess.run(
        [*command, *includes, folder / "main.cpp", "-o", folder / "main"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr[:3000]
    ran = subprocess.run([folder / "main"], capture_output=True, text=True, check=True, timeout=600)
    return ran.stdout.split()
