// SPDX-License-Identifier: MIT
// Input of a layer that reads an image in chunks of RATIO incoming words each.
//
// Two images fit: one is read, again and again, while the next one is written.
// Protocol: a word moves in each cycle with s_valid and s_ready both 1. `available` says that there is an image
// to read, `release_image` gives its place back.
// Timing: `x` follows `chunk` by one cycle, `ones` by SUM_LAG + 2.
`default_nettype none
module xnf_chunks #(
    parameter WORDS = 4,          // incoming words per image
    parameter RATIO = 2,          // incoming words per chunk; the last chunk may have fewer, in its top part
    parameter VALUES = 1,         // values per incoming word
    parameter BITS = 1,           // bits per value
    parameter WORD_SUM_BITS = 1,  // bits of the sum of a word's values
    parameter ONES_BITS = 1,      // bits of the sum of all values of an image
    parameter SUM_LAG = 0,        // cycles by which a word's sum comes later than the cycle after the word
    parameter CHUNK_BITS = 1      // bits of `chunk`
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire s_valid,  // a word is offered; it stays until taken
    output wire s_ready,  // the word is taken in this cycle if s_valid
    input  wire [VALUES*BITS-1:0] s_data,  // word, unsigned values, first one in the lowest bits
    input  wire [WORD_SUM_BITS-1:0] word_sum,  // unsigned sum of the values of the word taken SUM_LAG + 1 cycles ago
    output wire available,  // an image is complete, and not yet released
    input  wire release_image,  // the image's last chunk is read in this cycle; only while `available`
    input  wire [CHUNK_BITS-1:0] chunk,  // number of the chunk to read in this cycle
    output reg  [RATIO*VALUES*BITS-1:0] x,  // the chunk's values, first one lowest; one cycle after `chunk`
    output reg  [ONES_BITS-1:0] ones  // unsigned sum of the image's values with chunk 0, else 0; SUM_LAG + 2 after `chunk`
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
        if (RATIO < 1) begin : ratio_must_be_1_or_more
            xnf_error_ratio_must_be_1_or_more stop ();
        end
        if (CHUNK_BITS < 1 || (1 << CHUNK_BITS) < (WORDS + RATIO - 1) / RATIO) begin : chunk_bits_must_hold_the_last_chunk
            xnf_error_chunk_bits_must_hold_the_last_chunk stop ();
        end
    endgenerate
    localparam WORD_BITS = VALUES * BITS;
    localparam POSITION_BITS = $clog2(WORDS + 1);
    localparam PART_BITS = RATIO > 1 ? $clog2(RATIO) : 1;
    localparam [31:0] END_VALUE = WORDS - 1;
    localparam [POSITION_BITS-1:0] END = END_VALUE[POSITION_BITS-1:0];
    localparam [31:0] FULL_VALUE = RATIO - 1;
    localparam [PART_BITS-1:0] FULL = FULL_VALUE[PART_BITS-1:0];

    (* ram_style = "distributed" *)
    reg  [RATIO*WORD_BITS-1:0] memory [0:2**(CHUNK_BITS+1)-1];
    wire [RATIO*WORD_BITS-1:0] word;
    reg  [POSITION_BITS-1:0]      position;
    reg  [PART_BITS-1:0]      part;
    reg  [CHUNK_BITS-1:0]      place;
    reg                filling, reading;    // which of the two images
    reg  [1:0]         complete;
    reg  [ONES_BITS-1:0]    total, total0, total1;
    wire               taken, first, ended, ended_filling, was_first, was_reading;  // SUM_LAG + 1 cycles ago
    wire [ONES_BITS-1:0]    sum = (first ? {ONES_BITS{1'b0}} : total) + {{(ONES_BITS-WORD_SUM_BITS){1'b0}}, word_sum};
    wire               last = position == END;
    wire               take = s_valid && s_ready;
    assign s_ready = !complete[filling];
    assign available = complete[reading];

    // needs no reset: what it remembers of an image before comes before the next image's
    xnf_delay #(.CYCLES(SUM_LAG + 1), .WIDTH(6)) ago (
        .clk(clk), .rst(1'b0),
        .d({take, position == {POSITION_BITS{1'b0}}, take && last, filling, chunk == {CHUNK_BITS{1'b0}}, reading}),
        .q({taken, first, ended, ended_filling, was_first, was_reading})
    );

    always @(posedge clk)
        if (rst) begin
            position <= {POSITION_BITS{1'b0}};
            part <= {PART_BITS{1'b0}};
            place <= {CHUNK_BITS{1'b0}};
            filling <= 1'b0;
            reading <= 1'b0;
            complete <= 2'b00;
        end else begin
            if (take) begin
                position <= last ? {POSITION_BITS{1'b0}} : position + 1'b1;
                part <= last || part == FULL ? {PART_BITS{1'b0}} : part + 1'b1;
                if (last) place <= {CHUNK_BITS{1'b0}};
                else if (part == FULL) place <= place + 1'b1;
            end
            filling <= filling ^ (take && last);
            reading <= reading ^ release_image;
            complete[0] <= (complete[0] && !(release_image && !reading)) || (take && last && !filling);
            complete[1] <= (complete[1] && !(release_image && reading)) || (take && last && filling);
        end

    always @(posedge clk) begin
        if (taken) total <= sum;
        if (ended && !ended_filling) total0 <= sum;
        if (ended && ended_filling) total1 <= sum;
        if (take && (last || part == FULL)) memory[{filling, place}] <= word;
        x <= memory[{reading, chunk}];
        if (!was_first) ones <= {ONES_BITS{1'b0}};
        else ones <= was_reading ? total1 : total0;
    end

    generate
        if (RATIO > 1) begin : several
            reg [(RATIO-1)*WORD_BITS-1:0] earlier;
            assign word = {s_data, earlier};
            if (RATIO > 2) begin : shift
                always @(posedge clk) if (take) earlier <= {s_data, earlier[(RATIO-1)*WORD_BITS-1:WORD_BITS]};
            end else begin : single
                always @(posedge clk) if (take) earlier <= s_data;
            end
        end else begin : one
            assign word = s_data;
        end
    endgenerate
endmodule
`default_nettype wire
