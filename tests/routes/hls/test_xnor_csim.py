"""Our kernels in C simulation, both ways, against the golden model; and the checks around them."""

import dataclasses
import re

import numpy as np
import pytest
from conftest import ROOT
from hls_nets import NETWORKS, check_exact, images_for
from network_data import data_of

from xnorflow.base.errors import ConfigError
from xnorflow.flow.config_file import load_config
from xnorflow.net.folding import Folding, legal_reuse_factors
from xnorflow.routes.hls.plan.fold import layer_folding, layer_reuse_factor
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.hls.settings import HlsSettings
from xnorflow.routes.hls.simulate import simulate_csim
from xnorflow.routes.hls.write.project import write_project

PART = "xc7z010clg400-1"
pytest.importorskip("hls4ml")


def config(spec, which, io_type, backend):
    """The smallest, a middle, or the largest reuse factor of every layer."""
    factors = {layer.name: legal_reuse_factors(layer.n_in, layer.n_out) for layer in spec.layers}
    chosen = {
        name: legal[{"least": 0, "middle": len(legal) // 2, "most": -1}[which]] for name, legal in factors.items()
    }
    return HlsSettings(backend=backend, io_type=io_type, reuse_factor=chosen)


QUICK = [
    ("13-6-3 per class", "middle", "io_parallel", "Vivado"),
    ("7-4-3 of 8 bits", "most", "io_stream", "Vitis"),
    ("conv, conv, pool", "middle", "io_stream", "Vivado"),
    ("conv 2x1 of 8 bits", "middle", "io_parallel", "Vitis"),
]
GRID = [
    (network, which, io_type, ("Vivado", "Vitis")[(index + len(which)) % 2])
    for index, network in enumerate(NETWORKS)
    for which in ("least", "middle", "most")
    for io_type in ("io_parallel", "io_stream")
]


@pytest.mark.parametrize(("network", "which", "io_type", "backend"), QUICK)
def test_every_score_equals_the_golden_model(tmp_path, network, which, io_type, backend):
    spec = NETWORKS[network]
    check_exact(spec, config(spec, which, io_type, backend), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "which", "io_type", "backend"), [row for row in GRID if row not in QUICK])
def test_every_score_equals_the_golden_model_everywhere(tmp_path, network, which, io_type, backend):
    spec = NETWORKS[network]
    check_exact(spec, config(spec, which, io_type, backend), tmp_path)


def widest(layer, reuse_factor):
    """The folding of a reuse factor with the most neurons in parallel; the kernel's own choice has the fewest."""
    for pe in range(layer.n_out, 0, -1):
        chunks, rest = divmod(reuse_factor, max(1, layer.n_out // pe))
        if layer.n_out % pe == 0 and rest == 0 and layer.n_in % chunks == 0:
            return Folding(pe, layer.n_in // chunks)
    raise AssertionError("not legal")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "tfc", "sfc", "mfc", "cnv"])
@pytest.mark.parametrize("kind", ["fewest neurons", "most neurons"])
def test_trained_networks_are_exact_on_every_test_image(tmp_path, name, kind):
    from xnorflow.sources.keras.extract import extract_file

    config, data = load_config(ROOT / f"hls_configs/{name}.yaml"), data_of(name)
    spec, build = extract_file(config.network.with_suffix(".h5")), config.hls
    if kind == "most neurons":
        folding = {layer.name: widest(layer, layer_reuse_factor(layer, build)) for layer in spec.layers}
        assert any(folding[layer.name] != layer_folding(layer, build) for layer in spec.layers)
        build = dataclasses.replace(build, reuse_factor=1, folding=folding)
    project = write_project(plan_project(spec, build), tmp_path / "project", part=PART)
    for result in simulate_csim(plan_project(spec, build), project, data.test, tmp_path / "csim"):
        assert (result.images, result.classes_differ, result.scores_differ) == (len(data.test.labels), 0, 0)


def test_a_folding_says_the_reuse_factor(tiny_spec, tmp_path):
    folding = {"dense1": Folding(4, 8), "dense2": Folding(2, 16), "scores": Folding(5, 1)}
    build = HlsSettings(folding=folding)
    assert [layer_reuse_factor(layer, build) for layer in tiny_spec.layers] == [32, 8, 32]
    assert plan_project(tiny_spec, build).interval_cycles == 32
    project = write_project(plan_project(tiny_spec, build), tmp_path / "project", part=PART)
    parameters = (project.folder / "firmware/parameters.h").read_text(encoding="utf-8")
    for name, expected in (("pe", [4, 2, 5]), ("simd", [8, 16, 1]), ("reuse_factor", [32, 8, 32])):
        found = re.findall(rf"static const unsigned {name} = (\d+);", parameters)
        assert [int(value) for value in found] == expected
    weights = sorted((project.folder / "firmware/weights").glob("w*.h"))
    words = [len(re.search(r"= \{(.*)\}", path.read_text()).group(1).split(",")) for path in weights]
    assert words == [32 * 4, 8 * 2, 32 * 5]


@pytest.mark.parametrize("settings", [{"reuse_factor": 100}, {"folding": {"dense1": Folding(3, 8)}}])
def test_what_does_not_divide_a_layer_is_refused(tiny_spec, tmp_path, settings):
    with pytest.raises(ConfigError, match="layer dense1: "):
        write_project(plan_project(tiny_spec, HlsSettings(**settings)), tmp_path / "project", part=PART)
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("what", "text"), [("weights", "other weights"), ("start", "other thresholds"), ("kernel", "kept its own kernel")]
)
def test_what_hls4ml_holds_is_read_back(tiny_spec, tmp_path, monkeypatch, what, text):
    from xnorflow.routes.hls.write import project as module

    build, check = HlsSettings(), module.check_packed

    def damaged(graph, spec):
        node = next(node for node in graph.get_layers() if node.name == "dense2")
        if what == "weights":
            node.get_weights("weight").words[0] ^= 1
        elif what == "start":
            node.get_weights("start").data[3] += 1
        else:
            monkeypatch.setattr(type(node), "class_name", "Dense")
        check(graph, spec)

    monkeypatch.setattr(module, "check_packed", damaged)
    with pytest.raises(ConfigError, match=f"layer dense2: hls4ml .*{text}|layer dense2: hls4ml {text}"):
        write_project(plan_project(tiny_spec, build), tmp_path / "project", part=PART)


def test_a_mismatch_is_found_in_its_layer(tiny_conv_spec, tmp_path):
    build = config(tiny_conv_spec, "middle", "io_parallel", "Vivado")
    project = write_project(plan_project(tiny_conv_spec, build), tmp_path / "project", part=PART)
    dense = next(hidden for hidden in tiny_conv_spec.hidden if hidden.name == "dense1")
    text = (project.folder / "firmware/parameters.h").read_text(encoding="utf-8")
    index = re.search(r"// dense1\nstruct config(\d+)", text).group(1)
    starts = project.folder / f"firmware/weights/t{index}.txt"
    values = [int(value) for value in starts.read_text().split(",")]
    starts.write_text(", ".join(str(value + 2) for value in values))
    assert len(values) == dense.n_out
    result, _ = simulate_csim(
        plan_project(tiny_conv_spec, build), project, images_for(tiny_conv_spec), tmp_path / "csim"
    )
    assert not result.agrees
    assert (result.mismatch.layer, result.mismatch.what) == ("dense1", "outputs")


def test_both_kernels_give_the_same_project_interface(tiny_spec, tmp_path):
    for kernel in ("xnor", "hls4ml"):
        build = HlsSettings(kernel=kernel)
        project = write_project(plan_project(tiny_spec, build), tmp_path / kernel, part=PART)
        top = (project.folder / f"firmware/{project.top}.cpp").read_text(encoding="utf-8")
        assert re.search(rf"{project.top}\(\s+input_t pixels\[64\],\s+\w+ layer\d+_out\[10\]", top)
        assert ("nnet::xnor_dense" in top) == (kernel == "xnor")
        assert "#pragma HLS DATAFLOW" in top
    assert dataclasses.replace(build, kernel="xnor").kernel == "xnor"
    assert np.array_equal(project.node_sizes["scores"], 10)
