"""What a network reads of an image: each pixel as bits, one per threshold, or the pixel itself.

Several thresholds per pixel are a thermometer code (Buckman et al. 2018, "Thermometer Encoding",
ICLR): a pixel of 150 with thresholds 64, 128, 192 reads as +1 +1 -1. The bits of a pixel stand side by
side in the last axis, so that the network behind them is an ordinary one with t times the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.checks import got, whole
from xnorflow.base.errors import ConfigError, DataError

Images = NDArray[np.uint8]
# as a configuration says it: one threshold, several, or LEARNED
PixelThreshold = int | list[int] | str

LEARNED = "learned"
MOST_THRESHOLDS = 8
# thresholds of a pixel that is +1 whatever its value, and of one that is always -1
ALWAYS, NEVER = 0, 256


@dataclass(frozen=True, eq=False)
class InputSpec:
    """What the network reads.

    Attributes:
        shape: (n,) for vectors, (height, width, channels) for images. With t thresholds the last axis
            holds t bits for each of the image's own: bit ``i * t + k`` is pixel i at threshold k.
        bits: 1 (thresholded) or 8 (unsigned pixels).
        pixel_threshold: used when ``bits == 1``: the smallest pixel value that counts as +1, or several,
            rising, or a table (pixels, t) of them for each pixel, where 0 is always +1 and 256 never.
        thresholds: the same as a table, int16, shape (1, t) for all pixels or (pixels, t).

    Raises:
        ConfigError: bits, shape or thresholds that are not allowed.
    """

    shape: tuple[int, ...]
    bits: int = 1
    pixel_threshold: int | Sequence[int] | NDArray[np.integer[Any]] = 128
    thresholds: NDArray[np.int16] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.bits not in (1, 8):
            raise ConfigError(f"input bits must be 1 or 8, got {self.bits}")
        if len(self.shape) not in (1, 3) or min(self.shape) < 1:
            raise ConfigError(f"input shape must be (n,) or (height, width, channels), got {self.shape}")
        given = np.asarray(self.pixel_threshold)
        _check_thresholds(given)
        thresholds = np.atleast_2d(given).astype(np.int16)
        thresholds.setflags(write=False)
        object.__setattr__(self, "thresholds", thresholds)
        rows, columns = thresholds.shape
        if self.shape[-1] % columns or (self.bits == 8 and columns > 1):
            raise ConfigError(f"input shape {self.shape} of {self.bits} bits does not hold {columns} bits per pixel")
        if rows not in (1, self.pixels):
            raise ConfigError(f"pixel_threshold must have one row, or {self.pixels} for as many pixels, got {rows}")

    @property
    def size(self) -> int:
        """Values per image that the network reads."""
        return math.prod(self.shape)

    @property
    def bits_per_pixel(self) -> int:
        """Bits that the network reads of a pixel."""
        return 8 if self.bits == 8 else self.thresholds.shape[1]

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of an image before it is encoded."""
        return (*self.shape[:-1], self.shape[-1] // self.thresholds.shape[1])

    @property
    def pixels(self) -> int:
        """Pixels per image, counting each channel."""
        return math.prod(self.image_shape)

    @property
    def max_abs(self) -> int:
        """Largest magnitude of one input value."""
        return 1 if self.bits == 1 else 255

    def encode(self, images: Images) -> NDArray[Any]:
        """Return the network's input values, shape (n, *shape): int8 +1/-1, or uint8 pixels.

        Raises:
            DataError: images are not uint8 or have another number of pixels.
        """
        if images.dtype != np.uint8 or images.ndim < 2 or math.prod(images.shape[1:]) != self.pixels:
            found = f"{images.dtype} images of shape {images.shape[1:]}"
            raise DataError(f"the network reads uint8 images of shape {self.image_shape}, got {found}")
        if self.bits == 8:
            return images.reshape(len(images), *self.shape)
        flat = images.reshape(len(images), self.pixels)
        reached: NDArray[np.bool_] = np.empty((*flat.shape, self.bits_per_pixel), np.bool_)
        # one threshold at a time: numpy is slow along an axis as short as theirs
        for index in range(self.bits_per_pixel):
            np.greater_equal(flat, self.thresholds[:, index], out=reached[..., index])
        bipolar: NDArray[np.int8] = 2 * reached.view(np.int8) - np.int8(1)
        return bipolar.reshape(len(images), *self.shape)


@dataclass(frozen=True)
class InputSettings:
    """What a network is to read of an image, as a configuration, a network's file and a card say it.

    Attributes:
        bits: 1 (pixels are compared) or 8 (the pixel itself); ``input_bits`` in a configuration.
        pixel_threshold: for ``bits == 1`` the smallest pixel value that counts as +1; a list of several, rising,
            gives as many bits per pixel; "learned" trains one for each pixel.

    Raises:
        ConfigError: a value that is not allowed, whatever its type, and what is.
    """

    bits: int = 1
    pixel_threshold: PixelThreshold = 128

    def __post_init__(self) -> None:
        bits, threshold = self.bits, self.pixel_threshold
        if not whole(bits) or bits not in (1, 8):
            raise ConfigError(f"input_bits must be 1 or 8, got {got(bits)}")
        if threshold != LEARNED:
            several = threshold if isinstance(threshold, list) else [threshold]
            if not several or not all(whole(value) for value in several):
                raise ConfigError(
                    f"pixel_threshold must be 1 to 255, a list of such, or {LEARNED}, got {got(threshold)}"
                )
            _check_thresholds(np.asarray(threshold))
        if bits == 8 and not whole(threshold):
            raise ConfigError(
                f"pixel_threshold: a list or {LEARNED} goes with input_bits 1, got {got(threshold)} and input_bits 8"
            )

    @property
    def learned(self) -> bool:
        """Whether the network learns its thresholds, and so compares the pixels itself."""
        return self.pixel_threshold == LEARNED

    @property
    def values_per_pixel(self) -> int:
        """Values that a network reads of a pixel."""
        return len(self.pixel_threshold) if isinstance(self.pixel_threshold, list) else 1

    @property
    def bits_per_pixel(self) -> int:
        """Bits that a network reads of a pixel."""
        return 8 if self.bits == 8 else self.values_per_pixel

    def encoded_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that a network reads of images of ``shape`` (height, width, channels)."""
        return (*shape[:-1], shape[-1] * self.values_per_pixel)

    def keras_input(self, shape: tuple[int, ...]) -> InputSpec:
        """Return what a Keras model of input ``shape`` reads: pixels, where it learns thresholds for them.

        Raises:
            ConfigError: the shape is none of a network, or does not hold so many values per pixel.
        """
        if isinstance(self.pixel_threshold, str):
            return InputSpec(shape, 8)
        return InputSpec(shape, self.bits, self.pixel_threshold)


def _check_thresholds(given: NDArray[Any]) -> None:
    if given.dtype.kind not in "iu" or given.ndim > 2 or given.size == 0:
        raise ConfigError(
            f"pixel_threshold must be small whole numbers, got shape {given.shape} of type {given.dtype}"
        )
    # only a pixel with a threshold of its own may be constant
    lowest, highest = (ALWAYS, NEVER) if given.ndim == 2 else (1, 255)
    wrong = given[(given < lowest) | (given > highest)]
    if len(wrong):
        raise ConfigError(f"pixel_threshold must be {lowest} to {highest}, got {wrong[0]}")
    if given.ndim and given.shape[-1] > MOST_THRESHOLDS:
        raise ConfigError(f"pixel_threshold takes at most {MOST_THRESHOLDS} thresholds, got {given.shape[-1]}")
    if given.ndim and (np.diff(given.astype(np.int64)) <= 0).any():
        raise ConfigError(f"pixel_threshold must rise from one to the next, got {got(given.tolist())}")
