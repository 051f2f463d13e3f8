"""NetSpec and foldings to Verilog-2005: fixed, parameterised modules and a few generated ones.

The fixed modules (``verilog/xnf_*.v``) hold all behaviour. Generated are what Verilog has no words
for: the contents of the weight memories (``rom_<layer>.v``), the counter trees (``count_<layer>.v`` of a
neuron, ``ones_<layer>.v`` of an incoming word), and the wiring of each layer (``<layer>.v``) and of the
network (``<top>.v``).
"""

from __future__ import annotations

import re
from importlib import resources

from xnorflow.base.errors import ConfigError
from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.plan.rom import Memory, choose_memories
from xnorflow.routes.rtl.write.counter import counter_module
from xnorflow.routes.rtl.write.layer import layer_module
from xnorflow.routes.rtl.write.rom import rom_module
from xnorflow.routes.rtl.write.text import (
    CLOCK,
    CLOCK_PORTS,
    OFFERED,
    TAKEN,
    framed,
    instance,
    ports,
    stream,
    stream_wires,
)

TOP = "xnf_top"


def files_of(plan: NetPlan, bram36: float = 60) -> dict[str, str]:
    """Return the Verilog files of a planned network, by name; the top module is ``xnf_top``.

    Args:
        plan: the network's plan.
        bram36: block RAMs that weights may take; the rest of the weights goes into LUTs.

    Raises:
        ConfigError: ``bram36`` below 0, or scores that are too wide.
    """
    if bram36 < 0:
        raise ConfigError(f"bram36 must be >= 0, got {bram36}")
    files = fixed_modules()
    for layer, memory in zip(plan.layers, choose_memories(plan.layers, bram36), strict=True):
        files |= _layer_files(layer, memory)
    files[f"{TOP}.v"] = top_module(plan)
    return files


def _layer_files(layer: LayerPlan, memory: Memory) -> dict[str, str]:
    return {
        f"rom_{layer.name}.v": rom_module(layer, memory),
        f"ones_{layer.name}.v": counter_module(f"ones_{layer.name}", layer.word_heap),
        f"count_{layer.name}.v": counter_module(f"count_{layer.name}", layer.heap),
        f"{layer.name}.v": layer_module(layer),
    }


def fixed_modules() -> dict[str, str]:
    """Return the files that are the same for every network."""
    folder = resources.files("xnorflow.routes.rtl") / "verilog"
    return {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".v")
    }


def field_bits(plan: NetPlan) -> int:
    """Bits of one score in ``m_axis_tdata``: 16, 32 or 64."""
    need = plan.layers[-1].score_bits
    for width in (16, 32, 64):
        if need <= width:
            return width
    raise ConfigError(f"scores of {need} bits are wider than the 64 that the Verilog generator allows")


def result_bits(plan: NetPlan) -> int:
    """Bits of ``m_axis_tdata``: the class and the scores."""
    return plan.spec.n_classes * field_bits(plan) + 16


def top_module(plan: NetPlan) -> str:
    """Return the module that joins the layers and has the two streams."""
    spec, n = plan.spec, len(plan.layers)
    lines = [
        *_head(plan),
        *stream_wires("s0", plan.beat_bits),
        *_frame(plan),
    ]
    for layer in plan.layers:
        lines += [
            f"    // {_plain(layer.spec.name)}",
            *stream_wires(f"s{layer.index + 1}", layer.width_out * layer.result_bits),
            *_layer(layer),
        ]
    last = plan.layers[-1]
    sizes = {"CLASSES": spec.n_classes, "PE": last.pe, "WIDTH": last.score_bits, "FIELD": field_bits(plan)}
    ends = {f"m_axis_{end}": f"m_axis_{end}" for end in ("tvalid", "tready", "tlast", "tdata")}
    lines += instance("xnf_result", "result", sizes, CLOCK | stream("s", f"s{n}") | ends)
    return framed([*lines, "endmodule"])


def _plain(name: str) -> str:
    return re.sub(r"[^\w .-]", "_", name)


def _head(plan: NetPlan) -> list[str]:
    spec, field = plan.spec, field_bits(plan)
    return [
        f"// {_plain(spec.name)}: {spec.input.size} inputs of {spec.input.bits} bit,",
        f"// {spec.n_classes} classes.",
        f"// An image is {plan.beats} beats of {plan.beat_bits} bits, first value in bit 0, tlast with",
        f"// the last; one is taken every {plan.interval_cycles} cycles, the first result comes",
        f"// {plan.latency_cycles} cycles after its first beat.",
        f"// A result is one beat: class in bits 15:0, then {spec.n_classes} signed scores of {field} bits.",
        f"module {TOP} (",
        *ports(
            *CLOCK_PORTS,
            ("input  wire s_axis_tvalid", OFFERED.replace("word", "beat")),
            ("output wire s_axis_tready", f"{TAKEN.replace('word', 'beat')} s_axis_tvalid"),
            (f"input  wire [{plan.beat_bits - 1}:0] s_axis_tdata", "unsigned values, first one lowest, with tvalid"),
            ("input  wire s_axis_tlast", "the last beat of an image, with tvalid"),
            ("output wire m_axis_tvalid", OFFERED.replace("word", "result")),
            ("input  wire m_axis_tready", f"{TAKEN.replace('word', 'result')} m_axis_tvalid"),
            (f"output wire [{result_bits(plan) - 1}:0] m_axis_tdata", "class, then signed scores, with tvalid"),
            ("output wire m_axis_tlast", "always 1: a result is one beat"),
            ("output wire frame_error", "an image was too short or too long; until reset"),
        ),
        ");",
    ]


def _frame(plan: NetPlan) -> list[str]:
    used = plan.spec.input.size * plan.spec.input.bits - (plan.beats - 1) * plan.beat_bits
    sizes = {"BEATS": plan.beats, "WIDTH": plan.beat_bits, "LAST_BITS": used}
    ends = {f"s_axis_{end}": f"s_axis_{end}" for end in ("tvalid", "tready", "tdata", "tlast")}
    return instance("xnf_frame", "frame", sizes, CLOCK | ends | stream("m", "s0") | {"frame_error": "frame_error"})


def _layer(layer: LayerPlan) -> list[str]:
    i = layer.index
    return instance(layer.name, f"layer{i}", {}, CLOCK | stream("s", f"s{i}") | stream("m", f"s{i + 1}"))
