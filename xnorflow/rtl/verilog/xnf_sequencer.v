// Steps a layer through the words of its weights: CHUNKS words for each of GROUPS groups of neurons.
//
// One word is issued per cycle while an image is `available` and the result has `room`. `address`
// is the word's place in the weight memory.
module xnf_sequencer #(
    parameter GROUPS = 1,
    parameter CHUNKS = 1,
    parameter AB = 1,           // bits of `address`
    parameter CB = 1            // bits of `chunk`
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          available,
    input  wire          room,
    output wire          issue,
    output wire          idle,          // issues the first word of an image if there is one
    output wire          finish,        // issues the last word of an image
    output wire          group_first,   // issues the first word of a group
    output wire          group_last,    // issues the last word of a group
    output wire [AB-1:0] address,
    output wire [CB-1:0] chunk
);
    localparam [31:0] END_VALUE = GROUPS * CHUNKS - 1;
    localparam [AB-1:0] END = END_VALUE[AB-1:0];
    localparam [31:0] LAST_VALUE = CHUNKS - 1;
    localparam [CB-1:0] LAST = LAST_VALUE[CB-1:0];
    reg [AB-1:0] count;
    reg          busy;                  // count is not 0
    assign address = count;
    assign issue = (busy || available) && room;
    assign idle = !busy && room;
    wire at_end;                        // issues the last word next
    assign finish = at_end && issue;

    always @(posedge clk)
        if (rst) begin
            count <= {AB{1'b0}};
            busy <= 1'b0;
        end else if (issue) begin
            count <= at_end ? {AB{1'b0}} : count + 1'b1;
            busy <= !at_end;
        end

    generate
        // more bits than a LUT has inputs are compared a word before
        if (AB > 6) begin : wide
            localparam [AB-1:0] BEFORE = END - 1'b1;
            reg before_end;
            assign at_end = before_end;
            always @(posedge clk)
                if (rst) before_end <= 1'b0;
                else if (issue) before_end <= count == BEFORE;
        end else begin : narrow
            assign at_end = count == END;
        end
        if (CHUNKS > 1) begin : chunked
            reg [CB-1:0] step;
            always @(posedge clk)
                if (rst) step <= {CB{1'b0}};
                else if (issue) step <= step == LAST ? {CB{1'b0}} : step + 1'b1;
            assign chunk = step;
            assign group_first = step == {CB{1'b0}};
            assign group_last = issue && step == LAST;
        end else begin : whole
            assign chunk = {CB{1'b0}};
            assign group_first = 1'b1;
            assign group_last = issue;
        end
    endgenerate
endmodule
