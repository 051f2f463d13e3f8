"""TFC, 784-64-64-64-10: the tiny fully connected network of BNN-PYNQ."""

from typing import Any

from xnorflow.blocks import add_dense, add_scores, start

HIDDEN = (64, 64, 64)


def build(shape: tuple[int, ...] = (28, 28, 1), classes: int = 10) -> Any:
    """Return the Keras model for images of ``shape`` (height, width, channels)."""
    model = start("tfc", shape, flat=True)
    for index, neurons in enumerate(HIDDEN, start=1):
        add_dense(model, neurons, f"dense{index}")
    add_scores(model, classes)
    return model
