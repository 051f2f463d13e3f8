from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from net_specs import bipolar

from xnorflow.base.errors import ConfigError, DataError
from xnorflow.base.files.folders import claim
from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.hls.plan.types import solve_types
from xnorflow.routes.hls.settings import HlsSettings, Precision
from xnorflow.routes.hls.write import project as module
from xnorflow.routes.hls.write.frontend import threshold_norm
from xnorflow.routes.hls.write.project import HlsProject, load_project, write_project

PART = "xc7z010clg400-1"


def config(backend: str = "Vivado", io_type: str = "io_parallel", **options: Any) -> HlsSettings:
    return HlsSettings(backend, io_type, kernel="hls4ml", **options)


def project_of(spec: NetSpec, settings: HlsSettings, folder: Path, clock_mhz: float = 100.0) -> HlsProject:
    return write_project(plan_project(spec, settings), folder, part=PART, clock_mhz=clock_mhz)


def odd_net(bits: int = 1, per_class: bool = False) -> NetSpec:
    """Layers of sizes that tell every type from every other, with thresholds out to the ends."""
    random = np.random.default_rng(4)
    conv = ConvSpec("conv1", bipolar(random, 3, 2, 1, 4), np.array([-2, 0, 3, 7]), (1, 1), (2, 1))
    if bits == 8:
        conv = ConvSpec("conv1", conv.weights, np.array([-1000, 0, 77, 1531]), (1, 1), (2, 1))
    dense = DenseSpec("dense1", bipolar(random, 48, 15), random.integers(-48, 50, 15))
    weights = bipolar(random, 15, 3)
    extra = (np.array([-3, 5, 2**20]), np.array([7, -(2**19), 1]), 20) if per_class else ()
    return NetSpec("odd", InputSpec((6, 7, 1), bits), (conv, dense), ScoreSpec("scores", weights, *extra))


def text_of(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def call_of(folder: Path, node: str) -> tuple[str, list[str]]:
    """Return the type of a node's result and the arguments of its call in the top function."""
    code = text_of(folder, "firmware/xnornet.cpp")
    found = re.search(rf"nnet::\w+<([\w, ]+)>\((.*)\); // {node}\n", code)
    assert found, f"no call of {node}"
    arguments = found[2].split(", ")
    kinds = found[1].split(", ")
    # where the result's type is no parameter of the function, it is that of the variable
    return kinds[1] if len(kinds) == 3 else arguments[1].replace("_out", "_t"), arguments


def typedefs(folder: Path) -> dict[str, str]:
    """Return every type of the project; that of the values where a stream carries arrays of them."""
    found = re.findall(r"typedef (.*) (\w+);", text_of(folder, "firmware/defines.h"))
    return {name: re.sub(r"nnet::array<(.*), \d+\*1>", r"\1", kind) for kind, name in found}


def stored_numbers(folder: Path, variable: str) -> list[float]:
    return [float(value) for value in text_of(folder, f"firmware/weights/{variable}.txt").split(",")]


@pytest.mark.parametrize("backend", ["Vivado", "Vitis"])
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("strategy", ["Latency", "Resource"])
@pytest.mark.parametrize("bits", [1, 8])
def test_the_project_says_what_network_and_configuration_say(tmp_path, backend, io_type, strategy, bits):
    spec = odd_net(bits)
    project = project_of(spec, config(backend, io_type, strategy=strategy), tmp_path / "project", 125.0)
    folder = project.folder
    assert "warning" not in text_of(folder, "hls4ml.log").lower()
    tcl = text_of(folder, "project.tcl")
    for line in (f'set part "{PART}"', "set clock_period 8.0", f'set backend "{backend.lower()}"'):
        assert line in tcl.splitlines()
    assert "ap_fixed<" not in text_of(folder, "firmware/defines.h")
    types, parameters = typedefs(folder), text_of(folder, "firmware/parameters.h")
    assert types["input_t"] == ("ap_uint<8>" if bits == 8 else "ap_int<2>")
    assert parameters.count(f"nnet::{strategy.lower()}") >= len(spec.layers)
    for layer in spec.layers:
        solved = solve_types(spec, layer)
        assert types[f"{layer.name}_accum_t"] == solved.accum.cpp
        result, (*_, weights, _bias) = call_of(folder, layer.name)
        assert types[result] == solved.result.cpp
        bits_of = layer.weights > 0
        if strategy == "Resource":
            bits_of = np.moveaxis(bits_of, -1, 0)
        assert stored_numbers(folder, weights) == bits_of.ravel().astype(float).tolist()
    for layer in spec.hidden:
        result, (*_, thresholds) = call_of(folder, f"bnbt_{layer.name}_norm")
        assert types[result] == "ap_uint<1>"
        assert stored_numbers(folder, thresholds) == layer.thresholds.tolist()


def test_a_normalisation_per_class_keeps_every_bit(tmp_path):
    spec = odd_net(per_class=True)
    folder = project_of(spec, config(), tmp_path / "project").folder
    types = typedefs(folder)
    *_, scale, offset = call_of(folder, "scores_norm")[1]
    unit = 2.0**20
    assert [value * unit for value in stored_numbers(folder, scale)] == spec.scores.scale.tolist()
    assert [value * unit for value in stored_numbers(folder, offset)] == spec.scores.offset.tolist()
    # 2**20 takes 22 signed bits, -(2**19) the 21 that 20 bits of fraction need, 15 * 2**20 + 1 takes 25
    assert types["scores_norm_scale_t"] == "ap_fixed<22,2>"
    assert types["scores_norm_bias_t"] == "ap_fixed<21,1>"
    assert types[call_of(folder, "scores_norm")[0]] == "ap_fixed<25,5>"


def test_reuse_factors_stand_in_the_project(tmp_path):
    factors = {"conv1": 3, "dense1": 24, "scores": 5}
    folder = project_of(odd_net(), config(reuse_factor=factors), tmp_path / "project").folder
    blocks = text_of(folder, "firmware/parameters.h").split("// ")
    for name, factor in factors.items():
        assert any(b.startswith(f"{name}\n") and f"reuse_factor = {factor};" in b for b in blocks), name


@pytest.mark.parametrize("key", ["strategy", "reuse_factor", "precision"])
def test_a_layer_the_network_does_not_have_is_refused(tmp_path, key):
    value = {"strategy": "Latency", "reuse_factor": 1, "precision": Precision()}[key]
    with pytest.raises(ConfigError, match=rf"{key}: network odd has no layer 'dense9'; it has conv1, dense1, scores"):
        project_of(odd_net(), config(**{key: {"dense9": value}}), tmp_path / "project")
    assert not (tmp_path / "project").exists()


def test_refusal_leaves_an_older_project_alone(tmp_path):
    project_of(odd_net(), config(), tmp_path / "project")
    with pytest.raises(ConfigError, match="reuse_factor of layer conv1"):
        project_of(odd_net(), config(reuse_factor=4), tmp_path / "project")
    assert load_project(tmp_path / "project").input_size == 42


def test_old_content_of_the_folder_is_gone_and_the_project_reads_back(tmp_path):
    folder = tmp_path / "ein Projekt mit Ümlaut"
    claim(folder)
    (folder / "firmware").mkdir()
    (folder / "firmware" / "old.cpp").write_text("old")
    (folder / "manifest.json").write_text("old")
    project = project_of(odd_net(), config(), folder)
    assert not (folder / "firmware" / "old.cpp").exists()
    assert load_project(folder) == project
    assert (project.input_size, project.n_classes, project.top) == (42, 3, "xnornet")
    assert project.node_sizes["conv1"] == 4 * 6 * 4 and project.node_sizes["conv1_pool"] == 2 * 6 * 4
    folder.rename(tmp_path / "moved")
    assert load_project(tmp_path / "moved").folder == tmp_path / "moved"


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "{}", '{"top": 3}'])
def test_a_damaged_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DataError, match=r"manifest\.json"):
        load_project(tmp_path)


