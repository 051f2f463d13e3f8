"""fit and explore with our kernels, and the configurations that come along."""

import dataclasses
import importlib.util

import pytest
import yaml
from conftest import ROOT

from xnorflow import api_fit
from xnorflow.config import load_config
from xnorflow.cost import KINDS, dense_shapes
from xnorflow.cost_hls4ml import StockKernel
from xnorflow.cost_xnor import XnorKernel
from xnorflow.device import device_of
from xnorflow.fit import Budget, Goal, cost_of, fit, fit_config
from xnorflow.hls.cycles import cycles
from xnorflow.settings import Folding

CONFIGS = ROOT / "hls_configs"
HOME = Budget(device_of("xc7z010clg400-1"))
GOALS = {"": ("interval", None), "-small": ("area", 1000)}
SHIPPED = [(name, kind) for name in ("digits", "tfc", "sfc", "mfc", "cnv") for kind in GOALS] + [("demo", "")]


@pytest.fixture(scope="module")
def specs():
    """Golden models of the shipped networks, by name of the network's file."""
    # looked for and not imported, as keras2.py must be the first
    if importlib.util.find_spec("qkeras") is None:
        pytest.skip("needs qkeras")
    from xnorflow.extract import extract_file

    return {name: extract_file(ROOT / f"keras_models/{name}.h5") for name in ("digits", "tfc", "sfc", "mfc", "cnv")}


@pytest.mark.parametrize(("name", "kind"), SHIPPED)
def test_shipped_configurations_are_what_fit_writes(specs, name, kind, tmp_path):
    path = CONFIGS / f"{name}{kind}.yaml"
    config = load_config(path)
    assert config.kernel == "xnor"
    spec, (what, pace) = specs[config.network.stem], GOALS[kind]
    start = dataclasses.replace(config, reuse_factor=1)
    found, chosen = fit_config(spec, start, HOME, Goal(what, config.clock_mhz, pace, "high"))
    assert chosen == config
    assert path.read_text(encoding="utf-8").splitlines()[0] == f"# {found.message}"
    api_fit.write_config(chosen, tmp_path / "again.yaml", found.message)
    again, stored = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in (tmp_path / "again.yaml", path))
    again.pop("network"), stored.pop("network")
    assert again == stored
    assert found.cost.interval_cycles == cycles(spec, config).interval_cycles
    use = found.cost.expected.at("high")
    assert all(getattr(use, resource) <= getattr(HOME.usable, resource) for resource in KINDS)


def test_sfc_fits_where_hls4mls_own_kernel_does_not():
    layers = dense_shapes((784, 256, 256, 256, 10))
    assert fit(layers, StockKernel("Resource"), HOME).cost is None
    ours = fit(layers, XnorKernel(), HOME, Goal(level="high"))
    assert ours.cost is not None and ours.cost.interval_cycles <= 128


def test_a_given_folding_is_judged_as_it_is(tiny_spec):
    config = dataclasses.replace(load_config(CONFIGS / "digits.yaml"), reuse_factor=1)
    given = dataclasses.replace(config, folding={layer.name: Folding(2, 16) for layer in tiny_spec.layers})
    cost = cost_of(tiny_spec, given)
    assert [layer.folding for layer in cost.layers] == [(2, 16)] * 3
    assert [layer.reuse_factor for layer in cost.layers] == [32, 8, 5]


def test_block_ram_between_convolutions_is_counted_where_images_are_whole(tiny_conv_spec):
    config = dataclasses.replace(load_config(CONFIGS / "digits.yaml"), reuse_factor=1)
    blocks = [
        cost_of(tiny_conv_spec, dataclasses.replace(config, io_type=io_type)).expected.bram18.likely
        for io_type in ("io_stream", "io_parallel")
    ]
    assert blocks[0] == 0 < blocks[1]
