"""Ablation of the training recipe: validation accuracy of sfc with each part switched, same seeds, same epochs.

    python benchmarks/training.py --epochs 15 --seeds 2 --data-dir DIR

Only the parts that the package kept can be switched here; docs/training.md has the rows of those it did not.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from xnorflow.data import load_dataset
from xnorflow.settings import TrainConfig
from xnorflow.train import train

NETWORK = Path(__file__).resolve().parents[1] / "keras_models" / "sfc.py"
NO_WARP: dict[str, Any] = {"rotate": 0, "scale": 0, "elastic": 0}
ROWS: dict[str, dict[str, Any]] = {
    "baseline: learning rate 0.003, shift by 1 pixel": {"learning_rate": 0.003, **NO_WARP},
    "learning rate 0.01": NO_WARP,
    "learning rate 0.01, no shift": {"shift": 0, **NO_WARP},
    "learning rate 0.003, warps": {"learning_rate": 0.003},
    "the recipe: learning rate 0.01, shift and warps": {},
    "batches of 256": {"batch_size": 256},
}


def main() -> None:
    """Print the table, a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--data-dir", type=Path, help="folder with the idx files of MNIST")
    arguments = parser.parse_args()
    data = load_dataset("mnist", arguments.data_dir)
    print("| recipe | validation, mean of the seeds | each |\n|---|---|---|", flush=True)
    for name, changes in ROWS.items():
        config = dataclasses.replace(TrainConfig(epochs=arguments.epochs, seeds=arguments.seeds), **changes)
        with tempfile.TemporaryDirectory() as folder:
            runs = train(NETWORK, data, Path(folder), config).card["seeds"]["runs"]
        found = [run["validation"] for run in runs]
        each = ", ".join(f"{value:.2%}" for value in found)
        print(f"| {name} | {sum(found) / len(found):.2%} | {each} |", flush=True)


if __name__ == "__main__":
    main()
