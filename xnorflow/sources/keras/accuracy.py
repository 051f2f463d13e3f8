"""Whether a network reads images as it was trained to: an accuracy that is known, other pixels, chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.net.inputs import InputSpec
from xnorflow.net.layers import ConvSpec
from xnorflow.net.spec import NetSpec
from xnorflow.sources.data.sets import Split
from xnorflow.sources.keras.extract import keras_values

POINT = 0.01
# standard deviations beyond which a difference is none by chance
_SURE = 3
# images that are tried, and multiplications that keep it below a second
MOST_IMAGES, LEAST_IMAGES, MOST_PRODUCTS = 1000, 100, 3_000_000_000

Scaling = Callable[[NDArray[Any]], NDArray[Any]]
# how people give pixels to a network, by how they write it; with the divisor where it can be folded
SCALINGS: dict[str, tuple[Scaling, int | None]] = {
    "x (0 to 255)": (lambda x: x, None),
    "x / 16": (lambda x: x / 16, 16),
    "x / 255": (lambda x: x / 255, 255),
    "x / 256": (lambda x: x / 256, 256),
    "x / 127.5 - 1": (lambda x: x / 127.5 - 1, None),
    "x / 128 - 1": (lambda x: x / 128 - 1, None),
    "+1 from 128 on, else -1": (lambda x: np.where(x >= 128, 1, -1), None),
    "1 from 128 on, else 0": (lambda x: x >= 128, None),
}


def accuracy_warnings(
    model: Any, spec: NetSpec, split: Split, accuracy: float, known: float | None
) -> tuple[str, ...]:
    """Return what is doubtful about the accuracy of a network, in one sentence each.

    Args:
        model: the Keras model.
        spec: the network extracted from it.
        split: images and labels.
        accuracy: that of Keras on them, read as ``spec`` does.
        known: accuracy on these very images that the network's card has; with it, nothing else is tried
            unless it is missed.
    """
    found = []
    missed = known is not None and accuracy < known - POINT
    if known is not None and missed:
        found.append(
            f"the network's card knows {_percent(known)} for these very images, here it is {_percent(accuracy)}; "
            "input_bits and pixel_threshold must be those that it was trained with"
        )
    if known is None or missed:
        found += _other_scaling(model, spec, split)
    if accuracy <= _chance_at_most(split.labels):
        found.append(
            f"the accuracy of {_percent(accuracy)} is no better than chance: always the most frequent class gives "
            f"{_percent(_chance(split.labels))}"
        )
    return tuple(found)


def _chance(labels: NDArray[np.int64]) -> float:
    return float(np.bincount(labels).max() / len(labels))


def _chance_at_most(labels: NDArray[np.int64]) -> float:
    """Return the accuracy up to which a network may know nothing."""
    chance = _chance(labels)
    return chance + _SURE * math.sqrt(chance * (1 - chance) / len(labels))


def _other_scaling(model: Any, spec: NetSpec, split: Split) -> list[str]:
    """Return a warning where the network does better with pixels that are scaled in another way."""
    n = min(
        len(split.labels), max(LEAST_IMAGES, min(MOST_IMAGES, MOST_PRODUCTS // (_products(spec) * len(SCALINGS))))
    )
    images, labels = split.images[:n], split.labels[:n]
    if spec.input.image_shape != spec.input.shape:
        # a thermometer code is no scaling
        return []
    pixels = InputSpec(spec.input.shape, 8).encode(images).astype(np.float32)
    ways = [keras_values(model, spec, images), *(scale(pixels).astype(np.float32) for scale, _ in SCALINGS.values())]
    scores = model.predict(np.concatenate(ways), batch_size=1000, verbose=0)
    right = scores.reshape(len(ways), n, -1).argmax(axis=2) == labels
    here, *others = right.mean(axis=1)
    best = int(np.argmax(others))
    # only images on which the two differ say which is better
    differing = int((right[0] != right[best + 1]).sum())
    better = others[best] - here > max(POINT, _SURE * math.sqrt(differing) / n)
    if not better or others[best] <= _chance_at_most(labels):
        return []
    name = list(SCALINGS)[best]
    return [
        f"of {n:,} test images Keras has {_percent(float(here))} right as this configuration reads them, but "
        f"{_percent(float(others[best]))} with pixels as {name}: so it was probably trained on those; "
        f"{_advice(name, spec.input)}"
    ]


def _advice(name: str, source: InputSpec) -> str:
    bits = ", with input_bits: 8" if source.bits == 1 else ""
    divisor = SCALINGS[name][1]
    if divisor is not None:
        return (
            f"train it on pixels of 0 to 255{bits}, or fold the scale into the first layer's BatchNormalization: "
            f"moving_mean times {divisor}, moving_variance and epsilon times {divisor**2}"
        )
    if name.startswith("x ("):
        return "set input_bits: 8"
    if name.startswith("+1"):
        return "set input_bits: 1 and pixel_threshold: 128"
    return f"train it on pixels of 0 to 255{bits}, or on +1 and -1 with input_bits: 1"


def _products(spec: NetSpec) -> int:
    """Return the multiplications of one image."""
    total = 0
    for layer, shape in spec.walk():
        positions = math.prod(layer.conv_shape(shape)[:2]) if isinstance(layer, ConvSpec) else 1
        total += layer.weights.size * positions
    return total


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