@pytest.mark.parametrize("kernel", ["xnor", "hls4ml"])
def test_the_same_plan_gives_the_same_files(tmp_path, kernel, monkeypatch):
    """So what was synthesized from a project stays where a newer version writes the very same one."""
    folder, found = tmp_path / "project", []
    for stamp in ("0123456e", "12345678", "a1b2c3d4"):
        monkeypatch.setattr("uuid.uuid4", lambda stamp=stamp: stamp)
        project_of(odd_net(), HlsSettings(kernel=kernel), folder)
        found.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    assert found[0] == found[1] == found[2]


def change_weight(graph: Any) -> None:
    node = next(node for node in graph.get_layers() if node.name == "dense1")
    # exchanges two bits, so that their number stays the same
    data = node.weights["weight"].data
    data[...] = np.roll(data, 1)


def change_threshold(graph: Any) -> None:
    node = next(node for node in graph.get_layers() if node.name == f"bnbt_{threshold_norm(odd_net().hidden[0])}")
    node.weights["threshold"].data = node.weights["threshold"].data - 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (change_weight, "dense1: hls4ml holds other weights"),
        (change_threshold, "conv1: hls4ml holds other thresholds"),
    ],
)
@pytest.mark.parametrize("strategy", ["Latency", "Resource"])
def test_what_hls4ml_holds_is_checked(tmp_path, monkeypatch, change, text, strategy):
    build = module._build_graph

    def spoiled(*arguments: Any) -> Any:
        graph = build(*arguments)
        change(graph)
        return graph

    monkeypatch.setattr(module, "_build_graph", spoiled)
    with pytest.raises(ConfigError, match=f"layer {text}"):
        project_of(odd_net(), config(strategy=strategy), tmp_path / "project")
    assert not (tmp_path / "project" / "manifest.json").exists()


# the last has as many letters as a name may have, and would get more
NAMES = ["input", "pixels", "dense1_norm", "bnbt_dense1_norm", "int", "_x", f"_{'x' * 63}"]


@pytest.mark.parametrize(("name", "kernel"), [*((name, "xnor") for name in NAMES), ("input", "hls4ml")])
def test_names_that_cpp_or_hls4ml_would_take_otherwise_are_other_names_there(tmp_path, name, kernel):
    dense = DenseSpec("dense1", np.ones((4, 2), np.int8), np.zeros(2, np.int32))
    spec = NetSpec("net", InputSpec((4,)), (dense,), ScoreSpec(name, np.ones((2, 2), np.int8)))
    build = dataclasses.replace(config(reuse_factor={"dense1": 4, name: 2}), kernel=kernel)
    project = project_of(spec, build, tmp_path / "project")
    assert list(project.output_nodes) == ["dense1", name]
    assert set(project.output_nodes.values()) | set(project.product_nodes.values()) <= set(project.node_sizes)
    parameters = (project.folder / "firmware/parameters.h").read_text(encoding="utf-8")
    factors = re.findall(r"reuse_factor = (\d+);", parameters)
    assert "4" in factors and "2" in factors


def test_an_unwritable_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*project"):
        project_of(odd_net(), config(), tmp_path / "file" / "project")
