// SPDX-License-Identifier: MIT
// Splits each word into PARTS words.
//
// Protocol: a word moves in each cycle with valid and ready both 1; valid does not wait for ready.
// Timing: the first part is offered from the cycle after its word on; the next word comes in with the last part.
`default_nettype none
module xnf_narrow #(
    parameter PARTS = 2,  // words that one is split into
    parameter WIDTH = 1   // bits of each
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire s_valid,  // a word is offered; it stays until taken
    output wire s_ready,  // the word is taken in this cycle if s_valid
    input  wire [PARTS*WIDTH-1:0] s_data,  // word, first part lowest, with s_valid
    output wire m_valid,  // a word is offered; it stays until taken
    input  wire m_ready,  // the word is taken in this cycle if m_valid
    output wire [WIDTH-1:0] m_data  // part, with m_valid
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (PARTS < 2) begin : parts_must_be_2_or_more
            xnf_error_parts_must_be_2_or_more stop ();
        end
        if (WIDTH < 1) begin : width_must_be_1_or_more
            xnf_error_width_must_be_1_or_more stop ();
        end
    endgenerate
    localparam COUNT_BITS = PARTS > 1 ? $clog2(PARTS) : 1;
    localparam [31:0] BEHIND_VALUE = PARTS - 1;
    reg [PARTS*WIDTH-1:0] word;
    reg [COUNT_BITS-1:0]          left;     // parts behind the one that is offered
    reg                   valid, last;
    wire                  take = s_valid && s_ready;
    assign m_valid = valid;
    assign m_data = word[WIDTH-1:0];
    assign s_ready = !valid || (m_ready && last);

    always @(posedge clk)
        if (rst) begin
            valid <= 1'b0;
            last <= 1'b0;
            left <= {COUNT_BITS{1'b0}};
        end else if (take) begin
            valid <= 1'b1;
            last <= PARTS == 1;
            left <= BEHIND_VALUE[COUNT_BITS-1:0];
        end else if (valid && m_ready) begin
            valid <= !last;
            last <= left == {{(COUNT_BITS-1){1'b0}}, 1'b1};
            left <= left - 1'b1;
        end

    always @(posedge clk)
        if (take) word <= s_data;
        else if (m_valid && m_ready) word <= word >> WIDTH;
endmodule
`default_nettype wire
