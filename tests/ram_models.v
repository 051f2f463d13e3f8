// Models of the 7-series block RAMs for netlists that only read them; Yosys has none with behaviour.

// what both have: the lower contents, and how the ports are used
`define RAM_PARAMETERS \
    parameter [255:0] INIT_00 = 256'h0, INIT_01 = 256'h0, INIT_02 = 256'h0, INIT_03 = 256'h0; \
    parameter [255:0] INIT_04 = 256'h0, INIT_05 = 256'h0, INIT_06 = 256'h0, INIT_07 = 256'h0; \
    parameter [255:0] INIT_08 = 256'h0, INIT_09 = 256'h0, INIT_0A = 256'h0, INIT_0B = 256'h0; \
    parameter [255:0] INIT_0C = 256'h0, INIT_0D = 256'h0, INIT_0E = 256'h0, INIT_0F = 256'h0; \
    parameter [255:0] INIT_10 = 256'h0, INIT_11 = 256'h0, INIT_12 = 256'h0, INIT_13 = 256'h0; \
    parameter [255:0] INIT_14 = 256'h0, INIT_15 = 256'h0, INIT_16 = 256'h0, INIT_17 = 256'h0; \
    parameter [255:0] INIT_18 = 256'h0, INIT_19 = 256'h0, INIT_1A = 256'h0, INIT_1B = 256'h0; \
    parameter [255:0] INIT_1C = 256'h0, INIT_1D = 256'h0, INIT_1E = 256'h0, INIT_1F = 256'h0; \
    parameter [255:0] INIT_20 = 256'h0, INIT_21 = 256'h0, INIT_22 = 256'h0, INIT_23 = 256'h0; \
    parameter [255:0] INIT_24 = 256'h0, INIT_25 = 256'h0, INIT_26 = 256'h0, INIT_27 = 256'h0; \
    parameter [255:0] INIT_28 = 256'h0, INIT_29 = 256'h0, INIT_2A = 256'h0, INIT_2B = 256'h0; \
    parameter [255:0] INIT_2C = 256'h0, INIT_2D = 256'h0, INIT_2E = 256'h0, INIT_2F = 256'h0; \
    parameter [255:0] INIT_30 = 256'h0, INIT_31 = 256'h0, INIT_32 = 256'h0, INIT_33 = 256'h0; \
    parameter [255:0] INIT_34 = 256'h0, INIT_35 = 256'h0, INIT_36 = 256'h0, INIT_37 = 256'h0; \
    parameter [255:0] INIT_38 = 256'h0, INIT_39 = 256'h0, INIT_3A = 256'h0, INIT_3B = 256'h0; \
    parameter [255:0] INIT_3C = 256'h0, INIT_3D = 256'h0, INIT_3E = 256'h0, INIT_3F = 256'h0; \
    parameter [255:0] INITP_00 = 256'h0, INITP_01 = 256'h0, INITP_02 = 256'h0, INITP_03 = 256'h0; \
    parameter [255:0] INITP_04 = 256'h0, INITP_05 = 256'h0, INITP_06 = 256'h0, INITP_07 = 256'h0; \
    parameter INIT_A = 0; \
    parameter INIT_B = 0; \
    parameter SRVAL_A = 0; \
    parameter SRVAL_B = 0; \
    parameter RAM_MODE = "TDP"; \
    parameter WRITE_MODE_A = "WRITE_FIRST"; \
    parameter WRITE_MODE_B = "WRITE_FIRST"; \
    parameter integer DOA_REG = 0; \
    parameter integer DOB_REG = 0; \
    parameter integer READ_WIDTH_A = 0; \
    parameter integer READ_WIDTH_B = 0; \
    parameter integer WRITE_WIDTH_A = 0; \
    parameter integer WRITE_WIDTH_B = 0;
`define RAM_DATA \
    INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39, INIT_38, \
    INIT_37, INIT_36, INIT_35, INIT_34, INIT_33, INIT_32, INIT_31, INIT_30, \
    INIT_2F, INIT_2E, INIT_2D, INIT_2C, INIT_2B, INIT_2A, INIT_29, INIT_28, \
    INIT_27, INIT_26, INIT_25, INIT_24, INIT_23, INIT_22, INIT_21, INIT_20, \
    INIT_1F, INIT_1E, INIT_1D, INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18, \
    INIT_17, INIT_16, INIT_15, INIT_14, INIT_13, INIT_12, INIT_11, INIT_10, \
    INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09, INIT_08, \
    INIT_07, INIT_06, INIT_05, INIT_04, INIT_03, INIT_02, INIT_01, INIT_00
