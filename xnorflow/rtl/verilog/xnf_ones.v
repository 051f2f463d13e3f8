// The sum of a word's values, one cycle later: six bits at a time to a number of three, then these.
module xnf_ones #(
    parameter COUNT = 1,        // values per word
    parameter BITS = 1,         // bits per value
    parameter SUM = 1           // bits of the sum
) (
    input  wire                  clk,
    input  wire [COUNT*BITS-1:0] data,
    output reg  [SUM-1:0]        sum
);
    localparam SIXES = (COUNT + 5) / 6;
    wire [BITS*SIXES*3-1:0] sixes;
    genvar b, i, k;
    generate
        for (b = 0; b < BITS; b = b + 1) begin : plane
            wire [SIXES*6-1:0] bits;
            for (i = 0; i < SIXES*6; i = i + 1) begin : value
                if (i < COUNT) begin : real_one
                    assign bits[i] = data[i*BITS + b];
                end else begin : padding
                    assign bits[i] = 1'b0;
                end
            end
            for (k = 0; k < SIXES; k = k + 1) begin : six
                // two full adders and their sum, as logic: `+` would become a carry chain
                wire [5:0] a = bits[k*6 +: 6];
                wire low0 = ^a[2:0], high0 = (a[0] & a[1]) | (a[2] & (a[0] | a[1]));
                wire low1 = ^a[5:3], high1 = (a[3] & a[4]) | (a[5] & (a[3] | a[4]));
                wire carry = low0 & low1;
                assign sixes[(b*SIXES + k)*3 +: 3] =
                    {(high0 & high1) | (carry & (high0 | high1)), high0 ^ high1 ^ carry, low0 ^ low1};
            end
        end
    endgenerate

    // carry-save, so that only the last sum is a carry chain
    localparam W = SUM > 3 ? SUM : 3;
    integer p;
    reg [W-1:0] save, carries, next;
    /* verilator lint_off UNUSEDSIGNAL */
    reg [W-1:0] total;
    /* verilator lint_on UNUSEDSIGNAL */
    always @* begin
        save = {W{1'b0}};
        carries = {W{1'b0}};
        for (p = 0; p < BITS*SIXES; p = p + 1) begin
            next = {{(W-3){1'b0}}, sixes[p*3 +: 3]} << (p / SIXES);
            {carries, save} = {((save & carries) | (next & (save ^ carries))) << 1, save ^ carries ^ next};
        end
        total = save + carries;
    end
    always @(posedge clk) sum <= total[SUM-1:0];
endmodule
