// SPDX-License-Identifier: MIT
// The last step: collects the scores of one image and finds the class, the first of the largest.
//
// The scores of a word meet in pairs, a level per cycle, so that a path has one comparison; then the
// word's best meets that of the words before.
// Protocol: AXI4-Stream out, one beat per image; in, a word moves in each cycle with valid and ready both 1.
// Timing: the beat is offered $clog2(PE) + 1 cycles after the image's last word.
`default_nettype none
module xnf_result #(
    parameter CLASSES = 10,  // scores per image
    parameter PE = 1,        // scores per incoming word
    parameter WIDTH = 10,    // bits of a score
    parameter FIELD = 16     // bits of a score in m_axis_tdata
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire s_valid,  // a word is offered; it stays until taken
    output wire s_ready,  // the word is taken in this cycle if s_valid
    input  wire [PE*WIDTH-1:0] s_data,  // signed scores, first class lowest, with s_valid
    output reg  m_axis_tvalid,  // a result is offered; it stays until taken
    input  wire m_axis_tready,  // the result is taken in this cycle if m_axis_tvalid
    output wire m_axis_tlast,  // always 1: a result is one beat
    output wire [CLASSES*FIELD+15:0] m_axis_tdata  // class in bits 15:0, then signed scores of FIELD bits, class 0 lowest
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (CLASSES < 1 || CLASSES > 65535) begin : classes_must_be_1_to_65535
            xnf_error_classes_must_be_1_to_65535 stop ();
        end
        if (PE < 1 || PE > CLASSES) begin : pe_must_be_1_to_classes
            xnf_error_pe_must_be_1_to_classes stop ();
        end
        if (WIDTH < 2 || WIDTH > FIELD) begin : width_must_be_2_to_field
            xnf_error_width_must_be_2_to_field stop ();
        end
    endgenerate
    localparam WORDS = (CLASSES + PE - 1) / PE;
    localparam LEVELS = $clog2(PE);                     // levels of pairs
    localparam TAIL = CLASSES - (WORDS - 1) * PE;       // scores in an image's last word
    localparam [15:0] END = (WORDS - 1) * PE;
    localparam PLACE_BITS = LEVELS > 0 ? LEVELS : 1;
    localparam [WIDTH-1:0] SMALLEST = {1'b1, {(WIDTH-1){1'b0}}};
    wire move = !m_axis_tvalid || m_axis_tready;
    assign s_ready = move;
    assign m_axis_tlast = 1'b1;

    // what fills up the last word is never larger than what stands before it
    wire [PE*WIDTH-1:0] scored;
    genvar i, l;
    generate
        if (TAIL < PE) begin : padded
            reg [15:0] coming;
            always @(posedge clk)
                if (rst) coming <= 16'd0;
                else if (move && s_valid) coming <= coming == END ? 16'd0 : coming + PE[15:0];
            assign scored = {coming == END ? {(PE-TAIL){SMALLEST}} : s_data[PE*WIDTH-1:TAIL*WIDTH],
                             s_data[TAIL*WIDTH-1:0]};
        end else begin : full
            assign scored = s_data;
        end
    endgenerate

    wire                word_valid;
    wire [PE*WIDTH-1:0] word;
    wire [WIDTH-1:0]    value;          // the word's best score and its place
    wire [PLACE_BITS-1:0]       place;
    generate
        for (l = 0; l < LEVELS; l = l + 1) begin : level
            localparam FROM = (PE + (1 << l) - 1) >> l;
            localparam LEFT = (FROM + 1) / 2;
            wire [FROM*WIDTH-1:0] from_values;
            wire [FROM*PLACE_BITS-1:0]    from_places;
            wire                  from_valid;
            wire [PE*WIDTH-1:0]   from_word;
            reg  [LEFT*WIDTH-1:0] values;
            reg  [LEFT*PLACE_BITS-1:0]    places;
            reg                   valid;
            reg  [PE*WIDTH-1:0]   held;
            if (l == 0) begin : leaves
                assign from_values = scored;
                assign from_valid = s_valid;
                assign from_word = s_data;
                for (i = 0; i < PE; i = i + 1) begin : leaf
                    assign from_places[i*PLACE_BITS +: PLACE_BITS] = i;
                end
            end else begin : pairs
                assign from_values = level[l-1].values;
                assign from_places = level[l-1].places;
                assign from_valid = level[l-1].valid;
                assign from_word = level[l-1].held;
            end
            for (i = 0; i < LEFT; i = i + 1) begin : pair
                if (2*i + 1 < FROM) begin : two
                    wire [WIDTH-1:0] former = from_values[2*i*WIDTH +: WIDTH];
                    wire [WIDTH-1:0] latter = from_values[(2*i+1)*WIDTH +: WIDTH];
                    wire             larger = $signed(latter) > $signed(former);
                    always @(posedge clk)
                        if (move) begin
                            values[i*WIDTH +: WIDTH] <= larger ? latter : former;
                            places[i*PLACE_BITS +: PLACE_BITS] <= larger ? from_places[(2*i+1)*PLACE_BITS +: PLACE_BITS] : from_places[2*i*PLACE_BITS +: PLACE_BITS];
                        end
                end else begin : one
                    always @(posedge clk)
                        if (move) begin
                            values[i*WIDTH +: WIDTH] <= from_values[2*i*WIDTH +: WIDTH];
                            places[i*PLACE_BITS +: PLACE_BITS] <= from_places[2*i*PLACE_BITS +: PLACE_BITS];
                        end
                end
            end
            always @(posedge clk)
                if (rst) valid <= 1'b0;
                else if (move) valid <= from_valid;
            always @(posedge clk) if (move) held <= from_word;
        end
        if (LEVELS > 0) begin : several
            assign word_valid = level[LEVELS-1].valid;
            assign word = level[LEVELS-1].held;
            assign value = level[LEVELS-1].values;
            assign place = level[LEVELS-1].places;
        end else begin : single
            assign word_valid = s_valid;
            assign word = s_data;
            assign value = scored;
            assign place = 1'b0;
        end
    endgenerate

    reg  [WORDS*PE*WIDTH-1:0] scores;
    reg  [15:0]               first;        // class of the word's first score
    reg  [15:0]               best_class;
    reg  [WIDTH-1:0]          best;
    wire                      take = word_valid && move;
    assign m_axis_tdata[15:0] = best_class;

    always @(posedge clk)
        if (rst) begin
            m_axis_tvalid <= 1'b0;
            first <= 16'd0;
        end else if (take) begin
            m_axis_tvalid <= first == END;
            first <= first == END ? 16'd0 : first + PE[15:0];
        end else if (m_axis_tready) m_axis_tvalid <= 1'b0;

    always @(posedge clk)
        if (take && (first == 16'd0 || $signed(value) > $signed(best))) begin
            best <= value;
            best_class <= first + {{(16-PLACE_BITS){1'b0}}, place};
        end

    generate
        if (WORDS > 1) begin : stored
            always @(posedge clk) if (take) scores <= {word, scores[WORDS*PE*WIDTH-1:PE*WIDTH]};
        end else begin : kept
            always @(posedge clk) if (take) scores <= word;
        end
    endgenerate

    genvar c;
    generate
        for (c = 0; c < CLASSES; c = c + 1) begin : fields
            assign m_axis_tdata[16 + c*FIELD +: FIELD] =
                {{(FIELD-WIDTH){scores[c*WIDTH + WIDTH-1]}}, scores[c*WIDTH +: WIDTH]};
        end
    endgenerate
endmodule
`default_nettype wire
