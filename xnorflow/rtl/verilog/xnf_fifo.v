// Results of a pipeline that cannot wait, and the credit that keeps it from overflowing.
//
// `reserve` takes a place when work enters the pipeline, `push` fills it when the result comes out,
// `s_valid && s_ready` on the reading side gives it back. `room` says that a place is free; it
// comes straight from a register. The words stand in a shift register (one SRL32 per bit).
module xnf_fifo #(
    parameter WIDTH = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             reserve,
    output wire             room,
    input  wire             push,
    input  wire [WIDTH-1:0] push_data,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data
);
    // 31 more than there are, so that the top bit says whether there is any
    reg [5:0] free;         // places
    reg [5:0] words;        // whose low bits are the oldest word's place
    wire pop = m_valid && m_ready;
    assign room = free[5];
    assign m_valid = words[5];

    always @(posedge clk)
        if (rst) begin
            free <= 6'd63;
            words <= 6'd31;
        end else begin
            if (reserve != pop) free <= pop ? free + 6'd1 : free - 6'd1;
            if (push != pop) words <= push ? words + 6'd1 : words - 6'd1;
        end

    genvar b;
    generate
        for (b = 0; b < WIDTH; b = b + 1) begin : bits
`ifdef XNF_CELLS
            SRLC32E line (.CLK(clk), .CE(push), .D(push_data[b]), .A(words[4:0]), .Q(m_data[b]));
`else
            reg [31:0] line;
            always @(posedge clk) if (push) line <= {line[30:0], push_data[b]};
            assign m_data[b] = line[words[4:0]];
`endif
        end
    endgenerate
endmodule
