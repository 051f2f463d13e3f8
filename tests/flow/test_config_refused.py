"""Configurations that are refused, each in one line that says why."""

import dataclasses
from pathlib import Path

import pytest
import yaml
from config_checks import GOOD, load, refused, with_line

from xnorflow import api
from xnorflow.base.errors import ConfigError
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.config_file import KEYS, config_from_dict, load_config
from xnorflow.sources.training.settings import TrainConfig


@pytest.mark.parametrize("key", KEYS)
def test_misspelt_key_says_what_was_meant(tmp_path, key):
    message = refused(tmp_path, with_line(f"{key[:-1]}{key[-1] * 2}: 1"))
    assert f"unknown key {key}{key[-1]}; did you mean {key}?" in message


@pytest.mark.parametrize("key", [item.name for item in dataclasses.fields(TrainConfig)])
def test_misspelt_training_key(tmp_path, key):
    assert f"unknown key train.{key}x; did you mean {key}?" in refused(tmp_path, with_line(f"train: {{{key}x: 1}}"))


def test_key_like_no_other_lists_them_all(tmp_path):
    message = refused(tmp_path, with_line("zzzzqq: 1"))
    assert all(key in message for key in KEYS)
    assert "precision.dense1.acc" in refused(tmp_path, with_line("precision: {dense1: {acc: ap_int<4>}}"))
    assert "unknown key 3" in refused(tmp_path, with_line("3: 1"))
    assert "unknown key a b" in refused(tmp_path, with_line('"a\\nb": 1'))


def test_missing_key(tmp_path):
    rest = {name: value for name, value in GOOD.items() if name != "part"}
    assert "part is missing" in refused(tmp_path, yaml.safe_dump(rest))


@pytest.mark.parametrize("where", ["part: xc7z010clg400-1\npart: xc7z010clg400-1", "train: {seed: 1, seed: 2}"])
def test_key_written_twice(tmp_path, where):
    message = refused(tmp_path, with_line(where))
    assert "stands twice" in message and ("part" in message or "seed" in message)


WRONG_TYPE = [
    *("network: 3", "network: [a]", "network:", "network: ''", "part: 3", "part:", "part: ''", "data: 3", "data:"),
    *("data: [a]", "clock_mhz: fast", "clock_mhz: '100'", "clock_mhz:", "clock_mhz: true", "clock_mhz: [1]"),
    *("clock_mhz: 0", "clock_mhz: -5", "clock_mhz: .nan", "clock_mhz: .inf", "clock_mhz: 801", "clock_mhz: 10 ns"),
    *("backend: vivado", "backend: Quartus", "backend: 3", "backend:", "backend: [Vivado]"),
    *("io_type: parallel", "io_type: io_serial", "io_type: 1", "io_type:"),
    *("strategy: latency", "strategy: resource_unrolled", "strategy: Unrolled", "strategy: 3", "strategy:"),
    *("strategy: [Latency]", "strategy: {dense1: fast}", "strategy: {dense1: }", "strategy: {dense1: [Latency]}"),
    *("input_bits: 2", "input_bits: 0", "input_bits: '1'", "input_bits: true", "input_bits: 1.0", "input_bits:"),
    *("pixel_threshold: 0", "pixel_threshold: 256", "pixel_threshold: 1.5", "pixel_threshold: true"),
    *("pixel_threshold: '9'", "pixel_threshold:", "precision: 3", "precision: [a]", "precision: text"),
    *("precision: 0", "precision: false", "precision: {dense1: 3}", "precision: {dense1: ap_int<4>}"),
    *("train: 3", "train: [1]", "train: text", "train: 0", "train: false", "train: {seed: -1}", "train: {seed: 1.5}"),
    *("train: {seed: true}", "train: {epochs: 0}", "train: {epochs: '3'}", "train: {epochs: }", "train: {shift: -1}"),
    *(
        "train: {seeds: 0}",
        "train: {shift: 0.5}",
        "train: {rotate: 181}",
        "train: {scale: 1}",
        "train: {elastic: -1}",
    ),
    *("train: {elastic: .nan}", "train: {rotate: true}", "train: {scale: wide}"),
    *(
        "train: {batch_size: 1}",
        "train: {learning_rate: 0}",
        "train: {learning_rate: -1}",
        "train: {learning_rate: 2}",
    ),
    *("bram36: 999999999999999999999999999999", "registers_every: 999999999999999999999999999999", "bram36: .inf"),
    *("train: {seed: 4294967296}", "train: {seeds: 1001}", "train: {seeds: 1.0e+22}", "train: {seeds: 1e22}"),
    *("train: {seed: 4294967295, seeds: 2}", "train: {epochs: 99999999999999999999999}", "train: {shift: 1001}"),
    *("train: {batch_size: 99999999999999999999999}", "train: {scale: .inf}", "train: {rotate: .nan}"),
    *(
        "strategy: {3: Latency}",
        "train: {learning_rate: .nan}",
        "train: {learning_rate: fast}",
        "train: {learning_rate: true}",
    ),
]


