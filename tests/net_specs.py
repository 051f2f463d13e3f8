"""Random networks for the tests, and what they do by the plain definition."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st
from input_specs import input_specs, plain_values

from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.spec import NetSpec


def bipolar(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.choice(np.array([-1, 1], np.int8), shape)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.int8)


def zeros(n: int) -> np.ndarray:
    return np.zeros(n, np.int32)


def flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), math.prod(x.shape[1:]))


def plain_conv(x: np.ndarray, weights: np.ndarray, strides: tuple[int, int]) -> np.ndarray:
    """Convolve by the definition: one output pixel at a time, in Python's own loops."""
    kh, kw, _, c_out = weights.shape
    rows, columns = (x.shape[1] - kh) // strides[0] + 1, (x.shape[2] - kw) // strides[1] + 1
    sums = np.zeros((len(x), rows, columns, c_out), np.int64)
    for row in range(rows):
        for column in range(columns):
            top, left = row * strides[0], column * strides[1]
            window = x[:, top : top + kh, left : left + kw].astype(np.int64)
            sums[:, row, column] = np.tensordot(window, weights.astype(np.int64), axes=3)
    return sums


def plain_pool(x: np.ndarray, pool: tuple[int, int]) -> np.ndarray:
    """Take the maximum of every whole window."""
    rows, columns = x.shape[1] // pool[0], x.shape[2] // pool[1]
    pooled = np.zeros((len(x), rows, columns, x.shape[3]), x.dtype)
    for row in range(rows):
        for column in range(columns):
            window = x[:, row * pool[0] : (row + 1) * pool[0], column * pool[1] : (column + 1) * pool[1]]
            pooled[:, row, column] = window.max(axis=(1, 2))
    return pooled


def plain_scores(spec: NetSpec, images: np.ndarray) -> np.ndarray:
    """Evaluate a NetSpec without packing: the definition, integer by integer."""
    x = plain_values(spec.input, images)
    for layer in spec.hidden:
        if isinstance(layer, ConvSpec):
            fired = np.where(plain_conv(x, layer.weights, layer.strides) >= layer.thresholds, 1, -1)
            x = plain_pool(fired, layer.pool)
        else:
            sums = flat(x) @ layer.weights.astype(np.int64)
            x = np.where(sums >= layer.thresholds, 1, -1)
    sums = flat(x) @ spec.scores.weights.astype(np.int64)
    return sums if spec.scores.scale is None else sums * spec.scores.scale + spec.scores.offset


@st.composite
def specs(draw: st.DrawFn) -> NetSpec:
    """Draw a network: vectors or images, 0 to 2 convolutions, 0 to 2 dense layers, scores."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    hidden: list[ConvSpec | DenseSpec] = []
    shape: tuple[int, ...] = (draw(st.integers(1, 70)),)
    if draw(st.booleans()):
        shape = (draw(st.integers(1, 11)), draw(st.integers(1, 11)), draw(st.integers(1, 3)))
    source = draw(input_specs(shape))
    shape = source.shape
    for index in range(draw(st.integers(0, 2)) if len(shape) == 3 else 0):
        kernel = (draw(st.integers(1, min(3, shape[0]))), draw(st.integers(1, min(3, shape[1]))))
        weights = bipolar(random, *kernel, shape[2], draw(st.integers(1, 5)))
        strides = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
        rows, columns = ((shape[i] - kernel[i]) // strides[i] + 1 for i in (0, 1))
        pool = (draw(st.integers(1, min(3, rows))), draw(st.integers(1, min(3, columns))))
        thresholds = random.integers(-5, 6, weights.shape[3])
        hidden.append(ConvSpec(f"conv{index}", weights, thresholds, strides, pool))
        shape = hidden[-1].output_shape(shape)
    for index in range(draw(st.integers(0, 2))):
        weights = bipolar(random, math.prod(shape), draw(st.integers(1, 12)))
        hidden.append(DenseSpec(f"dense{index}", weights, random.integers(-9, 10, weights.shape[1])))
        shape = (weights.shape[1],)
    weights = bipolar(random, math.prod(shape), draw(st.integers(1, 6)))
    if draw(st.booleans()):
        return NetSpec("drawn", source, tuple(hidden), ScoreSpec("scores", weights))
    scale, offset = (random.integers(-(2**30), 2**30, weights.shape[1]) for _ in range(2))
    return NetSpec("drawn", source, tuple(hidden), ScoreSpec("scores", weights, scale, offset, 20))


def random_images(spec: NetSpec, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *spec.input.image_shape), dtype=np.uint8)
