"""Images per second of the golden model against Keras and hls4ml's library, in one run.

``python benchmarks/golden_model.py`` takes 784-256-256-256-10 with random weights; speed does not
depend on them. One thread and one core for the golden model and the library; Keras takes what it wants.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.flow.config_file import load_config
from xnorflow.routes.hls.build import compile_project
from xnorflow.routes.hls.csim import simulate_library
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.hls.write.project import write_project
from xnorflow.show.table import Table, print_tables
from xnorflow.sources.keras.extract import extract_model, keras_scores
from xnorflow.sources.training.train import build_network

ROOT = Path(__file__).parents[1]
IMAGES, CSIM_IMAGES, ROUNDS = 10_000, 300, 3


def best_rate(work: Callable[[], Any], images: int) -> float:
    """Images per second of the fastest of a few rounds, which noise disturbs least."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return images / min(seconds)


def main() -> None:
    """Measure and print the table."""
    config = load_config(ROOT / "hls_configs" / "sfc.yaml")
    model = build_network(config.network_file, (28, 28, 1), 10)
    spec = extract_model(model)
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 28, 28), np.uint8)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assert config.hls is not None
        project = write_project(plan_project(spec, config.hls), folder / "project", part=config.part)
        binaries = compile_project(project, folder)
        few = spec.input.encode(images[:CSIM_IMAGES]).reshape(CSIM_IMAGES, -1)
        rates = {
            "golden model, bit-packed numpy": best_rate(lambda: spec.class_scores(images), IMAGES),
            "Keras predict": best_rate(lambda: keras_scores(model, spec, images), IMAGES),
            "hls4ml library, a process per core": best_rate(
                lambda: simulate_library(project, binaries, few, folder), CSIM_IMAGES
            ),
        }
    golden = next(iter(rates.values()))
    rows = tuple((name, f"{rate:,.0f}", f"{golden / rate:,.1f}") for name, rate in rates.items())
    columns = ("implementation", "images/s", "golden model is faster by")
    print_tables([Table("784-256-256-256-10 on this machine, measured", columns, rows)])


if __name__ == "__main__":
    main()
