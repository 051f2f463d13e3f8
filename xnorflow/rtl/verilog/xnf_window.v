// Sliding window: stores the lines of an image as they come and sends, for each position of the
// kernel, the KH * KW pixels under it, row by row. Lines of the next image follow without a gap.
//
// A row of positions starts when all its lines are there, and frees the lines that no later row needs.
module xnf_window #(
    parameter WIDTH = 1,        // bits per pixel, all channels
    parameter H = 28,
    parameter W = 28,
    parameter KH = 3,
    parameter KW = 3,
    parameter SV = 1,           // vertical step
    parameter SH = 1,           // horizontal step
    parameter ROWS = 26,        // positions per column
    parameter COLUMNS = 26,     // positions per row
    parameter LB = 3            // 2**LB lines are stored, KH + SV or more
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output reg              m_valid,
    input  wire             m_ready,
    output reg  [WIDTH-1:0] m_data
);
    localparam CB = W > 1 ? $clog2(W) : 1;
    localparam IB = KH > 1 ? $clog2(KH) : 1;
    localparam JB = KW > 1 ? $clog2(KW) : 1;
    localparam RB = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam PB = COLUMNS > 1 ? $clog2(COLUMNS) : 1;
    // lines that a row of positions needs and frees; the last row frees what is left of the image
    localparam [31:0] REST = H - (ROWS - 1) * SV;
    localparam [31:0] NEED = ROWS == 1 ? REST : KH > SV ? KH : SV;
    localparam [31:0] STEP = SV;
    // by how much a row's end lowers the lines over those needed: in the last row, and in the one before it
    localparam [31:0] LESS_LAST = NEED, LESS_BEFORE = SV + REST - NEED;
    localparam [31:0] BEFORE_VALUE = ROWS > 1 ? ROWS - 2 : 0;
    localparam [LB+1:0] ABSENT = {(LB+2){1'b0}} - NEED[LB+1:0];
    localparam [31:0] ACROSS = SH;
    localparam [31:0] W_END = W - 1, KH_END = KH - 1, KW_END = KW - 1, ROWS_END = ROWS - 1, COLUMNS_END = COLUMNS - 1;

    (* ram_style = "distributed" *)
    reg  [WIDTH-1:0] memory [0:2**(LB+CB)-1];
    reg              full;              // every line stored is still needed
    reg              line_ended;        // one was completed: it counts now, a short path from the pixel that comes in
    reg  [LB+1:0]    spare;             // lines over those that the row of positions needs: the top bit says too few
    reg  [LB-1:0]    write_line, base;  // line being written; first line under the kernel
    reg  [CB-1:0]    write_column, left;// column being written; first column under the kernel
    reg  [IB-1:0]    i;                 // pixel under the kernel
    reg  [JB-1:0]    j;
    reg  [RB-1:0]    row;               // position
    reg  [PB-1:0]    column;

    wire take = s_valid && s_ready;
    wire column_end = write_column == W_END[CB-1:0];
    wire row_last = row == ROWS_END[RB-1:0];
    wire column_last = column == COLUMNS_END[PB-1:0];
    wire i_last = i == KH_END[IB-1:0];
    wire j_last = j == KW_END[JB-1:0];
    wire read = !spare[LB+1] && (!m_valid || m_ready);
    wire position_done = read && i_last && j_last;
    wire row_done = position_done && column_last;
    wire row_before = ROWS > 1 && row == BEFORE_VALUE[RB-1:0];
    wire [LB-1:0] freed = row_last ? REST[LB-1:0] : STEP[LB-1:0];
    // one place is left: the line being written takes it
    wire [LB-1:0] write_next = write_line + 1'b1;
    wire last_place = write_next == base;
    // what the count changes by, as constants to choose from: so it takes one carry chain
    reg [LB+1:0] more;
    localparam [LB+1:0] ONE = 1;
    always @*
        if (!row_done) more = line_ended ? ONE : {(LB+2){1'b0}};
        else if (row_last) more = line_ended ? ONE - LESS_LAST[LB+1:0] : -LESS_LAST[LB+1:0];
        else if (row_before) more = line_ended ? ONE - LESS_BEFORE[LB+1:0] : -LESS_BEFORE[LB+1:0];
        else more = line_ended ? ONE - STEP[LB+1:0] : -STEP[LB+1:0];
    /* verilator lint_off UNUSEDSIGNAL */
    wire [31:0] i_wide = {{(32-IB){1'b0}}, i};
    wire [31:0] j_wide = {{(32-JB){1'b0}}, j};
    /* verilator lint_on UNUSEDSIGNAL */
    wire [LB-1:0] read_line = base + i_wide[LB-1:0];
    wire [CB-1:0] read_column = left + j_wide[CB-1:0];
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
            write_line <= {LB{1'b0}};
            write_column <= {CB{1'b0}};
            base <= {LB{1'b0}};
            left <= {CB{1'b0}};
            i <= {IB{1'b0}};
            j <= {JB{1'b0}};
            row <= {RB{1'b0}};
            column <= {PB{1'b0}};
            m_valid <= 1'b0;
        end else begin
            line_ended <= take && column_end;
            if (take) write_column <= column_end ? {CB{1'b0}} : write_column + 1'b1;
            if (take && column_end) write_line <= write_next;
            full <= !row_done && (full || (s_valid && column_end && last_place));
            spare <= spare + more;
            if (read) m_valid <= 1'b1;
            else if (m_ready) m_valid <= 1'b0;
            if (read) j <= j_last ? {JB{1'b0}} : j + 1'b1;
            if (read && j_last) i <= i_last ? {IB{1'b0}} : i + 1'b1;
            if (position_done) begin
                column <= column_last ? {PB{1'b0}} : column + 1'b1;
                left <= column_last ? {CB{1'b0}} : left + ACROSS[CB-1:0];
            end
            if (row_done) begin
                row <= row_last ? {RB{1'b0}} : row + 1'b1;
                base <= base + freed;
            end
        end
endmodule
