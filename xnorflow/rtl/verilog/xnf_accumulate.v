// Adds up the sums of a group's chunks; with `first` it starts anew.
module xnf_accumulate #(
    parameter WIDTH = 8
) (
    input  wire             clk,
    input  wire             first,
    input  wire [WIDTH-1:0] sum,
    output reg  [WIDTH-1:0] total
);
    always @(posedge clk) total <= (first ? {WIDTH{1'b0}} : total) + sum;
endmodule
