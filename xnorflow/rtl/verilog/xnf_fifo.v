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
    reg [5:0] reserved;     // places taken, 0 to 32
    reg [5:0] last;         // place of the oldest word, 63 (-1) when there is none
    wire pop = m_valid && m_ready;
    assign room = !reserved[5];
    assign m_valid = !last[5];

    always @(posedge clk)
        if (rst) begin
            reserved <= 6'd0;
            last <= 6'd63;
        end else begin
            if (reserve != pop) reserved <= reserve ? reserved + 6'd1 : reserved - 6'd1;
            if (push != pop) last <= push ? last + 6'd1 : last - 6'd1;
        end

    genvar b;
    generate
        for (b = 0; b < WIDTH; b = b + 1) begin : bits
`ifdef XNF_CELLS
            SRLC32E line (.CLK(clk), .CE(push), .D(push_data[b]), .A(last[4:0]), .Q(m_data[b]));
`else
            reg [31:0] line;
            always @(posedge clk) if (push) line <= {line[30:0], push_data[b]};
            assign m_data[b] = line[last[4:0]];
`endif
        end
    endgenerate
endmodule
