"""Random input stages for the tests, and what they do by the plain definition."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from xnorflow.net.inputs import InputSpec


@st.composite
def input_specs(draw: st.DrawFn, image_shape: tuple[int, ...]) -> InputSpec:
    """Draw 8-bit pixels, a threshold, several of them, or a table of them for each pixel."""
    kind = draw(st.sampled_from(["pixels", "one", "several", "each"]))
    if kind == "pixels":
        return InputSpec(image_shape, 8)
    if kind == "one":
        return InputSpec(image_shape, 1, draw(st.integers(1, 255)))
    per_pixel = draw(st.integers(1, 4))
    shape = (*image_shape[:-1], image_shape[-1] * per_pixel)
    if kind == "several":
        some = st.lists(st.integers(1, 255), min_size=per_pixel, max_size=per_pixel, unique=True)
        return InputSpec(shape, 1, sorted(draw(some)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = [np.sort(random.choice(257, per_pixel, replace=False)) for _ in range(int(np.prod(image_shape)))]
    return InputSpec(shape, 1, np.array(rows))


def plain_values(source: InputSpec, images: np.ndarray) -> np.ndarray:
    """Encode pixel by pixel, threshold by threshold, in Python's own loops."""
    if source.bits == 8:
        return images.reshape(len(images), *source.shape).astype(np.int64)
    pixels = images.reshape(len(images), source.pixels).tolist()
    table = np.broadcast_to(source.thresholds, (source.pixels, source.bits_per_pixel)).tolist()
    values = [
        [1 if pixel >= threshold else -1 for pixel, row in zip(image, table, strict=True) for threshold in row]
        for image in pixels
    ]
    return np.array(values, np.int64).reshape(len(images), *source.shape)
