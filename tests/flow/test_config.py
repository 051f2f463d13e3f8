"""Configurations that are allowed; and whatever is written, it loads or is refused in one line."""

import dataclasses
from pathlib import Path

import pytest
import yaml
from config_checks import FULL, GOOD, load, with_line
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xnorflow.base.device import devices
from xnorflow.base.errors import ConfigError
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.config_file import KEYS as FILE_KEYS
from xnorflow.flow.config_file import config_from_dict, config_to_dict, load_config
from xnorflow.net.inputs import InputSettings
from xnorflow.routes.hls.settings import HlsSettings, Precision
from xnorflow.sources.training.settings import TrainConfig


def test_all_keys(tmp_path):
    config = load(tmp_path, FULL)
    assert config == BuildConfig(
        network=tmp_path.resolve() / "net.py",
        part="XC7Z010CLG400-1",
        data="digits",
        clock_mhz=125.5,
        hls=HlsSettings(
            "Vitis",
            "io_stream",
            "hls4ml",
            {"dense1": "Latency", "scores": "Resource"},
            {"dense1": 64, "scores": 16},
            precision={"dense1": Precision(accum="ap_int<11>"), "scores": Precision(result="ap_uint<7>")},
        ),
        input=InputSettings(8, 100),
        train=TrainConfig(3, 2, 7, 32, 0.02, 2, 5, 0.1, 0.5),
    )
    assert (config.name, config.hls.reuse_factor_of("dense1"), config.hls.reuse_factor_of("other")) == ("net", 64, 1)
    assert (config.hls.strategy_of("dense1"), config.hls.strategy_of("other")) == ("Latency", "Resource")


def test_full_example_names_every_key():
    # these do not go with kernel hls4ml, and are tested below
    verilog = {"folding", "bram36", "registers_every"}
    assert set(yaml.safe_load(FULL)) | verilog == set(FILE_KEYS)
    assert set(yaml.safe_load(FULL)["train"]) == {item.name for item in dataclasses.fields(TrainConfig)}


def test_defaults(tmp_path):
    config = load(tmp_path, yaml.safe_dump(GOOD))
    assert (config.data, config.clock_mhz, config.backend, config.hls.io_type) == (
        "mnist5k",
        100,
        "Vivado",
        "io_parallel",
    )
    assert (config.hls.reuse_factor_of("x"), config.hls.strategy_of("x"), config.hls.precision) == (1, "Resource", {})
    assert config.train == TrainConfig()


@pytest.mark.parametrize(("data", "relative"), [("own.npz", True), ("../folder", True), ("digits", False)])
def test_paths_are_relative_to_the_file(tmp_path, data, relative):
    config = load(tmp_path, with_line(f"data: {data}"))
    assert config.data == (str((tmp_path / data).resolve()) if relative else data)


@pytest.mark.parametrize("path", sorted((ROOT / "hls_configs").glob("*.yaml")), ids=lambda path: path.name)
def test_configurations_that_come_along_load(path):
    config = load_config(path)
    assert config.network.is_file()
    assert config.data in ("mnist5k", "digits", "mnist", "fashion_mnist")


@pytest.mark.parametrize("part", [part for device in devices() for part in device.parts])
def test_every_known_part_is_taken_in_any_case(tmp_path, part):
    assert load(tmp_path, with_line(f"part: {part.upper()}")).part == part


def test_round_trip(tmp_path):
    for text in (FULL, yaml.safe_dump(GOOD)):
        config = load(tmp_path, text)
        plain = config_to_dict(config)
        assert config_from_dict(plain, Path("/elsewhere")) == config
        assert load(tmp_path, yaml.safe_dump(plain)) == config


def test_folding_comes_back_as_it_went():
    folding = {"a": {"pe": 2, "simd": 3}}
    document = {"network": "x.py", "part": "xc7z010clg400-1", "backend": "Verilog", "folding": folding, "bram36": 7}
    document["registers_every"] = 2
    config = config_from_dict(document, Path("/"))
    assert config_to_dict(config)["folding"] == folding
    assert config_from_dict(config_to_dict(config), Path("/")) == config


# --- anything at all

KEYS = st.sampled_from([*FILE_KEYS, "seed", "epochs", "accum", "dense1"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.binary(max_size=4), KEYS
)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["Vivado", "io_stream", "Latency", "ap_int<4>", "xc7z010clg400-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | SCALARS, inner, max_size=3),
    max_leaves=6,
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def only_config_errors(path):
    try:
        config = load_config(path)
    except ConfigError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert config_from_dict(config_to_dict(config), path.parent) == config


@FUZZ
@given(text=st.text(max_size=60) | st.text(alphabet="abc:-[]{}&*!|>'\"%@`#,? \n\t0123456789._<~=", max_size=60))
def test_any_text(tmp_path, text):
    (tmp_path / "a.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    only_config_errors(tmp_path / "a.yaml")


@FUZZ
@given(values=st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_values(tmp_path, values):
    (tmp_path / "a.yaml").write_text(yaml.dump(GOOD | values, Dumper=yaml.Dumper), encoding="utf-8")
    only_config_errors(tmp_path / "a.yaml")


@FUZZ
@given(position=st.integers(0, len(FULL)), cut=st.integers(0, 3), new=st.text(max_size=3))
def test_any_slip_of_the_pen(tmp_path, position, cut, new):
    text = FULL[:position] + new + FULL[position + cut :]
    (tmp_path / "a.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    only_config_errors(tmp_path / "a.yaml")
