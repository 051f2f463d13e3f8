// Delays in ps of the cell that has none in Yosys' models (xilinx/cells_sim.v): LUT6_2, as LUT6 there.
// An input that makes no difference to the lower output has no path to it: the carry of a compressor does not
// wait for the one that comes in.
module LUT6_2 (output O6, output O5, input I0, I1, I2, I3, I4, I5);
    parameter [63:0] INIT = 64'd0;
    // the lower table's entries where input i is 1, and where it is 0
    localparam [15:0] ONE0 = {INIT[31], INIT[29], INIT[27], INIT[25], INIT[23], INIT[21], INIT[19], INIT[17],
                              INIT[15], INIT[13], INIT[11], INIT[9], INIT[7], INIT[5], INIT[3], INIT[1]};
    localparam [15:0] NIL0 = {INIT[30], INIT[28], INIT[26], INIT[24], INIT[22], INIT[20], INIT[18], INIT[16],
                              INIT[14], INIT[12], INIT[10], INIT[8], INIT[6], INIT[4], INIT[2], INIT[0]};
    localparam [15:0] ONE1 = {INIT[31:30], INIT[27:26], INIT[23:22], INIT[19:18],
                              INIT[15:14], INIT[11:10], INIT[7:6], INIT[3:2]};
    localparam [15:0] NIL1 = {INIT[29:28], INIT[25:24], INIT[21:20], INIT[17:16],
                              INIT[13:12], INIT[9:8], INIT[5:4], INIT[1:0]};
    localparam [15:0] ONE2 = {INIT[31:28], INIT[23:20], INIT[15:12], INIT[7:4]};
    localparam [15:0] NIL2 = {INIT[27:24], INIT[19:16], INIT[11:8], INIT[3:0]};
    localparam [15:0] ONE3 = {INIT[31:24], INIT[15:8]};
    localparam [15:0] NIL3 = {INIT[23:16], INIT[7:0]};
    specify
        (I0 => O6) = 642;
        (I1 => O6) = 631;
        (I2 => O6) = 472;
        (I3 => O6) = 407;
        (I4 => O6) = 238;
        (I5 => O6) = 127;
        if (ONE0 != NIL0) (I0 => O5) = 642;
        if (ONE1 != NIL1) (I1 => O5) = 631;
        if (ONE2 != NIL2) (I2 => O5) = 472;
        if (ONE3 != NIL3) (I3 => O5) = 407;
        if (INIT[31:16] != INIT[15:0]) (I4 => O5) = 238;
    endspecify
endmodule
