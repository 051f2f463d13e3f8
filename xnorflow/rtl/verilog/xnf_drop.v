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
    localparam [31:0] KEEP_END_VALUE = KEEP - 1;
    reg  [CW-1:0] count;
    reg           keep;
    wire          last = count == END_VALUE[CW-1:0];
    assign m_valid = s_valid && keep;
    assign s_ready = m_ready || !keep;
    always @(posedge clk)
        if (rst) begin
            count <= {CW{1'b0}};
            keep <= 1'b1;
        end else if (s_valid && s_ready) begin
            count <= last ? {CW{1'b0}} : count + 1'b1;
            keep <= last || (keep && count != KEEP_END_VALUE[CW-1:0]);
        end
endmodule
