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
    localparam GB = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam RB = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam CB = COLUMNS > 1 ? $clog2(COLUMNS) : 1;
    localparam HB = PH > 1 ? $clog2(PH) : 1;
    localparam WB = PW > 1 ? $clog2(PW) : 1;
    localparam [31:0] GROUPS_END = GROUPS - 1, ROWS_END = ROWS - 1, COLUMNS_END = COLUMNS - 1;
    localparam [31:0] PH_END = PH - 1, PW_END = PW - 1;
    localparam [31:0] USED_ROWS_END = ROWS / PH * PH - 1, USED_COLUMNS_END = COLUMNS / PW * PW - 1;

    (* ram_style = "distributed" *)
    reg  [WIDTH-1:0] memory [0:2**AB-1];
    reg  [GB-1:0] group;
    reg  [RB-1:0] row;                  // row and column of the position
    reg  [CB-1:0] column;
    reg  [HB-1:0] in_row;               // the same within the pooling window
    reg  [WB-1:0] in_column;
    reg           row_left, column_left;// the position is in a row or a column that fills no window
    reg  [AB-1:0] place, window;        // place of this word, and of the window's first word

    wire used = !row_left && !column_left;
    wire first = in_row == {HB{1'b0}} && in_column == {WB{1'b0}};
    wire take = s_valid && s_ready;
    // a counter of one state is none, and what cannot be left over neither
    wire group_last = GROUPS == 1 || group == GROUPS_END[GB-1:0];
    wire column_end = ROWS == 1 || row == ROWS_END[RB-1:0];
    wire row_end = COLUMNS == 1 || column == COLUMNS_END[CB-1:0];
    wire in_row_end = PH == 1 || in_row == PH_END[HB-1:0];
    wire in_column_end = PW == 1 || in_column == PW_END[WB-1:0];
    wire last = in_row_end && in_column_end;
    assign m_data = s_data | (first ? {WIDTH{1'b0}} : memory[place]);
    assign m_valid = s_valid && used && last;
    assign s_ready = m_ready || !(used && last);

    always @(posedge clk) if (take && used) memory[place] <= m_data;

    always @(posedge clk)
        if (rst) begin
            group <= {GB{1'b0}};
            row <= {RB{1'b0}};
            column <= {CB{1'b0}};
            in_row <= {HB{1'b0}};
            in_column <= {WB{1'b0}};
            row_left <= 1'b0;
            column_left <= 1'b0;
            place <= {AB{1'b0}};
            window <= {AB{1'b0}};
        end else if (take) begin
            group <= group_last ? {GB{1'b0}} : group + 1'b1;
            place <= !group_last ? place + 1'b1 : row_end ? {AB{1'b0}} : in_column_end ? place + 1'b1 : window;
            if (group_last) begin
                column <= row_end ? {CB{1'b0}} : column + 1'b1;
                column_left <= COLUMNS % PW != 0 && !row_end && (column_left || column == USED_COLUMNS_END[CB-1:0]);
                in_column <= row_end || in_column_end ? {WB{1'b0}} : in_column + 1'b1;
                if (row_end) window <= {AB{1'b0}};
                else if (in_column_end) window <= place + 1'b1;
                if (row_end) begin
                    row <= column_end ? {RB{1'b0}} : row + 1'b1;
                    row_left <= ROWS % PH != 0 && !column_end && (row_left || row == USED_ROWS_END[RB-1:0]);
                    in_row <= column_end || in_row_end ? {HB{1'b0}} : in_row + 1'b1;
                end
            end
        end
endmodule
