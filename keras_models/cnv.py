"""CNV: a binary convolutional network for 28x28 images.

28x28 -> 3x3 convolution, 32 channels, pool -> 13x13 -> 64 channels, pool -> 5x5
-> 128 channels -> 3x3 = 1152 bits -> 256 -> scores.
"""

from typing import Any

from xnorflow.blocks import add_conv, add_dense, add_flatten, add_scores, start


def build(shape: tuple[int, ...] = (28, 28, 1), classes: int = 10) -> Any:
    """Return the Keras model for images of ``shape`` (height, width, channels)."""
    model = start("cnv", shape, flat=False)
    add_conv(model, 32, "conv1", pool=2)
    add_conv(model, 64, "conv2", pool=2)
    add_conv(model, 128, "conv3")
    add_flatten(model)
    add_dense(model, 256, "dense1")
    add_scores(model, classes)
    return model
