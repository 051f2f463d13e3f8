// SPDX-License-Identifier: MIT
// Counter cell: six bits to their sum, 0 to 6.
// Behind XNF_CELLS it is primitives of the 7-series, so that no optimiser takes the counters apart; a proof that
// both forms are equal is in the tests. Combinational.
//
// A pair of carry positions counts six bits a0..a5 of one column. With t = a0 + ... + a4:
//   position 0: LUT = parity(a0..a5), DI = a5: the full adder of parity(t), a5 and the carry in;
//   position 1: t >> 1 is 0, 1 or 2: LUT = its low bit, DI = its high bit, which is the carry out
//               where the low bit is 0.
// The sum bits have the weights of the two positions; the carry out has the next one.
`default_nettype none
(* keep_hierarchy *) module xnf_63 (
    input  wire [5:0] a,  // bits of weight 1, in any order
    output wire [2:0] y   // their sum, unsigned, same cycle
);
`ifdef XNF_CELLS
    wire [3:0] o, co;
    wire s0, s1, d1;
    LUT6   #(.INIT(64'h6996966996696996)) l0 (.O(s0), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4]), .I5(a[5]));
    LUT6_2 #(.INIT(64'h177E7EE8E8808000)) l1 (.O6(s1), .O5(d1), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4]), .I5(1'b1));
    CARRY4 chain (.CO(co), .O(o), .CI(1'b0), .CYINIT(1'b0), .DI({2'b00, d1, a[5]}), .S({2'b00, s1, s0}));
    assign y = {co[1], o[1:0]};
`else
    assign y = {2'b0, a[0]} + {2'b0, a[1]} + {2'b0, a[2]} + {2'b0, a[3]} + {2'b0, a[4]} + {2'b0, a[5]};
`endif
endmodule
`default_nettype wire
