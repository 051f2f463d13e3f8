// SPDX-License-Identifier: MIT
// The sum of three numbers, modulo 2**WIDTH: a LUT with two outputs for each bit, and one carry chain.
//
// Each LUT adds up the bits of its column and gives their carry to its neighbour, where the chain takes it
// as the second number beside the neighbour's sum. Combinational.
`default_nettype none
(* keep_hierarchy *) module xnf_add3 #(
    parameter WIDTH = 6  // bits of each number
) (
    input  wire [WIDTH-1:0] a,  // two's complement, or unsigned
    input  wire [WIDTH-1:0] b,  // as `a`
    input  wire [WIDTH-1:0] c,  // as `a`
    output wire [WIDTH-1:0] y   // their sum, same cycle
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (WIDTH < 1) begin : width_must_be_1_or_more
            xnf_error_width_must_be_1_or_more stop ();
        end
    endgenerate
`ifdef XNF_CELLS
    localparam FOURS = (WIDTH + 3) / 4;
    wire [FOURS*4-1:0] s, o, co, carry;     // carry: of the column below
    assign y = o[WIDTH-1:0];
    assign carry[0] = 1'b0;
    genvar i;
    generate
        for (i = 0; i < FOURS * 4; i = i + 1) begin : column
            if (i + 1 < WIDTH) begin : inner
                LUT6_2 #(.INIT(64'h69699696E8E8E8E8)) l (.O6(s[i]), .O5(carry[i+1]), .I0(a[i]), .I1(b[i]), .I2(c[i]), .I3(1'b0), .I4(carry[i]), .I5(1'b1));
            end else if (i < WIDTH) begin : top
                LUT4 #(.INIT(16'h6996)) l (.O(s[i]), .I0(a[i]), .I1(b[i]), .I2(c[i]), .I3(carry[i]));
            end else begin : none
                assign s[i] = 1'b0;
            end
            if (i >= WIDTH) begin : zero
                assign carry[i] = 1'b0;
            end
        end
        for (i = 0; i < FOURS; i = i + 1) begin : four
            if (i == 0) begin : bottom
                CARRY4 chain (.CO(co[3:0]), .O(o[3:0]), .CI(1'b0), .CYINIT(1'b0), .DI(carry[3:0]), .S(s[3:0]));
            end else begin : above
                CARRY4 chain (.CO(co[i*4 +: 4]), .O(o[i*4 +: 4]), .CI(co[i*4-1]), .CYINIT(1'b0), .DI(carry[i*4 +: 4]), .S(s[i*4 +: 4]));
            end
        end
    endgenerate
`else
    assign y = a + b + c;
`endif
endmodule
`default_nettype wire
