"""Train a network of ``keras_models/`` on a data set: one seed, best epoch by validation.

The validation images are taken from the training set and choose the epoch. The test images are
looked at once, at the end.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.blocks import with_learned_thresholds
from xnorflow.data import DataSet, Split
from xnorflow.errors import ConfigError, DataError, XnorflowError
from xnorflow.files import atomic_open, sha256_file, write_json
from xnorflow.inputs import LEARNED, InputSpec, PixelThreshold, encoded_shape, keras_input
from xnorflow.keras2 import import_keras
from xnorflow.modelfile import save_model
from xnorflow.progress import progress_bar
from xnorflow.settings import TrainConfig

PACKAGES = ("tensorflow", "tf-keras", "qkeras", "numpy")
# Steps per call into TensorFlow: keeps Python's share of an epoch below a tenth.
STEPS_PER_EXECUTION = 20
EVALUATION_BATCH = 1000


@dataclass(frozen=True)
class TrainedModel:
    """A trained network's file and its card (accuracy, seed, data, versions)."""

    path: Path
    card: dict[str, Any]


def build_network(network: Path, shape: tuple[int, ...], classes: int, pixel_threshold: PixelThreshold = 128) -> Any:
    """Run ``build(shape, classes)`` of a network's Python file and return the Keras model.

    Args:
        network: the file.
        shape: (height, width, channels) of an image; ``build`` gets that of an encoded one.
        classes: scores to give.
        pixel_threshold: as configured; thresholds that are learned come in front of the network.

    Raises:
        ConfigError: no such file, no ``build`` in it, or it fails.
    """
    if not network.is_file():
        near = sorted(path.stem for path in network.parent.glob("*.py")) if network.parent.is_dir() else []
        raise ConfigError(f"no such network file: {network}; in its folder: {', '.join(near) or 'none'}")
    import_keras()
    loader = importlib.util.spec_from_file_location(f"xnorflow_network_{network.stem}", network)
    if loader is None or loader.loader is None:
        raise ConfigError(f"{network}: not a Python file; a network is a .py file with build(shape, classes)")
    module = importlib.util.module_from_spec(loader)
    try:
        loader.loader.exec_module(module)
        model = module.build(encoded_shape(shape, pixel_threshold), classes)
    except XnorflowError:
        raise
    except Exception as error:
        # whatever a user's file may raise
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{network}: build(shape, classes) failed: {type(error).__name__}: {reason}") from error
    if not hasattr(model, "output_shape"):
        raise ConfigError(f"{network}: build(shape, classes) must return a Keras model, got {type(model).__name__}")
    return with_learned_thresholds(model) if pixel_threshold == LEARNED else model


def train(
    network: Path,
    data: DataSet,
    folder: Path,
    config: TrainConfig | None = None,
    *,
    input_bits: int = 1,
    pixel_threshold: PixelThreshold = 128,
) -> TrainedModel:
    """Train ``network`` on ``data`` and write ``<name>.h5`` and its card ``<name>.json`` to ``folder``.

    A run that was killed goes on from the last whole epoch when it is started again with the same
    network file, data and settings.

    Raises:
        ConfigError: the network cannot be built, or does not fit the data.
    """
    config = config or TrainConfig()
    shape = image_shape(data)
    keras = import_keras()
    keras.utils.set_random_seed(config.seed)
    model = build_network(network, shape, data.n_classes, pixel_threshold)
    if model.output_shape[-1] != data.n_classes:
        raise ConfigError(
            f"{network}: gives {model.output_shape[-1]} scores, but {data.name} has {data.n_classes} classes"
        )
    source = keras_input(tuple(model.input_shape[1:]), input_bits, pixel_threshold)
    key = _key(network, data, config, source, pixel_threshold)
    training = _TrainingRun(model, source, data, config, folder / "checkpoint.npz", key)
    started = time.monotonic()
    training.run(folder / "train.log")
    path = folder / f"{network.stem}.h5"
    settings = {"bits": input_bits, "pixel_threshold": pixel_threshold}
    save_model(model, path, settings)
    card = {
        "network": network.stem,
        "data": {"name": data.name, "sha256": data.sha256, "test_images": len(data.test.labels)},
        "input": settings,
        "accuracy": {
            "validation": training.best_accuracy,
            "test": training.accuracy(data.test),
        },
        "best_epoch": training.best_epoch,
        "train": dataclasses.asdict(config),
        "seconds": round(training.seconds_before + time.monotonic() - started, 1),
        "versions": versions(),
        "sha256": sha256_file(path),
    }
    write_json(path.with_suffix(".json"), card)
    training.checkpoint.unlink(missing_ok=True)
    return TrainedModel(path, card)


