"""How each layer is folded, and what follows: cycles per image, latency, sizes of every part.

A layer of ``n_in`` inputs and ``n_out`` neurons with ``pe`` neurons and ``simd`` inputs per cycle
takes ``reuse_factor = ceil(n_in / simd) * ceil(n_out / pe)`` cycles per image (a convolution per
position of its window). All layers work at once, so the network takes an image every
``max(reuse factors and words that come in)`` cycles. This file is the one place with these formulas.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from xnorflow.errors import ConfigError
from xnorflow.rtl import compressor
from xnorflow.rtl.window import WindowPlan
from xnorflow.spec import ConvSpec, LayerSpec, NetSpec, ScoreSpec

# Results that may be under way between a layer's start and the layer behind it (xnf_fifo).
PLACES = 32


@dataclass(frozen=True)
class Folding:
    """``pe`` neurons and ``simd`` inputs per cycle."""

    pe: int
    simd: int

    def __post_init__(self) -> None:
        for name in ("pe", "simd"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ConfigError(f"folding: {name} must be a whole number >= 1, got {value!r}")


@dataclass(frozen=True)
class LayerPlan:
    """One layer's sizes.

    Attributes:
        spec: the layer.
        index: its place in the network.
        bits: bits per input value.
        folding: neurons and inputs per cycle, as asked for.
        width_in: values per word that comes in.
        words_in: such words per image (per patch in a convolution).
        registers_every: counter stages between two registers.
        window: what a convolution adds; ``None`` in a dense layer.
    """

    spec: LayerSpec
    index: int
    bits: int
    folding: Folding
    width_in: int
    words_in: int
    registers_every: int = 1
    window: WindowPlan | None = None

    @property
    def name(self) -> str:
        """Identifier of the layer's modules."""
        return f"l{self.index}"

    @property
    def n_in(self) -> int:
        """Inputs of one neuron."""
        return self.spec.n_in

    @property
    def n_out(self) -> int:
        """Neurons."""
        return self.spec.n_out

    @property
    def pe(self) -> int:
        """Neurons at once."""
        return min(self.folding.pe, self.n_out)

    @property
    def whole(self) -> bool:
        """All inputs at once."""
        return self.folding.simd >= self.n_in

    @property
    def parts(self) -> int:
        """Words into which each incoming word is split."""
        return 1 if self.whole else self.width_in // math.gcd(self.width_in, self.folding.simd)

    @property
    def count(self) -> int:
        """Values per incoming word after the split."""
        return self.width_in // self.parts

    @property
    def words(self) -> int:
        """Incoming words per image after the split."""
        return self.words_in * self.parts

    @property
    def ratio(self) -> int:
        """Incoming words per chunk."""
        return self.words if self.whole else self.folding.simd // self.count

    @property
    def chunks(self) -> int:
        """Words of inputs per image."""
        return -(-self.words // self.ratio)

    @property
    def simd(self) -> int:
        """Inputs at once."""
        return self.n_in if self.whole else self.ratio * self.count

    @property
    def groups(self) -> int:
        """Groups of neurons."""
        return -(-self.n_out // self.pe)

    @property
    def reuse_factor(self) -> int:
        """Cycles per image (per window position in a convolution)."""
        return self.groups * self.chunks

    @property
    def positions(self) -> int:
        """Patches per image; 1 in a dense layer."""
        return math.prod(self.window.positions) if self.window else 1

    @property
    def cycles(self) -> int:
        """Cycles per image: of the counters, or of the words that come in where those are more."""
        return max(self.positions * max(self.words, self.reuse_factor), self.window.cycles if self.window else 0)

    @property
    def gathers(self) -> bool:
        """Whether a convolution's words are joined to pixels, because padding would stand between them."""
        return self.window is not None and self.n_out % self.pe != 0

    @property
    def width_out(self) -> int:
        """Values per word that goes out."""
        return self.n_out if self.gathers else self.pe

    @property
    def words_out(self) -> int:
        """Words per image that go out."""
        if self.window is None:
            return self.groups
        rows, columns = self.window.positions
        pooled = (rows // self.window.spec.pool[0]) * (columns // self.window.spec.pool[1])
        return pooled * (1 if self.gathers else self.groups)

    @property
    def max_total(self) -> int:
        """Largest value of 2 * hits + sum of inputs."""
        return 2 * self.n_in * (2**self.bits - 1)

    @property
    def is_scores(self) -> bool:
        """Whether it is the score layer."""
        return isinstance(self.spec, ScoreSpec)

    @property
    def raw_score_bits(self) -> int:
        """Bits of a signed score before the normalisation."""
        return (self.n_in * (2**self.bits - 1)).bit_length() + 1

    @property
    def score_bits(self) -> int:
        """Bits of a signed score."""
        if not isinstance(self.spec, ScoreSpec) or self.spec.scale is None or self.spec.offset is None:
            return self.raw_score_bits
        largest = self.n_in * (2**self.bits - 1)
        bound = max(
            largest * abs(int(scale)) + abs(int(offset))
            for scale, offset in zip(self.spec.scale, self.spec.offset, strict=True)
        )
        return max(bound.bit_length() + 1, self.raw_score_bits + 1)

    @property
    def sum_bits(self) -> int:
        """Bits of the accumulator: a sign above the largest total, or a score (halved for 1-bit inputs)."""
        if self.is_scores:
            return max(self.raw_score_bits - (self.bits == 1), self.bits + 1)
        return self.max_total.bit_length() + 1

    @property
    def ones_bits(self) -> int:
        """Bits of the sum of all inputs."""
        return (self.n_in * (2**self.bits - 1)).bit_length()

    @cached_property
    def heap(self) -> compressor.Plan:
        """The counter of one neuron: hits, sum of inputs, start value."""
        heights = [1] * self.sum_bits
        for column in range(self.ones_bits):
            heights[column] += 1
        for column in range(self.bits):
            heights[column + 1] += self.simd
        return compressor.plan(heights, self.registers_every)

    @property
    def depth(self) -> int:
        """Cycles from the issue of a word of weights to its result: memory, products, counter, accumulator."""
        return 2 + self.heap.registers + (self.chunks > 1) + 2 * self.scaled

    @property
    def scaled(self) -> bool:
        """Has a normalisation per class."""
        return isinstance(self.spec, ScoreSpec) and self.spec.scale is not None

    @property
    def address_bits(self) -> int:
        """Bits of the weight memory's address."""
        return max(1, (self.reuse_factor - 1).bit_length())

    @property
    def chunk_bits(self) -> int:
        """Bits of the chunk number."""
        return max(1, (self.chunks - 1).bit_length())

    @property
    def word_bits(self) -> int:
        """Bits of a word of the weight memory: weights, then start values."""
        return self.pe * (self.simd + self.sum_bits)


@dataclass(frozen=True)
class NetPlan:
    """A whole network's sizes.

    Attributes:
        spec: the network.
        beat_bits: bits of ``s_axis_tdata``.
        layers: the plan of each layer.
    """

    spec: NetSpec
    beat_bits: int
    layers: tuple[LayerPlan, ...]

    @property
    def values_per_beat(self) -> int:
        """Input values in one beat."""
        return self.beat_bits // self.spec.input.bits

    @property
    def beats(self) -> int:
        """Beats per image."""
        return -(-self.spec.input.size // self.values_per_beat)

    @property
    def interval_cycles(self) -> int:
        """Cycles between two images when neither side waits; with convolutions the least that it can be."""
        return max(self.beats, *(layer.cycles for layer in self.layers))

    @property
    def latency_cycles(self) -> int | None:
        """Cycles from the first beat taken to the result shown, in an idle network.

        ``None`` with convolutions, whose lines make the layers wait for one another.
        """
        if any(layer.window for layer in self.layers):
            return None
        times = list(range(self.beats))
        for layer in self.layers:
            times = _through_layer(layer, times)
        return times[-1] + 1


def _through_layer(layer: LayerPlan, times: Sequence[int]) -> list[int]:
    """Cycles in which a layer's results are taken, given those in which its words are."""
    if layer.parts > 1:
        split: list[int] = []
        for time in times:
            start = max(time, split[-1] if split else 0) + 1
            split += range(start, start + layer.parts)
        times = split
    first = times[-1] + 1
    return [first + (group + 1) * layer.chunks + layer.depth for group in range(layer.groups)]


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
    """Work out a layer that reads images of ``shape``, in ``words`` words of ``width`` values of ``bits`` bits."""
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
