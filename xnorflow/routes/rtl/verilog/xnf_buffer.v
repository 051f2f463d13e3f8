// SPDX-License-Identifier: MIT
// Input of a layer that reads a whole image (or patch) in every cycle.
//
// Protocol: a word moves in each cycle with s_valid and s_ready both 1. Words are shifted into `fill`; `available`
// says that it is complete. When the layer is `idle` it moves to `x`, where it stays while the next image is
// shifted in behind it.
// Timing: `x` changes one cycle after `available && idle`, `ones` SUM_LAG + 1 cycles after `x`.
`default_nettype none
module xnf_buffer #(
    parameter WORDS = 1,          // words per image
    parameter VALUES = 1,         // values per incoming word
    parameter BITS = 1,           // bits per value
    parameter WORD_SUM_BITS = 1,  // bits of the sum of a word's values
    parameter ONES_BITS = 1,      // bits of the sum of all values of an image
    parameter SUM_LAG = 0         // cycles by which a word's sum comes later than the cycle after the word
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire s_valid,  // a word is offered; it stays until taken
    output wire s_ready,  // the word is taken in this cycle if s_valid
    input  wire [VALUES*BITS-1:0] s_data,  // word, unsigned values, first one in the lowest bits
    input  wire [WORD_SUM_BITS-1:0] word_sum,  // unsigned sum of the values of the word taken SUM_LAG + 1 cycles ago
    output reg  available,  // an image is complete and waits to move to `x`
    input  wire idle,  // the layer begins an image in this cycle if there is one
    output reg  [WORDS*VALUES*BITS-1:0] x,  // the image's values, first one lowest; from the cycle after `available && idle`
    output reg  [ONES_BITS-1:0] ones  // unsigned sum of the image's values, SUM_LAG + 1 cycles after `x`
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (WORDS < 1) begin : words_must_be_1_or_more
            xnf_error_words_must_be_1_or_more stop ();
        end
        if (VALUES < 1) begin : values_must_be_1_or_more
            xnf_error_values_must_be_1_or_more stop ();
        end
        if (BITS < 1 || BITS > 8) begin : bits_must_be_1_to_8
            xnf_error_bits_must_be_1_to_8 stop ();
        end
        if (WORD_SUM_BITS < $clog2(VALUES * ((1 << BITS) - 1) + 1) && WORD_SUM_BITS < ONES_BITS) begin : word_sum_bits_must_hold_the_sum_of_a_word
            xnf_error_word_sum_bits_must_hold_the_sum_of_a_word stop ();
        end
        if (ONES_BITS < WORD_SUM_BITS) begin : ones_bits_must_be_word_sum_bits_or_more
            xnf_error_ones_bits_must_be_word_sum_bits_or_more stop ();
        end
        if (SUM_LAG < 0) begin : sum_lag_must_be_0_or_more
            xnf_error_sum_lag_must_be_0_or_more stop ();
        end
    endgenerate
    localparam WORD_BITS = VALUES * BITS;
    localparam POSITION_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam [31:0] END_VALUE = WORDS - 1;
    localparam [POSITION_BITS-1:0] END = END_VALUE[POSITION_BITS-1:0];

    reg  [WORDS*WORD_BITS-1:0] fill;
    reg  [POSITION_BITS-1:0]      position;
    reg  [ONES_BITS-1:0]    total;
    wire               taken, first, loaded;    // SUM_LAG + 1 cycles ago
    wire               last = position == END;
    wire               take = s_valid && s_ready;
    wire               load = available && idle;
    assign s_ready = !available || idle;

    // needs no reset: what it remembers of an image before comes before the next image's
    xnf_delay #(.CYCLES(SUM_LAG + 1), .WIDTH(3)) ago (
        .clk(clk), .rst(1'b0), .d({take, position == {POSITION_BITS{1'b0}}, load}), .q({taken, first, loaded})
    );

    always @(posedge clk)
        if (rst) begin
            available <= 1'b0;
            position <= {POSITION_BITS{1'b0}};
        end else begin
            if (take) position <= last ? {POSITION_BITS{1'b0}} : position + 1'b1;
            if (take && last) available <= 1'b1;
            else if (load) available <= 1'b0;
        end

    always @(posedge clk) begin
        if (taken) total <= (first ? {ONES_BITS{1'b0}} : total) + {{(ONES_BITS-WORD_SUM_BITS){1'b0}}, word_sum};
        if (load) x <= fill;
        if (loaded) ones <= total;
    end

    generate
        if (WORDS > 1) begin : several
            always @(posedge clk) if (take) fill <= {s_data, fill[WORDS*WORD_BITS-1:WORD_BITS]};
        end else begin : one
            always @(posedge clk) if (take) fill <= s_data;
        end
    endgenerate
endmodule
`default_nettype wire
