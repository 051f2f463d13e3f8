// SPDX-License-Identifier: MIT
// Keeps images apart by tlast: a short image is filled up with 0, what is too much of a long one is
// dropped, so that each tlast gives one result. Bits of the last beat that belong to no value are cleared.
//
// Protocol: AXI4-Stream in; out, a beat moves in each cycle with valid and ready both 1.
// Timing: a beat passes in the cycle in which it comes.
`default_nettype none
module xnf_frame #(
    parameter BEATS = 49,     // beats per image
    parameter WIDTH = 16,     // bits per beat
    parameter LAST_BITS = 16  // bits of the last beat that are used, the lowest ones
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire s_axis_tvalid,  // a beat is offered; it stays until taken
    output wire s_axis_tready,  // the beat is taken in this cycle if s_axis_tvalid
    input  wire [WIDTH-1:0] s_axis_tdata,  // beat, first value in the lowest bits
    input  wire s_axis_tlast,  // with s_axis_tvalid: the last beat of an image
    output wire m_valid,  // a word is offered; it stays until taken
    input  wire m_ready,  // the word is taken in this cycle if m_valid
    output wire [WIDTH-1:0] m_data,  // beat, with m_valid; BEATS of them per image
    output reg  frame_error  // an image was too short or too long; from the cycle after its beat until reset
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (BEATS < 1) begin : beats_must_be_1_or_more
            xnf_error_beats_must_be_1_or_more stop ();
        end
        if (WIDTH < 1) begin : width_must_be_1_or_more
            xnf_error_width_must_be_1_or_more stop ();
        end
        if (LAST_BITS < 1 || LAST_BITS > WIDTH) begin : last_bits_must_be_1_to_width
            xnf_error_last_bits_must_be_1_to_width stop ();
        end
    endgenerate
    localparam COUNT_BITS = BEATS > 1 ? $clog2(BEATS) : 1;
    localparam [31:0] BEFORE_VALUE = BEATS > 1 ? BEATS - 2 : 0;
    localparam [COUNT_BITS-1:0] BEFORE = BEFORE_VALUE[COUNT_BITS-1:0];
    reg  [COUNT_BITS-1:0] position;
    reg           filling, dropping;
    reg           last;         // the beat to come is an image's last
    wire          take = m_valid && m_ready;
    assign s_axis_tready = dropping || (m_ready && !filling);
    assign m_valid = filling || (s_axis_tvalid && !dropping);
    assign m_data = s_axis_tdata & {WIDTH{!filling}} & (last ? {WIDTH{1'b1}} >> (WIDTH - LAST_BITS) : {WIDTH{1'b1}});

    always @(posedge clk)
        if (rst) begin
            position <= {COUNT_BITS{1'b0}};
            last <= BEATS == 1;
            filling <= 1'b0;
            dropping <= 1'b0;
            frame_error <= 1'b0;
        end else if (dropping) begin
            if (s_axis_tvalid && s_axis_tlast) dropping <= 1'b0;
        end else if (take) begin
            position <= last ? {COUNT_BITS{1'b0}} : position + 1'b1;
            last <= BEATS == 1 || (!last && position == BEFORE);
            filling <= !last && (filling || s_axis_tlast);
            dropping <= last && !filling && !s_axis_tlast;
            if (!filling && last != s_axis_tlast) frame_error <= 1'b1;
        end
endmodule
`default_nettype wire
