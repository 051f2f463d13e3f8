"""Parts of the training recipe, switched one at a time: what ``ablation.py`` measures."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from xnorflow.base.keras_stack import import_keras

keras = import_keras()
tf = importlib.import_module("tensorflow")
Layers = list[Any]


@dataclass(frozen=True)
class Part:
    """One part of the recipe, changed.

    Attributes:
        train: settings in place of the recipe's.
        layer: what stands in place of a layer of the network.
        loss: in place of cross-entropy.
        rate: learning rate after a share of the run from 0 to 1, in place of the cosine; the first one is 1.
        taught: targets are in part those of a float network.
        real_first: the first half of the epochs has real weights and activations.
        reestimated: statistics of BatchNorm are taken anew at the end.
    """

    train: dict[str, Any] = field(default_factory=dict)
    layer: Callable[[Any], Layers] = lambda layer: [copy_of(layer)]
    loss: Callable[[], Any] = lambda: keras.losses.CategoricalCrossentropy(from_logits=True)
    rate: Callable[[Any], Any] | None = None
    taught: bool = False
    real_first: bool = False
    reestimated: bool = False


def copy_of(layer: Any) -> Any:
    """Return a new layer with the same settings."""
    return type(layer).from_config(layer.get_config())


def with_slope(slope: Callable[[Any], Any]) -> Callable[[Any], Layers]:
    """Return a change of the network: activations are signs with ``slope`` as their derivative."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def sign(x: Any) -> Any:
        return tf.where(x >= 0, 1.0, -1.0), lambda upstream: upstream * slope(x)

    def change(layer: Any) -> Layers:
        is_sign = type(layer).__name__ == "QActivation"
        return [keras.layers.Activation(sign, name=layer.name) if is_sign else copy_of(layer)]

    return change


def hard_tanh(x: Any) -> Any:
    """Slope of hard tanh (Hubara et al. 2016, arXiv:1602.02830)."""
    return tf.cast(tf.abs(x) <= 1, tf.float32)


def approx_sign(x: Any) -> Any:
    """Slope of ApproxSign (Liu et al. 2018, arXiv:1808.00278)."""
    return tf.maximum(2 - 2 * tf.abs(x), 0.0)


def swish_sign(x: Any, beta: float = 5.0) -> Any:
    """Slope of SwishSign (Darabi et al. 2018, arXiv:1812.11800)."""
    z = tf.clip_by_value(beta * x, -30, 30)
    return beta * (2 - z * tf.tanh(z / 2)) / (1 + tf.cosh(z))


def unclipped(layer: Any) -> Layers:
    """Latent weights may leave -1 to 1, where their gradient stays that of the identity."""
    copied = copy_of(layer)
    if hasattr(copied, "kernel_constraint"):
        copied.kernel_constraint = None  # QKeras sets one where its settings name none
    return [copied]


def with_dropout(layer: Any, share: float = 0.1) -> Layers:
    """Dropout behind each sign."""
    is_sign = type(layer).__name__ == "QActivation"
    return [copy_of(layer), *([keras.layers.Dropout(share)] if is_sign else [])]


def with_fixed_scale(layer: Any) -> Layers:
    """Scores are divided by 16, the root of their inputs, and not normalised."""
    return [keras.layers.Rescaling(1 / 16, name=layer.name) if layer.name == "score_norm" else copy_of(layer)]


def real(layer: Any) -> Layers:
    """Real weights and tanh."""
    if type(layer).__name__ == "QDense":
        return [keras.layers.Dense(layer.units, use_bias=False, name=layer.name)]
    return [keras.layers.Activation("tanh", name=layer.name) if "QActivation" in str(type(layer)) else copy_of(layer)]


PARTS: dict[str, Part] = {
    "the recipe": Part(),
    "no shift": Part({"shift": 0}),
    "no warps": Part({"rotate": 0, "scale": 0, "elastic": 0}),
    "neither": Part({"shift": 0, "rotate": 0, "scale": 0, "elastic": 0}),
    "no elastic distortion": Part({"elastic": 0}),
    "learning rate 0.003": Part({"learning_rate": 0.003}),
    "batches of 256": Part({"batch_size": 256}),
    "learning rate constant": Part(rate=lambda share: 1.0 + 0 * share),
    "learning rate falls exponentially, to 1/1000": Part(rate=lambda share: tf.pow(0.001, share)),
    "gradient of hard tanh": Part(layer=with_slope(hard_tanh)),
    "gradient of ApproxSign": Part(layer=with_slope(approx_sign)),
    "gradient of SwishSign": Part(layer=with_slope(swish_sign)),
    "latent weights not clipped": Part(layer=unclipped),
    "scores scaled by a constant": Part(layer=with_fixed_scale),
    "dropout of 0.1": Part(layer=with_dropout),
    "squared hinge": Part(loss=lambda: keras.losses.SquaredHinge()),
    "label smoothing of 0.1": Part(
        loss=lambda: keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    ),
    "distillation from a float network": Part(taught=True),
    "two stages, real first": Part(real_first=True),
    "BatchNorm statistics re-estimated": Part(reestimated=True),
}


class Rate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc,name-defined]
    """A learning rate by the share of the run that is done."""

    def __init__(self, first: float, steps: int, course: Callable[[Any], Any]) -> None:
        self.first, self.steps, self.course = first, steps, course

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        return self.first * self.course(tf.cast(step, tf.float32) / self.steps)
