// Input of a layer that reads a whole image (or patch) in every cycle.
//
// Words are shifted into `fill`; `available` says that it is complete. With `load` it moves to `x`,
// where it stays while the next image is shifted in behind it. `ones` is the sum of its values.
module xnf_hold #(
    parameter WORDS = 1,        // words per image
    parameter COUNT = 1,        // values per word
    parameter BITS = 1,         // bits per value
    parameter ONES = 1          // bits of the sum of all values
) (
    input  wire                        clk,
    input  wire                        rst,
    input  wire                        s_valid,
    output wire                        s_ready,
    input  wire [COUNT*BITS-1:0]       s_data,
    output reg                         available,
    input  wire                        load,
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
    wire [ONES-1:0]    more;
    wire               last = position == END;
    wire               take = s_valid && s_ready;
    assign s_ready = !available || load;

    xnf_ones #(.COUNT(COUNT), .BITS(BITS), .WIDTH(ONES)) count (.word(s_data), .sum(more));

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
        if (take) total <= (position == {CW{1'b0}} ? {ONES{1'b0}} : total) + more;
        if (load) x <= fill;
        if (load) ones <= total;
    end

    generate
        if (WORDS > 1) begin : several
            always @(posedge clk) if (take) fill <= {s_data, fill[WORDS*W-1:W]};
        end else begin : one
            always @(posedge clk) if (take) fill <= s_data;
        end
    endgenerate
endmodule
