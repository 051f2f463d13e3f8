// SPDX-License-Identifier: MIT
// Passes KEEP words of every KEEP + DROP and drops the others: the padding behind an image. The data go past it.
//
// Protocol: a word moves in each cycle with valid and ready both 1; valid does not wait for ready.
// Timing: a word passes in the cycle in which it comes.
`default_nettype none
module xnf_drop #(
    parameter KEEP = 1,  // words of an image that go on
    parameter DROP = 1   // words behind them that do not
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire s_valid,  // a word is offered; it stays until taken
    output wire s_ready,  // the word is taken in this cycle if s_valid
    output wire m_valid,  // the word that is offered is one to keep
    input  wire m_ready   // the word is taken in this cycle if m_valid
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (KEEP < 1) begin : keep_must_be_1_or_more
            xnf_error_keep_must_be_1_or_more stop ();
        end
        if (DROP < 1) begin : drop_must_be_1_or_more
            xnf_error_drop_must_be_1_or_more stop ();
        end
    endgenerate
    localparam COUNT_BITS = $clog2(KEEP + DROP);
    localparam [31:0] END_VALUE = KEEP + DROP - 1;
    localparam [31:0] KEEP_END_VALUE = KEEP - 1;
    reg  [COUNT_BITS-1:0] count;
    reg           keep;
    wire          last = count == END_VALUE[COUNT_BITS-1:0];
    assign m_valid = s_valid && keep;
    assign s_ready = m_ready || !keep;
    always @(posedge clk)
        if (rst) begin
            count <= {COUNT_BITS{1'b0}};
            keep <= 1'b1;
        end else if (s_valid && s_ready) begin
            count <= last ? {COUNT_BITS{1'b0}} : count + 1'b1;
            keep <= last || (keep && count != KEEP_END_VALUE[COUNT_BITS-1:0]);
        end
endmodule
`default_nettype wire
