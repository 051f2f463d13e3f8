"""How a network is trained: the settings of a run of training."""

from __future__ import annotations

from dataclasses import dataclass

from xnorflow.base.checks import got, number, whole
from xnorflow.base.errors import ConfigError

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
