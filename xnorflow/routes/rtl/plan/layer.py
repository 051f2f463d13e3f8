"""The sizes of every part of a folded layer, and its cycles: the one place with these formulas.

A layer of ``n_in`` inputs and ``n_out`` neurons with ``pe`` neurons and ``simd`` inputs per cycle
takes ``reuse_factor = ceil(n_in / simd) * ceil(n_out / pe)`` cycles per image (a convolution per
position of its window).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from xnorflow.net.folding import Folding
from xnorflow.net.layers import LayerSpec, ScoreSpec
from xnorflow.routes.rtl.plan import counter
from xnorflow.routes.rtl.plan.window import WindowPlan


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

    def __post_init__(self) -> None:
        self.folding.check(self.spec.name, self.n_in, self.n_out)

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
        return self.folding.pe

    @property
    def whole(self) -> bool:
        """All inputs at once."""
        return self.folding.simd == self.n_in

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
        return 2 * self.n_in * ((1 << self.bits) - 1)

    @property
    def is_scores(self) -> bool:
        """Whether it is the score layer."""
        return isinstance(self.spec, ScoreSpec)

    @property
    def raw_score_bits(self) -> int:
        """Bits of a signed score before the normalisation."""
        return (self.n_in * ((1 << self.bits) - 1)).bit_length() + 1

    @property
    def score_bits(self) -> int:
        """Bits of a signed score."""
        if not isinstance(self.spec, ScoreSpec) or self.spec.scale is None or self.spec.offset is None:
            return self.raw_score_bits
        largest = self.n_in * ((1 << self.bits) - 1)
        bound = max(
            largest * abs(int(scale)) + abs(int(offset))
            for scale, offset in zip(self.spec.scale, self.spec.offset, strict=True)
        )
        return max(bound.bit_length() + 1, self.raw_score_bits + 1)

    @property
    def scale_bits(self) -> int:
        """Bits of the largest scale of a class; 0 without a normalisation per class."""
        if not isinstance(self.spec, ScoreSpec) or self.spec.scale is None:
            return 0
        return min(max(int(abs(self.spec.scale).max()).bit_length() + 1, 2), self.score_bits)

    @property
    def pair_levels(self) -> int:
        """Levels of pairs, a cycle each, by which xnf_result finds the best score of a word."""
        return (self.pe - 1).bit_length()

    @property
    def result_bits(self) -> int:
        """Bits of one neuron's result."""
        return self.score_bits if self.is_scores else 1

    @property
    def sum_bits(self) -> int:
        """Bits of the accumulator: a sign above the largest total, or a score (halved for 1-bit inputs)."""
        if self.is_scores:
            return max(self.raw_score_bits - (self.bits == 1), self.bits + 1)
        return self.max_total.bit_length() + 1

    @property
    def ones_bits(self) -> int:
        """Bits of the sum of all inputs."""
        return (self.n_in * ((1 << self.bits) - 1)).bit_length()

    @property
    def word_sum_bits(self) -> int:
        """Bits of the sum of one incoming word's values."""
        return min((self.count * ((1 << self.bits) - 1)).bit_length(), self.ones_bits)

    @cached_property
    def word_heap(self) -> counter.CounterPlan:
        """The counter of the values of an incoming word, a column per bit plane."""
        heights = [self.count if column < self.bits else 0 for column in range(self.word_sum_bits)]
        return counter.plan(heights, self.registers_every)

    @property
    def lag(self) -> int:
        """Cycles by which the sum of the inputs comes after the products."""
        return self.word_heap.registers - 1

    @cached_property
    def heap(self) -> counter.CounterPlan:
        """The counter of one neuron: hits and start value, and the sum of inputs that joins them."""
        heights = [1] * self.sum_bits
        for column in range(self.bits):
            heights[column + 1] += self.simd
        return counter.plan(heights, self.registers_every, self.ones_bits, self.lag)

    @property
    def depth(self) -> int:
        """Cycles from a word of weights to its result: memory, products, counter, accumulator, scale."""
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
