// Splits each word of PARTS * WIDTH bits into PARTS words, lowest first.
module xnf_narrow #(
    parameter PARTS = 2,
    parameter WIDTH = 1
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   s_valid,
    output wire                   s_ready,
    input  wire [PARTS*WIDTH-1:0] s_data,
    output wire                   m_valid,
    input  wire                   m_ready,
    output wire [WIDTH-1:0]       m_data
);
    localparam CW = $clog2(PARTS + 1);
    localparam [31:0] ALL_VALUE = PARTS;
    localparam [CW-1:0] ALL = ALL_VALUE[CW-1:0];
    reg [PARTS*WIDTH-1:0] word;
    reg [CW-1:0]          left;     // parts still to go
    assign m_valid = left != {CW{1'b0}};
    assign m_data = word[WIDTH-1:0];
    assign s_ready = !m_valid || (m_ready && left == {{(CW-1){1'b0}}, 1'b1});

    always @(posedge clk)
        if (rst) left <= {CW{1'b0}};
        else if (s_valid && s_ready) left <= ALL;
        else if (m_valid && m_ready) left <= left - 1'b1;

    always @(posedge clk)
        if (s_valid && s_ready) word <= s_data;
        else if (m_valid && m_ready) word <= word >> WIDTH;
endmodule
