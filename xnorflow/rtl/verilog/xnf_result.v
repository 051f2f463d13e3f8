// The last step: collects the scores of one image and finds the class, the first of the largest.
//
// tdata = {score[CLASSES-1], ..., score[0], class}, each score sign-extended to FIELD bits, the class
// in 16 bits; one beat per image.
module xnf_result #(
    parameter CLASSES = 10,
    parameter PE = 1,           // scores per incoming word
    parameter WIDTH = 10,       // bits of a score
    parameter FIELD = 16        // bits of a score in tdata
) (
    input  wire                        clk,
    input  wire                        rst,
    input  wire                        s_valid,
    output wire                        s_ready,
    input  wire [PE*WIDTH-1:0]         s_data,
    output reg                         m_axis_tvalid,
    input  wire                        m_axis_tready,
    output wire                        m_axis_tlast,
    output wire [CLASSES*FIELD+15:0]   m_axis_tdata
);
    localparam WORDS = (CLASSES + PE - 1) / PE;
    localparam [15:0] END = (WORDS - 1) * PE;
    reg  [WORDS*PE*WIDTH-1:0] scores;
    reg  [15:0]               first;        // class of the word's first score
    reg  [15:0]               best_class, now_class;
    reg  [WIDTH-1:0]          best, now;
    wire                      take = s_valid && s_ready;
    assign s_ready = !m_axis_tvalid || m_axis_tready;
    assign m_axis_tlast = 1'b1;
    assign m_axis_tdata[15:0] = best_class;

    integer i;
    always @* begin
        now = best;
        now_class = best_class;
        for (i = 0; i < PE; i = i + 1)
            if ((i == 0 && first == 16'd0)
                || ({16'd0, first} + i < CLASSES && $signed(s_data[i*WIDTH +: WIDTH]) > $signed(now))) begin
                now = s_data[i*WIDTH +: WIDTH];
                now_class = first + i[15:0];
            end
    end

    always @(posedge clk)
        if (rst) begin
            m_axis_tvalid <= 1'b0;
            first <= 16'd0;
        end else if (take) begin
            m_axis_tvalid <= first == END;
            first <= first == END ? 16'd0 : first + PE[15:0];
        end else if (m_axis_tready) m_axis_tvalid <= 1'b0;

    always @(posedge clk)
        if (take) begin
            best <= now;
            best_class <= now_class;
        end

    generate
        if (WORDS > 1) begin : several
            always @(posedge clk) if (take) scores <= {s_data, scores[WORDS*PE*WIDTH-1:PE*WIDTH]};
        end else begin : one
            always @(posedge clk) if (take) scores <= s_data;
        end
    endgenerate

    genvar c;
    generate
        for (c = 0; c < CLASSES; c = c + 1) begin : fields
            assign m_axis_tdata[16 + c*FIELD +: FIELD] =
                {{(FIELD-WIDTH){scores[c*WIDTH + WIDTH-1]}}, scores[c*WIDTH +: WIDTH]};
        end
    endgenerate
endmodule
