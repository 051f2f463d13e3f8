// SPDX-License-Identifier: MIT
// Counter cell: six bits of weight 1 and six of weight 4 to their sum, 0 to 30.
// Behind XNF_CELLS it is primitives of the 7-series, so that no optimiser takes the counters apart; a proof that
// both forms are equal is in the tests. Combinational.
//
// A pair of carry positions counts six bits a0..a5 of one column. With t = a0 + ... + a4:
//   position 0: LUT = parity(a0..a5), DI = a5: the full adder of parity(t), a5 and the carry in;
//   position 1: t >> 1 is 0, 1 or 2: LUT = its low bit, DI = its high bit, which is the carry out
//               where the low bit is 0.
// The sum bits have the weights of the two positions; the carry out has the next one.
`default_nettype none
(* keep_hierarchy *) module xnf_606 (
    input  wire [5:0] a,  // bits of weight 1, in any order
    input  wire [5:0] b,  // bits of weight 4, in any order
    output wire [4:0] y   // their sum, unsigned, same cycle
);
`ifdef XNF_CELLS
    wire [3:0] s, o, co;
    wire d1, d3;
    LUT6   #(.INIT(64'h6996966996696996)) l0 (.O(s[0]), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4]), .I5(a[5]));
    LUT6_2 #(.INIT(64'h177E7EE8E8808000)) l1 (.O6(s[1]), .O5(d1), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4]), .I5(1'b1));
    LUT6   #(.INIT(64'h6996966996696996)) l2 (.O(s[2]), .I0(b[0]), .I1(b[1]), .I2(b[2]), .I3(b[3]), .I4(b[4]), .I5(b[5]));
    LUT6_2 #(.INIT(64'h177E7EE8E8808000)) l3 (.O6(s[3]), .O5(d3), .I0(b[0]), .I1(b[1]), .I2(b[2]), .I3(b[3]), .I4(b[4]), .I5(1'b1));
    CARRY4 chain (.CO(co), .O(o), .CI(1'b0), .CYINIT(1'b0), .DI({d3, b[5], d1, a[5]}), .S(s));
    assign y = {co[3], o};
`else
    assign y = {4'b0, a[0]} + {4'b0, a[1]} + {4'b0, a[2]} + {4'b0, a[3]} + {4'b0, a[4]} + {4'b0, a[5]}
        + (({4'b0, b[0]} + {4'b0, b[1]} + {4'b0, b[2]} + {4'b0, b[3]} + {4'b0, b[4]} + {4'b0, b[5]}) << 2);
`endif
endmodule
`default_nettype wire
