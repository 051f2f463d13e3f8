// score = sum * scale + offset, all signed, two cycles later: one DSP48 up to 18 and 25 bits.
//
// Kept as a module, for with constants Yosys would take the product apart; and the product has no more
// bits than it needs, for Yosys' packing of DSPs leaves copies of the sign without a driver.
(* keep_hierarchy *)
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
    localparam PRODUCT = SUM + SCALE < WIDTH ? SUM + SCALE : WIDTH;
    wire signed [PRODUCT-1:0] left = {{(PRODUCT-SUM){sum[SUM-1]}}, sum};
    wire signed [PRODUCT-1:0] right = {{(PRODUCT-SCALE){scale[SCALE-1]}}, scale};
    reg  signed [PRODUCT-1:0] product;
    reg  signed [WIDTH-1:0]   added;
    generate
        if (WIDTH > PRODUCT) begin : wide
            always @(posedge clk) score <= {{(WIDTH-PRODUCT){product[PRODUCT-1]}}, product} + added;
        end else begin : exact
            always @(posedge clk) score <= product + added;
        end
    endgenerate
    always @(posedge clk) begin
        product <= left * right;
        added <= offset;
    end
endmodule
