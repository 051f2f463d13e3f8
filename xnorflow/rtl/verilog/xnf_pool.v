// OR over windows of PH x PW positions, for GROUPS words per position. What fills no window is dropped.
module xnf_pool #(
    parameter WIDTH = 1,
    parameter GROUPS = 1,       // words per position
    parameter ROWS = 2,         // positions before pooling
    parameter COLUMNS = 2,
    parameter PH = 2,
    parameter PW = 2
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data
);
    localparam PLACES = (COLUMNS / PW) * GROUPS;
    localparam AB = PLACES > 1 ? $clog2(PLACES) : 1;
    reg  [15:0] group, row, column;     // row and column of the position
    reg  [15:0] in_row, in_column;      // the same within the pooling window
    reg  [AB-1:0] place, window;        // place of this word, and of the window's first word
    localparam [31:0] GROUPS_END = GROUPS - 1, ROWS_END = ROWS - 1, COLUMNS_END = COLUMNS - 1;
    localparam [31:0] PH_END = PH - 1, PW_END = PW - 1;
    localparam [31:0] USED_ROWS = ROWS / PH * PH, USED_COLUMNS = COLUMNS / PW * PW;

    (* ram_style = "distributed" *)
    reg  [WIDTH-1:0] memory [0:2**AB-1];
    wire used = row < USED_ROWS[15:0] && column < USED_COLUMNS[15:0];
    wire first = in_row == 16'd0 && in_column == 16'd0;
    wire last = in_row == PH_END[15:0] && in_column == PW_END[15:0];
    wire take = s_valid && s_ready;
    wire group_last = group == GROUPS_END[15:0];
    wire row_end = column == COLUMNS_END[15:0];
    wire window_end = in_column == PW_END[15:0];
    assign m_data = s_data | (first ? {WIDTH{1'b0}} : memory[place]);
    assign m_valid = s_valid && used && last;
    assign s_ready = m_ready || !(used && last);

    always @(posedge clk) if (take && used) memory[place] <= m_data;

    always @(posedge clk)
        if (rst) begin
            group <= 16'd0;
            row <= 16'd0;
            column <= 16'd0;
            in_row <= 16'd0;
            in_column <= 16'd0;
            place <= {AB{1'b0}};
            window <= {AB{1'b0}};
        end else if (take) begin
            group <= group_last ? 16'd0 : group + 16'd1;
            place <= !group_last ? place + 1'b1 : row_end ? {AB{1'b0}} : window_end ? place + 1'b1 : window;
            if (group_last) begin
                column <= row_end ? 16'd0 : column + 16'd1;
                in_column <= row_end || window_end ? 16'd0 : in_column + 16'd1;
                if (row_end) window <= {AB{1'b0}};
                else if (window_end) window <= place + 1'b1;
                if (row_end) begin
                    row <= row == ROWS_END[15:0] ? 16'd0 : row + 16'd1;
                    in_row <= row == ROWS_END[15:0] || in_row == PH_END[15:0] ? 16'd0 : in_row + 16'd1;
                end
            end
        end
endmodule
