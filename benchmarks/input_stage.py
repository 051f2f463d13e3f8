"""Accuracy against input bits and cost of the first layer: thresholds, thermometers, 8-bit pixels.

``python benchmarks/input_stage.py --data-dir DIR -o runs.jsonl`` trains 784-256-256-256-10 on the full MNIST
once per option and seed, all else equal, and writes a line of JSON per run; started again it goes on
with the runs that are missing. ``--table runs.jsonl`` prints the table of docs/input.md, for which the option
is to be chosen by the validation images. Accuracies are those of the golden model.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.fitting.cost import LayerCost
from xnorflow.fitting.cost_rtl import RtlKernel
from xnorflow.net.inputs import LEARNED, InputSettings
from xnorflow.net.shapes import LayerShape
from xnorflow.net.spec import NetSpec
from xnorflow.show.table import Table, markdown, print_tables
from xnorflow.sources.data.sets import DataSet, Split, load_dataset
from xnorflow.sources.keras.extract import extract_file
from xnorflow.sources.training.settings import TrainConfig
from xnorflow.sources.training.train import train_network

NETWORK = Path(__file__).parents[1] / "keras_models" / "sfc.py"
OPTIONS = {
    "1 bit, 128": InputSettings(1, 128),
    "1 bit, learned per pixel": InputSettings(1, LEARNED),
    "2 bits, 85 170": InputSettings(1, [85, 170]),
    "3 bits, 64 128 192": InputSettings(1, [64, 128, 192]),
    "4 bits, 51 102 153 204": InputSettings(1, [51, 102, 153, 204]),
    "8-bit pixels": InputSettings(8, 128),
}
# a plain one, so that the table does not move with the defaults: no warping
RECIPE: dict[str, Any] = {"learning_rate": 3e-3, "shift": 1, "rotate": 0.0, "scale": 0.0, "elastic": 0.0}
# the first layer is costed at as many cycles per image for each option
PE, CYCLES = 8, 256


def accuracy(spec: NetSpec, split: Split) -> float:
    """Share of the images of a split that the golden model classifies rightly."""
    return float((spec.predict(split.images) == split.labels).mean())


def run(name: str, seed: int, epochs: int, data: DataSet) -> dict[str, Any]:
    """Train one network and return its line."""
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainConfig(seed=seed, epochs=epochs, **RECIPE)
        trained = train_network(NETWORK, data, Path(folder), settings, OPTIONS[name])
        spec = extract_file(trained.path)
    return {
        "option": name,
        "seed": seed,
        "epochs": epochs,
        "data": data.sha256,
        "input_bits": spec.input.pixels * spec.input.bits_per_pixel,
        "weight_bits": spec.layers[0].weights.size,
        "n_in": spec.layers[0].n_in,
        "n_out": spec.layers[0].n_out,
        "value_bits": spec.input.bits,
        "validation": accuracy(spec, data.validation),
        "test": accuracy(spec, data.test),
        "cpu_seconds": round(time.process_time() - started),
    }


def cost(line: dict[str, Any]) -> LayerCost:
    """Return the estimated cost of the first layer as Verilog, at CYCLES per image."""
    simd = line["n_in"] * line["n_out"] // (PE * CYCLES)
    return RtlKernel().cost(
        LayerShape("dense1", line["n_in"], line["n_out"], input_bits=line["value_bits"]), PE, simd
    )


def table(lines: list[dict[str, Any]]) -> Table:
    """Return the table: mean and range over the seeds."""
    rows = []
    for name in OPTIONS:
        runs = [line for line in lines if line["option"] == name]
        if not runs:
            continue
        first = cost(runs[0])
        lut, blocks = first.expected.lut, first.expected.bram18
        rows.append(
            (
                name,
                f"{runs[0]['input_bits']:,}",
                f"{runs[0]['weight_bits']:,}",
                *(_spread([line[key] for line in runs]) for key in ("validation", "test")),
                f"{lut.likely:,} ({lut.low:,} to {lut.high:,})",
                str(blocks.likely),
            )
        )
    epochs, seeds = ({line[key] for line in lines} for key in ("epochs", "seed"))
    columns = ("input", "input bits", "weights of layer 1", "validation", "test", "LUT (range)", "BRAM18")
    note = (
        f"784-256-256-256-10, MNIST, epochs {sorted(epochs)}, seeds {sorted(seeds)}: mean (lowest to highest) of the "
        f"golden model. LUT and BRAM18 of the first layer, estimated (cost_rtl) at {PE} neurons and {CYCLES} cycles."
    )
    return Table("Input stage", columns, tuple(rows), note)


def _spread(shares: list[float]) -> str:
    low, mean, high = (100 * value for value in (min(shares), float(np.mean(shares)), max(shares)))
    return f"{mean:.2f} % ({low:.2f} to {high:.2f})"


def missing(lines: list[dict[str, Any]], seeds: int, epochs: int) -> Iterator[tuple[str, int]]:
    """Yield option and seed of each run that has no line, one seed after the other."""
    done = {(line["option"], line["seed"], line["epochs"]) for line in lines}
    for seed in range(seeds):
        for name in OPTIONS:
            if (name, seed, epochs) not in done:
                yield name, seed


def main() -> None:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(description="accuracy against input bits")
    parser.add_argument("--data-dir", type=Path, help="folder with the idx files of MNIST")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=Path("input_stage.jsonl"), help="a line of JSON per run")
    parser.add_argument("--table", type=Path, help="print the table of this file instead")
    parser.add_argument("--markdown", action="store_true", help="as Markdown")
    arguments = parser.parse_args()
    path = arguments.table or arguments.output
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    if not arguments.table:
        data = load_dataset("mnist", arguments.data_dir)
        for name, seed in missing(lines, arguments.seeds, arguments.epochs):
            lines.append(run(name, seed, arguments.epochs, data))
            with path.open("a") as stream:
                print(json.dumps(lines[-1]), file=stream)
    if arguments.markdown:
        print(markdown([table(lines)]))
    else:
        print_tables([table(lines)])


if __name__ == "__main__":
    main()