@pytest.mark.parametrize("line", WRONG_TYPE)
def test_wrong_value_names_its_key_and_itself(tmp_path, line):
    key = line.partition(":")[0]
    message = refused(tmp_path, with_line(line))
    assert key in message
    if "{" in line:
        assert key == "strategy" or key == "precision" or line.partition("{")[2].partition(":")[0] in message


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"epoch": 3}, "unknown key train.epoch; did you mean epochs?"),
        ({"seed": 2**32}, "train.seed must be a whole number >= 0 and at most 4,294,967,295, got 4294967296"),
        ({"seed": 2**32 - 3, "seeds": 4}, "the last seed, must be at most 4,294,967,295, got 4294967293 and 4"),
        ({"scale": float("nan")}, "train.scale must be a number from 0 to 0.9, got nan"),
        ([("seed", 1)], "train must hold `key: value` lines"),
    ],
)
def test_training_settings_from_python_are_checked_as_those_of_a_file(settings, says):
    with pytest.raises(ConfigError) as caught:
        api.make_job(BuildConfig(Path("net.py"), "xc7z010clg400-1"), train=settings)
    assert says in str(caught.value)


@pytest.mark.parametrize("factor", ["0", "-1", "1.5", "true", '"4"', "", ".nan", "[1]", "1e3", "4x"])
@pytest.mark.parametrize("form", ["reuse_factor: {}", "reuse_factor: {{dense1: {}}}"])
def test_reuse_factors(tmp_path, form, factor):
    assert "reuse_factor must be a whole number >= 1" in refused(tmp_path, with_line(form.format(factor)))


PRECISIONS = [
    "ap_int<0>",
    "ap_int<100>",
    "ap_int<-3>",
    "ap_int<4",
    "ap_int< 4>",
    "ap_int<4>x",
    "ap_int<4>\\n",
    "int<4>",
]


@pytest.mark.parametrize("precision", [*PRECISIONS, "ap_fixed<16,6>", "AP_INT<4>", "ap_int<4.0>", "", "ap_int<٤>"])
@pytest.mark.parametrize("field", ["accum", "result"])
def test_precision_syntax(tmp_path, field, precision):
    message = refused(tmp_path, with_line(f'precision: {{dense1: {{{field}: "{precision}"}}}}'))
    assert f"precision {field} must be ap_int<N> or ap_uint<N>, N 1 to 99, got " in message


@pytest.mark.parametrize("line", ["reuse_factor: {null: 4}", "reuse_factor: {3: 4}", "strategy: {3: Latency}"])
def test_layers_are_named_by_text(tmp_path, line):
    assert "layers are named by text, got" in refused(tmp_path, with_line(line))


def test_precision_that_is_no_text(tmp_path):
    assert "got 4" in refused(tmp_path, with_line("precision: {dense1: {accum: 4}}"))


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        ("xc7z010clg400-4", "unknown part 'xc7z010clg400-4'; did you mean xc7z010clg400-"),
        ("zybo", "part 'zybo' may be Zybo Z7-10 or "),
        ("virtex", "unknown part 'virtex'; known: "),
        ("./none.yaml", "none.yaml"),
    ],
)
def test_unknown_part(tmp_path, part, hint):
    assert hint in refused(tmp_path, with_line(f"part: '{part}'"))


