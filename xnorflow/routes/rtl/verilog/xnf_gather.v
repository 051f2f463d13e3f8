// SPDX-License-Identifier: MIT
// Joins RATIO words to one; of its bits the low USED are passed on.
//
// Protocol: a word moves in each cycle with valid and ready both 1; valid does not wait for ready.
// Timing: the joined word is offered from the cycle after its last part on.
`default_nettype none
module xnf_gather #(
    parameter RATIO = 2,  // words that are joined
    parameter WIDTH = 1,  // bits of each
    parameter USED = 2    // low bits of the joined word that go on
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire s_valid,  // a word is offered; it stays until taken
    output wire s_ready,  // the word is taken in this cycle if s_valid
    input  wire [WIDTH-1:0] s_data,  // word, with s_valid
    output reg  m_valid,  // a word is offered; it stays until taken
    input  wire m_ready,  // the word is taken in this cycle if m_valid
    output wire [USED-1:0] m_data  // joined word, first part lowest, with m_valid
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (RATIO < 2) begin : ratio_must_be_2_or_more
            xnf_error_ratio_must_be_2_or_more stop ();
        end
        if (WIDTH < 1) begin : width_must_be_1_or_more
            xnf_error_width_must_be_1_or_more stop ();
        end
        if (USED < 1 || USED > RATIO * WIDTH) begin : used_must_be_1_to_ratio_times_width
            xnf_error_used_must_be_1_to_ratio_times_width stop ();
        end
    endgenerate
    localparam COUNT_BITS = $clog2(RATIO + 1);
    localparam [31:0] END_VALUE = RATIO - 1;
    localparam [COUNT_BITS-1:0] END = END_VALUE[COUNT_BITS-1:0];
    reg  [RATIO*WIDTH-1:0] word;
    reg  [COUNT_BITS-1:0]          count;
    wire                   take = s_valid && s_ready;
    assign s_ready = !m_valid || m_ready;
    assign m_data = word[USED-1:0];

    always @(posedge clk)
        if (rst) begin
            m_valid <= 1'b0;
            count <= {COUNT_BITS{1'b0}};
        end else begin
            if (take) count <= count == END ? {COUNT_BITS{1'b0}} : count + 1'b1;
            // one expression is one LUT; branches would become an enable behind several
            m_valid <= (take && count == END) || (m_valid && !m_ready);
        end
    always @(posedge clk) if (take) word <= {s_data, word[RATIO*WIDTH-1:WIDTH]};
endmodule
`default_nettype wire
