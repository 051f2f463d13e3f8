// SPDX-License-Identifier: MIT
// Max-pooling of bits: OR over windows of POOL_HEIGHT x POOL_WIDTH positions. What fills no window is dropped.
//
// Protocol: a word moves in each cycle with valid and ready both 1; valid does not wait for ready.
// Timing: a result is offered in the cycle in which the last word of its window comes.
`default_nettype none
module xnf_pool #(
    parameter WIDTH = 1,        // bits of a word: channels
    parameter GROUPS = 1,       // words per position
    parameter ROWS = 2,         // rows of positions before pooling
    parameter COLUMNS = 2,      // positions per row before pooling
    parameter POOL_HEIGHT = 2,  // rows of a pooling window
    parameter POOL_WIDTH = 2    // columns of a pooling window
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire s_valid,  // a word is offered; it stays until taken
    output wire s_ready,  // the word is taken in this cycle if s_valid
    input  wire [WIDTH-1:0] s_data,  // a group of channels, with s_valid; positions row by row, all groups of each
    output wire m_valid,  // a word is offered; it stays until taken
    input  wire m_ready,  // the word is taken in this cycle if m_valid
    output wire [WIDTH-1:0] m_data  // OR of the group over its window, with m_valid
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (WIDTH < 1) begin : width_must_be_1_or_more
            xnf_error_width_must_be_1_or_more stop ();
        end
        if (GROUPS < 1) begin : groups_must_be_1_or_more
            xnf_error_groups_must_be_1_or_more stop ();
        end
        if (POOL_HEIGHT < 1 || POOL_HEIGHT > ROWS) begin : pool_height_must_be_1_to_rows
            xnf_error_pool_height_must_be_1_to_rows stop ();
        end
        if (POOL_WIDTH < 1 || POOL_WIDTH > COLUMNS) begin : pool_width_must_be_1_to_columns
            xnf_error_pool_width_must_be_1_to_columns stop ();
        end
    endgenerate
    localparam PLACES = (COLUMNS / POOL_WIDTH) * GROUPS;
    localparam PLACE_BITS = PLACES > 1 ? $clog2(PLACES) : 1;
    localparam GROUP_BITS = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam ROW_BITS = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam COLUMN_BITS = COLUMNS > 1 ? $clog2(COLUMNS) : 1;
    localparam IN_ROW_BITS = POOL_HEIGHT > 1 ? $clog2(POOL_HEIGHT) : 1;
    localparam IN_COLUMN_BITS = POOL_WIDTH > 1 ? $clog2(POOL_WIDTH) : 1;
    localparam [31:0] GROUPS_END = GROUPS - 1, ROWS_END = ROWS - 1, COLUMNS_END = COLUMNS - 1;
    localparam [31:0] POOL_HEIGHT_END = POOL_HEIGHT - 1, POOL_WIDTH_END = POOL_WIDTH - 1;
    localparam [31:0] USED_ROWS_END = ROWS / POOL_HEIGHT * POOL_HEIGHT - 1, USED_COLUMNS_END = COLUMNS / POOL_WIDTH * POOL_WIDTH - 1;

    (* ram_style = "distributed" *)
    reg  [WIDTH-1:0] memory [0:2**PLACE_BITS-1];
    reg  [GROUP_BITS-1:0] group;
    reg  [ROW_BITS-1:0] row;                  // row and column of the position
    reg  [COLUMN_BITS-1:0] column;
    reg  [IN_ROW_BITS-1:0] in_row;               // the same within the pooling window
    reg  [IN_COLUMN_BITS-1:0] in_column;
    reg           row_left, column_left;// the position is in a row or a column that fills no window
    reg  [PLACE_BITS-1:0] place, window;        // place of this word, and of the window's first word

    wire used = !row_left && !column_left;
    wire first = in_row == {IN_ROW_BITS{1'b0}} && in_column == {IN_COLUMN_BITS{1'b0}};
    wire take = s_valid && s_ready;
    // a counter of one state is none, and what cannot be left over neither
    wire group_last = GROUPS == 1 || group == GROUPS_END[GROUP_BITS-1:0];
    wire last_row = ROWS == 1 || row == ROWS_END[ROW_BITS-1:0];
    wire last_column = COLUMNS == 1 || column == COLUMNS_END[COLUMN_BITS-1:0];
    wire last_in_row = POOL_HEIGHT == 1 || in_row == POOL_HEIGHT_END[IN_ROW_BITS-1:0];
    wire last_in_column = POOL_WIDTH == 1 || in_column == POOL_WIDTH_END[IN_COLUMN_BITS-1:0];
    wire last = last_in_row && last_in_column;
    assign m_data = s_data | (first ? {WIDTH{1'b0}} : memory[place]);
    assign m_valid = s_valid && used && last;
    assign s_ready = m_ready || !(used && last);

    always @(posedge clk) if (take && used) memory[place] <= m_data;

    always @(posedge clk)
        if (rst) begin
            group <= {GROUP_BITS{1'b0}};
            row <= {ROW_BITS{1'b0}};
            column <= {COLUMN_BITS{1'b0}};
            in_row <= {IN_ROW_BITS{1'b0}};
            in_column <= {IN_COLUMN_BITS{1'b0}};
            row_left <= 1'b0;
            column_left <= 1'b0;
            place <= {PLACE_BITS{1'b0}};
            window <= {PLACE_BITS{1'b0}};
        end else if (take) begin
            group <= group_last ? {GROUP_BITS{1'b0}} : group + 1'b1;
            place <= !group_last ? place + 1'b1 : last_column ? {PLACE_BITS{1'b0}} : last_in_column ? place + 1'b1 : window;
            if (group_last) begin
                column <= last_column ? {COLUMN_BITS{1'b0}} : column + 1'b1;
                column_left <= COLUMNS % POOL_WIDTH != 0 && !last_column && (column_left || column == USED_COLUMNS_END[COLUMN_BITS-1:0]);
                in_column <= last_column || last_in_column ? {IN_COLUMN_BITS{1'b0}} : in_column + 1'b1;
                if (last_column) window <= {PLACE_BITS{1'b0}};
                else if (last_in_column) window <= place + 1'b1;
                if (last_column) begin
                    row <= last_row ? {ROW_BITS{1'b0}} : row + 1'b1;
                    row_left <= ROWS % POOL_HEIGHT != 0 && !last_row && (row_left || row == USED_ROWS_END[ROW_BITS-1:0]);
                    in_row <= last_row || last_in_row ? {IN_ROW_BITS{1'b0}} : in_row + 1'b1;
                end
            end
        end
endmodule
`default_nettype wire