@pytest.mark.parametrize("name", ["dense", "Dense1", "scores "])
@pytest.mark.parametrize("key", ["strategy: {{{}: Latency}}", "reuse_factor: {{{}: 4}}", "precision: {{{}: {{}}}}"])
def test_layers_the_network_does_not_have(tmp_path, tiny_spec, key, name):
    kernel = "\nkernel: hls4ml"
    config = load(tmp_path, with_line(key.format(f'"{name}"')) + kernel)
    with pytest.raises(ConfigError) as caught:
        config.check_layers(tiny_spec)
    field = key.partition(":")[0]
    assert str(caught.value) == f"{field}: network tiny has no layer {name!r}; it has dense1, dense2, scores"
    load(tmp_path, with_line(key.format("dense1")) + kernel).check_layers(tiny_spec)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "[]",
        "text",
        "- a\n- b",
        "# nothing\n",
        "~",
        "{",
        "a: [",
        "\t",
        "a: b: c",
        "&a [*a]",
        "a: *b",
        "%YAML 9",
        b"\xff\xfe\x00",
        b"\x00",
        b"a: \xff",
        "--- a\n--- b\n",
        "? [a]\n: b",
        "? {a: b}\n: c",
        "<<: {part: a}",
        "=: 1",
        "a: 2001-99-99",
        "a: !!int x",
        "a: !!float x",
        "a: !!bool x",
        "a: !!timestamp x",
        "a: 0x_",
        "a: 0b_",
        'network: "\\ud800"\npart: x',
        "network: " + "a" * 9000 + "\npart: x",
        "a: !!binary ä",
        "a: 190:_",
        "[" * 5000,
        "a: " + "9" * 5000,
        'network: "\\0"\npart: xc7z010clg400-1',
        "network: a\npart: xc7z010clg400-1\nclock_mhz: 0x" + "f" * 5000,
        "a: &a [*a, *a]",
        "!!set {a}",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_file_that_is_no_configuration(tmp_path, text):
    assert len(refused(tmp_path, text)) < 1000


def test_alias_bomb_is_refused_in_short(tmp_path):
    bomb = "".join(f"    - &b{n} [{', '.join([f'*b{n - 1}'] * 9) if n else 'x'}]\n" for n in range(12))
    for where in ("data:\n", "train:\n  seed:\n", "precision:\n", "strategy:\n", "reuse_factor:\n  dense1:\n"):
        assert len(refused(tmp_path, with_line(where + bomb))) < 1000


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch made']",
        "!!python/name:os.system",
        "!!python/object:os.X {}",
        "!!python/module:os",
        "!!python/tuple [1]",
        "!own {}",
        "!!python/object/new:os.system ['touch made']",
    ],
)
def test_tags_that_could_run_code_are_refused(tmp_path, monkeypatch, tag):
    monkeypatch.chdir(tmp_path)
    assert "could not determine a constructor for the tag" in refused(tmp_path, with_line(f"data: {tag}"))
    assert not (tmp_path / "made").exists()


def test_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"no such configuration: .*none\.yaml; .* hls_configs/"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="not a regular file"):
        load_config(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError):
        load_config(tmp_path / "file" / "x.yaml")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"kernel": "hls4ml", "folding": {"a": {"pe": 1, "simd": 2}}}, "folding goes with kernel xnor or backend"),
        ({"kernel": "XNOR"}, "kernel must be xnor or hls4ml, got 'XNOR'"),
        ({"kernel": ["xnor"]}, "kernel must be text"),
        ({"backend": "Verilog", "kernel": "hls4ml"}, "kernel goes with backend Vivado or Vitis, got Verilog"),
        ({"strategy": "Latency"}, "strategy and precision go with kernel hls4ml"),
        ({"precision": {"a": {"accum": "ap_int<4>"}}}, "strategy and precision go with kernel hls4ml"),
        (
            {"folding": {"a": {"pe": 1, "simd": 2}}, "reuse_factor": {"a": 4}},
            "layer a has a folding and a reuse_factor",
        ),
        ({"backend": "Verilog", "reuse_factor": 4}, "with backend Verilog give a folding instead"),
        ({"backend": "Verilog", "precision": {"a": {"accum": "ap_int<4>"}}}, "give a folding instead"),
        ({"backend": "Verilog", "folding": {"a": {"pe": 1}}}, "folding.a must be {pe: P, simd: S}"),
        ({"backend": "Verilog", "folding": {"a": {"pe": 0, "simd": 1}}}, "pe must be a whole number >= 1, got 0"),
        ({"backend": "Verilog", "folding": 3}, "folding must be a table of layers, got 3"),
        ({"backend": "Verilog", "bram36": -1}, "bram36 must be a whole number >= 0 and at most 10,000, got -1"),
    ],
)
def test_each_route_refuses_the_settings_of_the_other(settings, says):
    document = {"network": "x.py", "part": "xc7z010clg400-1", **settings}
    with pytest.raises(ConfigError) as caught:
        config_from_dict(document, Path("/"))
    assert says in str(caught.value)
