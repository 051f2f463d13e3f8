"""Per-layer settings meet the network: a name it does not have, or more of a layer than it has, in every command."""

import pytest
import yaml
from conftest import ROOT

from xnorflow.base.errors import ConfigError
from xnorflow.cli.main import main
from xnorflow.fitting.choose import cost_of, fit_config
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.config_file import load_config
from xnorflow.net.folding import Folding, check_folding
from xnorflow.net.shapes import layer_shapes
from xnorflow.routes.hls.settings import HlsSettings
from xnorflow.routes.rtl.plan.fold import plan_network
from xnorflow.routes.rtl.settings import RtlSettings

DIGITS = ROOT / "hls_configs/digits.yaml"
STOCK = {"kernel": "hls4ml", "reuse_factor": 1}
# key, its table, and what else the configuration needs
MISSPELT = [
    ("reuse_factor", {"dens1": 4}, {}),
    ("strategy", {"dens1": "Latency"}, STOCK),
    ("precision", {"dens1": {"accum": "ap_int<9>"}}, STOCK),
    ("folding", {"dens1": {"pe": 1, "simd": 1}}, {"reuse_factor": 1}),
]
QUESTIONS = (["fit"], ["fit", "--check"], ["explore"], ["stock"])
RUNS = (["convert", "--epochs", "2"], ["trace"], ["synth", "--backend", "yosys"])


@pytest.fixture
def written(tmp_path):
    """Write the digits' configuration with other settings."""

    def write(**settings):
        document = yaml.safe_load(DIGITS.read_text(encoding="utf-8")) | settings
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump(document | {"network": str(ROOT / "keras_models/digits.py")}))
        return str(path)

    return write


def refusal(capsys, command, config, project):
    assert main([command[0], config, *command[1:], "--project", str(project)]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("xnorflow:")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(("key", "table", "others"), MISSPELT, ids=lambda value: value if type(value) is str else "")
def test_every_command_refuses_a_misspelt_layer(finished, project, written, capsys, key, table, others):
    config = written(**{**others, key: table})
    for command in QUESTIONS:
        message = refusal(capsys, command, config, finished)
        assert f"{key}: network digits has no layer 'dens1'; it has dense1, dense2, scores" in message, command
    for command in RUNS:
        assert f"{key}: network digits has no layer 'dens1'" in refusal(capsys, command, config, project), command


@pytest.mark.parametrize(
    ("folding", "words"),
    [
        ({"pe": 65, "simd": 8}, "layer dense1: pe must be 1 to 64, its number of outputs, got 65"),
        ({"pe": 4, "simd": 65}, "layer dense1: simd must be 1 to 64, its number of inputs, got 65"),
    ],
)
def test_more_of_a_layer_than_it_has_is_no_folding_of_our_verilog(finished, written, capsys, folding, words):
    others = {layer: {"pe": 1, "simd": 8} for layer in ("dense2", "scores")}
    config = written(backend="Verilog", reuse_factor=1, folding={"dense1": folding, **others})
    for command in (["fit"], ["fit", "--check"], ["explore"], ["trace"], ["synth", "--backend", "yosys"]):
        assert words in refusal(capsys, command, config, finished)


def test_more_of_a_layer_than_it_has_is_no_folding_in_an_hls_project(finished, written, capsys):
    config = written(reuse_factor=1, folding={"dense1": {"pe": 128, "simd": 8}})
    for command in QUESTIONS:
        message = refusal(capsys, command, config, finished)
        assert "layer dense1: pe must divide its 64 outputs (1, 2, 4, 8, 16, 32, 64), got 128" in message


def test_functions_refuse_what_the_commands_refuse(tiny_spec):
    config = load_config(DIGITS).with_route(reuse_factor={"dens1": 4})
    for ask in (cost_of, fit_config):
        with pytest.raises(ConfigError, match="no layer 'dens1'"):
            ask(tiny_spec, config)
    with pytest.raises(ConfigError, match="layer dense1: pe must be 1 to 16"):
        plan_network(tiny_spec, {layer.name: Folding(17, 1) for layer in tiny_spec.layers})
    with pytest.raises(ConfigError, match="pe must divide its 6 outputs"):
        check_folding("a", 8, 6, Folding(12, 2))


@pytest.mark.parametrize("kernel", ["xnor", "hls4ml"])
def test_a_reuse_factor_beyond_all_weights_is_refused(tiny_spec, kernel):
    config = BuildConfig(DIGITS, "xc7z010clg400-1", hls=HlsSettings(kernel=kernel, reuse_factor=64 * 16 + 1))
    assert layer_shapes(tiny_spec)[0].n_in == 64
    with pytest.raises(ConfigError, match="nearest"):
        cost_of(tiny_spec, config)


def test_a_folding_that_leaves_a_rest_is_allowed_in_our_verilog(tiny_spec):
    # the last word is not full: 3 x 16 + 1 = 5 x 3 + 1 neurons, 7 x 10 > 64 inputs
    plan = plan_network(tiny_spec, {layer.name: Folding(3, 10) for layer in tiny_spec.layers})
    assert [layer.groups for layer in plan.layers] == [6, 6, 4]


def test_a_folding_for_some_layers_only(tiny_spec):
    partly = {"dense1": Folding(1, 16)}
    verilog = BuildConfig(DIGITS, "xc7z010clg400-1", hls=None, rtl=RtlSettings(folding=partly))
    with pytest.raises(ConfigError, match="foldings must name the layers dense1, dense2, scores, got dense1"):
        cost_of(tiny_spec, verilog)
    # in an HLS project the others have their reuse factor
    settings = HlsSettings(folding=partly, reuse_factor={"dense2": 16, "scores": 10})
    hls = BuildConfig(DIGITS, "xc7z010clg400-1", hls=settings)
    assert [layer.reuse_factor for layer in cost_of(tiny_spec, hls).layers] == [64, 16, 10]
