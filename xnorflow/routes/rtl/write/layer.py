"""The wiring of one layer: input memory, sequencer, weights, products, counters, results."""

from __future__ import annotations

from xnorflow.net.layers import ScoreSpec
from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.timing import PLACES
from xnorflow.routes.rtl.write.text import (
    CLOCK,
    CLOCK_PORTS,
    KEEP,
    OFFERED,
    TAKEN,
    framed,
    instance,
    joined,
    literal,
    ports,
    stream,
    stream_wires,
    unused,
    wire,
)
from xnorflow.routes.rtl.write.window import pool_lines, window_lines


def layer_module(layer: LayerPlan) -> str:
    """Return the module of a layer, with a stream of words at each end."""
    window = layer.window
    width_in = (window.source_width if window else layer.width_in) * layer.bits
    what = f"scores of {layer.n_out} classes" if layer.is_scores else f"{layer.n_out} neurons"
    out = f"signed scores of {layer.result_bits} bits" if layer.is_scores else "a bit per neuron, 1 for +1"
    lines = [
        f"// Layer {layer.index}: {layer.n_in} inputs, {what}; {layer.pe} neurons x {layer.simd} inputs",
        f"// per cycle, {layer.reuse_factor} cycles, {layer.depth} pipeline stages.",
        f"{KEEP} module {layer.name} (",
        *ports(
            *CLOCK_PORTS,
            ("input  wire s_valid", OFFERED),
            ("output wire s_ready", f"{TAKEN} s_valid"),
            (f"input  wire [{width_in - 1}:0] s_data", "unsigned values, first one lowest, with s_valid"),
            ("output wire m_valid", OFFERED),
            ("input  wire m_ready", f"{TAKEN} m_valid"),
            (
                f"output wire [{layer.width_out * layer.result_bits - 1}:0] m_data",
                f"{out}, first one lowest, with m_valid",
            ),
        ),
        ");",
        *_sequencer(layer),
        *(window_lines(window) if window else []),
        *_words(layer, "pixel" if window else "s"),
        *_word_sum(layer),
        *(_hold(layer) if layer.whole else _chunks(layer)),
        *_products(layer),
        *_neurons(layer),
        *_results(layer),
        "endmodule",
    ]
    return framed(lines)


def _sequencer(layer: LayerPlan) -> list[str]:
    sizes = {
        "GROUPS": layer.groups, "CHUNKS": layer.chunks, "ADDRESS_BITS": layer.address_bits,
        "CHUNK_BITS": layer.chunk_bits,
    }  # fmt: skip
    names = ("available", "room", "issue", "idle", "finish", "group_first", "group_last", "address", "chunk")
    return [
        "    wire available, room, issue, idle, finish, group_first, group_last, push;",
        wire("address", layer.address_bits),
        wire("chunk", layer.chunk_bits),
        *instance("xnf_sequencer", "sequencer", sizes, CLOCK | {name: name for name in names}),
        *unused("unused", "issue", *(("chunk", "finish", "group_first") if layer.whole else ("idle",))),
    ]


def _words(layer: LayerPlan, source: str) -> list[str]:
    """Return the stream ``part``: the source, split where its words are too wide."""
    width = layer.count * layer.bits
    if layer.parts == 1:
        return [*stream_wires("part", width), *joined("part", source)]
    sizes = {"PARTS": layer.parts, "WIDTH": width}
    nets = CLOCK | stream("s", source) | stream("m", "part")
    return [*stream_wires("part", width), *instance("xnf_narrow", "narrow", sizes, nets)]


def _word_sum(layer: LayerPlan) -> list[str]:
    """Return the counter of the values of each word that comes in."""
    width, bits = layer.count * layer.bits, "part_data"
    lines = [wire("word_sum", layer.word_sum_bits)]
    if layer.bits > 1:
        bits = "planes"
        lines += [
            wire("planes", width),
            "    genvar value, plane;",
            "    generate",
            f"        for (plane = 0; plane < {layer.bits}; plane = plane + 1) begin : each_plane",
            f"            for (value = 0; value < {layer.count}; value = value + 1) begin : each_value",
            f"                assign planes[plane*{layer.count} + value] = part_data[value*{layer.bits} + plane];",
            "            end",
            "        end",
            "    endgenerate",
        ]
    return lines + instance(f"ones_{layer.name}", "word_ones", {}, {"clk": "clk", "bits": bits, "sum": "word_sum"})


