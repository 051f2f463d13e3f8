"""C simulation of hls4ml's kernels against ours, images per second and their ratio, in one run.

``python benchmarks/kernels.py`` takes 784-256-256-256-10 with random weights and the same reuse
factors, so the same cycles per image, for both; one process and one core each.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from golden_model import best_rate

from xnorflow.flow.config_file import load_config
from xnorflow.routes import shares
from xnorflow.routes.hls.build import compile_project
from xnorflow.routes.hls.csim import simulate_library
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.hls.write.project import write_project
from xnorflow.show.table import Table, print_tables
from xnorflow.sources.keras.extract import extract_model
from xnorflow.sources.training.train import build_network

ROOT = Path(__file__).parents[1]
REUSE_FACTORS = {"dense1": 784, "dense2": 256, "dense3": 256, "scores": 256}
IMAGES = {"hls4ml": 300, "xnor": 3000}


def main() -> None:
    """Convert and compile the network with each kernel, measure, and print the table."""
    config = load_config(ROOT / "hls_configs/sfc.yaml").with_route(reuse_factor=REUSE_FACTORS)
    spec = extract_model(build_network(config.network_file, (28, 28, 1), 10))
    images = np.random.default_rng(0).integers(0, 256, (max(IMAGES.values()), 28, 28, 1), np.uint8)
    shares.cores = lambda: 1
    rates, scores = {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        for kernel, count in IMAGES.items():
            folder, build = Path(temporary) / kernel, config.with_route(kernel=kernel)
            assert build.hls is not None
            project = write_project(plan_project(spec, build.hls), folder / "project", part=build.part)
            binaries = compile_project(project, folder)
            inputs = spec.input.encode(images[:count]).reshape(count, -1)

            def run() -> None:
                scores[kernel] = simulate_library(project, binaries, inputs, folder / "run")  # noqa: B023

            rates[kernel] = best_rate(run, count)
    few = min(IMAGES.values())
    assert np.array_equal(scores["hls4ml"], scores["xnor"][:few]), "the kernels disagree"
    rows = tuple((kernel, f"{rate:,.0f}", f"{rate / rates['hls4ml']:.1f}") for kernel, rate in rates.items())
    columns = ("kernel", "images/s", "times hls4ml's")
    note = f"Best of a few rounds, measured here; scores equal on {few} images. Loading the library is included."
    print_tables([Table("C simulation of 784-256-256-256-10, 784 cycles per image", columns, rows, note)])


if __name__ == "__main__":
    main()