`define RAM_PARITY INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00

// RAMB36E1 as a memory that is only read: one port of 72 bits (SDP) or two ports of up to 36 bits.
module RAMB36E1 (
    input  wire CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input  wire RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input  wire [15:0] ADDRARDADDR, ADDRBWRADDR,
    input  wire [31:0] DIADI, DIBDI,
    input  wire [3:0] DIPADIP, DIPBDIP,
    input  wire [3:0] WEA,
    input  wire [7:0] WEBWE,
    output wire [31:0] DOADO, DOBDO,
    output wire [3:0] DOPADOP, DOPBDOP
);
    `RAM_PARAMETERS
    parameter [255:0] INIT_40 = 256'h0, INIT_41 = 256'h0, INIT_42 = 256'h0, INIT_43 = 256'h0;
    parameter [255:0] INIT_44 = 256'h0, INIT_45 = 256'h0, INIT_46 = 256'h0, INIT_47 = 256'h0;
    parameter [255:0] INIT_48 = 256'h0, INIT_49 = 256'h0, INIT_4A = 256'h0, INIT_4B = 256'h0;
    parameter [255:0] INIT_4C = 256'h0, INIT_4D = 256'h0, INIT_4E = 256'h0, INIT_4F = 256'h0;
    parameter [255:0] INIT_50 = 256'h0, INIT_51 = 256'h0, INIT_52 = 256'h0, INIT_53 = 256'h0;
    parameter [255:0] INIT_54 = 256'h0, INIT_55 = 256'h0, INIT_56 = 256'h0, INIT_57 = 256'h0;
    parameter [255:0] INIT_58 = 256'h0, INIT_59 = 256'h0, INIT_5A = 256'h0, INIT_5B = 256'h0;
    parameter [255:0] INIT_5C = 256'h0, INIT_5D = 256'h0, INIT_5E = 256'h0, INIT_5F = 256'h0;
    parameter [255:0] INIT_60 = 256'h0, INIT_61 = 256'h0, INIT_62 = 256'h0, INIT_63 = 256'h0;
    parameter [255:0] INIT_64 = 256'h0, INIT_65 = 256'h0, INIT_66 = 256'h0, INIT_67 = 256'h0;
    parameter [255:0] INIT_68 = 256'h0, INIT_69 = 256'h0, INIT_6A = 256'h0, INIT_6B = 256'h0;
    parameter [255:0] INIT_6C = 256'h0, INIT_6D = 256'h0, INIT_6E = 256'h0, INIT_6F = 256'h0;
    parameter [255:0] INIT_70 = 256'h0, INIT_71 = 256'h0, INIT_72 = 256'h0, INIT_73 = 256'h0;
    parameter [255:0] INIT_74 = 256'h0, INIT_75 = 256'h0, INIT_76 = 256'h0, INIT_77 = 256'h0;
    parameter [255:0] INIT_78 = 256'h0, INIT_79 = 256'h0, INIT_7A = 256'h0, INIT_7B = 256'h0;
    parameter [255:0] INIT_7C = 256'h0, INIT_7D = 256'h0, INIT_7E = 256'h0, INIT_7F = 256'h0;
    parameter [255:0] INITP_08 = 256'h0, INITP_09 = 256'h0, INITP_0A = 256'h0, INITP_0B = 256'h0;
    parameter [255:0] INITP_0C = 256'h0, INITP_0D = 256'h0, INITP_0E = 256'h0, INITP_0F = 256'h0;
    localparam [32767:0] DATA = {
        INIT_7F, INIT_7E, INIT_7D, INIT_7C, INIT_7B, INIT_7A, INIT_79, INIT_78,
        INIT_77, INIT_76, INIT_75, INIT_74, INIT_73, INIT_72, INIT_71, INIT_70,
        INIT_6F, INIT_6E, INIT_6D, INIT_6C, INIT_6B, INIT_6A, INIT_69, INIT_68,
        INIT_67, INIT_66, INIT_65, INIT_64, INIT_63, INIT_62, INIT_61, INIT_60,
        INIT_5F, INIT_5E, INIT_5D, INIT_5C, INIT_5B, INIT_5A, INIT_59, INIT_58,
        INIT_57, INIT_56, INIT_55, INIT_54, INIT_53, INIT_52, INIT_51, INIT_50,
        INIT_4F, INIT_4E, INIT_4D, INIT_4C, INIT_4B, INIT_4A, INIT_49, INIT_48,
        INIT_47, INIT_46, INIT_45, INIT_44, INIT_43, INIT_42, INIT_41, INIT_40,
        `RAM_DATA};
    localparam [4095:0] PARITY = {INITP_0F, INITP_0E, INITP_0D, INITP_0C, INITP_0B, INITP_0A, INITP_09, INITP_08,
        `RAM_PARITY};
    reg [63:0] a, b;
    reg [7:0] pa, pb;
    // the address counts bits; words of the width w start at multiples of its power of two
    wire [15:0] low_a = ADDRARDADDR & ~(SPAN_A - 16'd1), low_b = ADDRBWRADDR & ~(SPAN_B - 16'd1);
    localparam [15:0] SPAN_A = READ_WIDTH_A == 72 ? 64 : READ_WIDTH_A == 36 ? 32 : READ_WIDTH_A >= 18 ? 16 : READ_WIDTH_A >= 9 ? 8 : READ_WIDTH_A == 0 ? 1 : READ_WIDTH_A;
    localparam [15:0] SPAN_B = READ_WIDTH_B == 36 ? 32 : READ_WIDTH_B >= 18 ? 16 : READ_WIDTH_B >= 9 ? 8 : READ_WIDTH_B == 0 ? 1 : READ_WIDTH_B;
    always @(posedge CLKARDCLK) if (ENARDEN) begin
        a <= DATA[{1'b0, low_a[14:0]} +: 64];
        pa <= PARITY[{1'b0, low_a[14:0]} >> 3 +: 8];
    end
    always @(posedge CLKBWRCLK) if (ENBWREN) begin
        b <= DATA[{1'b0, low_b[14:0]} +: 64];
        pb <= PARITY[{1'b0, low_b[14:0]} >> 3 +: 8];
    end
    assign DOADO = a[31:0];
    assign DOPADOP = pa[3:0];
    assign DOBDO = RAM_MODE == "SDP" ? a[63:32] : b[31:0];
    assign DOPBDOP = RAM_MODE == "SDP" ? pa[7:4] : pb[3:0];
endmodule

// RAMB18E1 as a memory that is only read: one port of 36 bits (SDP) or two ports of up to 18 bits.
module RAMB18E1 (
    input  wire CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input  wire RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input  wire [13:0] ADDRARDADDR, ADDRBWRADDR,
    input  wire [15:0] DIADI, DIBDI,
    input  wire [1:0] DIPADIP, DIPBDIP,
    input  wire [1:0] WEA,
    input  wire [3:0] WEBWE,
    output wire [15:0] DOADO, DOBDO,
    output wire [1:0] DOPADOP, DOPBDOP
);
    `RAM_PARAMETERS
    localparam [16383:0] DATA = {`RAM_DATA};
    localparam [2047:0] PARITY = {`RAM_PARITY};
    reg [31:0] a, b;
    reg [3:0] pa, pb;
    // the address counts bits; words of the width w start at multiples of its power of two
    wire [13:0] low_a = ADDRARDADDR & ~(SPAN_A - 14'd1), low_b = ADDRBWRADDR & ~(SPAN_B - 14'd1);
    localparam [13:0] SPAN_A = READ_WIDTH_A == 36 ? 32 : READ_WIDTH_A == 18 ? 16 : READ_WIDTH_A >= 18 ? 16 : READ_WIDTH_A >= 9 ? 8 : READ_WIDTH_A == 0 ? 1 : READ_WIDTH_A;
    localparam [13:0] SPAN_B = READ_WIDTH_B == 18 ? 16 : READ_WIDTH_B >= 18 ? 16 : READ_WIDTH_B >= 9 ? 8 : READ_WIDTH_B == 0 ? 1 : READ_WIDTH_B;
    always @(posedge CLKARDCLK) if (ENARDEN) begin
        a <= DATA[low_a +: 32];
        pa <= PARITY[low_a >> 3 +: 4];
    end
    always @(posedge CLKBWRCLK) if (ENBWREN) begin
        b <= DATA[low_b +: 32];
        pb <= PARITY[low_b >> 3 +: 4];
    end
    assign DOADO = a[15:0];
    assign DOPADOP = pa[1:0];
    assign DOBDO = RAM_MODE == "SDP" ? a[31:16] : b[15:0];
    assign DOPBDOP = RAM_MODE == "SDP" ? pa[3:2] : pb[1:0];
endmodule
