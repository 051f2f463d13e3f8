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
    localparam CW = PARTS > 1 ? $clog2(PARTS) : 1;
    localparam [31:0] BEHIND_VALUE = PARTS - 1;
    reg [PARTS*WIDTH-1:0] word;
    reg [CW-1:0]          left;     // parts behind the one that is offered
    reg                   valid, last;
    wire                  take = s_valid && s_ready;
    assign m_valid = valid;
    assign m_data = word[WIDTH-1:0];
    assign s_ready = !valid || (m_ready && last);

    always @(posedge clk)
        if (rst) begin
            valid <= 1'b0;
            last <= 1'b0;
            left <= {CW{1'b0}};
        end else if (take) begin
            valid <= 1'b1;
            last <= PARTS == 1;
            left <= BEHIND_VALUE[CW-1:0];
        end else if (valid && m_ready) begin
            valid <= !last;
            last <= left == {{(CW-1){1'b0}}, 1'b1};
            left <= left - 1'b1;
        end

    always @(posedge clk)
        if (take) word <= s_data;
        else if (m_valid && m_ready) word <= word >> WIDTH;
endmodule
