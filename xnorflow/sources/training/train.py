"""Train a network of ``keras_models/`` on a data set: one seed or several, and its card.

The validation images are taken from the training set; they choose the epoch of each seed and, of several
seeds, the network that is kept. The test images are looked at once per seed, at the end.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.errors import ConfigError, XnorflowError
from xnorflow.base.files.atomic import is_file, sha256_file
from xnorflow.base.keras_stack import import_keras
from xnorflow.base.processes import signals
from xnorflow.net.inputs import InputSettings
from xnorflow.sources.data.sets import DataSet
from xnorflow.sources.keras.blocks import with_learned_thresholds
from xnorflow.sources.keras.chain import read_groups
from xnorflow.sources.keras.extract import extract_model
from xnorflow.sources.keras.file.read import save_model
from xnorflow.sources.training.augment import Warp
from xnorflow.sources.training.card import Accuracy, Card, CardData, SeedRun, Seeds, save_card
from xnorflow.sources.training.epochs import TrainingSet
from xnorflow.sources.training.seed import CHECKPOINT, Schedule, TrainingRun
from xnorflow.sources.training.settings import TrainConfig

_PACKAGES = ("tensorflow", "tf-keras", "qkeras", "numpy")


@dataclass(frozen=True)
class TrainedModel:
    """A trained network's file and its card (accuracy, seeds, data, versions)."""

    path: Path
    card: Card


def build_network(
    network: str | Path, shape: tuple[int, ...], classes: int, settings: InputSettings | None = None
) -> Any:
    """Run ``build(shape, classes)`` of a network's Python file and return the Keras model.

    Args:
        network: the file.
        shape: (height, width, channels) of an image; ``build`` gets that of an encoded one.
        classes: scores to give.
        settings: what it reads of an image, the defaults of InputSettings where None; thresholds that are
            learned come in front of the network.

    Raises:
        ConfigError: no such file, no ``build`` in it, or it fails.
    """
    network = Path(network)
    if not is_file(network):
        near = sorted(path.stem for path in network.parent.glob("*.py")) if network.parent.is_dir() else []
        raise ConfigError(f"no such network file: {network}; in its folder: {', '.join(near) or 'none'}")
    settings = settings or InputSettings()
    import_keras()
    loader = importlib.util.spec_from_file_location(f"xnorflow_network_{network.stem}", network)
    if loader is None or loader.loader is None:
        raise ConfigError(f"{network}: not a Python file; a network is a .py file with build(shape, classes)")
    module = importlib.util.module_from_spec(loader)
    try:
        loader.loader.exec_module(module)
        model = module.build(settings.encoded_shape(shape), classes)
    except (XnorflowError, MemoryError):
        raise
    except Exception as error:
        # whatever a user's file may raise
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{network}: build(shape, classes) failed: {type(error).__name__}: {reason}") from error
    if not hasattr(model, "output_shape"):
        raise ConfigError(f"{network}: build(shape, classes) must return a Keras model, got {type(model).__name__}")
    return with_learned_thresholds(model) if settings.learned else model


def train_network(
    network: str | Path,
    data: DataSet,
    folder: str | Path,
    config: TrainConfig | None = None,
    settings: InputSettings | None = None,
) -> TrainedModel:
    """Train ``network`` on ``data`` and write ``<name>.h5`` and its card ``<name>.json`` to ``folder``.

    A run that was killed goes on from the last whole epoch when it is started again with the same
    network file, data and settings.

    Raises:
        ConfigError: the network cannot be built, is not binary, or does not fit the data.
    """
    network, folder = Path(network), Path(folder)
    trainer = _Trainer(network, data, folder, config or TrainConfig(), settings or InputSettings())
    path = folder / f"{network.stem}.h5"
    runs: list[SeedRun] = []
    for seed in range(trainer.config.seed, trainer.config.seed + trainer.config.seeds):
        model, run = trainer.train(seed)
        signals.raise_pending()
        if not runs or run.validation > max(earlier.validation for earlier in runs):
            save_model(model, path, trainer.settings)
            kept = run
        runs.append(run)
    card = Card(
        network=network.stem,
        data=CardData(data.name, data.sha256, len(data.test.labels)),
        input=trainer.settings,
        seed=kept.seed,
        best_epoch=kept.best_epoch,
        accuracy=Accuracy(kept.validation, kept.test, kept.golden),
        seeds=_spread(runs),
        train=trainer.config,
        seconds=round(sum(run.seconds for run in runs), 1),
        versions=versions(),
        sha256=sha256_file(path),
    )
    save_card(card, path)
    for checkpoint in folder.glob(f"*{CHECKPOINT}"):
        checkpoint.unlink()
    return TrainedModel(path, card)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a trained network depends on."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in _PACKAGES}


