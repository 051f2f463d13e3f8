// Input of a layer that reads a whole image (or patch) in every cycle.
//
// Words are shifted into `fill`; `available` says that it is complete. When the layer is `idle` it moves
// to `x`, where it stays while the next image is shifted in behind it. `more` is the sum of the values
// of the word taken LAG + 1 cycles ago; `ones`, that of the image's, comes LAG + 1 cycles after `x`.
module xnf_hold #(
    parameter WORDS = 1,        // words per image
    parameter COUNT = 1,        // values per word
    parameter BITS = 1,         // bits per value
    parameter MORE = 1,         // bits of the sum of a word's values
    parameter ONES = 1,         // bits of the sum of all values
    parameter LAG = 0           // cycles by which sums come later than the word's next cycle
) (
    input  wire                        clk,
    input  wire                        rst,
    input  wire                        s_valid,
    output wire                        s_ready,
    input  wire [COUNT*BITS-1:0]       s_data,
    input  wire [MORE-1:0]             more,
    output reg                         available,
    input  wire                        idle,
    output reg  [WORDS*COUNT*BITS-1:0] x,
    output reg  [ONES-1:0]             ones
);
    localparam W = COUNT * BITS;
    localparam CW = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam [31:0] END_VALUE = WORDS - 1;
    localparam [CW-1:0] END = END_VALUE[CW-1:0];

    reg  [WORDS*W-1:0] fill;
    reg  [CW-1:0]      position;
    reg  [ONES-1:0]    total;
    wire               taken, first, loaded;    // LAG + 1 cycles ago
    wire               last = position == END;
    wire               take = s_valid && s_ready;
    wire               load = available && idle;
    assign s_ready = !available || idle;

    // needs no reset: what it remembers of an image before comes before the next image's
    xnf_delay #(.CYCLES(LAG + 1), .WIDTH(3)) ago (
        .clk(clk), .rst(1'b0), .d({take, position == {CW{1'b0}}, load}), .q({taken, first, loaded})
    );

    always @(posedge clk)
        if (rst) begin
            available <= 1'b0;
            position <= {CW{1'b0}};
        end else begin
            if (take) position <= last ? {CW{1'b0}} : position + 1'b1;
            if (take && last) available <= 1'b1;
            else if (load) available <= 1'b0;
        end

    always @(posedge clk) begin
        if (taken) total <= (first ? {ONES{1'b0}} : total) + {{(ONES-MORE){1'b0}}, more};
        if (load) x <= fill;
        if (loaded) ones <= total;
    end

    generate
        if (WORDS > 1) begin : several
            always @(posedge clk) if (take) fill <= {s_data, fill[WORDS*W-1:W]};
        end else begin : one
            always @(posedge clk) if (take) fill <= s_data;
        end
    endgenerate
endmodule
