"""Where a simulated network first departs from the golden model: every word that leaves a layer is looked at.

Only once scores differ the network is compiled a second time, its files as they are but for the top one, to which is
added what writes down the words of its layers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.arrays import Integers
from xnorflow.base.files.atomic import write_text
from xnorflow.net.inputs import Images
from xnorflow.routes.compare import (
    TRACED_IMAGES,
    LayerMismatch,
    Observed,
    SimResult,
    compare_scores,
    differing_images,
    first_mismatch,
)
from xnorflow.routes.rtl.build import build
from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.simulate import NoResult, RtlResult, simulate_rtl
from xnorflow.routes.rtl.write.network import TOP
from xnorflow.sources.data.sets import Split

SOURCE = "RTL simulation"
# what the watch writes, in the folder in which the program runs
WORDS_FILE = "layers.txt"
_RESULT = "xnf_result"
# in place of a word: one is offered, and the next layer has not taken it
_OFFERED = "-"
GENERATE_AGAIN = "generate the Verilog files again, and if it still differs report a bug"
NOT_ALONE = (
    "these images are right when they are run without the ones before them, so something is left over from those:"
    f" report a bug, or {GENERATE_AGAIN}"
)


def compare_rtl(
    plan: NetPlan,
    sources: Sequence[Path],
    split: Split,
    result: RtlResult,
    folder: str | Path,
    seconds: float | None = None,
) -> SimResult:
    """Compare every score and class of a simulation with the golden model; where some differ, find the layer.

    Args:
        plan: the network and its foldings.
        sources: the Verilog files that were simulated.
        split: images and labels.
        result: what the simulation gave for them.
        folder: takes the second compilation where one is needed.
        seconds: what the simulation took.

    Raises:
        ToolFailed: the second compilation or its run failed.
    """
    expected = plan.spec.class_scores(split.images)
    compared = compare_scores(SOURCE, result.scores, expected, split.labels, seconds, result.classes)
    which = differing_images(result.scores, expected, result.classes)[:TRACED_IMAGES]
    if not len(which):
        return compared
    mismatch = find_rtl_mismatch(plan, sources, split.images[which], which, Path(folder) / "watched")
    if mismatch is None:
        seen = _results(plan, result.scores[which], result.classes[which], expected[which])
        mismatch = first_mismatch(seen, which, NOT_ALONE)
    return dataclasses.replace(compared, mismatch=mismatch)


def find_rtl_mismatch(
    plan: NetPlan, sources: Sequence[Path], images: Images, which: Integers, folder: Path
) -> LayerMismatch | None:
    """Simulate images with every layer watched; return the first layer whose outputs differ.

    Args:
        plan: the network and its foldings.
        sources: its Verilog files.
        images: uint8 images to simulate, a few.
        which: their numbers, for the report.
        folder: takes the compilation.
    """
    (top,) = (source for source in sources if source.name == f"{TOP}.v")
    watched = folder / top.name
    write_text(watched, watched_top(plan, top.read_text(encoding="utf-8")))
    # a few images: compiled quickly
    program = build([*(source for source in sources if source != top), watched], folder, level=0)
    try:
        result = simulate_rtl(program, plan, images, workers=1)
    except NoResult:
        # its layers have said how far they came
        result = None
    words, waiting = read_words(plan, program.with_name(WORDS_FILE))
    return first_mismatch(_observed(plan, images, words, waiting, result), which, GENERATE_AGAIN)


def watched_top(plan: NetPlan, text: str) -> str:
    """Return the network's top file with what writes a line per word: number of the layer, word in hexadecimal.

    A line without a word says that the layer offers one that the next layer does not take yet.
    """
    lines = [
        "    integer words;",
        f'    initial words = $fopen("{WORDS_FILE}", "w");',
        f"    reg [{len(plan.layers)}:1] waits = 0;",
        "    always @(posedge clk)",
        "        if (!rst) begin",
    ]
    for layer in plan.layers:
        index, at = layer.index, layer.index + 1
        lines += [
            f'            if (s{at}_valid && s{at}_ready) $fdisplay(words, "{index} %h", s{at}_data);',
            f'            if (s{at}_valid && !s{at}_ready && !waits[{at}]) $fdisplay(words, "{index} {_OFFERED}");',
            f"            waits[{at}] <= s{at}_valid && !s{at}_ready;",
        ]
    lines.append("        end")
    before, end, behind = text.rpartition("endmodule")
    return before + "\n".join(lines) + "\n" + end + behind


def _word_bits(layer: LayerPlan) -> int:
    return layer.width_out * layer.result_bits


def read_words(plan: NetPlan, path: Path) -> tuple[list[NDArray[np.uint8]], list[bool]]:
    """Read what the watch has written.

    Returns:
        The words of each layer as bits, shape (words, bits of a word), the lowest first; and for each layer whether
        it still offered a word at the end, that nobody took.
    """
    digits: list[list[str]] = [[] for _ in plan.layers]
    waiting = [False] * len(plan.layers)
    for line in path.read_text(encoding="ascii").splitlines():
        index, word = line.split()
        waiting[int(index)] = word == _OFFERED
        if word != _OFFERED:
            digits[int(index)].append(word)
    found = []
    for layer, words in zip(plan.layers, digits, strict=True):
        octets = -(-_word_bits(layer) // 8)
        data = bytes.fromhex("".join(word.zfill(2 * octets) for word in words))
        rows = np.frombuffer(data, np.uint8).reshape(len(words), octets)[:, ::-1]
        found.append(np.unpackbits(rows, axis=1, bitorder="little")[:, : _word_bits(layer)])
    return found, waiting


def _values(layer: LayerPlan, words: NDArray[np.uint8], images: int) -> Integers:
    """Return what a layer's words say of so many images at most, shape (n, values): +1/-1, or scores."""
    whole = min(len(words) // layer.words_out, images)
    shape = (whole, layer.words_out * layer.width_out, layer.result_bits)
    bits: Integers = words[: whole * layer.words_out].reshape(shape).astype(np.int64)
    if layer.window is None:
        # the last word is filled up
        bits = bits[:, : layer.n_out]
    if not layer.is_scores:
        return 2 * bits[:, :, 0] - 1
    weights = np.int64(1) << np.arange(layer.result_bits, dtype=np.int64)
    weights[-1] = -weights[-1]
    scores: Integers = bits @ weights
    return scores


def _observed(
    plan: NetPlan,
    images: Images,
    words: Sequence[NDArray[np.uint8]],
    waiting: Sequence[bool],
    result: RtlResult | None,
) -> Iterator[Observed]:
    """Yield the outputs of each layer and the number of its words, then what the result says."""
    golden, n = plan.spec.trace(images), len(images)
    for layer, found, waits in zip(plan.layers, words, waiting, strict=True):
        values = _values(layer, found, n)
        yield Observed(layer.spec.name, "outputs", values, golden[layer.spec.name].output[: len(values)])
        each = layer.words_out
        if waits and len(found) < each * n:
            # it would go on: what takes its words has stopped
            continue
        counts = np.clip(len(found) - each * np.arange(n), 0, each)
        counts[-1] += max(0, len(found) - each * n)
        yield Observed(layer.spec.name, "words per image", counts, np.full(n, each))
    if result is not None:
        yield from _results(plan, result.scores, result.classes, golden[plan.spec.scores.name].output)


def _results(plan: NetPlan, scores: Integers, classes: Integers, expected: Integers) -> Iterator[Observed]:
    yield Observed(_RESULT, "scores", scores, expected)
    yield Observed(_RESULT, "classes", classes, expected.argmax(axis=1))
