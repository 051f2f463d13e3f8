"""In which cycle each word moves: the streams of a planned network, as one recurrence per module.

A word passes from one module to the next in the later of two cycles: that in which it is offered
and that in which there is room for it. Both are sums and maxima of cycles in which earlier words
moved, so all of them follow one after the other, exactly, as long as neither end of the network
waits (a timed event graph: Baccelli et al. 1992, "Synchronization and Linearity", chapter 2).

Each function here is one module of ``verilog/``: it says when the module takes its words and when
it offers what it makes of them. It asks for a cycle by ``yield`` and goes on when that is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from functools import partial

from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.window import WindowPlan

# Results that may be under way between a layer's start and the layer behind it (xnf_fifo).
PLACES = 32

_Cycles = list[int]
# asks for the entry with this number of a list that is still growing, and gets it
Module = Generator[tuple[_Cycles, int], int, None]


class Link:
    """A stream: the cycles in which each of its words is offered, has room, and moves."""

    def __init__(self) -> None:
        self.offered: _Cycles = []
        self.room: _Cycles = []
        self.moved: _Cycles = []

    def offer(self, cycle: int) -> None:
        """The next word is offered from ``cycle`` on."""
        self.offered.append(cycle)
        self._move()

    def accept(self, cycle: int) -> None:
        """There is room for the next word from ``cycle`` on."""
        self.room.append(cycle)
        self._move()

    def _move(self) -> None:
        n = len(self.moved)
        if n < min(len(self.offered), len(self.room)):
            self.moved.append(max(self.offered[n], self.room[n]))


def run_modules(modules: Sequence[Module], goal: _Cycles, count: int) -> None:
    """Let the modules go on until ``goal`` has ``count`` entries."""
    waiting = [(module, *next(module)) for module in modules]
    stuck = False
    while len(goal) < count:
        if stuck:
            raise AssertionError("the modules wait for one another")
        stuck = True
        for place, (module, cycles, number) in enumerate(waiting):
            while len(cycles) > number:
                cycles, number = module.send(cycles[number])
                stuck = False
            waiting[place] = (module, cycles, number)


def source(target: Link) -> Module:
    """Offers a beat in every cycle (through xnf_frame, which passes them in the same cycle)."""
    now = -1
    for beat in itertools.count():
        target.offer(now + 1)
        now = yield target.moved, beat


def sink(stream: Link) -> Module:
    """Takes every word at once (xnf_result, while its own result is taken at once)."""
    for word in itertools.count():
        stream.accept(0)
        yield stream.moved, word


def narrow(parts: int, stream: Link, target: Link) -> Module:
    """xnf_narrow: a word goes out as ``parts`` words; the next may come in with the last of them."""
    left = 0
    for word in itertools.count():
        stream.accept(left)
        left = yield stream.moved, word
        for part in range(parts):
            target.offer(left + 1)
            left = yield target.moved, word * parts + part


def gather(ratio: int, stream: Link, target: Link) -> Module:
    """xnf_gather: ``ratio`` words go out as one."""
    left = now = 0
    for word in itertools.count():
        for part in range(ratio):
            stream.accept(left)
            now = yield stream.moved, word * ratio + part
        target.offer(now + 1)
        left = yield target.moved, word


def passing(keeps: Sequence[bool], stream: Link, target: Link) -> Module:
    """xnf_drop, xnf_pool: some words of each image go on in the same cycle, the others end here."""
    kept = 0
    for word in itertools.count():
        now = yield stream.offered, word
        if keeps[word % len(keeps)]:
            target.offer(now)
            now = yield target.moved, kept
            kept += 1
        stream.accept(now)


def pooled(window: WindowPlan, groups: int) -> list[bool]:
    """Which words of an image xnf_pool passes on: the last of each pooling window."""
    rows, columns = window.positions
    high, wide = window.spec.pool
    return [
        row < rows // high * high and column < columns // wide * wide and (row + 1) % high == (column + 1) % wide == 0
        for row, column, _ in itertools.product(range(rows), range(columns), range(groups))
    ]


def window_module(window: WindowPlan, stream: Link, complete: _Cycles, freed: _Cycles) -> Module:
    """xnf_window, writing: a pixel is taken while one of the stored lines is free; a line counts a cycle later."""
    width, stored = window.shape[1], 1 << window.line_bits
    now = 0
    for line in itertools.count():
        free = -1 if line < stored else (yield freed, line - stored)
        for column in range(width):
            stream.accept(free + 1)
            now = yield stream.moved, line * width + column
        complete.append(now + 1)


def window_pixels(window: WindowPlan, target: Link, complete: _Cycles, freed: _Cycles) -> Module:
    """xnf_window, reading: the pixels under the kernel, one per cycle, once the row's lines are there."""
    height, step = window.shape[0], window.spec.strides[0]
    (rows, columns), (kh, kw) = window.positions, window.kernel
    now = left = pixel = 0
    for number in itertools.count():
        image, row = divmod(number, rows)
        last = row == rows - 1
        needed = height if last else row * step + max(kh, step)
        ready = (yield complete, image * height + needed - 1) + 1
        for _ in range(columns * kh * kw):
            now = max(now + 1, left, ready)
            target.offer(now + 1)
            left = yield target.moved, pixel
            pixel += 1
        freed.extend([now] * (height - row * step if last else step))


