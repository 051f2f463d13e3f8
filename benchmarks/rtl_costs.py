"""Fit ``xnorflow/fitting/costs/rtl.yaml`` to Yosys runs of networks with random sizes, weights and foldings.

    python benchmarks/rtl_costs.py FOLDER --runs 48

``FOLDER`` keeps one JSON line per run, so a second call goes on where the first one ended. Of every six
networks four are small and dense, one is convolutional, and one is of the size of ``sfc``. A third of the runs is
held out of the fit; the median error over them is printed. Block RAM and the registers of every part are
compared, not fitted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.base.progress import progress_bar
from xnorflow.net.folding import Folding
from xnorflow.net.inputs import InputSpec
from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.rtl.plan.cells import Cells, network_cells
from xnorflow.routes.rtl.plan.fold import plan_network
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.plan.rom import choose_memories
from xnorflow.routes.rtl.write.network import TOP, files_of
from xnorflow.tools.yosys.run import synthesize

CYCLES = (1, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
LARGE_CYCLES = (64, 100, 128, 256, 256, 784)
SMALL_BITS, LARGE_BITS = 1000, 3500


def large(one: dict[str, Any]) -> bool:
    """Whether a run is one of those of ``sfc``'s size."""
    return bool(one["seed"] % 6 == 5)


def random_network(seed: int) -> NetSpec:
    """Return a network with random weights and thresholds."""
    chance, draw = random.Random(seed), np.random.default_rng(seed)
    bits = 8 if seed % 12 == 1 else 1
    shape: tuple[int, ...] = (chance.choice((24, 64, 100, 196, 256, 400)),)
    widths = [chance.choice((8, 16, 24, 32, 48, 64, 96, 128)) for _ in range(chance.choice((1, 2, 2, 3)))]
    convolutions = 0
    if seed % 6 == 4:
        side = chance.randint(7, 14)
        shape, convolutions = (side, side, chance.choice((1, 1, 3))), chance.choice((1, 2))
        widths = [chance.choice((4, 8, 12, 16)) for _ in range(convolutions)] + widths[:1]
    elif seed % 6 == 5:
        shape, widths = (784,), [chance.choice((128, 256, 256, 320, 512)) for _ in range(chance.choice((2, 3)))]
    hidden: list[ConvSpec | DenseSpec] = []
    now = shape
    for at, width in enumerate(widths):
        one = _conv if at < convolutions else _dense
        hidden.append(one(f"layer{at + 1}", now, width, 255 if bits == 8 and at == 0 else 1, draw, chance))
        now = hidden[-1].output_shape(now)
    scores = _sign(draw, math.prod(now), 10)
    if seed % 12 != 2:
        return NetSpec(f"random{seed}", InputSpec(shape, bits), tuple(hidden), ScoreSpec("scores", scores))
    scale, offset = (draw.integers(-limit, limit, 10).astype(np.int64) for limit in (2**12, 2**16))
    last = ScoreSpec("scores", scores, scale, offset, 12)
    return NetSpec(f"random{seed}", InputSpec(shape, bits), tuple(hidden), last)


def _sign(draw: np.random.Generator, *shape: int) -> Any:
    return draw.choice(np.array([-1, 1], np.int8), size=shape)


def _limits(draw: np.random.Generator, n_in: int, n_out: int, largest: int) -> Any:
    return draw.integers(-largest * math.isqrt(n_in), largest * math.isqrt(n_in) + 1, n_out).astype(np.int32)


def _dense(
    name: str, shape: tuple[int, ...], width: int, largest: int, draw: np.random.Generator, _: random.Random
) -> DenseSpec:
    n_in = math.prod(shape)
    return DenseSpec(name, _sign(draw, n_in, width), _limits(draw, n_in, width, largest))


def _conv(
    name: str, shape: tuple[int, ...], width: int, largest: int, draw: np.random.Generator, chance: random.Random
) -> ConvSpec:
    side = chance.choice((2, 3, 3))
    weights = _sign(draw, side, side, shape[2], width)
    step, pool = (chance.choice(((1, 1), (1, 1), (2, 2))) for _ in range(2))
    rows = (shape[0] - side) // step[0] + 1
    limits = _limits(draw, math.prod(weights.shape[:3]), width, largest)
    return ConvSpec(name, weights, limits, step, pool if rows >= 2 * pool[0] else (1, 1))


