// WIDTH bits, CYCLES cycles later. They are 0 for CYCLES cycles after a reset of as many cycles or fewer.
module xnf_delay #(
    parameter CYCLES = 1,
    parameter WIDTH = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [WIDTH-1:0] d,
    output wire [WIDTH-1:0] q
);
    reg [CYCLES*WIDTH-1:0] line;
    assign q = line[CYCLES*WIDTH-1 -: WIDTH];
    generate
        if (CYCLES > 1) begin : several
            always @(posedge clk)
                if (rst) line <= {(CYCLES*WIDTH){1'b0}};
                else line <= {line[(CYCLES-1)*WIDTH-1:0], d};
        end else begin : one
            always @(posedge clk)
                if (rst) line <= {WIDTH{1'b0}};
                else line <= d;
        end
    endgenerate
endmodule