def inputs(layer: LayerPlan, stream: Link, full: _Cycles, given_back: _Cycles) -> Module:
    """xnf_buffer, xnf_chunks: a word is taken while one of the places for images is free."""
    places, delay = (1, 0) if layer.whole else (2, 1)
    now = 0
    for image in itertools.count():
        free = 0 if image < places else (yield given_back, image - places) + delay
        for word in range(layer.words):
            stream.accept(free)
            now = yield stream.moved, image * layer.words + word
        full.append(now)


def steps(layer: LayerPlan, full: _Cycles, given_back: _Cycles, results: Link, made: _Cycles) -> Module:
    """xnf_sequencer and the pipeline: a step per cycle while there is an image and xnf_fifo has credit."""
    now, result = -1, 0
    for image in itertools.count():
        now = max(now, (yield full, image))
        for group in range(layer.groups):
            if result >= PLACES:
                now = max(now, (yield results.moved, result - PLACES))
            if layer.whole and group == 0:
                given_back.append(now + 1)
            now += layer.chunks
            made.append(now + layer.depth)
            result += 1
        if not layer.whole:
            given_back.append(now)


def fifo(made: _Cycles, results: Link) -> Module:
    """xnf_fifo: a result is offered from the cycle behind its own on, one after the other."""
    left = -1
    for result in itertools.count():
        pushed = yield made, result
        results.offer(max(pushed, left) + 1)
        left = yield results.moved, result


class Chain:
    """The modules of a network, and the stream at the end of those that are there so far."""

    def __init__(self) -> None:
        self.stream = Link()
        self.modules: list[Module] = [source(self.stream)]

    def add(self, module: Callable[[Link, Link], Module]) -> None:
        """Add a module with a stream at each end."""
        target = Link()
        self.modules.append(module(self.stream, target))
        self.stream = target

    def add_window(self, window: WindowPlan) -> None:
        """Add what stands before a convolution's layer."""
        if window.parts > 1:
            self.add(partial(narrow, window.parts))
        if window.surplus:
            words = window.source_words * window.parts
            keeps = [word < words - window.surplus for word in range(words)]
            self.add(partial(passing, keeps))
        if window.joined > 1:
            self.add(partial(gather, window.joined))
        complete: _Cycles = []
        freed: _Cycles = []
        self.modules.append(window_module(window, self.stream, complete, freed))
        self.stream = Link()
        self.modules.append(window_pixels(window, self.stream, complete, freed))

    def add_layer(self, layer: LayerPlan) -> None:
        """Add a layer, with the window before it and the pooling behind it in a convolution."""
        if layer.window is not None:
            self.add_window(layer.window)
        if layer.parts > 1:
            self.add(partial(narrow, layer.parts))
        full: _Cycles = []
        given_back: _Cycles = []
        made: _Cycles = []
        results = Link()
        self.modules += [
            inputs(layer, self.stream, full, given_back),
            steps(layer, full, given_back, results, made),
            fifo(made, results),
        ]
        self.stream = results
        if layer.window is not None and layer.window.spec.pool != (1, 1):
            self.add(partial(passing, pooled(layer.window, layer.groups)))
        if layer.gathers:
            self.add(partial(gather, layer.groups))


def result_cycles(layers: Sequence[LayerPlan], images: int = 1) -> list[int]:
    """Return the cycle in which each image's result is shown, from the first beat taken on.

    Images follow one another without a gap, and results are taken at once.
    """
    chain = Chain()
    for layer in layers:
        chain.add_layer(layer)
    chain.modules.append(sink(chain.stream))
    words, behind = layers[-1].words_out, layers[-1].pair_levels + 1
    run_modules(chain.modules, chain.stream.moved, images * words)
    return [chain.stream.moved[image * words + words - 1] + behind for image in range(images)]
