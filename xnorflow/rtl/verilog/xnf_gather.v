// Joins RATIO words of WIDTH bits to one, first word lowest; of the bits the low USED are passed on.
module xnf_gather #(
    parameter RATIO = 2,
    parameter WIDTH = 1,
    parameter USED = 2
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output reg              m_valid,
    input  wire             m_ready,
    output wire [USED-1:0]  m_data
);
    localparam CW = $clog2(RATIO + 1);
    localparam [31:0] END_VALUE = RATIO - 1;
    localparam [CW-1:0] END = END_VALUE[CW-1:0];
    reg  [RATIO*WIDTH-1:0] word;
    reg  [CW-1:0]          count;
    wire                   take = s_valid && s_ready;
    assign s_ready = !m_valid || m_ready;
    assign m_data = word[USED-1:0];

    always @(posedge clk)
        if (rst) begin
            m_valid <= 1'b0;
            count <= {CW{1'b0}};
        end else begin
            if (take) count <= count == END ? {CW{1'b0}} : count + 1'b1;
            // one expression is one LUT; branches would become an enable behind several
            m_valid <= (take && count == END) || (m_valid && !m_ready);
        end
    always @(posedge clk) if (take) word <= {s_data, word[RATIO*WIDTH-1:WIDTH]};
endmodule
