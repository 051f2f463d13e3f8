"""The smallest network file, and data that it learns within a few epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from xnorflow.sources.data.sets import DataSet, Split

NETWORK = """
from xnorflow.blocks import add_dense, add_scores, start

def build(shape, classes):
    model = start("little", shape, flat=True)
    add_dense(model, 8, "dense1")
    add_scores(model, classes)
    return model
"""


def write_little(folder: Path) -> Path:
    """Write the network file."""
    path = folder / "little.py"
    path.write_text(NETWORK)
    return path


def quarters(levels: np.ndarray | int = 0, noise: int = 160, brighter: int = 128) -> DataSet:
    """Four classes of 6x6 images: which quarter is brighter, above the level of each pixel and noise."""
    random = np.random.default_rng(0)

    def split(n: int) -> Split:
        labels = random.integers(0, 4, n)
        images = levels + random.integers(0, noise, (n, 6, 6))
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 2)
            quarter = image[row * 3 : row * 3 + 3, column * 3 : column * 3 + 3]
            quarter += brighter
        return Split(images.clip(0, 255).astype(np.uint8), labels)

    return DataSet("quarters", split(320), split(100), split(150), 4, "0123abcd" * 8)
