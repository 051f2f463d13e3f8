"""``fit --check --report`` takes reports of the configuration's part and whole design, and says which they were."""

import dataclasses
from pathlib import Path

import pytest
from hls_reports import CSYNTH
from vivado_reports import FLAT, TIMING, TREE, vivado

from xnorflow import api
from xnorflow.base.errors import ReportError
from xnorflow.cli.main import main
from xnorflow.fitting.own_report import read_own_reports
from xnorflow.fitting.question import fit_question
from xnorflow.flow.config_file import load_config
from xnorflow.routes.hls.write.project import PROJECT_NAME
from xnorflow.routes.rtl.write.network import TOP

DIGITS = Path(__file__).resolve().parents[2] / "hls_configs/digits.yaml"
FILES = {
    "csynth.rpt": CSYNTH.replace("'net'", f"'{PROJECT_NAME}'"),
    "flat.rpt": vivado("report_utilization", FLAT).replace(": net\n", f": {PROJECT_NAME}\n"),
    "timing.rpt": vivado("report_timing_summary", TIMING)
    .replace(": net\n", f": {PROJECT_NAME}\n")
    .replace("xc7z010clg400-1", "7z010-clg400"),
}


@pytest.fixture(scope="module")
def config():
    return load_config(DIGITS)


def written(folder, changes=lambda text: text):
    paths = [folder / name for name in FILES]
    for path in paths:
        path.write_text(changes(FILES[path.name]))
    return paths


def test_reports_of_this_design_are_read(config, tmp_path):
    reports = read_own_reports(written(tmp_path), config)
    assert [report.top for report in reports] == [PROJECT_NAME] * 3
    # a device may stand for its parts, in any letters
    read_own_reports(written(tmp_path), dataclasses.replace(config, part=config.part.upper()))


@pytest.mark.parametrize("other", ["xc7z020clg400-1", "xc7z010clg225-1", "xc7z010clg400-2"])
def test_another_part_is_refused(config, tmp_path, other):
    for path in written(tmp_path, lambda text: text.replace("xc7z010-clg400-1", other).replace(config.part, other)):
        if path.name != "timing.rpt":
            with pytest.raises(ReportError, match=rf"{path.name}.*must be .*{config.part}, got {other}"):
                read_own_reports([path], config)


@pytest.mark.parametrize("other", ["another", f"{PROJECT_NAME}_dense1", "dense_resource_s", TOP])
def test_another_design_or_a_module_is_refused(config, tmp_path, other):
    for path in written(tmp_path, lambda text: text.replace(PROJECT_NAME, other)):
        with pytest.raises(ReportError, match=rf"{path.name}.*must be {PROJECT_NAME}, .* got '{other}'"):
            read_own_reports([path], config)


def test_our_verilog_has_another_top(tmp_path):
    verilog = load_config(DIGITS.with_name("digits-verilog.yaml"))
    paths = written(tmp_path, lambda text: text.replace(PROJECT_NAME, TOP))
    assert len(read_own_reports(paths, verilog)) == 3
    with pytest.raises(ReportError, match=f"must be {TOP}"):
        read_own_reports(written(tmp_path), verilog)


def test_hierarchy_of_the_design_counts_the_design(config, tmp_path):
    path = tmp_path / "tree.rpt"
    text = vivado("report_utilization -hierarchical", TREE)
    path.write_text(text.replace(": net\n", f": {PROJECT_NAME}\n"))
    assert read_own_reports([path], config)[0].usage.lut == 2437


def test_check_says_which_reports_it_read(finished, tmp_path, capsys):
    command = ["fit", str(DIGITS), "--check", "--project", str(finished)]
    for path in written(tmp_path):
        command += ["--report", str(path)]
    assert main(command) in (0, 1)
    out = " ".join(capsys.readouterr().out.split())
    for words in (PROJECT_NAME, "xc7z010clg400-1", "Vitis HLS 2023.2", "Vivado 2022.2", "routed", "HLS report"):
        assert words in out
    (tmp_path / "flat.rpt").write_text(vivado("report_utilization", FLAT))
    assert main(command) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and "flat.rpt" in lines[0] and "'net'" in lines[0]


def test_a_verdict_keeps_its_reports(finished, tmp_path):
    question = fit_question(DIGITS, project=finished)
    assert api.check(question)[0].reports == ()
    assert len(api.check(question, written(tmp_path))[0].reports) == 3
