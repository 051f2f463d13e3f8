"""Operators of both kernels, counted while their generated projects run, against the counts of the model."""

import shutil
import subprocess
from collections import Counter

import numpy as np
import pytest
from hls_nets import dense_net

from xnorflow.fitting.cost_xnor import accum_bits
from xnorflow.net.layers import DenseSpec, ScoreSpec
from xnorflow.net.shapes import layer_shapes
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.routes.hls.kernels.operators import cycle_operators
from xnorflow.routes.hls.plan.fold import layer_folding, layer_reuse_factor
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.hls.settings import HlsSettings
from xnorflow.routes.hls.write.project import write_project

pytest.importorskip("hls4ml")
COUNTER = """#pragma once
#include <cstdio>
#include <map>
#include <string>
#include <utility>
namespace counted {
inline std::map<std::pair<std::string, int>, long> &table() {
    static std::map<std::pair<std::string, int>, long> counts;
    return counts;
}
inline bool note(const char *kind, int bits) { return ++table()[std::make_pair(std::string(kind), bits)] > 0; }
}
#define NNET_XNOR_OPERATOR(kind, bits) counted::note(#kind, bits)
"""
MAIN = """#include "{top}.h"
#include "nnet_utils/nnet_xnor_count.h"
namespace nnet {{ bool trace_enabled; std::map<std::string, void *> *trace_outputs; size_t trace_type_size; }}
int main() {{
    static input_t pixels[{size}];
    static result_t scores[{classes}];
    {top}(pixels, scores);
    std::map<std::pair<std::string, int>, long>::iterator at = counted::table().begin();
    for (; at != counted::table().end(); ++at)
        std::printf("%s %d %ld\\n", at->first.first.c_str(), at->first.second, at->second);
}}
"""


def sfc() -> NetSpec:
    random = np.random.default_rng(0)

    def weights(*shape):
        return random.choice(np.array([-1, 1], np.int8), shape)

    hidden = tuple(
        DenseSpec(f"dense{at + 1}", weights(n, 256), np.zeros(256, np.int32)) for at, n in enumerate((784, 256, 256))
    )
    return NetSpec("sfc", InputSpec((784,)), hidden, ScoreSpec("scores", weights(256, 10)))


NETWORKS = {
    "small": (dense_net(12, 6, 4), {"dense1": 12, "scores": 6}),
    "8 bits": (dense_net(24, 8, 4, bits=8), {"dense1": 8, "scores": 8}),
    "sfc": (sfc(), {"dense1": 784, "dense2": 256, "dense3": 256, "scores": 256}),
}
WHICH = [pytest.param("small"), pytest.param("8 bits"), pytest.param("sfc", marks=pytest.mark.slow)]


def run_counted(project, spec, folder) -> Counter:
    """Compile the project with counting kernels, put one image through, and return what was counted."""
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    firmware = (project.folder / "firmware").resolve()
    (firmware / "nnet_utils/nnet_xnor_count.h").write_text(COUNTER)
    main = MAIN.format(top=project.top, size=spec.input.size, classes=spec.n_classes)
    (folder / "main.cpp").write_text(main)
    command = ["g++", "-std=c++11", "-O0", "-w", "-DNNET_XNOR_COUNT", "-DNNET_XNOR_TREE", f"-I{firmware}"]
    command += [f"-I{firmware}/ap_types", f'-DWEIGHTS_DIR="{firmware}/weights"']
    sources = [firmware / f"{project.top}.cpp", folder / "main.cpp"]
    subprocess.run([*command, *sources, "-o", folder / "main"], check=True)
    ran = subprocess.run([folder / "main"], capture_output=True, text=True, check=True)
    rows = [line.split() for line in ran.stdout.splitlines()]
    return Counter({(kind, int(bits)): int(count) for kind, bits, count in rows})


@pytest.mark.parametrize("name", WHICH)
def test_our_kernel_runs_the_operators_that_the_cost_counts(tmp_path, name):
    spec, factors = NETWORKS[name]
    build = HlsSettings(reuse_factor=factors)
    counted = run_counted(
        write_project(plan_project(spec, build), tmp_path / "project", part="xc7z010clg400-1"), spec, tmp_path
    )
    expected: Counter = Counter()
    for layer, shape in zip(spec.layers, layer_shapes(spec), strict=True):
        one = cycle_operators(layer_folding(layer, build), shape.input_bits, accum_bits(shape))
        cycles = layer_reuse_factor(layer, build)
        assert cycles == factors[layer.name]
        expected += Counter({key: count * cycles for key, count in one.items()})
    # the width of the last sums follows from the weights; the cost takes the widest
    last = accum_bits(layer_shapes(spec)[-1])
    for counts in (counted, expected):
        for kind in ("add", "select"):
            widths = [key for key in counts if key[0] == kind and abs(key[1] - last) <= 1]
            counts[kind, last] = sum(counts.pop(key) for key in widths)
    assert counted == expected


@pytest.mark.parametrize("name", [WHICH[0], WHICH[2]])
def test_hls4mls_kernel_makes_a_product_and_an_addition_for_every_weight_of_a_cycle(tmp_path, name):
    spec, factors = NETWORKS[name]
    build = HlsSettings(kernel="hls4ml", reuse_factor=factors)
    project = write_project(plan_project(spec, build), tmp_path / "project", part="xc7z010clg400-1")
    kernel = project.folder / "firmware/nnet_utils/nnet_dense_resource.h"
    text = kernel.read_text()
    assert text.count("acc[out_index] +=") >= 2
    noted = "NNET_XNOR_OPERATOR(add, CONFIG_T::reuse_factor); acc[out_index] +="
    kernel.write_text('#include "nnet_xnor_count.h"\n' + text.replace("acc[out_index] +=", noted))
    counted = run_counted(project, spec, tmp_path)
    expected: Counter = Counter()
    for layer in spec.layers:
        expected["add", factors[layer.name]] += layer.n_in * layer.n_out
    assert counted == expected


def test_documented_counts_are_those_of_the_kernels(request):
    spec, factors = NETWORKS["sfc"]
    build = HlsSettings(reuse_factor=factors)
    total: Counter = Counter()
    for layer, shape in zip(spec.layers, layer_shapes(spec), strict=True):
        for (kind, bits), count in cycle_operators(layer_folding(layer, build), 1, accum_bits(shape)).items():
            total[kind] += count * (bits if kind in ("xor_", "full_adder") else 1)
    products = sum(layer.n_in * layer.n_out // factors[layer.name] for layer in spec.layers)
    adders = total["add"] - total["select"]
    text = (request.config.rootpath / "docs/kernels.md").read_text(encoding="utf-8")
    for row in (
        f"| products | {products} of 1 bit | {total['xor_']} of 1 bit |",
        f"| adders into accumulators | {products} | {total['select']} |",
        f"| full adders / 6:3 counters / tree adders | 0 | {total['full_adder']} / {total['counter']} / {adders} |",
        f"| accumulator registers | {sum(layer.n_out for layer in spec.layers)} | {total['select']} |",
    ):
        assert row in text
