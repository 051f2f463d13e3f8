"""Vivado HLS, Vitis HLS and Vivado: golden Tcl, and runs against stand-ins that a real Tcl drives."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fake_vendor import FAKES, HERE, needs_tcl, running

from xnorflow.base.errors import ConfigError, ReportError, ToolFailed, ToolNotFound
from xnorflow.tools.report import Stage
from xnorflow.tools.vivado.run import hls_tool, synthesise
from xnorflow.tools.vivado.tcl import HlsJob, explain, plan_hls, plan_vivado, quote

GOLDEN = HERE / "golden"
PART = "xc7z010clg400-1"
TESTBENCH = """
#include <cstdio>
int net();
int main() {
    FILE *out = std::fopen("tb_data/csim_results.log", "w");
    std::fprintf(out, "%d\\n", net());
    return std::fclose(out);
}
"""


def job(folder, **settings):
    return HlsJob(folder, "net", PART, 100.0, **settings)


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "a project {1}"
    (folder / "firmware/weights").mkdir(parents=True)
    (folder / "tb_data").mkdir()
    (folder / "firmware/net.cpp").write_text("int net() { return 42; }\n")
    (folder / "net_test.cpp").write_text(TESTBENCH)
    return folder


# --- what is planned


@pytest.mark.parametrize("tool", ["vivado_hls", "vitis_hls", "vitis-run"])
def test_golden_hls_script(tool):
    plan = plan_hls(job(Path("/projects/net"), cosim=True, export=True), tool)
    golden = GOLDEN / f"{tool}.tcl"
    assert plan.files["hls.tcl"] == golden.read_text(), f"if the change is meant, write it to {golden}"
    assert plan.arguments[-1] == "hls.tcl"


def test_golden_vivado_script():
    plan = plan_vivado(job(Path("/projects/net"), vivado="implement"))
    assert plan.files["vivado.tcl"] == (GOLDEN / "vivado.tcl").read_text()
    assert plan.files["clock.xdc"] == "create_clock -period 10.000 -name ap_clk [get_ports ap_clk]\n"
    assert [str(path) for path in plan.reports][-1] == "net_power_routed.rpt"


@pytest.mark.parametrize("text", ["plain", "two words", "a{b", '$x [exit] "q" ;#', "back\\slash", "", "ümlaut"])
def test_quote_is_one_tcl_word(text):
    if shutil.which("tclsh") is None:
        pytest.skip("needs tclsh")
    script = f"fconfigure stdout -encoding utf-8; puts -nonewline [lindex [list {quote(text)}] 0]"
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    ended = subprocess.run(["tclsh"], input=script.encode(), capture_output=True, timeout=600, env=env)
    assert ended.stdout.decode() == text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"top": "two words"}, "top must be"),
        ({"clock_mhz": 0}, "clock_mhz"),
        ({"vivado": "all"}, "vivado must be"),
        ({"part": "xc0"}, "unknown part"),
    ],
)
def test_jobs_are_checked(change, words):
    settings = {"sources": Path("x"), "top": "net", "part": PART, "clock_mhz": 100.0, **change}
    with pytest.raises(ConfigError, match=words):
        HlsJob(**settings)


def test_other_tools_are_refused():
    with pytest.raises(ConfigError, match="HLS tool must be"):
        plan_hls(job(Path("x")), "catapult")
    with pytest.raises(ConfigError, match="backend must be"):
        hls_tool("Quartus")


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis'", "licence"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "memory"),
        ("write: No space left on device", "disk"),
        ("WARNING: [Common 17-348] Failed to get the license for feature 'Synthesis'", "licence"),
        ("/opt/loader: line 25:  4242 Killed", "memory"),
        ("vivado failed with exit code 137; log: x", "memory"),
        ("vivado was killed by SIGKILL; log: x", "memory"),
        ("vivado was killed by SIGSEGV; log: x", None),
        ("INFO: [Common 17-349] Got license for feature 'Synthesis' and/or device 'xc7z010'", None),
        (
            "ERROR: [Place 30-640] Place Check : This design requires more Slice LUTs cells than are available",
            "larger",
        ),
        ("ERROR: [SIM 211-100] 'csim_design' failed: compilation error(s).", "C simulation"),
        ("INFO: all is well", None),
    ],
)
def test_explanations(log, words):
    meaning = explain(log)
    assert meaning is None if words is None else words in meaning


# --- what is run


@needs_tcl
@pytest.mark.parametrize(("backend", "tool"), [("Vivado", "vivado_hls"), ("Vitis", "vitis_hls")])
def test_run_to_the_end(project, fakes, tmp_path, backend, tool):
    steps = []
    wanted = job(project, cosim=True, export=True, vivado="implement")
    run = synthesise(wanted, backend, tmp_path / "out", on_step=steps.append)
    assert steps == ["csim", "csynth", "cosim", "export", "synthesise", "place", "route"]
    assert run.csim_results.read_text() == "42\n"
    assert (run.hls.stage, run.hls.usage.lut) == (Stage.HLS, 3290)
    assert [bool(report.usage.lut) for report in run.vivado] == [True, False, True, False, False]
    # the stand-in's reports have the state that the design was in when they were asked for
    assert [report.stage for report in run.vivado] == [Stage.SYNTHESISED] * 2 + [Stage.ROUTED] * 3
    assert run.vivado[-1].power.total_w == 1.527
    record = fakes.record()
    assert record.startswith(f"{tool} -f hls.tcl\n")
    assert f"set_part {PART}" in record
    assert "create_clock -period 10.000 -name default" in record
    assert str(project / "firmware" / "net.cpp") in record
    assert "synth_design -mode out_of_context -top net" in record


@needs_tcl
def test_vitis_run_is_used_where_vitis_hls_is_missing(project, fakes, tmp_path, monkeypatch):
    only = tmp_path / "only"
    only.mkdir()
    for name in ("vitis-run",):
        (only / name).symlink_to(FAKES / "vivado_hls")
    rest = [folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder) != FAKES]
    monkeypatch.setenv("PATH", os.pathsep.join([str(only), *rest]))
    synthesise(job(project), "Vitis", tmp_path / "out")
    assert fakes.record().startswith("vitis-run --mode hls --tcl hls.tcl\n")


@needs_tcl
@pytest.mark.parametrize(
    ("mode", "step", "words"),
    [
        ("fail", "csynth", r"step csynth.*exit code 2(.|\n)*XNORFLOW FAILED csynth: something broke"),
        ("licence", "csynth", "step csynth of vivado_hls: no licence"),
        ("memory", "csynth", "step csynth.*out of memory"),
        ("oom", "csynth", "step csynth.*out of memory"),
        ("crash", "csynth", r"step csynth.*killed by SIGSEGV"),
        ("disk", "csim", "step csim.*disk is full"),
        ("part", "csim", "part is not installed"),
        ("garbage", "csynth", "step csynth"),
        ("fail", "cosim", "FAILED cosim"),
    ],
)
def test_failures_are_named(project, fakes, tmp_path, mode, step, words):
    fakes(mode, step)
    with pytest.raises(ToolFailed, match=words) as caught:
        synthesise(job(project, cosim=True), "Vivado", tmp_path / "out")
    assert "vivado_hls.log" in str(caught.value)


@needs_tcl
def test_a_testbench_that_does_not_compile(project, fakes, tmp_path):
    (project / "net_test.cpp").write_text("int main( {")
    with pytest.raises(ToolFailed, match="step csim"):
        synthesise(job(project), "Vivado", tmp_path / "out")


@needs_tcl
def test_a_time_limit_stops_it(project, fakes, tmp_path):
    fakes("hang", "csynth")
    limits = iter((3, 12, 48, 192))
    while not fakes.ids.exists():
        limit = next(limits)  # on a busy machine the tool takes long to start
        with pytest.raises(ToolFailed, match=f"step csynth.*longer than {limit} s"):
            synthesise(job(project, csim=False), "Vivado", tmp_path / f"out {limit}", timeout_s=limit)
    assert not running(fakes.ids)


@needs_tcl
@pytest.mark.parametrize(
    ("mode", "words"),
    [("noreport", "left no such report"), ("cutreport", "cut short"), ("garbagereport", "binary file")],
)
def test_missing_and_cut_reports(project, fakes, tmp_path, mode, words):
    fakes(mode)
    with pytest.raises(ReportError, match=words):
        synthesise(job(project), "Vivado", tmp_path / "out")


@needs_tcl
def test_an_old_report_does_not_pass_for_a_new_one(project, fakes, tmp_path):
    synthesise(job(project), "Vivado", tmp_path / "out")
    fakes("noreport")
    with pytest.raises(ReportError, match="left no such report"):
        synthesise(job(project), "Vivado", tmp_path / "out")


@needs_tcl
def test_a_testbench_without_results(project, fakes, tmp_path):
    (project / "net_test.cpp").write_text("int main() { return 0; }")
    with pytest.raises(ReportError, match="wrote no results"):
        synthesise(job(project), "Vivado", tmp_path / "out")


@needs_tcl
@pytest.mark.parametrize(
    ("mode", "step", "words"),
    [
        ("fail", "synthesise", r"exit code 1; log: .*vivado\.log; its last lines:(.|\n)*    ERROR: something broke"),
        ("fail", "place", r"exit code 1; log: .*vivado\.log; its last lines:(.|\n)*    ERROR: something broke"),
        ("fail", "route", r"exit code 1; log: .*vivado\.log; its last lines:(.|\n)*    ERROR: something broke"),
        ("full", "place", r"of vivado: the design is larger than the part.*vivado\.log"),
        ("licence", "synthesise", r"of vivado: no licence.*vivado\.log"),
        ("oom", "route", r"of vivado: it ran out of memory.*vivado\.log"),
    ],
)
def test_a_failure_of_vivado_is_named_with_its_step(project, fakes, tmp_path, mode, step, words):
    fakes(mode, step)
    with pytest.raises(ToolFailed, match=rf"^step {step}.*{words}"):
        synthesise(job(project, csim=False, vivado="implement"), "Vivado", tmp_path / "out")
    assert not list((tmp_path / "out").glob("*_routed.rpt"))
    assert (tmp_path / "out/net_utilization_synth.rpt").exists() == (step != "synthesise")


def test_missing_tools_are_said_before_any_starts(project, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolNotFound, match="vivado_hls"):
        synthesise(job(project), "Vivado", tmp_path / "out")
    assert not (tmp_path / "out").exists()
