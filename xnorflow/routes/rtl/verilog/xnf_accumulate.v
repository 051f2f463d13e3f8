// SPDX-License-Identifier: MIT
// Adds up the sums of a group's chunks, modulo 2**WIDTH; with `first` it starts anew.
//
// Timing: one cycle.
`default_nettype none
module xnf_accumulate #(
    parameter WIDTH = 8  // bits of sums and total
) (
    input  wire             clk,    // rising edge
    input  wire             first,  // same cycle as `sum`: it is the first of its group
    input  wire [WIDTH-1:0] sum,    // number to add, two's complement; one in every cycle
    output reg  [WIDTH-1:0] total   // sum of the group so far, two's complement; one cycle after `sum`
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (WIDTH < 1) begin : width_must_be_1_or_more
            xnf_error_width_must_be_1_or_more stop ();
        end
    endgenerate
    always @(posedge clk) total <= (first ? {WIDTH{1'b0}} : total) + sum;
endmodule
`default_nettype wire
