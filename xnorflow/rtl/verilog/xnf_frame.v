// Keeps images apart by tlast: a short image is filled up with 0, what is too much of a long one is
// dropped, so that each tlast gives one result. `frame_error` says until reset that one was mended.
//
// Bits of the last beat that belong to no value are cleared.
module xnf_frame #(
    parameter BEATS = 49,       // beats per image
    parameter WIDTH = 16,       // bits per beat
    parameter LAST = 16         // bits of the last beat that are used
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_axis_tvalid,
    output wire             s_axis_tready,
    input  wire [WIDTH-1:0] s_axis_tdata,
    input  wire             s_axis_tlast,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data,
    output reg              frame_error
);
    localparam CW = BEATS > 1 ? $clog2(BEATS) : 1;
    localparam [31:0] BEFORE_VALUE = BEATS > 1 ? BEATS - 2 : 0;
    localparam [CW-1:0] BEFORE = BEFORE_VALUE[CW-1:0];
    reg  [CW-1:0] position;
    reg           filling, dropping;
    reg           last;         // the beat to come is an image's last
    wire          take = m_valid && m_ready;
    assign s_axis_tready = dropping || (m_ready && !filling);
    assign m_valid = filling || (s_axis_tvalid && !dropping);
    assign m_data = s_axis_tdata & {WIDTH{!filling}} & (last ? {WIDTH{1'b1}} >> (WIDTH - LAST) : {WIDTH{1'b1}});

    always @(posedge clk)
        if (rst) begin
            position <= {CW{1'b0}};
            last <= BEATS == 1;
            filling <= 1'b0;
            dropping <= 1'b0;
            frame_error <= 1'b0;
        end else if (dropping) begin
            if (s_axis_tvalid && s_axis_tlast) dropping <= 1'b0;
        end else if (take) begin
            position <= last ? {CW{1'b0}} : position + 1'b1;
            last <= BEATS == 1 || (!last && position == BEFORE);
            filling <= !last && (filling || s_axis_tlast);
            dropping <= last && !filling && !s_axis_tlast;
            if (!filling && last != s_axis_tlast) frame_error <= 1'b1;
        end
endmodule
