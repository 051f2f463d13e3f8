// Passes KEEP words of every KEEP + DROP and drops the others: the padding behind an image.
module xnf_drop #(
    parameter KEEP = 1,
    parameter DROP = 1
) (
    input  wire clk,
    input  wire rst,
    input  wire s_valid,
    output wire s_ready,
    output wire m_valid,
    input  wire m_ready
);
    localparam CW = $clog2(KEEP + DROP);
    localparam [31:0] END_VALUE = KEEP + DROP - 1;
    localparam [31:0] KEEP_VALUE = KEEP;
    reg  [CW-1:0] count;
    wire          keep = count < KEEP_VALUE[CW-1:0];
    assign m_valid = s_valid && keep;
    assign s_ready = m_ready || !keep;
    always @(posedge clk)
        if (rst) count <= {CW{1'b0}};
        else if (s_valid && s_ready) count <= count == END_VALUE[CW-1:0] ? {CW{1'b0}} : count + 1'b1;
endmodule
