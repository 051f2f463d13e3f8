"""What the Verilog becomes on the 7-series, counted from the plan as Yosys counts it.

Registers, counters, memories and products follow from the modules' own text (``verilog/``, and what
``layer.py``, ``counter.py`` and ``rom.py`` write), so they are counted. Control - counters that step,
comparisons, enables - is left to the optimiser: here it is its parts and their bits of state, and
``cost_rtl`` has the LUTs of each, fitted to Yosys runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from xnorflow.base.device import SLICE_LUTS, SLICE_REGISTERS
from xnorflow.routes.rtl.plan import counter
from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.plan.rom import PAIR_DEPTH, Memory, Rom, rom_of, wired_inputs
from xnorflow.routes.rtl.plan.window import WindowPlan

# counters of 16 bits find the class of a score
COUNTER_BITS = 16


@dataclass(frozen=True)
class Cells:
    """Cells of a part.

    Attributes:
        lut: LUTs that the text fixes, LUTs as memory included.
        parts: parts that have control.
        state: bits of their state, which LUTs of control grow with.
        ff: registers, the state included.
        idle: places beside registers of products that no other register may take: a slice has eight, for one
            control set, and each input bit clears registers of its own; those behind a LUT stand beside it.
        dsp: DSP48.
    """

    lut: int = 0
    parts: int = 0
    state: int = 0
    ff: int = 0
    idle: int = 0
    dsp: int = 0

    def __add__(self, other: Cells) -> Cells:
        return Cells(*(mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)))

    def times(self, number: int) -> Cells:
        """Return the cells of ``number`` such parts."""
        return Cells(*(number * mine for mine in vars(self).values()))


def _control(state: int, *, lut: int = 0, ff: int = 0) -> Cells:
    return Cells(lut, 1, state, ff + state)


def _bits(states: int) -> int:
    return max(1, (states - 1).bit_length())


@lru_cache(maxsize=4096)
def counter_cells(heap: counter.CounterPlan) -> Cells:
    """Return a counter: its cells, the adder, and the registers behind the stages."""
    ff = len(heap.heights)
    for number, (stage, heights) in enumerate(zip(heap.stages, heap.levels, strict=False), 1):
        ff += sum(counter.next_heights(heights, stage)) if number % heap.registers_every == 0 else 0
    return Cells(lut=heap.luts, ff=ff)


def lut_memory(depth: int, width: int) -> int:
    """Return the LUTs of a memory that is written and read: RAM32M, RAM64M or RAM128X1D."""
    if depth <= 32:
        return 4 * -(-width // 6)
    return 4 * (-(-width // 3) if depth <= 64 else width * -(-depth // 128))


def _hold(layer: LayerPlan) -> Cells:
    # what a last word is filled up with is shifted, not kept
    used = layer.n_in * layer.bits
    if layer.words == 1:
        return _control(0, lut=layer.ones_bits, ff=2 * used + 2 * layer.ones_bits + 1 + 2 * (layer.lag + 1))
    fill, ago = layer.words * layer.count * layer.bits, 3 * (layer.lag + 1)
    return _control(_bits(layer.words), lut=layer.ones_bits, ff=fill + used + 2 * layer.ones_bits + 1 + ago)


def _chunks(layer: LayerPlan) -> Cells:
    width, more = layer.simd * layer.bits, layer.ones_bits
    state = layer.words.bit_length() + _bits(layer.ratio) + layer.chunk_bits
    registers = 4 + 6 * (layer.lag + 1) + 4 * more + width + (layer.ratio - 1) * layer.count * layer.bits
    return _control(state, lut=2 * more + lut_memory(2 << layer.chunk_bits, width), ff=registers)


def _sequencer(layer: LayerPlan) -> Cells:
    if layer.reuse_factor == 1:
        return Cells()
    # busy, and whether the last word is next where the address is wider than a LUT
    flags = 1 + (layer.address_bits > 6)
    return _control(layer.address_bits + (layer.chunk_bits if layer.chunks > 1 else 0), ff=flags)


def _narrow(parts: int, width: int) -> Cells:
    return _control(_bits(parts) + 2, lut=(parts - 1) * width, ff=parts * width)


def _gather(ratio: int, width: int) -> Cells:
    return _control(ratio.bit_length(), ff=ratio * width + 1)


def _fifo(width: int) -> Cells:
    return Cells(lut=19 + width, ff=12)


def _scale(layer: LayerPlan) -> Cells:
    """Return the normalisation per class: DSPs, its constants by group, and the number of the group."""
    if not layer.scaled:
        return Cells()
    # a DSP48E1 multiplies 25 by 18 bits, of which one is the sign; the sum of several is made of LUTs
    dsp = -(-(layer.scale_bits - 1) // 24) * -(-(layer.raw_score_bits - 1) // 17)
    sums = Cells(lut=layer.score_bits, ff=2 * layer.score_bits) if dsp > 1 else Cells()
    cells = (Cells(dsp=dsp) + sums).times(layer.pe)
    if layer.groups == 1:
        return cells
    # the delay that counts the groups is part of the longer one before the FIFO
    return cells + _control(_bits(layer.groups), lut=layer.pe * layer.score_bits)


def _window(window: WindowPlan) -> dict[str, Cells]:
    pixel, common = window.channels * window.bits, window.common * window.bits
    (_, width, _), (kh, kw), (rows, columns) = window.shape, window.kernel, window.positions
    line, across = window.line_bits, _bits(width)
    # what the count of lines changes by, and whether all are full
    changes = line + 4
    state = 3 * line + 2 + 2 * across + sum(map(_bits, (kh, kw, rows, columns)))
    # a pixel waits, a line has ended, all lines are full
    flags = 3
    parts = {"window": _control(state, lut=lut_memory(1 << (line + across), pixel) + changes, ff=flags + pixel)}
    if window.parts > 1:
        parts["narrow"] = _narrow(window.parts, common)
    if window.surplus:
        parts["drop"] = _control(_bits(window.source_words * window.parts) + 1)
    if window.joined > 1:
        parts["gather"] = _gather(window.joined, common)
    return parts


def _pool(layer: LayerPlan, window: WindowPlan) -> dict[str, Cells]:
    (rows, columns), (ph, pw) = window.positions, window.spec.pool
    parts = {}
    if (ph, pw) != (1, 1):
        place = _bits(columns // pw * layer.groups)
        memory = lut_memory(1 << place, layer.pe)
        counters = sum((states - 1).bit_length() for states in (layer.groups, rows, columns, ph, pw))
        left = (rows % ph > 0) + (columns % pw > 0)
        # Yosys reads the memory by a register of its own
        # where the next word's place comes from: three LUTs for each of its bits
        parts["pool"] = _control(counters + left + 2 * place, lut=layer.pe + memory + 3 * place, ff=place)
    if layer.gathers:
        parts["gather"] = _gather(layer.groups, layer.pe)
    return parts


def rom_cells(layer: LayerPlan, rom: Rom, held: int) -> Cells:
    """Return the part of a weight memory that is LUTs, their address, and places that stay empty beside products.

    Args:
        layer: the layer's plan.
        rom: its weight memory.
        held: columns that are block RAM.
    """
    ff = _bits(rom.words) if rom.columns else 0
    return Cells(lut=rom.luts_beside(held), ff=ff, idle=_idle(layer, rom, held))


def _idle(layer: LayerPlan, rom: Rom, held: int) -> int:
    """Return the places beside the registers of products that no other register may take.

    A slice has eight registers of one control set, and each input bit clears registers of its own. Those
    that LUTs feed stand beside these, four to a slice.
    """
    if layer.reuse_factor == 1:
        return 0
    inputs, registers = layer.simd * layer.bits, -(-layer.pe // SLICE_REGISTERS)
    from_luts = min(layer.simd, max(0, rom.columns - held - rom.starts) // layer.pe)
    luts = -(-layer.pe // 2) if rom.words <= PAIR_DEPTH else layer.pe * rom.luts
    slices = from_luts * max(registers, -(-luts // SLICE_LUTS)) + (inputs - from_luts) * registers
    return slices * SLICE_REGISTERS - inputs * layer.pe


def _products(layer: LayerPlan, wired: int | None) -> Cells:
    """Return the registers of products and start values.

    A memory of one word is wiring: start values are constants then, and neurons share an input's products.
    """
    if layer.reuse_factor > 1:
        return Cells(ff=layer.pe * (layer.simd * layer.bits + layer.sum_bits))
    # of a constant weight and a bit that clears it Yosys makes a register of the bit's inverse, without a reset
    return Cells(ff=layer.bits * (layer.simd if wired is None else wired))


def layer_parts(layer: LayerPlan, wired: int | None = None) -> dict[str, Cells]:
    """Return the cells of a layer but its weight memory, part by part, named after the modules.

    Args:
        layer: the layer's plan.
        wired: of a memory of one word, inputs that meet a weight of -1; all where it is not known.
    """
    pe, bits = layer.pe, layer.sum_bits
    parts = {
        "sequencer": _sequencer(layer),
        "hold" if layer.whole else "chunks": _hold(layer) if layer.whole else _chunks(layer),
        "ones": counter_cells(layer.word_heap),
        "match": _products(layer, wired),
        "count": counter_cells(layer.heap).times(pe),
        # a LUT for the sum, and one that starts anew
        "accumulate": Cells(lut=2 * bits, ff=bits).times(pe if layer.chunks > 1 else 0),
        "delay": Cells(ff=layer.depth + (2 + layer.heap.registers if layer.chunks > 1 else 0)),
        "fifo": _fifo(pe * layer.result_bits),
        "scale": _scale(layer),
    }
    more = [{"narrow": _narrow(layer.parts, layer.count * layer.bits)}] if layer.parts > 1 else []
    if layer.window:
        more += [_window(layer.window), _pool(layer, layer.window)]
    for name, cells in (item for found in more for item in found.items()):
        parts[name] = parts.get(name, Cells()) + cells
    return parts


def layer_cells(layer: LayerPlan, wired: int | None = None) -> Cells:
    """Return the cells of a layer but its weight memory, all of ``layer_parts``."""
    return sum(layer_parts(layer, wired).values(), Cells())


def frame_cells(beats: int, beat_bits: int) -> Cells:
    """Return what keeps the images of the input stream apart."""
    return _control(_bits(beats), lut=beat_bits, ff=4) if beats > 1 else _control(0, lut=beat_bits, ff=2)


def result_cells(scores: LayerPlan) -> Cells:
    """Return what collects the scores of the last layer and finds the class (xnf_result)."""
    pe, width, padding = scores.pe, scores.score_bits, -scores.n_out % scores.pe
    # of the bits of a class that no step of pe changes Yosys leaves out all but one
    place = COUNTER_BITS - max(0, (pe & -pe).bit_length() - 2)
    kept = (scores.groups * pe + 1) * width + COUNTER_BITS + place + (place if padding else 0) + 1
    waiting = scores.pair_levels * (pe * width + 1)
    lut = round(2 * width + (pe - 1) * (1.5 * width + 2)) + padding * width
    return Cells(lut=lut, ff=kept + waiting + _pairs(pe, width, masked=padding > 0))


def _pairs(pe: int, score_bits: int, *, masked: bool) -> int:
    """Return the registers of the pairs of scores; a winner has a bit of its place for each level.

    A last score that waits for a partner is the word's own, with a register of its own only where it is masked.
    """
    ff, count, level, last = 0, pe, 0, score_bits if masked else 0
    while count > 1:
        level += 1
        pairs, odd = divmod(count, 2)
        ff += pairs * (score_bits + level) + (last if odd else 0)
        last = last if odd else score_bits + level
        count = pairs + odd
    return ff


def network_cells(plan: NetPlan, memories: Sequence[Memory]) -> list[Cells]:
    """Return the cells of each layer with its weight memory, the network's ends with its first and last layer."""
    cells = [
        layer_cells(layer, wired_inputs(memory, layer.pe, layer.simd))
        + rom_cells(layer, rom_of(layer, memory.columns.shape[1], memory.start_columns), memory.block_columns)
        for layer, memory in zip(plan.layers, memories, strict=True)
    ]
    cells[0] += frame_cells(plan.beats, plan.beat_bits)
    cells[-1] += result_cells(plan.layers[-1])
    return cells