def _hold(layer: LayerPlan) -> list[str]:
    total, used = layer.words * layer.count * layer.bits, layer.n_in * layer.bits
    sizes = _sizes(layer)
    nets = CLOCK | stream("s", "part") | {name: name for name in ("word_sum", "available", "idle", "x", "ones")}
    return [
        wire("x", total),
        wire("ones", layer.ones_bits),
        *instance("xnf_buffer", "inputs", sizes, nets),
        *(unused("unused_x", f"x[{total - 1}:{used}]") if total > used else []),
    ]


def _sizes(layer: LayerPlan) -> dict[str, object]:
    return {
        "WORDS": layer.words, "VALUES": layer.count, "BITS": layer.bits,
        "WORD_SUM_BITS": layer.word_sum_bits, "ONES_BITS": layer.ones_bits, "SUM_LAG": layer.lag,
    }  # fmt: skip


def _chunks(layer: LayerPlan) -> list[str]:
    sizes = _sizes(layer) | {"RATIO": layer.ratio, "CHUNK_BITS": layer.chunk_bits}
    nets = CLOCK | stream("s", "part") | {"word_sum": "word_sum", "available": "available", "release_image": "finish"}
    return [
        wire("x", layer.simd * layer.bits),
        wire("ones", layer.ones_bits),
        *instance("xnf_chunks", "inputs", sizes, nets | {name: name for name in ("chunk", "x", "ones")}),
    ]


def _products(layer: LayerPlan) -> list[str]:
    weights, starts = layer.pe * layer.simd, layer.pe * layer.sum_bits
    rom = {"clk": "clk", "address": "address", "lut_address": "address_q", "word": "word"}
    sizes = {"PE": layer.pe, "SIMD": layer.simd, "BITS": layer.bits}
    values = f"x[{layer.simd * layer.bits - 1}:0]"
    products = {"clk": "clk", "x": values, "minus": f"word[{weights - 1}:0]", "hits": "hits"}
    return [
        wire("word", layer.word_bits),
        f"    reg [{layer.address_bits - 1}:0] address_q;",
        "    always @(posedge clk) address_q <= address;",
        *instance(f"rom_{layer.name}", "rom", {}, rom),
        wire("hits", weights * layer.bits),
        *instance("xnf_match", "match", sizes, products),
        f"    reg [{starts - 1}:0] start;",
        f"    always @(posedge clk) start <= word[{layer.word_bits - 1}:{weights}];",
    ]


def _delayed(name: str, source: str, target: str, cycles: int) -> list[str]:
    return instance("xnf_delay", name, {"CYCLES": cycles, "WIDTH": 1}, CLOCK | {"d": source, "q": target})


def _neurons(layer: LayerPlan) -> list[str]:
    """Return the counters, and the accumulators where a neuron takes several chunks."""
    lines = [wire("results", layer.pe * layer.result_bits)]
    if layer.chunks > 1:
        lines += ["    wire first;", *_delayed("begins", "group_first", "first", 2 + layer.heap.registers)]
    for pe in range(layer.pe):
        count = {"clk": "clk", "bits": f"heap{pe}", "addend": "ones", "sum": f"sum{pe}"}
        add = {"clk": "clk", "first": "first", "sum": f"sum{pe}", "total": f"total{pe}"}
        lines += [
            f"    wire [{layer.sum_bits - 1}:0] sum{pe}, total{pe};",
            wire(f"heap{pe}", sum(layer.heap.heights)),
            f"    assign heap{pe} = {{",
            *_heap_bits(layer, pe),
            "    };",
            *instance(f"count_{layer.name}", f"count{pe}", {}, count),
            *(
                instance("xnf_accumulate", f"add{pe}", {"WIDTH": layer.sum_bits}, add)
                if layer.chunks > 1
                else [f"    assign total{pe} = sum{pe};"]
            ),
            *(_score(layer, pe) if layer.is_scores else _fire(layer, pe)),
        ]
    return lines + (_normalise(layer) if layer.scaled else [])


