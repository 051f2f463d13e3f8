// score = sum * scale + offset, all signed, two cycles later (one DSP48 or more by width).
module xnf_scale #(
    parameter SUM = 10,
    parameter SCALE = 16,
    parameter WIDTH = 32        // of offset and score
) (
    input  wire                    clk,
    input  wire signed [SUM-1:0]   sum,
    input  wire signed [SCALE-1:0] scale,
    input  wire signed [WIDTH-1:0] offset,
    output reg  signed [WIDTH-1:0] score
);
    reg signed [WIDTH-1:0] product, added;
    always @(posedge clk) begin
        product <= {{(WIDTH-SUM){sum[SUM-1]}}, sum} * {{(WIDTH-SCALE){scale[SCALE-1]}}, scale};
        added <= offset;
        score <= product + added;
    end
endmodule
