"""Training images moved and warped: shifts, rotations, changes of size, elastic distortion.

Elastic distortion after Simard, Steinkraus, Platt 2003, "Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis". Grey pixels are warped, so that with a 1-bit input the
threshold cuts a smooth edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xnorflow.base.arrays import Float32Array, UInt8Array

# Elastic distortion: random displacements at GRID x GRID points, smoothed to every pixel.
GRID = 5
SMOOTH = 0.7  # standard deviation of the smoothing, in distances between two points
_CHUNK = 1024  # images at once: their coordinates fit into the cache


@dataclass(frozen=True)
class Warp:
    """How far images are warped, each by a random amount.

    Attributes:
        rotate: most degrees to either side.
        scale: most change of height and of width, as a share.
        elastic: standard deviation of the displacements, in pixels.
    """

    rotate: float = 0.0
    scale: float = 0.0
    elastic: float = 0.0


def warp_images(images: UInt8Array, warp: Warp, random: np.random.Generator) -> UInt8Array:
    """Return the images, (n, height, width) or (n, height, width, channels), each warped anew; zeros move in."""
    if warp == Warp():
        return images
    warped = np.empty_like(images)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        rows, columns = _sources(chunk.shape, warp, random)
        channels = chunk.reshape(*chunk.shape[:3], -1)
        for channel in range(channels.shape[3]):
            sampled = _sample(channels[..., channel], rows, columns)
            warped[start : start + _CHUNK].reshape(channels.shape)[..., channel] = sampled
    return warped


def _sources(shape: tuple[int, ...], warp: Warp, random: np.random.Generator) -> tuple[Float32Array, Float32Array]:
    """Return the row and the column that each pixel of each image is taken from, shape (n, height, width)."""
    n, height, width = shape[:3]

    def uniform(most: float) -> Float32Array:
        return random.uniform(-most, most, (n, 1, 1)).astype(np.float32)

    down, right = (np.arange(size, dtype=np.float32) - (size - 1) / 2 for size in (height, width))
    angle = np.deg2rad(uniform(warp.rotate))
    sine, cosine = np.sin(angle), np.cos(angle)
    y, x = down[:, None] * (1 + uniform(warp.scale)), right * (1 + uniform(warp.scale))
    rows = cosine * y + sine * x + (height - 1) / 2
    columns = cosine * x - sine * y + (width - 1) / 2
    if warp.elastic:
        points = random.standard_normal((2, n, GRID, GRID), np.float32) * np.float32(warp.elastic)
        moved = _spread(height) @ points @ _spread(width).T
        rows, columns = rows + moved[0], columns + moved[1]
    return rows, columns


def _spread(size: int) -> Float32Array:
    """Return the weights, shape (size, GRID), that smooth GRID points over ``size`` pixels."""
    distance = np.linspace(0, GRID - 1, size)[:, None] - np.arange(GRID)
    weights = np.exp(-0.5 * (distance / SMOOTH) ** 2)
    spread: Float32Array = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return spread


def _sample(images: UInt8Array, rows: Float32Array, columns: Float32Array) -> UInt8Array:
    """Sample images (n, height, width) between their pixels, linearly in both directions."""
    n, height, width = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float32).ravel()
    stride = width + 2
    # the margin of one zero on each side stands for everything outside; 0.999 keeps the next pixel within
    rows, columns = np.clip(rows + 1, 0, height + 0.999), np.clip(columns + 1, 0, width + 0.999)
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    first = np.arange(n, dtype=np.int32)[:, None, None] * ((height + 2) * stride) + top * stride + left
    below, beside = rows - top, columns - left
    upper = padded[first] + (padded[first + 1] - padded[first]) * beside
    lower = padded[first + stride] + (padded[first + stride + 1] - padded[first + stride]) * beside
    sampled: UInt8Array = np.rint(upper + (lower - upper) * below).astype(np.uint8)
    return sampled


def shift_images(images: UInt8Array, most: int, random: np.random.Generator) -> UInt8Array:
    """Shift each image by up to ``most`` pixels to each side, at random; zeros move in.

    Images (n, height, width) or (n, height, width, channels); a new array is returned.
    """
    if most == 0:
        return images
    height, width = images.shape[1:3]
    margin = ((0, 0), (most, most), (most, most), *[(0, 0)] * (images.ndim - 3))
    padded = np.pad(images, margin)
    offsets = random.integers(0, 2 * most + 1, (len(images), 2))
    shifted = np.empty_like(images)
    for row, column in _grid(2 * most + 1):
        chosen = (offsets == (row, column)).all(axis=1)
        shifted[chosen] = padded[chosen, row : row + height, column : column + width]
    return shifted


def _grid(size: int) -> Iterator[tuple[int, int]]:
    return ((row, column) for row in range(size) for column in range(size))
