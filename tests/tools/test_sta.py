"""Yosys' estimate of the slowest path: what is read of it, and which inputs of a LUT6_2 count."""

import pytest

from xnorflow.base.errors import ReportError
from xnorflow.tools.report import LogicDelay
from xnorflow.tools.yosys.run import run_passes
from xnorflow.tools.yosys.sta import REPORT, estimate_passes, read_estimate

PATH = r"""
3. Executing STA pass (static timing analysis).
Warning: Module 'DSP48E1' has no timing arcs!
Warning: Cell type '$scopeinfo' not recognised! Ignoring.
Latest arrival time in 'xnf_top' is 2291:
    2291 slice (FDRE.CE)
           $aiger$o150
    2182 some lut (LUT6.I2->O)
           \layer1.m_data[5]
    1472 layer1.fifo.bits[5].line (SRLC32E.CLK->Q)
       0   \clk (<primary input>)
Warning: Endpoint xnf_top.\s_axis_tready has no (* sta_arrival *) value.

Arrival histogram:
"""
# a register, a LUT6_2 by one of its inputs and outputs, and a register behind it
NETLIST = """
module top (input clk, d, output q);
    wire a, b;
    FDRE from_ (.C(clk), .CE(1'b1), .R(1'b0), .D(d), .Q(a));
    LUT6_2 #(.INIT(64'h{table})) lut ({inputs}, .{output}(b));
    FDRE to_ (.C(clk), .CE(1'b1), .R(1'b0), .D(b), .Q(q));
endmodule
"""
# ps: prjxray's clock to Q of a register, and inputs of a LUT6, as Yosys' models say
REGISTER, LUT6 = 303, (642, 631, 472, 407, 238, 127)


def test_the_slowest_path_is_read(tmp_path):
    (tmp_path / REPORT).write_text(PATH)
    found = LogicDelay(2.291, "SRLC32E layer1.fifo.bits[5].line", "FDRE slice", ("DSP48E1",))
    assert read_estimate(tmp_path / REPORT) == found


def test_no_path_is_no_number(tmp_path):
    (tmp_path / REPORT).write_text("3. Executing STA pass (static timing analysis).\n")
    assert read_estimate(tmp_path / REPORT) is None


def test_an_arrival_without_its_path_is_refused(tmp_path):
    (tmp_path / REPORT).write_text("Latest arrival time in 'xnf_top' is 2291:\n\n")
    with pytest.raises(ReportError, match="is missing"):
        read_estimate(tmp_path / REPORT)


def estimate(folder, port, output, lower, upper):
    """The estimate of NETLIST for a LUT6_2 with these halves of its table."""
    zero = "1'b0"
    inputs = ", ".join(f".I{i}({'a' if i == port else zero})" for i in range(6))
    source = folder / "top.v"
    source.write_text(NETLIST.format(table=f"{upper:08x}{lower:08x}", inputs=inputs, output=output))
    run_passes([f"read_verilog {source.name}", *estimate_passes("top", folder)], folder)
    return read_estimate(folder / REPORT)


@pytest.mark.parametrize("port", range(5))
def test_an_input_counts_where_it_changes_the_lower_output(tmp_path, port):
    pytest.importorskip("pyosys")
    alone = sum(1 << row for row in range(32) if row >> port & 1)
    found = estimate(tmp_path, port, "O5", alone, 0)
    assert (found.longest_ns, found.unknown) == ((REGISTER + LUT6[port]) / 1000, ())
    assert found.start == "FDRE from_"
    others = sum(1 << row for row in range(32) if (row & ~(1 << port)).bit_count() % 2)
    assert estimate(tmp_path, port, "O5", others, 0).longest_ns < (REGISTER + LUT6[port]) / 1000


@pytest.mark.parametrize("port", range(6))
def test_every_input_counts_at_the_upper_output(tmp_path, port):
    pytest.importorskip("pyosys")
    assert estimate(tmp_path, port, "O6", 0x96696996, 0x69969669).longest_ns == (REGISTER + LUT6[port]) / 1000
