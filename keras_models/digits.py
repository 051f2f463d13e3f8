"""DIGITS, 64-64-64-10: a network for 8x8 images that trains and converts in seconds."""

from typing import Any

from xnorflow.blocks import add_dense, add_scores, start

HIDDEN = (64, 64)


def build(shape: tuple[int, ...] = (8, 8, 1), classes: int = 10) -> Any:
    """Return the Keras model for images of ``shape`` (height, width, channels)."""
    model = start("digits", shape, flat=True)
    for index, neurons in enumerate(HIDDEN, start=1):
        add_dense(model, neurons, f"dense{index}")
    add_scores(model, classes)
    return model
