// SPDX-License-Identifier: MIT
// Steps a layer through the words of its weights: CHUNKS words for each of GROUPS groups of neurons.
//
// Protocol: one word is issued per cycle while an image is `available` and the result has `room`.
// Timing: all outputs belong to the cycle in which the word is issued.
`default_nettype none
module xnf_sequencer #(
    parameter GROUPS = 1,        // groups of neurons
    parameter CHUNKS = 1,        // words of weights per group
    parameter ADDRESS_BITS = 1,  // bits of `address`
    parameter CHUNK_BITS = 1     // bits of `chunk`
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire available,  // there is an image to read
    input  wire room,  // there is a place for one more result
    output wire issue,  // a word is issued in this cycle
    output wire idle,  // issues the first word of an image if there is one
    output wire finish,  // issues the last word of an image
    output wire group_first,  // issues the first word of a group
    output wire group_last,  // issues the last word of a group
    output wire [ADDRESS_BITS-1:0] address,  // the word's place in the weight memory, unsigned
    output wire [CHUNK_BITS-1:0] chunk  // number of the word in its group, unsigned
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (GROUPS < 1) begin : groups_must_be_1_or_more
            xnf_error_groups_must_be_1_or_more stop ();
        end
        if (CHUNKS < 1) begin : chunks_must_be_1_or_more
            xnf_error_chunks_must_be_1_or_more stop ();
        end
        if (ADDRESS_BITS < 1 || (1 << ADDRESS_BITS) < GROUPS * CHUNKS) begin : address_bits_must_hold_the_last_address
            xnf_error_address_bits_must_hold_the_last_address stop ();
        end
        if (CHUNK_BITS < 1 || (1 << CHUNK_BITS) < CHUNKS) begin : chunk_bits_must_hold_the_last_chunk
            xnf_error_chunk_bits_must_hold_the_last_chunk stop ();
        end
    endgenerate
    localparam [31:0] END_VALUE = GROUPS * CHUNKS - 1;
    localparam [ADDRESS_BITS-1:0] END = END_VALUE[ADDRESS_BITS-1:0];
    localparam [31:0] LAST_VALUE = CHUNKS - 1;
    localparam [CHUNK_BITS-1:0] LAST = LAST_VALUE[CHUNK_BITS-1:0];
    reg [ADDRESS_BITS-1:0] count;
    reg          busy;                  // count is not 0
    assign address = count;
    assign issue = (busy || available) && room;
    assign idle = !busy && room;
    wire at_end;                        // issues the last word next
    assign finish = at_end && issue;

    always @(posedge clk)
        if (rst) begin
            count <= {ADDRESS_BITS{1'b0}};
            busy <= 1'b0;
        end else if (issue) begin
            count <= at_end ? {ADDRESS_BITS{1'b0}} : count + 1'b1;
            busy <= !at_end;
        end

    generate
        // more bits than a LUT has inputs are compared a word before
        if (ADDRESS_BITS > 6) begin : wide
            localparam [ADDRESS_BITS-1:0] BEFORE = END - 1'b1;
            reg before_end;
            assign at_end = before_end;
            always @(posedge clk)
                if (rst) before_end <= 1'b0;
                else if (issue) before_end <= count == BEFORE;
        end else begin : narrow
            assign at_end = count == END;
        end
        if (CHUNKS > 1) begin : chunked
            reg [CHUNK_BITS-1:0] step;
            always @(posedge clk)
                if (rst) step <= {CHUNK_BITS{1'b0}};
                else if (issue) step <= step == LAST ? {CHUNK_BITS{1'b0}} : step + 1'b1;
            assign chunk = step;
            assign group_first = step == {CHUNK_BITS{1'b0}};
            assign group_last = issue && step == LAST;
        end else begin : whole
            assign chunk = {CHUNK_BITS{1'b0}};
            assign group_first = 1'b1;
            assign group_last = issue;
        end
    endgenerate
endmodule
`default_nettype wire
