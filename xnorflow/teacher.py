"""A teacher for distillation: a convolutional network with real numbers, trained on the same images.

It reads the grey pixels that the binary network's input threshold cuts off, and is not kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.augment import Warp
from xnorflow.data import DataSet
from xnorflow.keras2 import import_keras
from xnorflow.lessons import Floats, Lessons, Teacher
from xnorflow.training import EVALUATION_BATCH, Schedule, TrainingRun

SEED = 0
SCHEDULE = Schedule(epochs=12, batch_size=128, learning_rate=3e-3)


def build_teacher(shape: tuple[int, ...], n_classes: int) -> Any:
    """Return the untrained teacher for images of ``shape`` (height, width, channels), pixels 0 to 255."""
    layers = import_keras().layers
    model = import_keras().Sequential([layers.InputLayer(shape), layers.Rescaling(1 / 255)], name="teacher")
    for channels, kernel in ((32, 5), (64, 3)):
        model.add(layers.Conv2D(channels, kernel, strides=2, padding="same", use_bias=False))
        _add_norm_and_relu(model)
    model.add(layers.Flatten())
    model.add(layers.Dense(256, use_bias=False))
    _add_norm_and_relu(model)
    model.add(layers.Dense(n_classes))
    return model


def train_teacher(data: DataSet, shape: tuple[int, ...], warp: Warp, shift: int, folder: Path, key: str) -> Teacher:
    """Train the teacher on ``data``, or take it from its checkpoint in ``folder``.

    Args:
        data: its training images teach, its validation images choose the epoch.
        shape: of an image (height, width, channels).
        warp: how far the images are warped, as for the student.
        shift: by how many pixels they are shifted at most.
        folder: takes checkpoint and log, ``teacher.npz`` and ``teacher.log``.
        key: a checkpoint with another one is not taken.

    Returns:
        The function from uint8 images to the probability of each class, shape (n, n_classes).
    """
    keras = import_keras()
    keras.utils.set_random_seed(SEED)
    model = build_teacher(shape, data.n_classes)

    def encode(images: NDArray[np.uint8]) -> Floats:
        return images.reshape(len(images), *shape).astype(np.float32)

    lessons = Lessons(data.train, data.n_classes, warp, shift, SEED)
    training = TrainingRun(model, encode, lessons, SCHEDULE, folder / "teacher", key)
    training.run(data.validation, "teacher")

    def probabilities(images: NDArray[np.uint8]) -> Floats:
        logits = model.predict(encode(images), batch_size=EVALUATION_BATCH, verbose=0)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: Floats = shares / shares.sum(axis=1, keepdims=True)
        return found

    return probabilities


def _add_norm_and_relu(model: Any) -> None:
    layers = import_keras().layers
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
