"""The commands fit, explore, synth and calibrate, on the command line and as functions."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from fake_vendor import needs_tcl, running
from flow_runs import start
from processes import wait_for
from vendor_files import ALL

from xnorflow import api
from xnorflow.base.errors import ReportError
from xnorflow.cli.main import main
from xnorflow.fitting.calibration import load_calibration, write_calibration
from xnorflow.fitting.question import fit_question
from xnorflow.fitting.verdict import Ratio
from xnorflow.flow.config_file import load_config, write_config
from xnorflow.flow.run import CONVERT
from xnorflow.routes.hls.write.project import PROJECT_NAME
from xnorflow.tools.answer import Answer

ROOT = Path(__file__).resolve().parents[2]
DIGITS = str(ROOT / "hls_configs/digits.yaml")


@pytest.fixture
def question(finished):
    return fit_question(DIGITS, project=finished)


def test_fit_chooses_and_writes_what_load_config_reads(finished, tmp_path, capsys):
    target = tmp_path / "chosen.yaml"
    assert main(["fit", DIGITS, "--project", str(finished), "--write", str(target)]) == 0
    chosen, start = load_config(target), load_config(Path(DIGITS))
    assert chosen.network == start.network and chosen.train == start.train and chosen.data == start.data
    assert set(chosen.hls.reuse_factor) == {"dense1", "dense2", "scores"}
    assert target.read_text().startswith("# fits xc7z010: ")
    out = capsys.readouterr().out
    assert "by formula" in out and "estimated" in out
    # what was written is judged as it was found
    assert api.check(fit_question(target, project=finished))[1].reuse_factors == chosen.hls.reuse_factor


def test_least_area_is_no_larger_and_keeps_the_pace(question):
    quick, _ = api.fit(question)
    small, _ = api.fit(question, "area", 1000)
    assert small.cost.images_per_s >= 1000
    assert small.cost.expected.lut.likely < quick.cost.expected.lut.likely


def test_fit_that_finds_nothing_says_what_lacks(finished, tmp_path, capsys):
    target = tmp_path / "none.yaml"
    command = ["fit", DIGITS, "--project", str(finished), "--margin", "0.99", "--write", str(target)]
    assert main(command) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert re.search(r"does not fit xc7z010: (LUT|FF|BRAM18) needs \d+ of \d+ usable", out) and "would fit" in out
    assert not target.exists()


def test_what_only_likely_fits_is_too_close_to_say(finished, tmp_path, capsys):
    # of the choices of hls4ml's own kernels for 15 % of the part, some likely fit and none surely does
    source, target = tmp_path / "stock.yaml", tmp_path / "chosen.yaml"
    config = load_config(Path(DIGITS)).with_route(kernel="hls4ml", reuse_factor=1)
    write_config(config, source, "hls4ml's own kernels")
    options = ["--project", str(finished), "--margin", "0.85"]
    assert main(["fit", str(source), *options, "--write", str(target)]) == 1
    assert "too close to say xc7z010: " in " ".join(capsys.readouterr().out.split())
    # the three commands agree
    assert main(["fit", str(target), *options, "--check"]) == 1
    assert "too close to say xc7z010: " in " ".join(capsys.readouterr().out.split())
    points = api.explore(fit_question(source, project=finished, margin=0.85))
    assert {point.answer for point in points} == {Answer.TOO_CLOSE, Answer.DOES_NOT_FIT}


def test_check_judges_by_the_best_source(question, tmp_path):
    verdict, cost = api.check(question)
    assert verdict.fits and cost.reuse_factors == question.config.hls.reuse_factor
    assert {item.stage.value for item in verdict.findings} == {"estimated"}
    (tmp_path / "flat.rpt").write_text(ALL["flat.rpt"].replace(": net\n", f": {PROJECT_NAME}\n"))
    verdict, _ = api.check(question, [tmp_path / "flat.rpt"])
    assert "estimated" not in {item.stage.value for item in verdict.findings if item.kind == "lut"}


def test_check_exit_codes(finished, capsys):
    command = ["fit", DIGITS, "--check", "--project", str(finished)]
    assert main(command) == 0
    assert main([*command, "--margin", "0.95"]) == 1
    assert "does not fit" in " ".join(capsys.readouterr().out.split())
    assert main([*command, "--report", "no_such.rpt"]) == 2
    assert "no_such.rpt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--part", "xc9"], "unknown part"),
        (["--margin", "1.5"], "margin must be 0 or more and below 1"),
        (["--goal", "area"], "images_per_s"),
        (["--report", "x.rpt"], "--report goes with --check"),
        (["--calibration", "none.yaml"], "no such file: none.yaml; write one with xnorflow calibrate"),
    ],
)
def test_wrong_questions(finished, options, words, capsys):
    assert main(["fit", DIGITS, "--project", str(finished), *options]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("xnorflow: error:") and words in lines[0]


def test_explore_draws_the_front(question, finished, tmp_path, capsys):
    drawing = tmp_path / "front.svg"
    assert main(["explore", DIGITS, "--project", str(finished), "--plot", str(drawing)]) == 0
    assert "<svg" in drawing.read_text() and "images/s" in capsys.readouterr().out
    points = api.explore(question)
    rates = [point.cost.images_per_s for point in points]
    assert len(points) > 3 and rates == sorted(rates, reverse=True)


def test_calibration_is_learned_written_and_used(question, finished, tmp_path):
    ratios = {"lut": Ratio(0.5, 0.5, 0.5, 3)}
    target = tmp_path / "mine.yaml"
    write_calibration(ratios, target)
    assert load_calibration(target) == {"lut": (0.5, 0.5, 0.5)}
    stock = tmp_path / "stock.yaml"
    write_config(question.config.with_route(kernel="hls4ml", reuse_factor=64), stock, "hls4ml's own")
    asked = [fit_question(stock, project=finished, calibration=ratios) for ratios in (None, target)]
    before, after = (api.check(item)[1].expected.lut for item in asked)
    assert after.likely == pytest.approx(before.likely * 0.5 / question.ratios["lut"][1], rel=0.01)
    assert after.high < before.high


def test_calibrate_needs_pairs(tmp_path):
    name = "csynth.xml"
    (tmp_path / name).write_text(ALL[name])
    with pytest.raises(ReportError, match="both an HLS report and a Vivado utilisation report"):
        api.calibrate([tmp_path / name])


def test_synth_without_the_tool_says_how_to_get_it(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    model = shutil.copy(finished / "01-train/digits.h5", tmp_path / "own.h5")
    assert main(["synth", DIGITS, "--project", str(tmp_path / "p"), "--model", str(model)]) == 2
    assert "vivado_hls" in capsys.readouterr().err


@needs_tcl
def test_synth_runs_on_the_converted_project(
    finished,
    fakes,
    tmp_path,
    capsys,
):
    model = shutil.copy(finished / "01-train/digits.h5", tmp_path / "own.h5")
    assert main(["synth", DIGITS, "--project", str(tmp_path / "synth é"), "--model", str(model)]) == 0
    captured = capsys.readouterr()
    assert "05-synth: csynth" in captured.err and "HLS report" in captured.out
    lines = (tmp_path / "synth é" / CONVERT / "project/tb_data/tb_input_features.dat").read_text().splitlines()
    assert len(lines) == 100
    # the stand-in compiled and ran the project's testbench on them
    build = tmp_path / "synth é" / "05-synth/hls/solution1/csim/build/tb_data"
    got, expected = ((build / name).read_text().split() for name in ("csim_results.log", "tb_output_predictions.dat"))
    assert got == expected and len(got) == 1000


@needs_tcl
def test_ctrl_c_ends_the_synthesis_tool_and_its_children(
    finished,
    fakes,
    tmp_path,
    package_env,
):
    fakes("hang", "csynth")
    model = shutil.copy(finished / "01-train/digits.h5", tmp_path / "own.h5")
    stand_in = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("FAKE_")}
    process = start(package_env, "synth", tmp_path / "p", "--model", str(model), epochs=None, **stand_in)
    try:
        # Keras starts and the project is converted before, which a busy machine takes its time for
        wait_for(fakes.ids.exists, process)
        assert len(running(fakes.ids)) == 2
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=600)
    finally:
        process.kill()
    assert process.returncode == 130
    assert err.splitlines()[-1] == "xnorflow: stopped; the same command goes on from here"
    wait_for(lambda: not running(fakes.ids))


@pytest.mark.parametrize("limit", ["nan", "inf", "0", "-5", "1e7"])
@pytest.mark.parametrize("backend", [(), ("--backend", "yosys")])
def test_time_limits_are_refused_before_anything_is_done(tmp_path, capsys, limit, backend):
    assert main(["synth", DIGITS, "--project", str(tmp_path / "p"), f"--time-limit={limit}", *backend]) == 2
    line = f"a time limit must be above 0 and at most 1,000,000 seconds, got {float(limit)!r}; leave it out for none"
    assert capsys.readouterr().err == f"xnorflow: error: {line}\n"
    assert not (tmp_path / "p").exists()
