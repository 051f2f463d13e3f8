// The sum of a word's values, one cycle later: six bits at a time to a number of three, twice, then these.
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
    localparam SIXES2 = (SIXES + 5) / 6;

    // two full adders and their sum, as logic: `+` would become a carry chain
    function [2:0] six;
        input [5:0] a;
        reg low0, high0, low1, high1, carry;
        begin
            low0 = ^a[2:0];
            high0 = (a[0] & a[1]) | (a[2] & (a[0] | a[1]));
            low1 = ^a[5:3];
            high1 = (a[3] & a[4]) | (a[5] & (a[3] | a[4]));
            carry = low0 & low1;
            six = {(high0 & high1) | (carry & (high0 | high1)), high0 ^ high1 ^ carry, low0 ^ low1};
        end
    endfunction

    // numbers of three bits, SIXES2 for each bit of a value and each bit of the first numbers
    wire [BITS*3*SIXES2*3-1:0] numbers;
    genvar b, i, j, k;
    generate
        for (b = 0; b < BITS; b = b + 1) begin : plane
            wire [SIXES*6-1:0] bits;
            wire [SIXES*3-1:0] sixes;
            for (i = 0; i < SIXES*6; i = i + 1) begin : value
                if (i < COUNT) begin : real_one
                    assign bits[i] = data[i*BITS + b];
                end else begin : padding
                    assign bits[i] = 1'b0;
                end
            end
            for (k = 0; k < SIXES; k = k + 1) begin : first
                assign sixes[k*3 +: 3] = six(bits[k*6 +: 6]);
            end
            for (j = 0; j < 3; j = j + 1) begin : column
                wire [SIXES2*6-1:0] again;
                for (i = 0; i < SIXES2*6; i = i + 1) begin : value
                    if (i < SIXES) begin : real_one
                        assign again[i] = sixes[i*3 + j];
                    end else begin : padding
                        assign again[i] = 1'b0;
                    end
                end
                for (k = 0; k < SIXES2; k = k + 1) begin : second
                    assign numbers[((b*3 + j)*SIXES2 + k)*3 +: 3] = six(again[k*6 +: 6]);
                end
            end
        end
    endgenerate

    // carry-save, so that only the last sum is a carry chain
    localparam W = SUM > 5 ? SUM : 5;
    integer p;
    reg [W-1:0] save, carries, next;
    /* verilator lint_off UNUSEDSIGNAL */
    reg [W-1:0] total;
    /* verilator lint_on UNUSEDSIGNAL */
    always @* begin
        save = {W{1'b0}};
        carries = {W{1'b0}};
        for (p = 0; p < BITS*3*SIXES2; p = p + 1) begin
            next = {{(W-3){1'b0}}, numbers[p*3 +: 3]} << (p / (3*SIXES2) + p / SIXES2 % 3);
            {carries, save} = {((save & carries) | (next & (save ^ carries))) << 1, save ^ carries ^ next};
        end
        total = save + carries;
    end
    always @(posedge clk) sum <= total[SUM-1:0];
endmodule
