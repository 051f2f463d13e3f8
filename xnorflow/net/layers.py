"""Layers of a binary network in integers: hidden dense layers and convolutions, and the scores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.arrays import Integers
from xnorflow.base.errors import ConfigError
from xnorflow.net.names import check_name

Bipolar = NDArray[np.int8]


def _freeze(array: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
    frozen = np.array(array, dtype=dtype, order="C")
    frozen.setflags(write=False)
    return frozen


def _check_bipolar(name: str, weights: NDArray[Any], ndim: int) -> None:
    if weights.ndim != ndim or 0 in weights.shape:
        raise ConfigError(f"layer {name}: weights must have {ndim} non-empty axes, got shape {weights.shape}")
    if not np.isin(weights, (-1, 1)).all():
        raise ConfigError(f"layer {name}: weights must be +1 or -1, got other values")


def _check_thresholds(name: str, thresholds: NDArray[Any], n_out: int) -> None:
    if thresholds.shape != (n_out,):
        raise ConfigError(f"layer {name}: needs {n_out} thresholds, got shape {thresholds.shape}")
    limits = np.iinfo(np.int32)
    if thresholds.dtype.kind not in "iu" or thresholds.min() < limits.min or thresholds.max() > limits.max:
        raise ConfigError(f"layer {name}: thresholds must be whole numbers of 32 bits, got {thresholds.dtype} ones")


@dataclass(frozen=True, eq=False)
class _MatrixSpec:
    """What a hidden dense layer and the score layer have in common: a matrix of +1/-1."""

    name: str
    weights: Bipolar

    def __post_init__(self) -> None:
        check_name("layer", self.name)
        _check_bipolar(self.name, self.weights, 2)
        object.__setattr__(self, "weights", _freeze(self.weights, np.int8))

    @property
    def n_in(self) -> int:
        """Inputs of one neuron."""
        return int(self.weights.shape[0])

    @property
    def n_out(self) -> int:
        """Neurons, or classes."""
        return int(self.weights.shape[1])

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of one image's output, given that of its input (flattened in HWC order)."""
        got = math.prod(shape)
        if self.n_in != got:
            raise ConfigError(f"layer {self.name}: reads {self.n_in} values but the layer before it gives {got}")
        return (self.n_out,)


@dataclass(frozen=True, eq=False)
class DenseSpec(_MatrixSpec):
    """A hidden dense layer: ``out[j] = +1 where sum_i x[i] * weights[i, j] >= thresholds[j]``.

    Attributes:
        weights: int8 +1/-1, shape (n_in, n_out).
        thresholds: int32, shape (n_out,).
    """

    thresholds: NDArray[np.int32]

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_thresholds(self.name, self.thresholds, self.n_out)
        object.__setattr__(self, "thresholds", _freeze(self.thresholds, np.int32))


@dataclass(frozen=True, eq=False)
class ConvSpec:
    """A hidden convolution without padding, then the threshold, then OR over pooling windows.

    Attributes:
        weights: int8 +1/-1, shape (kernel_height, kernel_width, channels_in, channels_out).
        thresholds: int32, shape (channels_out,).
        strides: (vertical, horizontal) step of the kernel.
        pool: (height, width) of the pooling window and of its step; (1, 1) is no pooling.
    """

    name: str
    weights: Bipolar
    thresholds: NDArray[np.int32]
    strides: tuple[int, int] = (1, 1)
    pool: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        check_name("layer", self.name)
        _check_bipolar(self.name, self.weights, 4)
        _check_thresholds(self.name, self.thresholds, self.n_out)
        if len(self.strides) != 2 or len(self.pool) != 2 or min(*self.strides, *self.pool) < 1:
            raise ConfigError(
                f"layer {self.name}: strides {self.strides} and pool {self.pool} must be two sizes >= 1"
            )
        object.__setattr__(self, "weights", _freeze(self.weights, np.int8))
        object.__setattr__(self, "thresholds", _freeze(self.thresholds, np.int32))

    @property
    def n_in(self) -> int:
        """Inputs of one neuron: kernel height x width x channels."""
        return int(math.prod(self.weights.shape[:3]))

    @property
    def n_out(self) -> int:
        """Output channels."""
        return int(self.weights.shape[3])

    def conv_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Shape of the convolution's output before pooling.

        Raises:
            ConfigError: the input is not an image with the right channels, or is smaller than the kernel.
        """
        kernel = self.weights.shape
        if len(shape) != 3 or shape[2] != kernel[2] or shape[0] < kernel[0] or shape[1] < kernel[1]:
            raise ConfigError(f"layer {self.name}: kernel {kernel[:3]} does not fit an input of shape {shape}")
        rows = (shape[0] - kernel[0]) // self.strides[0] + 1
        columns = (shape[1] - kernel[1]) // self.strides[1] + 1
        return rows, columns, self.n_out

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape (height, width, channels) of one image's output after pooling."""
        rows, columns, channels = self.conv_shape(shape)
        if rows < self.pool[0] or columns < self.pool[1]:
            raise ConfigError(f"layer {self.name}: pool {self.pool} does not fit an output of {rows}x{columns}")
        return rows // self.pool[0], columns // self.pool[1], channels


@dataclass(frozen=True, eq=False)
class ScoreSpec(_MatrixSpec):
    """The last layer: ``score[j] = scale[j] * sum_i x[i] * weights[i, j] + offset[j]``.

    One scalar normalisation for all classes does not change the class, so it is left out and
    scale is 1 and offset 0. A normalisation per class is kept in fixed point: scores then count
    in units of ``2 ** -fraction_bits``.

    Attributes:
        weights: int8 +1/-1, shape (n_in, n_classes).
        scale: int64, shape (n_classes,), or None for 1.
        offset: int64, shape (n_classes,), or None for 0.
        fraction_bits: fraction bits of scale and offset; 0 without them.
    """

    scale: Integers | None = None
    offset: Integers | None = None
    fraction_bits: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.scale is None) != (self.offset is None):
            raise ConfigError(f"layer {self.name}: scale and offset come together or not at all")
        for field in ("scale", "offset"):
            values = getattr(self, field)
            if values is None:
                continue
            if values.shape != (self.n_out,):
                raise ConfigError(f"layer {self.name}: {field} needs {self.n_out} values, got {values.shape}")
            object.__setattr__(self, field, _freeze(values, np.int64))

    def normalise(self, sums: Integers) -> Integers:
        """Return the scores for integer sums of shape (n, n_classes)."""
        if self.scale is None or self.offset is None:
            return sums
        return sums * self.scale + self.offset


HiddenSpec = DenseSpec | ConvSpec


LayerSpec = HiddenSpec | ScoreSpec
