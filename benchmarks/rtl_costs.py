"""Fit ``xnorflow/costs/rtl.yaml`` to real Yosys runs of networks with random sizes and foldings.

    python benchmarks/rtl_costs.py FOLDER --runs 24

``FOLDER`` keeps one JSON line per run, so a second call goes on where the first one ended. A third of
the runs is held out; the median error over them is printed. Block RAM is compared, not fitted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.backends.yosys import synthesize
from xnorflow.cost import LayerShape, layer_shapes
from xnorflow.cost_rtl import features, fit_coefficients, memory_sizes
from xnorflow.rtl.generate import generate
from xnorflow.settings import Folding
from xnorflow.spec import DenseSpec, InputSpec, NetSpec, ScoreSpec

WIDTHS = (16, 32, 48, 64, 96, 128, 192, 256)
INPUTS = (64, 128, 256, 400, 784)
LUT_FEATURES = ("layer", "bit", "sum_bit", "rom_lut")
FF_FEATURES = ("layer", "bit", "sum_bit")
LARGEST_BITS = 3000


def random_network(chance: random.Random) -> NetSpec:
    """Return a network with random weights: one or two hidden layers."""
    sizes = [chance.choice(INPUTS), *(chance.choice(WIDTHS) for _ in range(chance.choice((1, 2)))), 10]
    draw = np.random.default_rng(chance.randrange(2**32))

    def sign(n_in: int, n_out: int) -> Any:
        return draw.choice(np.array([-1, 1], np.int8), size=(n_in, n_out))

    hidden = []
    for at, (n_in, n_out) in enumerate(itertools.pairwise(sizes[:-1])):
        limits = draw.integers(-math.isqrt(n_in), math.isqrt(n_in), n_out).astype(np.int32)
        hidden.append(DenseSpec(f"dense{at + 1}", sign(n_in, n_out), limits))
    return NetSpec("random", InputSpec((sizes[0],)), tuple(hidden), ScoreSpec("scores", sign(sizes[-2], 10)))


def random_folding(layer: LayerShape, cycles: int, chance: random.Random) -> Folding:
    """Return a folding into divisors that takes about ``cycles``, or as many as there are."""
    pes = [pe for pe in range(1, layer.n_out + 1) if layer.n_out % pe == 0]
    simds = [simd for simd in range(1, layer.n_in + 1) if layer.n_in % simd == 0]
    pairs = [
        (abs(math.log(layer.n_in * layer.n_out / (pe * simd) / cycles)) + chance.random(), pe, simd)
        for pe in pes
        for simd in simds
        if pe * simd <= LARGEST_BITS
    ]
    _, pe, simd = min(pairs)
    return Folding(pe, simd)


def run(seed: int, folder: Path) -> dict[str, Any]:
    """Synthesize one random network; return its features and counts."""
    chance = random.Random(seed)
    spec = random_network(chance)
    cycles = chance.choice((8, 16, 32, 64, 128, 256, 512, 1024))
    shapes = layer_shapes(spec)
    foldings = {shape.name: random_folding(shape, cycles, chance) for shape in shapes}
    memory = chance.choice(("block", "block", "lut"))
    folder.mkdir(parents=True, exist_ok=True)
    sources = []
    for name, text in generate(spec, foldings, bram36=10000 if memory == "block" else 0).items():
        (folder / name).write_text(text, encoding="utf-8")
        sources += [folder / name] if name.endswith(".v") else []
    usage = synthesize(sources, "xnf_top", folder).usage
    folds = [(shape, foldings[shape.name].pe, foldings[shape.name].simd) for shape in shapes]
    rows = [features(*fold, memory) for fold in folds]
    return {
        "seed": seed,
        "memory": memory,
        "sizes": [shapes[0].n_in, *(shape.n_out for shape in shapes)],
        "foldings": [[pe, simd] for _, pe, simd in folds],
        "features": {name: sum(row[name] for row in rows) for name in rows[0]},
        "bram18_formula": sum(memory_sizes(*fold, memory)[0] for fold in folds),
        "lut": usage.lut,
        "ff": usage.ff,
        "bram18": usage.bram18,
    }


def evaluate(names: tuple[str, ...], kind: str, runs: list[dict[str, Any]]) -> dict[str, float]:
    """Fit two thirds of the runs, print the error over the rest, return the fit over all."""
    training, held_out = [one for at, one in enumerate(runs) if at % 3], runs[::3]
    fitted, error = fit_coefficients(names, [one["features"] for one in training], [one[kind] for one in training])
    ratios = [one[kind] / max(1.0, sum(fitted[name] * one["features"][name] for name in names)) for one in held_out]
    median = statistics.median(abs(1 - 1 / ratio) for ratio in ratios)
    print(f"{kind}: median error {error:.1%} of {len(training)} runs, {median:.1%} of {len(held_out)} held out")
    print(f"  real / formula over the held out: {min(ratios):.2f} to {max(ratios):.2f}")
    every, _ = fit_coefficients(names, [one["features"] for one in runs], [one[kind] for one in runs])
    print(f"  {kind}: {{{', '.join(f'{name}: {value:.4g}' for name, value in every.items())}}}")
    return every


def main() -> None:
    """Run what is missing, then fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=24)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    store = options.folder / "runs.jsonl"
    runs = [json.loads(line) for line in store.read_text().splitlines()] if store.is_file() else []
    for seed in range(len(runs), options.runs):
        runs.append(run(seed, options.folder / f"run{seed}"))
        with store.open("a", encoding="utf-8") as stream:
            print(json.dumps(runs[-1]), file=stream)
        print(json.dumps({key: runs[-1][key] for key in ("sizes", "foldings", "memory", "lut", "ff")}), flush=True)
    wrong = [one["seed"] for one in runs if one["bram18"] != one["bram18_formula"]]
    print(f"bram18: formula right in {len(runs) - len(wrong)} of {len(runs)} runs; wrong in {wrong}")
    evaluate(LUT_FEATURES, "lut", runs)
    evaluate(FF_FEATURES, "ff", runs)


if __name__ == "__main__":
    main()
