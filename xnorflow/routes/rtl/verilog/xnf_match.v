// SPDX-License-Identifier: MIT
// The products: bit b of value i meets weight i of each of PE neurons.
//
// The weight memory holds 1 for a weight of -1, and a hit is an input bit of 0 at a weight of -1, so
// that an input bit of 1 only has to clear a register: no LUT. Weights are sorted by value, then neuron:
// those that one bit clears stand side by side. Hits are sorted by neuron, bit, value.
// Timing: one cycle.
`default_nettype none
module xnf_match #(
    parameter PE = 1,    // neurons at work in a cycle
    parameter SIMD = 1,  // input values of each neuron in a cycle
    parameter BITS = 1   // bits per value
) (
    input  wire                    clk,    // rising edge
    input  wire [SIMD*BITS-1:0]    x,      // values, unsigned, first one lowest; in every cycle
    input  wire [PE*SIMD-1:0]      minus,  // same cycle as `x`: bit value*PE + neuron is 1 for a weight of -1
    output wire [PE*SIMD*BITS-1:0] hits    // bit (neuron*BITS + bit)*SIMD + value; one cycle after `x` and `minus`
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (PE < 1) begin : pe_must_be_1_or_more
            xnf_error_pe_must_be_1_or_more stop ();
        end
        if (SIMD < 1) begin : simd_must_be_1_or_more
            xnf_error_simd_must_be_1_or_more stop ();
        end
        if (BITS < 1) begin : bits_must_be_1_or_more
            xnf_error_bits_must_be_1_or_more stop ();
        end
    endgenerate
    genvar p, i, b;
    generate
        for (p = 0; p < PE; p = p + 1) begin : neuron
            for (b = 0; b < BITS; b = b + 1) begin : plane
                reg [SIMD-1:0] hit;
                assign hits[(p*BITS + b)*SIMD +: SIMD] = hit;
`ifdef XNF_CELLS
                for (i = 0; i < SIMD; i = i + 1) begin : value
                    always @(posedge clk)
                        if (x[i*BITS + b]) hit[i] <= 1'b0;
                        else hit[i] <= minus[i*PE + p];
                end
`else
                wire [SIMD-1:0] bits, weights;
                for (i = 0; i < SIMD; i = i + 1) begin : value
                    assign bits[i] = x[i*BITS + b];
                    assign weights[i] = minus[i*PE + p];
                end
                always @(posedge clk) hit <= weights & ~bits;
`endif
            end
        end
    endgenerate
endmodule
`default_nettype wire
