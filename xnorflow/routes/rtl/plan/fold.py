"""How each layer is folded: from the user's numbers, or the cheapest for a number of cycles."""

from __future__ import annotations

import math
from collections.abc import Mapping

from xnorflow.base.errors import ConfigError
from xnorflow.net.folding import Folding
from xnorflow.net.layers import ConvSpec, LayerSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.plan.timing import PLACES
from xnorflow.routes.rtl.plan.window import WindowPlan


def plan_network(
    spec: NetSpec, foldings: Mapping[str, Folding], beat_bits: int | None = None, registers_every: int = 1
) -> NetPlan:
    """Work out every size of a network.

    Args:
        spec: the network.
        foldings: one per layer, by name.
        beat_bits: bits of one input beat, a multiple of 8; by default the fewest that keep up.
        registers_every: counter stages between two registers; 1 is the fastest clock.

    Raises:
        ConfigError: a layer without folding or a folding without layer, or a beat that cannot be.
    """
    names = [layer.name for layer in spec.layers]
    for name in (*foldings, *names):
        if name not in names or name not in foldings:
            raise ConfigError(f"foldings must name the layers {', '.join(names)}, got {', '.join(foldings)}")
    if not isinstance(registers_every, int) or registers_every < 1:
        raise ConfigError(f"registers_every must be a whole number >= 1, got {registers_every!r}")
    beat = _beat_bits(spec, foldings, beat_bits)
    return NetPlan(spec, beat, tuple(_plan_layers(spec, foldings, beat, registers_every)))


def _plan_layers(
    spec: NetSpec, foldings: Mapping[str, Folding], beat_bits: int, registers_every: int
) -> list[LayerPlan]:
    bits = spec.input.bits
    width, words = beat_bits // bits, -(-spec.input.size * bits // beat_bits)
    layers: list[LayerPlan] = []
    for index, (layer, shape) in enumerate(spec.walk()):
        plan = plan_layer(layer, shape, index, bits, foldings[layer.name], width, words, registers_every)
        if plan.depth + 3 > PLACES:
            raise ConfigError(f"layer {layer.name}: {plan.depth} pipeline stages, at most {PLACES - 3} are allowed")
        layers.append(plan)
        width, words, bits = plan.width_out, plan.words_out, 1
    return layers


def plan_layer(
    layer: LayerSpec,
    shape: tuple[int, ...],
    index: int,
    bits: int,
    folding: Folding,
    width: int,
    words: int,
    registers_every: int = 1,
) -> LayerPlan:
    """Work out a layer that reads images of ``shape``: ``words`` words of ``width`` values."""
    if not isinstance(layer, ConvSpec):
        return LayerPlan(layer, index, bits, folding, width, words, registers_every)
    height, columns, channels = shape
    window = WindowPlan(layer, (height, columns, channels), bits, width, words)
    patch = math.prod(window.kernel)
    return LayerPlan(layer, index, bits, folding, channels, patch, registers_every, window)


def _beat_bits(spec: NetSpec, foldings: Mapping[str, Folding], beat_bits: int | None) -> int:
    if beat_bits is None:
        slowest = max(_image_cycles(layer, shape, foldings[layer.name]) for layer, shape in spec.walk())
        return 8 * -(-spec.input.size * spec.input.bits // (8 * slowest))
    if not isinstance(beat_bits, int) or beat_bits < 8 or beat_bits % 8:
        raise ConfigError(f"beat_bits must be a multiple of 8, got {beat_bits!r}")
    return beat_bits


def _image_cycles(layer: LayerSpec, shape: tuple[int, ...], folding: Folding) -> int:
    positions = math.prod(layer.conv_shape(shape)[:2]) if isinstance(layer, ConvSpec) else 1
    return positions * -(-layer.n_in // folding.simd) * -(-layer.n_out // folding.pe)


def choose_foldings(spec: NetSpec, cycles: int) -> dict[str, Folding]:
    """Return the folding of each layer with the smallest counters that takes at most ``cycles`` per image.

    Raises:
        ConfigError: ``cycles`` is not a whole number >= 1, or fewer than a convolution's window needs.
    """
    if not isinstance(cycles, int) or isinstance(cycles, bool) or cycles < 1:
        raise ConfigError(f"cycles must be a whole number >= 1, got {cycles!r}")
    foldings: dict[str, Folding] = {}
    bits = spec.input.bits
    width = max(8 * -(-spec.input.size * bits // (8 * cycles)), 8) // bits
    words = -(-spec.input.size // width)
    for index, (layer, shape) in enumerate(spec.walk()):
        whole = plan_layer(layer, shape, index, bits, Folding(layer.n_out, layer.n_in), width, words)
        if whole.window is not None and whole.cycles > cycles:
            raise ConfigError(f"layer {layer.name}: its window takes {whole.cycles} cycles per image, got {cycles}")
        options = [
            plan_layer(layer, shape, index, bits, folding, width, words)
            for folding in _options(whole, cycles // whole.positions)
        ]
        best = min((plan for plan in options if plan.cycles <= cycles or plan.whole), key=_cost)
        foldings[layer.name] = Folding(best.pe, best.simd)
        width, words, bits = best.width_out, best.words_out, 1
    return foldings


def _options(whole: LayerPlan, cycles: int) -> list[Folding]:
    """Foldings worth a look: for each number of groups the fewest inputs per cycle, in whole words."""
    options, width = [whole.folding], whole.width_in
    for pe in range(1, whole.n_out + 1):
        chunks = cycles // -(-whole.n_out // pe)
        if chunks < 1 or (pe > 1 and -(-whole.n_out // pe) == -(-whole.n_out // (pe - 1))):
            continue
        simd = -(-whole.n_in // chunks)
        options.append(Folding(pe, min(whole.n_in, -(-simd // width) * width)))
        if whole.window is None and width > 1 and simd < width:
            options.append(Folding(pe, simd))
    return options


def _cost(plan: LayerPlan) -> float:
    """LUTs of counters, accumulators, input memory and weights (72 bits of block RAM count as 40 LUTs)."""
    counters = plan.pe * (plan.heap.luts + (plan.sum_bits if plan.chunks > 1 else 0))
    memory = 0.0 if plan.whole else plan.simd * plan.bits * 0.7 * -(-plan.chunks // 16) + 20
    return counters + memory + plan.word_bits * min(40 / 72, -(-plan.reuse_factor // 64))