def random_foldings(spec: NetSpec, seed: int) -> dict[str, Folding]:
    """Return foldings, most of them into divisors, that take about as many cycles in every layer."""
    chance = random.Random(seed + 1)
    large = seed % 6 == 5
    cycles, most = chance.choice(LARGE_CYCLES if large else CYCLES), LARGE_BITS if large else SMALL_BITS
    foldings = {}
    for at, layer in enumerate(spec.layers):
        whole = chance.random() < 0.2
        pes, simds = ([size for size in range(1, n + 1) if whole or n % size == 0] for n in (layer.n_out, layer.n_in))
        limit = most // (spec.input.bits if at == 0 else 1)
        pairs = [pair for pair in itertools.product(pes, simds) if math.prod(pair) <= limit]
        distance = [
            abs(math.log(-(-layer.n_in // simd) * -(-layer.n_out // pe) / cycles)) + 0.3 * chance.random()
            for pe, simd in pairs
        ]
        foldings[layer.name] = Folding(*pairs[distance.index(min(distance))])
    return foldings


def planned(seed: int) -> tuple[NetPlan, float]:
    """Return the plan of a run and its block RAM."""
    spec = random_network(seed)
    return plan_network(spec, random_foldings(spec, seed)), random.Random(seed + 2).choice((60, 60, 60, 4, 0))


def run(seed: int, folder: Path) -> dict[str, Any]:
    """Synthesize one network; return what it is and its counts."""
    plan, bram36 = planned(seed)
    folder.mkdir(parents=True, exist_ok=True)
    sources = []
    for name, text in files_of(plan, bram36).items():
        (folder / name).write_text(text, encoding="utf-8")
        sources += [folder / name] if name.endswith(".v") else []
    usage = synthesize(sources, TOP, folder).usage
    sizes = [plan.spec.input.size, *(layer.n_out for layer in plan.layers)]
    foldings = [[layer.pe, layer.simd] for layer in plan.layers]
    return {"seed": seed, "sizes": sizes, "foldings": foldings, "bram36": bram36, **dict(usage.counts.items())}


def stored_runs(folder: Path, wanted: int) -> list[dict[str, Any]]:
    """Return the runs in ``folder``, after making those that are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "runs.jsonl"
    runs = [json.loads(line) for line in store.read_text().splitlines()] if store.is_file() else []
    with progress_bar("Yosys runs", max(0, wanted - len(runs))) as advance:
        for seed in range(len(runs), wanted):
            runs.append(run(seed, folder / f"run{seed}"))
            with store.open("a", encoding="utf-8") as stream:
                print(json.dumps(runs[-1]), file=stream)
            advance(1)
    return runs[:wanted]


def cells_of(one: dict[str, Any]) -> Cells:
    """Return what the plan of a run says it becomes; check what is counted and not fitted."""
    plan, bram36 = planned(one["seed"])
    memories = choose_memories(plan.layers, bram36)
    cells = sum(network_cells(plan, memories), Cells())
    one["bram18_planned"], one["dsp_planned"] = sum(memory.bram18 for memory in memories), cells.dsp
    return cells


def fit_control(runs: list[dict[str, Any]]) -> Any:
    """Return the LUTs per part and per bit of state that make the relative errors least in squares."""
    cells, real = [one["cells"] for one in runs], np.array([one["lut"] for one in runs], np.float64)
    matrix = np.array([[one.parts, one.state] for one in cells], np.float64) / real[:, None]
    return np.linalg.lstsq(matrix, 1 - np.array([one.lut for one in cells]) / real, rcond=None)[0]


def ratios(runs: list[dict[str, Any]], control: Any) -> dict[str, Any]:
    """Return real over estimated LUTs and registers of each run."""
    cells = [one["cells"] for one in runs]
    luts = [one.lut + float(control @ (one.parts, one.state)) for one in cells]
    return {
        "lut": np.array([one["lut"] / lut for one, lut in zip(runs, luts, strict=True)]),
        "ff": np.array([one["ff"] / cell.ff for one, cell in zip(runs, cells, strict=True)]),
    }


def evaluate(runs: list[dict[str, Any]]) -> None:
    """Fit two thirds of the runs, print the errors over the others, and the fit over all."""
    for one in runs:
        one["cells"] = cells_of(one)
    # a third of every kind of network
    held_out = [one for one in runs if (one["seed"] // 6 + one["seed"]) % 3 == 2]
    training = [one for one in runs if one not in held_out]
    for words, some in (("held out", held_out), ("held out, of sfc's size", [one for one in held_out if large(one)])):
        for kind, ratio in ratios(some, fit_control(training)).items():
            error = np.abs(1 / ratio - 1)
            print(
                f"{kind}: {len(some)} runs {words}: median error {np.median(error):.1%}, largest {error.max():.1%}, "
                f"real over estimate {ratio.min():.3f} to {ratio.max():.3f}"
            )
    for kind in ("bram18", "dsp"):
        planned_as = "bram18_planned" if kind == "bram18" else "dsp_planned"
        wrong = [one["seed"] for one in runs if one[kind] != one[planned_as]]
        print(f"{kind}: exact in {len(runs) - len(wrong)} of {len(runs)} runs; wrong in {wrong}")
    part, state = fit_control(runs)
    print(f"all runs: part: {part:.3g}, state: {state:.3g}")
    for kind, ratio in ratios(runs, np.array([part, state])).items():
        print(f"  {kind}: real over estimate {ratio.min():.3f} to {ratio.max():.3f}")


def main() -> None:
    """Run what is missing, then fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=48)
    options = parser.parse_args()
    evaluate(stored_runs(options.folder, options.runs))


if __name__ == "__main__":
    main()
