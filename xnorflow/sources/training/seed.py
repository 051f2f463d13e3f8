"""One training run of a Keras model: epochs, validation, checkpoint."""

from __future__ import annotations

import gc
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.errors import DataError
from xnorflow.base.files.atomic import atomic_open
from xnorflow.base.keras_stack import import_keras
from xnorflow.base.processes import signals
from xnorflow.base.progress import progress_bar
from xnorflow.sources.data.sets import Split
from xnorflow.sources.training.epochs import TrainingSet

# Steps per call into TensorFlow: keeps Python's share of an epoch below a tenth.
STEPS_PER_EXECUTION = 20
EVALUATION_BATCH = 1000
CHECKPOINT, LOG = ".npz", ".log"

Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: Adam, whose learning rate falls from ``learning_rate`` to 0 along a cosine.

    The cosine is that of Loshchilov, Hutter 2017, arXiv:1608.03983, without restarts.
    """

    epochs: int
    batch_size: int
    learning_rate: float


class TrainingRun:
    """One training run: model, optimizer, best weights so far, checkpoint.

    Attributes:
        epoch: whole epochs done.
        best_epoch: the one that was best on the validation images, counted from 1.
        best_accuracy: share of the validation images right after it.
        seconds: training time so far, earlier runs included.
    """

    def __init__(
        self, model: Any, encode: Encode, training_set: TrainingSet, schedule: Schedule, place: Path, key: str
    ) -> None:
        """Prepare a run.

        Args:
            model: Keras model; compiled here.
            encode: uint8 images -> what the model reads.
            training_set: images and targets of every epoch.
            schedule: how long and how fast.
            place: ``<place>.npz`` is the checkpoint, ``<place>.log`` takes a line per epoch.
            key: a checkpoint with another one is not taken up.
        """
        self.model, self.encode, self.training_set, self.schedule = model, encode, training_set, schedule
        self.checkpoint, self.log, self.key = place.with_suffix(CHECKPOINT), place.with_suffix(LOG), key
        self.epoch, self.best_epoch, self.best_accuracy, self.seconds = 0, 0, -1.0, 0.0
        self.best_weights: list[NDArray[Any]] = model.get_weights()
        self.steps = max(1, len(training_set) // schedule.batch_size)
        keras = import_keras()
        cosine = keras.optimizers.schedules.CosineDecay(schedule.learning_rate, schedule.epochs * self.steps)
        model.compile(
            keras.optimizers.Adam(cosine),
            keras.losses.CategoricalCrossentropy(from_logits=True),
            steps_per_execution=min(STEPS_PER_EXECUTION, self.steps),
        )
        model.optimizer.build(model.trainable_variables)

    def run(self, validation: Split, name: str) -> None:
        """Train to the last epoch, then put the weights of the epoch that was best on ``validation`` into the model.

        ``name`` is what the progress bar calls the run.
        """
        self._resume()
        started = time.monotonic() - self.seconds
        self.log.parent.mkdir(parents=True, exist_ok=True)
        mode = "a" if self.epoch else "w"  # the log of a run with other settings is not continued
        with progress_bar(f"train {name}", self.schedule.epochs) as advance, self.log.open(mode) as lines:
            advance(self.epoch)
            while self.epoch < self.schedule.epochs:
                loss = self._train_epoch()
                accuracy = self.accuracy(validation)
                # TensorFlow swallows a Ctrl-C now and then; the epoch may not be whole
                signals.raise_pending()
                self.epoch += 1
                # the later of two equal epochs: its learning rate was lower
                if accuracy >= self.best_accuracy:
                    self.best_epoch, self.best_accuracy = self.epoch, accuracy
                    self.best_weights = self.model.get_weights()
                self.seconds = time.monotonic() - started
                self._save()
                line = f"epoch {self.epoch} loss {loss:.4f} validation {accuracy:.4f} seconds {self.seconds:.1f}"
                print(line, file=lines, flush=True)
                advance(1)
        self.model.set_weights(self.best_weights)

    def accuracy(self, split: Split) -> float:
        """Share of the images of ``split`` that the model classifies rightly."""
        logits = self.model.predict(self.encode(split.images), batch_size=EVALUATION_BATCH, verbose=0)
        return float((logits.argmax(axis=1) == split.labels).mean())

    def _train_epoch(self) -> float:
        """Train on every image once, but for those left over from the last whole batch; return the mean loss."""
        batch = self.schedule.batch_size
        used = self.steps * batch
        images, targets = self.training_set.epoch(self.epoch)
        history = self.model.fit(
            self.encode(images[:used]), targets[:used], batch_size=batch, shuffle=False, verbose=0
        )
        # Keras leaves the epoch's arrays in a cycle of references, which Python seldom looks for
        gc.collect()
        return float(history.history["loss"][-1])

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def _save(self) -> None:
        state = {
            "key": self.key,
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_accuracy": self.best_accuracy,
            "seconds": self.seconds,
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
        except MemoryError:
            raise
        except Exception as error:
            # a damaged archive raises BadZipFile, zlib.error, ValueError, KeyError, ...
            raise DataError(f"{self.checkpoint}: damaged checkpoint ({error}); delete it to start afresh") from error
        self.epoch, self.best_epoch = state["epoch"], state["best_epoch"]
        self.best_accuracy, self.seconds = state["best_accuracy"], state["seconds"]
