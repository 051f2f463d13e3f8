// SPDX-License-Identifier: MIT
// Sliding window: stores the lines of an image as they come and sends, for each position of the
// kernel, the pixels under it, row by row. Lines of the next image follow without a gap.
//
// Protocol: a word moves in each cycle with valid and ready both 1; valid does not wait for ready.
// Timing: a row of positions starts when all its lines are there, two cycles after the last pixel of them, and
// frees the lines that no later row needs; one pixel goes out per cycle.
`default_nettype none
module xnf_window #(
    parameter WIDTH = 1,          // bits per pixel, all channels
    parameter IN_HEIGHT = 28,     // lines of an image
    parameter IN_WIDTH = 28,      // pixels of a line
    parameter KERNEL_HEIGHT = 3,  // lines under the kernel
    parameter KERNEL_WIDTH = 3,   // columns under the kernel
    parameter STRIDE_HEIGHT = 1,  // vertical step, in lines
    parameter STRIDE_WIDTH = 1,   // horizontal step, in pixels
    parameter ROWS = 26,          // rows of positions
    parameter COLUMNS = 26,       // positions per row
    parameter LINE_BITS = 3       // 2**LINE_BITS lines are stored
) (
    input  wire clk,  // rising edge
    input  wire rst,  // synchronous, active high; one cycle is enough
    input  wire s_valid,  // a word is offered; it stays until taken
    output wire s_ready,  // the word is taken in this cycle if s_valid
    input  wire [WIDTH-1:0] s_data,  // pixel, first channel lowest, with s_valid; row by row
    output reg  m_valid,  // a word is offered; it stays until taken
    input  wire m_ready,  // the word is taken in this cycle if m_valid
    output reg  [WIDTH-1:0] m_data  // pixel under the kernel, with m_valid; row by row for each position
);
    // parameters that cannot be: elaboration stops at a module that is not defined, whose name says why
    generate
        if (WIDTH < 1) begin : width_must_be_1_or_more
            xnf_error_width_must_be_1_or_more stop ();
        end
        if (KERNEL_HEIGHT < 1 || KERNEL_HEIGHT > IN_HEIGHT) begin : kernel_height_must_be_1_to_in_height
            xnf_error_kernel_height_must_be_1_to_in_height stop ();
        end
        if (KERNEL_WIDTH < 1 || KERNEL_WIDTH > IN_WIDTH) begin : kernel_width_must_be_1_to_in_width
            xnf_error_kernel_width_must_be_1_to_in_width stop ();
        end
        if (STRIDE_HEIGHT < 1 || STRIDE_WIDTH < 1) begin : stride_must_be_1_or_more
            xnf_error_stride_must_be_1_or_more stop ();
        end
        if (ROWS < 1 || (ROWS - 1) * STRIDE_HEIGHT + KERNEL_HEIGHT > IN_HEIGHT) begin : rows_must_fit_into_the_image
            xnf_error_rows_must_fit_into_the_image stop ();
        end
        if (COLUMNS < 1 || (COLUMNS - 1) * STRIDE_WIDTH + KERNEL_WIDTH > IN_WIDTH) begin : columns_must_fit_into_the_image
            xnf_error_columns_must_fit_into_the_image stop ();
        end
        if (LINE_BITS < 1 || (1 << LINE_BITS) < KERNEL_HEIGHT + STRIDE_HEIGHT) begin : line_bits_must_hold_kernel_height_and_stride
            xnf_error_line_bits_must_hold_kernel_height_and_stride stop ();
        end
    endgenerate
    localparam COLUMN_BITS = IN_WIDTH > 1 ? $clog2(IN_WIDTH) : 1;
    localparam I_BITS = KERNEL_HEIGHT > 1 ? $clog2(KERNEL_HEIGHT) : 1;
    localparam J_BITS = KERNEL_WIDTH > 1 ? $clog2(KERNEL_WIDTH) : 1;
    localparam ROW_BITS = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam POSITION_BITS = COLUMNS > 1 ? $clog2(COLUMNS) : 1;
    // lines that a row of positions needs and frees; the last row frees what is left of the image
    localparam [31:0] REST = IN_HEIGHT - (ROWS - 1) * STRIDE_HEIGHT;
    localparam [31:0] NEED = ROWS == 1 ? REST : KERNEL_HEIGHT > STRIDE_HEIGHT ? KERNEL_HEIGHT : STRIDE_HEIGHT;
    localparam [31:0] STEP = STRIDE_HEIGHT;
    // by how much a row's end lowers the lines over those needed: in the last row, and in the one before it
    localparam [31:0] LESS_LAST = NEED, LESS_BEFORE = STRIDE_HEIGHT + REST - NEED;
    localparam [31:0] BEFORE_VALUE = ROWS > 1 ? ROWS - 2 : 0;
    localparam [LINE_BITS+1:0] ABSENT = {(LINE_BITS+2){1'b0}} - NEED[LINE_BITS+1:0];
    localparam [31:0] ACROSS = STRIDE_WIDTH;
    localparam [31:0] IN_WIDTH_END = IN_WIDTH - 1, KERNEL_HEIGHT_END = KERNEL_HEIGHT - 1, KERNEL_WIDTH_END = KERNEL_WIDTH - 1, ROWS_END = ROWS - 1, COLUMNS_END = COLUMNS - 1;

    (* ram_style = "distributed" *)
    reg  [WIDTH-1:0] memory [0:2**(LINE_BITS+COLUMN_BITS)-1];
    reg              full;              // every line stored is still needed
    reg              line_ended;        // one was completed: it counts now, a short path from the pixel that comes in
    reg  [LINE_BITS+1:0]    spare;             // lines over those that the row of positions needs: the top bit says too few
    reg  [LINE_BITS-1:0]    write_line, base;  // line being written; first line under the kernel
    reg  [COLUMN_BITS-1:0]    write_column, left;// column being written; first column under the kernel
    reg  [I_BITS-1:0]    i;                 // pixel under the kernel
    reg  [J_BITS-1:0]    j;
    reg  [ROW_BITS-1:0]    row;               // position
    reg  [POSITION_BITS-1:0]    column;

    wire take = s_valid && s_ready;
    wire column_end = write_column == IN_WIDTH_END[COLUMN_BITS-1:0];
    wire row_last = row == ROWS_END[ROW_BITS-1:0];
    wire column_last = column == COLUMNS_END[POSITION_BITS-1:0];
    wire i_last = i == KERNEL_HEIGHT_END[I_BITS-1:0];
    wire j_last = j == KERNEL_WIDTH_END[J_BITS-1:0];
    wire read = !spare[LINE_BITS+1] && (!m_valid || m_ready);
    wire position_done = read && i_last && j_last;
    wire row_done = position_done && column_last;
    wire row_before = ROWS > 1 && row == BEFORE_VALUE[ROW_BITS-1:0];
    wire [LINE_BITS-1:0] freed = row_last ? REST[LINE_BITS-1:0] : STEP[LINE_BITS-1:0];
    // one place is left: the line being written takes it
    wire [LINE_BITS-1:0] write_next = write_line + 1'b1;
    wire last_place = write_next == base;
    // what the count changes by, as constants to choose from: so it takes one carry chain
    reg [LINE_BITS+1:0] change;
    localparam [LINE_BITS+1:0] ONE = 1;
    always @*
        if (!row_done) change = line_ended ? ONE : {(LINE_BITS+2){1'b0}};
        else if (row_last) change = line_ended ? ONE - LESS_LAST[LINE_BITS+1:0] : -LESS_LAST[LINE_BITS+1:0];
        else if (row_before) change = line_ended ? ONE - LESS_BEFORE[LINE_BITS+1:0] : -LESS_BEFORE[LINE_BITS+1:0];
        else change = line_ended ? ONE - STEP[LINE_BITS+1:0] : -STEP[LINE_BITS+1:0];
    /* verilator lint_off UNUSEDSIGNAL */
    wire [31:0] i_wide = {{(32-I_BITS){1'b0}}, i};
    wire [31:0] j_wide = {{(32-J_BITS){1'b0}}, j};
    /* verilator lint_on UNUSEDSIGNAL */
    wire [LINE_BITS-1:0] read_line = base + i_wide[LINE_BITS-1:0];
    wire [COLUMN_BITS-1:0] read_column = left + j_wide[COLUMN_BITS-1:0];
    assign s_ready = !full;

    always @(posedge clk) begin
        if (take) memory[{write_line, write_column}] <= s_data;
        if (read) m_data <= memory[{read_line, read_column}];
    end

    always @(posedge clk)
        if (rst) begin
            full <= 1'b0;
            line_ended <= 1'b0;
            spare <= ABSENT;
            write_line <= {LINE_BITS{1'b0}};
            write_column <= {COLUMN_BITS{1'b0}};
            base <= {LINE_BITS{1'b0}};
            left <= {COLUMN_BITS{1'b0}};
            i <= {I_BITS{1'b0}};
            j <= {J_BITS{1'b0}};
            row <= {ROW_BITS{1'b0}};
            column <= {POSITION_BITS{1'b0}};
            m_valid <= 1'b0;
        end else begin
            line_ended <= take && column_end;
            if (take) write_column <= column_end ? {COLUMN_BITS{1'b0}} : write_column + 1'b1;
            if (take && column_end) write_line <= write_next;
            full <= !row_done && (full || (s_valid && column_end && last_place));
            spare <= spare + change;
            if (read) m_valid <= 1'b1;
            else if (m_ready) m_valid <= 1'b0;
            if (read) j <= j_last ? {J_BITS{1'b0}} : j + 1'b1;
            if (read && j_last) i <= i_last ? {I_BITS{1'b0}} : i + 1'b1;
            if (position_done) begin
                column <= column_last ? {POSITION_BITS{1'b0}} : column + 1'b1;
                left <= column_last ? {COLUMN_BITS{1'b0}} : left + ACROSS[COLUMN_BITS-1:0];
            end
            if (row_done) begin
                row <= row_last ? {ROW_BITS{1'b0}} : row + 1'b1;
                base <= base + freed;
            end
        end
endmodule
`default_nettype wire
