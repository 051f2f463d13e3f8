// Input of a layer that reads an image in CHUNKS words of RATIO incoming words each.
//
// Two images fit: one is read, again and again, while the next one is written. `available` says
// that there is one to read, `release_image` gives its place back. `x` follows `chunk` by one cycle,
// `ones` by LAG + 2: the sum of the image's values, but 0 except with chunk 0. `more` is the sum of the
// values of the word taken LAG + 1 cycles ago.
module xnf_chunks #(
    parameter WORDS = 4,        // incoming words per image
    parameter RATIO = 2,        // incoming words per chunk; the last chunk may have fewer, in its top part
    parameter COUNT = 1,        // values per incoming word
    parameter BITS = 1,         // bits per value
    parameter MORE = 1,         // bits of the sum of a word's values
    parameter ONES = 1,         // bits of the sum of all values
    parameter LAG = 0,          // cycles by which sums come later than the word's next cycle
    parameter CB = 1            // bits of `chunk`
) (
    input  wire                        clk,
    input  wire                        rst,
    input  wire                        s_valid,
    output wire                        s_ready,
    input  wire [COUNT*BITS-1:0]       s_data,
    input  wire [MORE-1:0]             more,
    output wire                        available,
    input  wire                        release_image,
    input  wire [CB-1:0]               chunk,
    output reg  [RATIO*COUNT*BITS-1:0] x,
    output reg  [ONES-1:0]             ones
);
    localparam W = COUNT * BITS;
    localparam CW = $clog2(WORDS + 1);
    localparam RW = RATIO > 1 ? $clog2(RATIO) : 1;
    localparam [31:0] END_VALUE = WORDS - 1;
    localparam [CW-1:0] END = END_VALUE[CW-1:0];
    localparam [31:0] FULL_VALUE = RATIO - 1;
    localparam [RW-1:0] FULL = FULL_VALUE[RW-1:0];

    (* ram_style = "distributed" *)
    reg  [RATIO*W-1:0] memory [0:2**(CB+1)-1];
    wire [RATIO*W-1:0] word;
    reg  [CW-1:0]      position;
    reg  [RW-1:0]      part;
    reg  [CB-1:0]      place;
    reg                filling, reading;    // which of the two images
    reg  [1:0]         complete;
    reg  [ONES-1:0]    total, total0, total1;
    wire               taken, first, ended, ended_filling, was_first, was_reading;  // LAG + 1 cycles ago
    wire [ONES-1:0]    sum = (first ? {ONES{1'b0}} : total) + {{(ONES-MORE){1'b0}}, more};
    wire               last = position == END;
    wire               take = s_valid && s_ready;
    assign s_ready = !complete[filling];
    assign available = complete[reading];

    // needs no reset: what it remembers of an image before comes before the next image's
    xnf_delay #(.CYCLES(LAG + 1), .WIDTH(6)) ago (
        .clk(clk), .rst(1'b0),
        .d({take, position == {CW{1'b0}}, take && last, filling, chunk == {CB{1'b0}}, reading}),
        .q({taken, first, ended, ended_filling, was_first, was_reading})
    );

    always @(posedge clk)
        if (rst) begin
            position <= {CW{1'b0}};
            part <= {RW{1'b0}};
            place <= {CB{1'b0}};
            filling <= 1'b0;
            reading <= 1'b0;
            complete <= 2'b00;
        end else begin
            if (take) begin
                position <= last ? {CW{1'b0}} : position + 1'b1;
                part <= last || part == FULL ? {RW{1'b0}} : part + 1'b1;
                if (last) place <= {CB{1'b0}};
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
        if (!was_first) ones <= {ONES{1'b0}};
        else ones <= was_reading ? total1 : total0;
    end

    generate
        if (RATIO > 1) begin : several
            reg [(RATIO-1)*W-1:0] earlier;
            assign word = {s_data, earlier};
            if (RATIO > 2) begin : shift
                always @(posedge clk) if (take) earlier <= {s_data, earlier[(RATIO-1)*W-1:W]};
            end else begin : single
                always @(posedge clk) if (take) earlier <= s_data;
            end
        end else begin : one
            assign word = s_data;
        end
    endgenerate
endmodule
