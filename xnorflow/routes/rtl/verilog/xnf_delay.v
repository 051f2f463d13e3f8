// SPDX-License-Identifier: MIT
// A delay line.
//
// Timing: CYCLES cycles. The output is 0 for CYCLES cycles after a reset of as many cycles or fewer.
`default_nettype none
module xnf_delay #(
    parameter CYCLES = 1,  // cycles of delay
    parameter WIDTH = 1    // bits
) (
    input  wire             clk,  // rising edge
    input  wire             rst,  // synchronous, active high: clears the whole line
    input  wire [WIDTH-1:0] d,    // value, in every cycle
    output wire [WIDTH-1:0] q     // `d` of CYCLES cycles ago
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (CYCLES < 1) begin : cycles_must_be_1_or_more
            xnf_error_cycles_must_be_1_or_more stop ();
        end
        if (WIDTH < 1) begin : width_must_be_1_or_more
            xnf_error_width_must_be_1_or_more stop ();
        end
    endgenerate
    reg [CYCLES*WIDTH-1:0] line;
    assign q = line[CYCLES*WIDTH-1 -: WIDTH];
    generate
        if (CYCLES > 1) begin : several
            always @(posedge clk)
                if (rst) line <= {(CYCLES*WIDTH){1'b0}};
                else line <= {line[(CYCLES-1)*WIDTH-1:0], d};
        end else begin : one
            always @(posedge clk)
                if (rst) line <= {WIDTH{1'b0}};
                else line <= d;
        end
    endgenerate
endmodule
`default_nettype wire
