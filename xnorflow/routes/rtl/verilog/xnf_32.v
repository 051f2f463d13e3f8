// SPDX-License-Identifier: MIT
// Full adder: three bits to their sum, 0 to 3, in one LUT with two outputs. Combinational.
`default_nettype none
(* keep_hierarchy *) module xnf_32 (
    input  wire [2:0] a,  // bits of weight 1, in any order
    output wire [1:0] y   // their sum, unsigned, same cycle
);
`ifdef XNF_CELLS
    LUT6_2 #(.INIT(64'h96969696E8E8E8E8)) l (.O6(y[0]), .O5(y[1]), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(1'b0), .I4(1'b0), .I5(1'b1));
`else
    assign y = {1'b0, a[0]} + {1'b0, a[1]} + {1'b0, a[2]};
`endif
endmodule
`default_nettype wire
