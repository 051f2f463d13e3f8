// The sum of the values of one word: of COUNT values of BITS bits.
module xnf_ones #(
    parameter COUNT = 1,
    parameter BITS = 1,
    parameter WIDTH = 1     // of the sum; a larger sum is taken modulo 2**WIDTH
) (
    input  wire [COUNT*BITS-1:0] word,
    output reg  [WIDTH-1:0]      sum
);
    integer i, b;
    always @* begin
        sum = 0;
        for (i = 0; i < COUNT; i = i + 1)
            for (b = 0; b < BITS; b = b + 1)
                if (b < WIDTH && word[i*BITS + b]) sum = sum + ({{(WIDTH-1){1'b0}}, 1'b1} << b);
    end
endmodule