def _spread(runs: Sequence[SeedRun]) -> Seeds:
    found = [run.golden for run in runs]
    deviation = statistics.stdev(found) if len(found) > 1 else None
    return Seeds(statistics.mean(found), deviation, tuple(runs))


class _Trainer:
    """A network to train, with all that its seeds have in common."""

    def __init__(
        self,
        network: Path,
        data: DataSet,
        folder: Path,
        config: TrainConfig,
        settings: InputSettings,
    ) -> None:
        self.network, self.data, self.folder, self.config = network, data, folder, config
        self.settings = settings
        self.shape = data.keras_shape
        self._check_sizes()
        self.warp = Warp(config.rotate, config.scale, config.elastic)
        model = self.build()
        read_groups(model)  # what is not binary is refused now, not after hours of training
        if model.output_shape[-1] != data.n_classes:
            raise ConfigError(
                f"{network}: gives {model.output_shape[-1]} scores, but {data.name} has {data.n_classes} classes"
            )
        self.source = settings.keras_input(tuple(model.input_shape[1:]))

    def _check_sizes(self) -> None:
        """Refuse a shift that moves images out whole; say where a batch takes more images than there are."""
        height, width, _ = self.shape
        if self.config.shift >= min(height, width):
            raise ConfigError(
                f"train.shift must be below {min(height, width)}, for the images of {self.data.name} have "
                f"{height} x {width} pixels; got {self.config.shift}"
            )
        images = len(self.data.train.labels)
        if self.config.batch_size > images:
            print(
                f"xnorflow: train.batch_size is {self.config.batch_size}, but {self.data.name} has {images} training "
                f"images: each epoch is one step with all of them",
                file=sys.stderr,
                flush=True,
            )

    def build(self) -> Any:
        """Return the network as it stands before training."""
        return build_network(self.network, self.shape, self.data.n_classes, self.settings)

    def train(self, seed: int) -> tuple[Any, SeedRun]:
        """Train with ``seed``, or go on from its checkpoint; return the network and what it came to."""
        config = self.config
        import_keras().utils.set_random_seed(seed)
        model = self.build()
        training_set = TrainingSet(self.data.train, self.data.n_classes, self.warp, config.shift, seed)
        # one seed is the same run, alone or among others
        alone = dataclasses.replace(config, seed=seed, seeds=1)
        text = self.network.read_text(encoding="utf-8", errors="replace")
        training = TrainingRun(
            model,
            self._encode,
            training_set,
            Schedule(config.epochs, config.batch_size, config.learning_rate),
            self.folder / f"seed-{seed}",
            self._key(text, repr(alone), repr((self.source, self.settings.pixel_threshold))),
        )
        training.run(self.data.validation, f"{self.network.stem} seed {seed}")
        test = self.data.test
        golden = extract_model(model, self.settings).predict(test.images)
        right = float((golden == test.labels).mean())
        seconds = round(training.seconds, 1)
        accuracies = (training.best_accuracy, training.accuracy(test), right)
        return model, SeedRun(seed, training.best_epoch, *accuracies, seconds)

    def _encode(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.source.encode(images).astype(np.float32)

    def _key(self, *parts: str) -> str:
        return hashlib.sha256("\n".join((self.data.sha256, *parts)).encode()).hexdigest()
