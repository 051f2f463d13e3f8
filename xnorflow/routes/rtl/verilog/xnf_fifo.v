// SPDX-License-Identifier: MIT
// Results of a pipeline that cannot wait, and the credit that keeps it from overflowing.
//
// Protocol: `reserve` takes a place when work enters the pipeline, `push` fills it when the result comes out,
// `m_valid && m_ready` on the reading side gives it back. A place may be reserved only in a cycle with `room`.
// Timing: a word is offered from the cycle after its `push`. `room` comes straight from a register.
// The words stand in a shift register (one SRL32 per bit).
`default_nettype none
module xnf_fifo #(
    parameter WIDTH = 1,   // bits of a word
    parameter PLACES = 32  // results that may be under way or waiting: as many as an SRL32 holds
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire reserve,  // takes a place; only in a cycle with `room`
    output wire room,  // a place is free in this cycle
    input  wire push,  // `push_data` is a result, whose place was reserved earlier
    input  wire [WIDTH-1:0] push_data,  // result, any bits
    output wire m_valid,  // a word is offered; it stays until taken
    input  wire m_ready,  // the word is taken in this cycle if m_valid
    output wire [WIDTH-1:0] m_data  // the oldest result, with m_valid
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (WIDTH < 1) begin : width_must_be_1_or_more
            xnf_error_width_must_be_1_or_more stop ();
        end
        if (PLACES != 32) begin : places_must_be_32
            xnf_error_places_must_be_32 stop ();
        end
    endgenerate
    // 31 more than there are, so that the top bit says whether there is any
    reg [5:0] free;         // places
    reg [5:0] words;        // whose low bits are the oldest word's place
    wire pop = m_valid && m_ready;
    assign room = free[5];
    assign m_valid = words[5];

    always @(posedge clk)
        if (rst) begin
            free <= 6'd63;
            words <= 6'd31;
        end else begin
            if (reserve != pop) free <= pop ? free + 6'd1 : free - 6'd1;
            if (push != pop) words <= push ? words + 6'd1 : words - 6'd1;
        end

    genvar b;
    generate
        for (b = 0; b < WIDTH; b = b + 1) begin : bits
`ifdef XNF_CELLS
            SRLC32E line (.CLK(clk), .CE(push), .D(push_data[b]), .A(words[4:0]), .Q(m_data[b]));
`else
            reg [31:0] line;
            always @(posedge clk) if (push) line <= {line[30:0], push_data[b]};
            assign m_data[b] = line[words[4:0]];
`endif
        end
    endgenerate
endmodule
`default_nettype wire
