"""SFC, 784-256-256-256-10: the small fully connected network of FINN and BNN-PYNQ."""

from typing import Any

from xnorflow.blocks import add_dense, add_scores, start

HIDDEN = (256, 256, 256)


def build(shape: tuple[int, ...] = (28, 28, 1), classes: int = 10) -> Any:
    """Return the Keras model for images of ``shape`` (height, width, channels)."""
    model = start("sfc", shape, flat=True)
    for index, neurons in enumerate(HIDDEN, start=1):
        add_dense(model, neurons, f"dense{index}")
    add_scores(model, classes)
    return model