def _heap_bits(layer: LayerPlan, pe: int) -> list[str]:
    """Return the bits of one neuron's heap, a column per line: hits, start value."""
    lines: list[str] = []
    for column in range(layer.sum_bits):
        parts = [f"start[{pe * layer.sum_bits + column}]"]
        if 1 <= column <= layer.bits:
            parts.append(f"hits[{(pe * layer.bits + column - 1) * layer.simd} +: {layer.simd}]")
        lines.append(f"        {', '.join(parts)}{',' if column else ''}")
    return lines[::-1]


def _fire(layer: LayerPlan, pe: int) -> list[str]:
    top = layer.sum_bits - 1
    return [
        f"    assign results[{pe}] = total{pe}[{top}];",
        *unused(f"unused{pe}", f"total{pe}[{top - 1}:0]"),
    ]


def _score(layer: LayerPlan, pe: int) -> list[str]:
    """Return the score: the total, or from 1-bit inputs twice the total and the inputs' parity."""
    raw = layer.raw_score_bits
    used = raw - 1 if layer.bits == 1 else raw
    taken = f"total{pe}[{used - 1}:0]"
    score = f"{{{taken}, 1'b{layer.n_in % 2}}}" if layer.bits == 1 else taken
    lines = [wire(f"raw{pe}", raw), f"    assign raw{pe} = {score};"]
    if used < layer.sum_bits:
        lines += unused(f"unused{pe}", f"total{pe}[{layer.sum_bits - 1}:{used}]")
    if not layer.scaled:
        lines.append(f"    assign results[{pe * raw} +: {raw}] = raw{pe};")
    return lines


def _normalise(layer: LayerPlan) -> list[str]:
    """Return scale and offset per class, chosen by the number of the group that comes out."""
    assert isinstance(layer.spec, ScoreSpec) and layer.spec.scale is not None
    bits = max(1, (layer.groups - 1).bit_length())
    last = literal(layer.groups - 1, bits)
    lines = [
        "    wire scored;",
        f"    reg [{bits - 1}:0] group;",
        *_delayed("sums", "group_last", "scored", layer.depth - 2),
        "    always @(posedge clk)",
        f"        if (rst) group <= {literal(0, bits)};",
        f"        else if (scored) group <= group == {last} ? {literal(0, bits)} : group + 1'b1;",
    ]
    for pe in range(layer.pe):
        sizes = {"SUM_BITS": layer.raw_score_bits, "SCALE_BITS": layer.scale_bits, "SCORE_BITS": layer.score_bits}
        result = f"results[{pe * layer.score_bits} +: {layer.score_bits}]"
        nets = {
            "clk": "clk",
            "sum": f"raw{pe}",
            "scale": f"scale{pe}",
            "offset": f"offset{pe}",
            "score": result,
        }
        lines += [
            *_constants(layer, pe, bits),
            *instance("xnf_scale", f"scaled{pe}", sizes, nets),
        ]
    return lines


def _constants(layer: LayerPlan, pe: int, group_bits: int) -> list[str]:
    assert isinstance(layer.spec, ScoreSpec) and layer.spec.scale is not None and layer.spec.offset is not None
    lines = [
        f"    reg [{layer.scale_bits - 1}:0] scale{pe};",
        f"    reg [{layer.score_bits - 1}:0] offset{pe};",
        "    always @*",
        "        case (group)",
    ]
    for group in range(layer.groups):
        index = min(group * layer.pe + pe, layer.n_out - 1)
        scale, offset = int(layer.spec.scale[index]), int(layer.spec.offset[index])
        label = "default" if group == layer.groups - 1 else literal(group, group_bits)
        values = f"{literal(scale, layer.scale_bits)}, {literal(offset, layer.score_bits)}"
        lines.append(f"            {label}: {{scale{pe}, offset{pe}}} = {{{values}}};")
    return [*lines, "        endcase"]


def _results(layer: LayerPlan) -> list[str]:
    """Return the FIFO of results, and in a convolution the pooling behind it."""
    width, output = layer.pe * layer.result_bits, "fired" if layer.window else "m"
    nets = CLOCK | {"reserve": "group_last", "room": "room", "push": "push", "push_data": "results"}
    return [
        *_delayed("valid", "group_last", "push", layer.depth),
        *(stream_wires(output, width) if layer.window else []),
        *instance("xnf_fifo", "fifo", {"WIDTH": width, "PLACES": PLACES}, nets | stream("m", output)),
        *(pool_lines(layer.window, layer.pe, layer.gathers) if layer.window else []),
    ]
