"""Shared fixtures: tiny networks, the quick data set, and one trained network for all tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from net_specs import bipolar

from xnorflow.cli.main import main
from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.net.spec_file import save_spec
from xnorflow.sources.data.sets import DataSet, load_dataset

# a busy machine is no failure: no example is timed
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
# what stands beside this file with fixtures for several rooms
pytest_plugins = ("fake_vendor", "hls4ml_nets", "targets_seen", "vendor_files")


# the networks of keras_models/
NETWORKS = ("digits", "tfc", "sfc", "mfc", "cnv")


# which take longest, alone on their worker
LONGEST_FILES = ("test_docs.py", "test_rtl_yosys.py", "test_rtl_simulate.py", "test_flow_killed.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that at the end no worker waits for another one."""
    items.sort(key=lambda item: item.path.name not in LONGEST_FILES)


def needs_qkeras() -> None:
    """Skip a test that reads trained networks where their library is missing."""
    # looked for and not imported, as base/keras_stack.py must be the first
    if importlib.util.find_spec("qkeras") is None:
        pytest.skip("needs qkeras")


@pytest.fixture(scope="session")
def tiny_spec() -> NetSpec:
    """64-16-16-10 with random weights and thresholds; frozen, so it can be shared."""
    random = np.random.default_rng(1)
    hidden = tuple(
        DenseSpec(name, bipolar(random, n_in, 16), random.integers(-4, 5, 16))
        for name, n_in in (("dense1", 64), ("dense2", 16))
    )
    return NetSpec("tiny", InputSpec((64,)), hidden, ScoreSpec("scores", bipolar(random, 16, 10)))


@pytest.fixture(scope="session")
def tiny_conv_spec() -> NetSpec:
    """8x8x1, 3x3 convolution with 4 channels, 2x2 pooling, dense 36-8-10."""
    random = np.random.default_rng(2)
    conv = ConvSpec("conv1", bipolar(random, 3, 3, 1, 4), random.integers(-2, 3, 4), pool=(2, 2))
    dense = DenseSpec("dense1", bipolar(random, 36, 8), random.integers(-3, 4, 8))
    return NetSpec("tiny_conv", InputSpec((8, 8, 1)), (conv, dense), ScoreSpec("scores", bipolar(random, 8, 10)))


@pytest.fixture(scope="session")
def stored(tmp_path_factory, tiny_conv_spec) -> bytes:
    """The file of ``tiny_conv_spec``."""
    path = tmp_path_factory.mktemp("stored") / "s.npz"
    save_spec(tiny_conv_spec, path)
    return path.read_bytes()


@pytest.fixture(scope="session")
def shipped() -> dict[str, NetSpec]:
    """Golden models of the shipped networks."""
    needs_qkeras()
    from xnorflow.sources.keras.extract import extract_file

    return {path.stem: extract_file(path) for path in sorted((ROOT / "keras_models").glob("*.h5"))}


@pytest.fixture(scope="session")
def digits_data() -> DataSet:
    """The 8x8 digits that come with scikit-learn."""
    pytest.importorskip("sklearn")
    return load_dataset("digits")


@pytest.fixture(scope="session")
def package_env() -> dict[str, str]:
    """Environment for a fresh Python that is to find this package, with no setting of the tester's own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("XNORFLOW_")}
    return {**clean, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """Project of a whole run on digits, 2 epochs, in a path with spaces and non-ASCII letters; only read it."""
    for package in ("tensorflow", "tf_keras", "qkeras", "hls4ml", "sklearn"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    project = tmp_path_factory.mktemp("mit Leerzeichen äöü") / "pröject 1"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("XNORFLOW_GXX", raising=False)
        assert main(["run", str(ROOT / "hls_configs/digits.yaml"), "--epochs", "2", "--project", str(project)]) == 0
    return project


@pytest.fixture
def project(finished, tmp_path) -> Path:
    """A copy of the finished project to do anything to."""
    return shutil.copytree(finished, tmp_path / "ein Projékt")
