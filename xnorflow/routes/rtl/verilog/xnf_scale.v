// SPDX-License-Identifier: MIT
// score = sum * scale + offset, all signed: one DSP48 up to 18 and 25 bits.
//
// Kept as a module, for with constants Yosys would take the product apart; and the product has no more
// bits than it needs, for Yosys' packing of DSPs leaves copies of the sign without a driver.
// Timing: two cycles.
`default_nettype none
(* keep_hierarchy *)
module xnf_scale #(
    parameter SUM_BITS = 10,    // bits of `sum`
    parameter SCALE_BITS = 16,  // bits of `scale`
    parameter SCORE_BITS = 32   // bits of `offset` and `score`
) (
    input  wire                         clk,     // rising edge
    input  wire signed [SUM_BITS-1:0]   sum,     // signed; one in every cycle
    input  wire signed [SCALE_BITS-1:0] scale,   // signed, same cycle as `sum`
    input  wire signed [SCORE_BITS-1:0] offset,  // signed, same cycle as `sum`
    output reg  signed [SCORE_BITS-1:0] score    // signed, two cycles after `sum`
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (SUM_BITS < 1 || SUM_BITS > SCORE_BITS) begin : sum_bits_must_be_1_to_score_bits
            xnf_error_sum_bits_must_be_1_to_score_bits stop ();
        end
        if (SCALE_BITS < 1 || SCALE_BITS > SCORE_BITS) begin : scale_bits_must_be_1_to_score_bits
            xnf_error_scale_bits_must_be_1_to_score_bits stop ();
        end
    endgenerate
    localparam PRODUCT = SUM_BITS + SCALE_BITS < SCORE_BITS ? SUM_BITS + SCALE_BITS : SCORE_BITS;
    wire signed [PRODUCT-1:0] left = {{(PRODUCT-SUM_BITS){sum[SUM_BITS-1]}}, sum};
    wire signed [PRODUCT-1:0] right = {{(PRODUCT-SCALE_BITS){scale[SCALE_BITS-1]}}, scale};
    reg  signed [PRODUCT-1:0] product;
    reg  signed [SCORE_BITS-1:0]   added;
    generate
        if (SCORE_BITS > PRODUCT) begin : wide
            always @(posedge clk) score <= {{(SCORE_BITS-PRODUCT){product[PRODUCT-1]}}, product} + added;
        end else begin : exact
            always @(posedge clk) score <= product + added;
        end
    endgenerate
    always @(posedge clk) begin
        product <= left * right;
        added <= offset;
    end
endmodule
`default_nettype wire
