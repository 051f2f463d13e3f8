"""The wiring of one layer: input memory, sequencer, weights, products, counters, results."""

from __future__ import annotations

from xnorflow.rtl.folding import LayerPlan
from xnorflow.rtl.weights import sign_extended
from xnorflow.rtl.window import pool_lines, window_lines
from xnorflow.spec import ScoreSpec


def layer_module(layer: LayerPlan) -> str:
    """Return the module of a layer, with a stream of words at each end."""
    window = layer.window
    width_in = (window.source_width if window else layer.width_in) * layer.bits
    width_out = layer.width_out * (layer.score_bits if layer.is_scores else 1)
    outer, output = ("pixel", "f") if window else ("s", "m")
    what = f"scores of {layer.n_out} classes" if layer.is_scores else f"{layer.n_out} neurons"
    lines = [
        f"// Layer {layer.index}: {layer.n_in} inputs, {what}; {layer.pe} neurons x {layer.simd} inputs per cycle,",
        f"// {layer.reuse_factor} cycles, {layer.depth} pipeline stages.",
        f"module {layer.name} (",
        "    input  wire clk,",
        "    input  wire rst,",
        "    input  wire s_valid,",
        "    output wire s_ready,",
        f"    input  wire [{width_in - 1}:0] s_data,",
        "    output wire m_valid,",
        "    input  wire m_ready,",
        f"    output wire [{width_out - 1}:0] m_data",
        ");",
        *_sequencer(layer),
        *(window_lines(window) if window else []),
        *(_narrow(layer, outer) if layer.parts > 1 else _straight(layer.width_in * layer.bits, outer)),
        *(_hold(layer) if layer.whole else _chunks(layer)),
        *_products(layer),
        *_neurons(layer),
        *([f"    wire [{layer.pe - 1}:0] f_data;", "    wire f_valid, f_ready;"] if window else []),
        f"    xnf_fifo #(.WIDTH({_result_bits(layer)})) fifo (.clk(clk), .rst(rst), .reserve(group_last), .room(room),",
        f"        .push(push), .push_data(results), .m_valid({output}_valid), .m_ready({output}_ready), .m_data({output}_data));",
        *(pool_lines(window, layer.pe, layer.gathers) if window else []),
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def _result_bits(layer: LayerPlan) -> int:
    return layer.pe * (layer.score_bits if layer.is_scores else 1)


def _sequencer(layer: LayerPlan) -> list[str]:
    unused = ["chunk, finish, group_first"] if layer.whole else ["load"]
    return [
        "    wire available, room, issue, load, finish, group_first, group_last, push;",
        f"    wire [{layer.address_bits - 1}:0] address;",
        f"    wire [{layer.chunk_bits - 1}:0] chunk;",
        f"    xnf_sequencer #(.GROUPS({layer.groups}), .CHUNKS({layer.chunks}), .AB({layer.address_bits}),"
        f" .CB({layer.chunk_bits})) sequencer (",
        "        .clk(clk), .rst(rst), .available(available), .room(room), .issue(issue), .load(load), .finish(finish),",
        "        .group_first(group_first), .group_last(group_last), .address(address), .chunk(chunk));",
        "    /* verilator lint_off UNUSEDSIGNAL */",
        f"    wire unused = &{{1'b0, issue, {', '.join(unused)}}};",
        "    /* verilator lint_on UNUSEDSIGNAL */",
    ]


def _straight(width: int, outer: str) -> list[str]:
    data = "pixel" if outer == "pixel" else "s_data"
    return [
        f"    wire [{width - 1}:0] part = {data};",
        f"    wire part_valid = {outer}_valid, part_ready;",
        f"    assign {outer}_ready = part_ready;",
    ]


def _narrow(layer: LayerPlan, outer: str) -> list[str]:
    data = "pixel" if outer == "pixel" else "s_data"
    width = layer.count * layer.bits
    return [
        f"    wire [{width - 1}:0] part;",
        "    wire part_valid, part_ready;",
        f"    xnf_narrow #(.PARTS({layer.parts}), .WIDTH({width})) narrow (.clk(clk), .rst(rst),",
        f"        .s_valid({outer}_valid), .s_ready({outer}_ready), .s_data({data}),",
        "        .m_valid(part_valid), .m_ready(part_ready), .m_data(part));",
    ]


_STREAM = "        .clk(clk), .rst(rst), .s_valid(part_valid), .s_ready(part_ready), .s_data(part), .available(available),"


def _hold(layer: LayerPlan) -> list[str]:
    total = layer.words * layer.count * layer.bits
    used = layer.n_in * layer.bits
    lines = [
        f"    wire [{total - 1}:0] x;",
        f"    wire [{layer.ones_bits - 1}:0] ones;",
        f"    xnf_hold #(.WORDS({layer.words}), .COUNT({layer.count}), .BITS({layer.bits}), .ONES({layer.ones_bits})) inputs (",
        _STREAM,
        "        .load(load), .x(x), .ones(ones));",
    ]
    if total > used:
        lines += [
            "    /* verilator lint_off UNUSEDSIGNAL */",
            f"    wire unused_x = &{{1'b0, x[{total - 1}:{used}]}};",
            "    /* verilator lint_on UNUSEDSIGNAL */",
        ]
    return lines


def _chunks(layer: LayerPlan) -> list[str]:
    return [
        f"    wire [{layer.simd * layer.bits - 1}:0] x;",
        f"    wire [{layer.ones_bits - 1}:0] ones;",
        f"    xnf_chunks #(.WORDS({layer.words}), .RATIO({layer.ratio}), .COUNT({layer.count}), .BITS({layer.bits}),"
        f" .ONES({layer.ones_bits}), .CB({layer.chunk_bits})) inputs (",
        _STREAM,
        "        .release_image(finish), .chunk(chunk), .x(x), .ones(ones));",
    ]


def _products(layer: LayerPlan) -> list[str]:
    weights, starts = layer.pe * layer.simd, layer.pe * layer.sum_bits
    return [
        f"    wire [{layer.word_bits - 1}:0] word;",
        f"    rom_{layer.name} rom (.clk(clk), .address(address), .word(word));",
        f"    wire [{weights * layer.bits - 1}:0] hits;",
        f"    xnf_match #(.PE({layer.pe}), .SIMD({layer.simd}), .BITS({layer.bits})) match (",
        f"        .clk(clk), .x(x[{layer.simd * layer.bits - 1}:0]), .minus(word[{weights - 1}:0]), .hits(hits));",
        f"    reg [{starts - 1}:0] start;",
        f"    reg [{layer.ones_bits - 1}:0] ones_now;",
        "    always @(posedge clk) begin",
        f"        start <= word[{layer.word_bits - 1}:{weights}];",
        "        ones_now <= ones;",
        "    end",
    ]


def _neurons(layer: LayerPlan) -> list[str]:
    counted = 2 + layer.heap.registers
    width = layer.sum_bits
    lines = [
        f"    xnf_delay #(.CYCLES({layer.depth}), .WIDTH(1)) valid (.clk(clk), .rst(rst), .d(group_last), .q(push));",
        f"    wire [{_result_bits(layer) - 1}:0] results;",
    ]
    if layer.chunks > 1:
        lines += [
            "    wire first;",
            f"    xnf_delay #(.CYCLES({counted}), .WIDTH(1)) begins (.clk(clk), .rst(rst), .d(group_first), .q(first));",
        ]
    for pe in range(layer.pe):
        lines += [
            f"    wire [{width - 1}:0] sum{pe}, total{pe};",
            f"    count_{layer.name} count{pe} (.clk(clk), .bits({_heap_bits(layer, pe)}), .sum(sum{pe}));",
        ]
        if layer.chunks > 1:
            lines.append(
                f"    xnf_accumulate #(.WIDTH({width})) add{pe} (.clk(clk), .first(first), .sum(sum{pe}), .total(total{pe}));"
            )
        else:
            lines.append(f"    assign total{pe} = sum{pe};")
        lines += _result(layer, pe)
    return lines + (_normalise(layer) if layer.scaled else [])


def _heap_bits(layer: LayerPlan, pe: int) -> str:
    """The bits of one neuron's heap, column 0 lowest: hits, sum of inputs, start value."""
    parts: list[str] = []
    for column in range(layer.sum_bits):
        if 1 <= column <= layer.bits:
            parts.append(f"hits[{(pe * layer.bits + column - 1) * layer.simd} +: {layer.simd}]")
        if column < layer.ones_bits:
            parts.append(f"ones_now[{column}]")
        parts.append(f"start[{pe * layer.sum_bits + column}]")
    return "{" + ", ".join(reversed(parts)) + "}"


def _result(layer: LayerPlan, pe: int) -> list[str]:
    """What leaves a neuron: the top bit, or the score."""
    top = layer.sum_bits - 1
    if not layer.is_scores:
        below = f"wire unused{pe} = &{{1'b0, total{pe}[{top - 1}:0]}};"
        return [
            f"    assign results[{pe}] = total{pe}[{top}];",
            f"    /* verilator lint_off UNUSEDSIGNAL */ {below} /* verilator lint_on UNUSEDSIGNAL */",
        ]
    raw = layer.raw_score_bits
    score = f"{{total{pe}[{raw - 2}:0], 1'b{layer.n_in % 2}}}" if layer.bits == 1 else f"total{pe}[{raw - 1}:0]"
    used = raw - 1 if layer.bits == 1 else raw
    lines = [f"    wire [{raw - 1}:0] raw{pe} = {score};"]
    if used <= top:
        unused = f"wire unused{pe} = &{{1'b0, total{pe}[{top}:{used}]}};"
        lines.append(f"    /* verilator lint_off UNUSEDSIGNAL */ {unused} /* verilator lint_on UNUSEDSIGNAL */")
    if not layer.scaled:
        lines.append(f"    assign results[{pe * raw} +: {raw}] = raw{pe};")
    return lines


def _normalise(layer: LayerPlan) -> list[str]:
    """Scale and offset per class, chosen by the number of the group that comes out."""
    assert isinstance(layer.spec, ScoreSpec) and layer.spec.scale is not None and layer.spec.offset is not None
    scales, offsets = [int(v) for v in layer.spec.scale], [int(v) for v in layer.spec.offset]
    scale_bits = max(max(abs(v) for v in scales).bit_length() + 1, 2)
    width, before = layer.score_bits, layer.depth - 2
    group_bits = max(1, (layer.groups - 1).bit_length())
    scale_bits = min(scale_bits, width)
    lines = [
        "    wire scored;",
        f"    reg [{group_bits - 1}:0] group;",
        f"    xnf_delay #(.CYCLES({before}), .WIDTH(1)) sums (.clk(clk), .rst(rst), .d(group_last), .q(scored));",
        "    always @(posedge clk)",
        f"        if (rst) group <= {group_bits}'d0;",
        f"        else if (scored) group <= group == {group_bits}'d{layer.groups - 1} ? {group_bits}'d0 : group + 1'b1;",
    ]
    for pe in range(layer.pe):
        lines += [
            f"    reg [{scale_bits - 1}:0] scale{pe};",
            f"    reg [{width - 1}:0] offset{pe};",
            "    always @*",
            "        case (group)",
        ]
        for group in range(layer.groups):
            index = group * layer.pe + pe
            scale, offset = (scales[index], offsets[index]) if index < layer.n_out else (0, 0)
            label = "default" if group == layer.groups - 1 else f"{group_bits}'d{group}"
            values = f"{sign_extended(scale, scale_bits)}, {sign_extended(offset, width)}"
            lines.append(f"            {label}: {{scale{pe}, offset{pe}}} = {{{values}}};")
        lines += [
            "        endcase",
            f"    xnf_scale #(.SUM({layer.raw_score_bits}), .SCALE({scale_bits}), .WIDTH({width})) scaled{pe} (.clk(clk),",
            f"        .sum(raw{pe}), .scale(scale{pe}), .offset(offset{pe}), .score(results[{pe * width} +: {width}]));",
        ]
    return lines
