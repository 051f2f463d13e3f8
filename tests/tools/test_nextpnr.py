"""Place and route: command lines, constraints and reports, and runs against a stand-in for nextpnr."""

import json
import os

import pytest
from fake_nextpnr import FAKES
from rtl_nets import dense_net

from xnorflow.base.doctor import doctor
from xnorflow.base.errors import ConfigError, ReportError, ToolFailed, ToolNotFound
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.routes.rtl.write.network import TOP
from xnorflow.routes.rtl.write.pins import pins_module
from xnorflow.tools import nextpnr
from xnorflow.tools.report import Stage

PART = "xc7z010clg400-1"


@pytest.fixture(params=nextpnr.TOOLS)
def tool(request, tmp_path, monkeypatch):
    """One of the two programs on PATH, and a netlist where it runs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / request.param).symlink_to(FAKES / request.param)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    if request.param == nextpnr.TOOLS[0]:
        (tmp_path / "chip.bin").write_bytes(b"")
        monkeypatch.setenv(nextpnr.CHIPDB, str(tmp_path / "chip.bin"))
    (tmp_path / "flat.json").write_text('{"modules": {"xnf_pins": {}}}')
    return request.param


def test_a_report_is_read(tool, tmp_path):
    assert nextpnr.find_nextpnr() == tool
    plan = nextpnr.plan_nextpnr(tool, PART, 150.0)
    report = nextpnr.place_and_route(plan, tmp_path, PART)
    assert (report.stage, report.tool, report.part, report.top) == (Stage.ROUTED, tool, PART, "xnf_pins")
    usage, available = report.usage, report.available
    assert (usage.lut, usage.ff, usage.carry4, usage.bram18, usage.dsp) == (1234, 2345, 100, 11, 0)
    # two bels to a LUT site; the block RAMs are the same ones counted twice
    assert (available.lut, available.ff, available.bram18, available.dsp) == (17600, 35200, 120, 80)
    # of two clocks the one with the least room
    assert report.timing.clock_ns == pytest.approx(1000 / 150)
    assert report.timing.estimated_ns == pytest.approx(1000 / 162.5)
    assert report.timing.slack_ns == pytest.approx(1000 / 150 - 1000 / 162.5)


def test_a_design_that_does_not_fit_says_so(tool, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_NEXTPNR", "full")
    plan = nextpnr.plan_nextpnr(tool, PART, 150.0)
    with pytest.raises(ToolFailed, match=r"(?s)nextpnr.log.*Unable to find legal placement"):
        nextpnr.place_and_route(plan, tmp_path, PART)


def test_a_report_of_an_earlier_run_is_not_taken(tool, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_NEXTPNR", "silent")
    (tmp_path / nextpnr._REPORT).write_text('{"fmax": {}, "utilization": {}}')
    with pytest.raises(ReportError, match="left no report"):
        nextpnr.place_and_route(nextpnr.plan_nextpnr(tool, PART, 150.0), tmp_path, PART)


@pytest.mark.parametrize(
    "text", ["{}", '{"fmax": {}, "utilization": {}}', '{"fmax": {"c": {"achieved": 1}}, "utilization": {}}']
)
def test_a_damaged_report_is_refused(tmp_path, text):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(ReportError, match=r"report\.json: not a nextpnr report"):
        nextpnr.parse_report(path, PART, nextpnr.TOOLS[0])


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(nextpnr.CHIPDB, raising=False)
    with pytest.raises(ToolNotFound, match=r"nor nextpnr-himbaechel is in PATH; .*github.com/openXC7"):
        nextpnr.find_nextpnr()
    findings = {item.name: item for item in doctor()}
    for name in nextpnr.TOOLS:
        assert (
            findings[name].version is None and "github.com" in findings[name].advice and not findings[name].required
        )
    (tmp_path / nextpnr.TOOLS[0]).symlink_to(FAKES / nextpnr.TOOLS[0])
    with pytest.raises(ToolNotFound, match=r"set XNORFLOW_CHIPDB to its \.bin file, got None"):
        nextpnr.find_nextpnr()


def test_constraints_name_a_pin_per_port():
    text = nextpnr.plan_nextpnr("nextpnr-himbaechel", PART, 150.0).files["pins.xdc"]
    assert text.splitlines()[:3] == [
        "create_clock -period 6.667 -name clk [get_ports clk]",
        "set_property LOC K17 [get_ports clk]",
        "set_property IOSTANDARD LVCMOS33 [get_ports clk]",
    ]
    assert text.count("LOC") == 4
    with pytest.raises(ConfigError, match="no pins are known for xc7z010clg225-1; add four to `pins`"):
        nextpnr.plan_nextpnr("nextpnr-himbaechel", "xc7z010clg225-1", 150.0)


def test_a_network_on_four_pins_is_whole(tmp_path):
    yosys = pytest.importorskip("xnorflow.tools.yosys.run")
    pytest.importorskip("pyosys")
    from xnorflow.routes.rtl.simulate import write_design

    spec = dense_net(1, [12, 5, 3])
    plan = plan_network(spec, choose_foldings(spec, 8))
    pins = tmp_path / "xnf_pins.v"
    pins.write_text(pins_module(plan, TOP))
    sources = [*write_design(plan, tmp_path / "verilog"), pins]
    yosys.run_passes(yosys.plan_synthesis(sources, nextpnr.PINS_TOP, tmp_path, pads=True), tmp_path)
    module = json.loads((tmp_path / yosys.FLAT).read_text())["modules"][nextpnr.PINS_TOP]
    kinds = [cell["type"] for cell in module["cells"].values()]
    assert set(module["ports"]) == set(nextpnr.PORTS) and kinds.count("IBUF") == 3 and kinds.count("OBUF") == 1
    assert kinds.count("BUFG") == 1
    # nothing of the network was optimised away behind the pins
    alone = yosys.synthesize(sources[:-1], TOP, tmp_path / "alone").usage
    whole = yosys.parse_stat(tmp_path / yosys.STAT, nextpnr.PINS_TOP).usage
    assert whole.lut >= alone.lut and whole.ff >= alone.ff + plan.beat_bits