def image_shape(data: DataSet) -> tuple[int, ...]:
    """Shape (height, width, channels) of a data set's images."""
    return (*data.image_shape, 1) if len(data.image_shape) == 2 else data.image_shape


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a trained network depends on."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}


def _key(network: Path, data: DataSet, config: TrainConfig, *source: object) -> str:
    parts = [network.read_text(encoding="utf-8", errors="replace"), data.sha256, repr(config), repr(source)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class _TrainingRun:
    """One training run: model, optimizer, best weights so far, checkpoint."""

    def __init__(
        self, model: Any, source: InputSpec, data: DataSet, config: TrainConfig, checkpoint: Path, key: str
    ) -> None:
        self.model, self.source, self.data, self.config = model, source, data, config
        self.checkpoint, self.key = checkpoint, key
        self.epoch, self.best_epoch, self.best_accuracy, self.seconds_before = 0, 0, -1.0, 0.0
        self.best_weights: list[NDArray[Any]] = model.get_weights()
        self.steps = max(1, len(data.train.labels) // config.batch_size)
        keras = import_keras()
        schedule = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * self.steps)
        model.compile(
            keras.optimizers.Adam(schedule),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            steps_per_execution=min(STEPS_PER_EXECUTION, self.steps),
        )
        model.optimizer.build(model.trainable_variables)

    def run(self, log: Path) -> None:
        """Train to the last epoch, then put the best epoch's weights into the model."""
        self._resume()
        started = time.monotonic() - self.seconds_before
        log.parent.mkdir(parents=True, exist_ok=True)
        mode = "a" if self.epoch else "w"  # the log of a run with other settings is not continued
        with progress_bar(f"train {self.model.name}", self.config.epochs) as advance, log.open(mode) as lines:
            advance(self.epoch)
            while self.epoch < self.config.epochs:
                loss, validation = self._train_epoch()
                self.epoch += 1
                # the later of two equal epochs: its learning rate was lower
                if validation >= self.best_accuracy:
                    self.best_epoch, self.best_accuracy = self.epoch, validation
                    self.best_weights = self.model.get_weights()
                self._save(time.monotonic() - started)
                print(f"epoch {self.epoch} loss {loss:.4f} validation {validation:.4f}", file=lines, flush=True)
                advance(1)
        self.model.set_weights(self.best_weights)

    def accuracy(self, split: Split) -> float:
        """Share of the images of ``split`` that the model classifies rightly."""
        logits = self.model.predict(self._inputs(split.images), batch_size=EVALUATION_BATCH, verbose=0)
        return float((logits.argmax(axis=1) == split.labels).mean())

    def _inputs(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.source.encode(images).astype(np.float32)

    def _train_epoch(self) -> tuple[float, float]:
        # a generator per epoch, so that a resumed run sees the images in the same order
        random = np.random.default_rng((self.config.seed, self.epoch))
        order = random.permutation(len(self.data.train.labels))[: self.steps * self.config.batch_size]
        images = shift_images(self.data.train.images[order], self.config.shift, random)
        history = self.model.fit(
            self._inputs(images),
            self.data.train.labels[order],
            batch_size=self.config.batch_size,
            shuffle=False,
            verbose=0,
        )
        return float(history.history["loss"][-1]), self.accuracy(self.data.validation)

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def _save(self, seconds: float) -> None:
        state = {
            "key": self.key,
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_accuracy": self.best_accuracy,
            "seconds": seconds,
        }
        arrays = {f"v{i}": variable.numpy() for i, variable in enumerate(self._variables())}
        arrays |= {f"b{i}": weights for i, weights in enumerate(self.best_weights)}
        with atomic_open(self.checkpoint) as stream:
            np.savez(stream, state=np.array(json.dumps(state)), **arrays)

    def _resume(self) -> None:
        if not self.checkpoint.is_file():
            return
        try:
            with np.load(io.BytesIO(self.checkpoint.read_bytes()), allow_pickle=False) as stored:
                state = json.loads(str(stored["state"]))
                if state["key"] != self.key:
                    return
                for index, variable in enumerate(self._variables()):
                    variable.assign(stored[f"v{index}"])
                self.best_weights = [stored[f"b{i}"] for i in range(len(self.best_weights))]
        except Exception as error:
            # a damaged archive raises BadZipFile, zlib.error, ValueError, KeyError, ...
            raise DataError(f"{self.checkpoint}: damaged checkpoint ({error}); delete it to start afresh") from error
        self.epoch, self.best_epoch = state["epoch"], state["best_epoch"]
        self.best_accuracy, self.seconds_before = state["best_accuracy"], state["seconds"]


def shift_images(images: NDArray[np.uint8], most: int, random: np.random.Generator) -> NDArray[np.uint8]:
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
