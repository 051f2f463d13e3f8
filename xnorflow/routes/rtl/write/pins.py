"""A network behind two shift registers, as more ports than a package has pins cannot be placed."""

from __future__ import annotations

from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.write.network import result_bits
from xnorflow.tools.nextpnr import (
    PINS_TOP,
)


def pins_module(plan: NetPlan, top: str) -> str:
    """Return the module with four ports that holds a network between two shift registers."""
    beat, result = plan.beat_bits, result_bits(plan)
    return f"""// SPDX-License-Identifier: MIT
`default_nettype none
// {top} on four pins, to be placed: input and output through shift registers.
module {PINS_TOP} (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; takes effect one cycle later
    input  wire s,    // one bit per cycle into the register of inputs
    output reg  m     // one bit per cycle out of the register of results
);
    reg  [{beat + 2}:0] in;     // ready for results, last, valid, data
    reg  [{result + 2}:0] out;    // frame error, last, ready, data
    wire s_ready, m_valid, m_last, error;
    wire [{result - 1}:0] data;
    reg  reset;
    always @(posedge clk) begin
        reset <= rst;
        in <= {{in[{beat + 1}:0], s}};
        out <= m_valid ? {{error, m_last, s_ready, data}} : {{1'b0, out[{result + 2}:1]}};
        m <= out[0];
    end
    {top} net (
        .clk(clk), .rst(reset), .s_axis_tvalid(in[{beat}]), .s_axis_tready(s_ready), .s_axis_tdata(in[{beat - 1}:0]),
        .s_axis_tlast(in[{beat + 1}]), .m_axis_tvalid(m_valid), .m_axis_tready(in[{beat + 2}]), .m_axis_tdata(data),
        .m_axis_tlast(m_last), .frame_error(error));
endmodule
`default_nettype wire
"""
