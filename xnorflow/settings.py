"""The parts of a configuration: how to train, to fold, and which types to force."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass
from typing import Any

from xnorflow.errors import ConfigError

PRECISION = re.compile(r"ap_u?int<([1-9]|[1-9][0-9])>")
# numpy's own generator, which Keras seeds, takes no larger one
LARGEST_SEED = 2**32 - 1
# least and most; each seed is a training of its own, and an epoch of the smallest data set takes a second
_WHOLE = {
    "seed": (0, LARGEST_SEED),
    "seeds": (1, 1000),
    "epochs": (1, 100_000),
    "batch_size": (2, 1_000_000),
    "shift": (0, 1000),
}
_REAL = {"rotate": 180, "scale": 0.9, "elastic": 100}
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxstring = 2, 4, 4, 100


def got(value: Any) -> str:
    """Return a value as an error shows it: shortened, on one line."""
    try:
        return _SHORT.repr(value)
    except ValueError:
        return "a number with very many digits"


def whole(value: Any) -> bool:
    """Whether a value is a whole number; YAML's true and false, which Python counts as 1 and 0, are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> bool:
    """Whether a value is a number, and not true or false."""
    return whole(value) or isinstance(value, float)


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained; docs/training.md says what each part gains.

    Attributes:
        seed: of initial weights, shuffling and warping.
        seeds: runs, with ``seed`` and the numbers after it; the best by validation is kept.
        epochs: passes over the training images.
        batch_size: images per step.
        learning_rate: of Adam at the start; it falls to 0 along a cosine.
        shift: training images are moved by up to so many pixels to each side.
        rotate: and turned by up to so many degrees.
        scale: and stretched or shrunk by up to this share.
        elastic: and distorted by displacements of this standard deviation, in pixels.
    """

    seed: int = 0
    seeds: int = 1
    epochs: int = 60
    batch_size: int = 128
    learning_rate: float = 0.01
    shift: int = 1
    rotate: float = 8.0
    scale: float = 0.08
    elastic: float = 0.6

    def __post_init__(self) -> None:
        for name, (least, most) in _WHOLE.items():
            value = getattr(self, name)
            if not whole(value) or not least <= value <= most:
                raise ConfigError(
                    f"train.{name} must be a whole number >= {least} and at most {most:,}, got {got(value)}"
                )
        if self.seed + self.seeds - 1 > LARGEST_SEED:
            raise ConfigError(
                f"train.seed + seeds - 1, the last seed, must be at most {LARGEST_SEED:,}, "
                f"got {self.seed} and {self.seeds}"
            )
        if not number(self.learning_rate) or not 0 < self.learning_rate <= 1:
            raise ConfigError(f"train.learning_rate must be above 0 and at most 1, got {got(self.learning_rate)}")
        for name, limit in _REAL.items():
            value = getattr(self, name)
            if not number(value) or not 0 <= value <= limit:
                raise ConfigError(f"train.{name} must be a number from 0 to {limit}, got {got(value)}")
        for name in ("learning_rate", *_REAL):
            # 4 and 4.0 are the same setting, and the same key of a checkpoint
            object.__setattr__(self, name, float(getattr(self, name)))


@dataclass(frozen=True)
class Precision:
    """Types that replace the solved ones of a layer; for experiments, as they may overflow.

    Attributes:
        accum: type of the accumulator, such as ``ap_int<11>``.
        result: type of the sums that the threshold is compared with.
    """

    accum: str | None = None
    result: str | None = None

    def __post_init__(self) -> None:
        for name in ("accum", "result"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and PRECISION.fullmatch(value)):
                raise ConfigError(f"precision {name} must be ap_int<N> or ap_uint<N>, N 1 to 99, got {got(value)}")


@dataclass(frozen=True)
class Folding:
    """How a layer of the Verilog route is folded.

    Attributes:
        pe: neurons per cycle.
        simd: inputs of each per cycle.
    """

    pe: int
    simd: int

    def __post_init__(self) -> None:
        for name in ("pe", "simd"):
            value = getattr(self, name)
            if not whole(value) or value < 1:
                raise ConfigError(f"folding: {name} must be a whole number >= 1, got {got(value)}")

    def check(self, layer: str, n_in: int, n_out: int, *, divides: bool = False) -> None:
        """Refuse more neurons or inputs per cycle than a layer has; with ``divides`` also what leaves a rest.

        Raises:
            ConfigError: naming the layer, the value and what it may be.
        """
        for name, whole_layer, what in (("pe", n_out, "outputs"), ("simd", n_in, "inputs")):
            value = getattr(self, name)
            if divides and whole_layer % value:
                legal = ", ".join(str(width) for width in range(1, whole_layer + 1) if whole_layer % width == 0)
                raise ConfigError(
                    f"layer {layer}: {name} must divide its {whole_layer} {what} ({legal}), got {got(value)}"
                )
            if value > whole_layer:
                raise ConfigError(
                    f"layer {layer}: {name} must be 1 to {whole_layer}, its number of {what}, got {got(value)}"
                )
