"""What each part of the training recipe gains: sfc on MNIST with one part changed, same seeds, same epochs.

``python benchmarks/ablation.py --data-dir DIR -o ablation.jsonl`` trains 784-256-256-256-10 once per part and
seed and writes a line of JSON per run; started again it goes on with the runs that are missing. ``--table
ablation.jsonl`` prints the table of docs/training.md. Only validation images are looked at. What did not help is
written here and nowhere in the package.
"""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from recipe_parts import PARTS, Layers, Part, Rate, keras, real, tf

from xnorflow.base.arrays import Float32Array, UInt8Array
from xnorflow.net.inputs import InputSettings
from xnorflow.show.table import Table, markdown, print_tables
from xnorflow.sources.data.sets import DataSet, load_dataset
from xnorflow.sources.training.augment import Warp
from xnorflow.sources.training.epochs import TrainingSet
from xnorflow.sources.training.seed import EVALUATION_BATCH, STEPS_PER_EXECUTION, Encode, Schedule, TrainingRun
from xnorflow.sources.training.settings import TrainConfig
from xnorflow.sources.training.train import build_network

NETWORK = Path(__file__).resolve().parents[1] / "keras_models" / "sfc.py"
THRESHOLD = 128
TEACHER_SHARE, TEMPERATURE, TEACHER_EPOCHS = 0.7, 2.0, 10


class Taught(TrainingSet):
    """A training set whose targets are in part the softened scores of a float network for the same image."""

    def __init__(self, training_set: TrainingSet, teacher: Any) -> None:
        self._plain, self._teacher = training_set, teacher

    def __len__(self) -> int:
        return len(self._plain)

    def epoch(self, index: int) -> tuple[UInt8Array, Float32Array]:
        """Return images and targets of an epoch."""
        images, targets = self._plain.epoch(index)
        logits = self._teacher.predict(_grey(images), batch_size=EVALUATION_BATCH, verbose=0)
        soft = tf.nn.softmax(logits / TEMPERATURE).numpy()
        return images, (TEACHER_SHARE * soft + (1 - TEACHER_SHARE) * targets).astype(np.float32)


def _grey(images: UInt8Array) -> Float32Array:
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def changed(model: Any, change: Callable[[Any], Layers]) -> Any:
    """Return a new network with ``change`` made to each layer."""
    whole = keras.Sequential([keras.layers.InputLayer(tuple(model.input_shape[1:]), name="pixels")], name=model.name)
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            for new in change(layer):
                whole.add(new)
    return whole


class Course:
    """Data set and recipe of a run, and what runs of one seed can share: warped images and a teacher."""

    def __init__(self, data: DataSet, seed: int, epochs: int) -> None:
        self.data, self.seed, self.epochs = data, seed, epochs
        self._training_sets: dict[tuple[Warp, int], TrainingSet] = {}

    @functools.cached_property
    def teacher(self) -> Any:
        """Float network, 784-1024-1024-10 on grey pixels, trained on the images of the recipe."""
        wide = [layer for _ in range(2) for layer in (keras.layers.Dense(1024, "relu"), keras.layers.Dropout(0.2))]
        first, last = keras.layers.InputLayer((784,)), keras.layers.Dense(self.data.n_classes)
        teacher = keras.Sequential([first, *wide, last])
        found = self.run(
            teacher, _grey, self.training_set(TrainConfig()), Schedule(TEACHER_EPOCHS, 128, 1e-3), Part()
        )
        print(f"teacher: {found.best_accuracy:.2%} of the validation images", flush=True)
        return teacher

    def training_set(self, config: TrainConfig) -> TrainingSet:
        """Return the images and targets that a recipe asks for."""
        key = Warp(config.rotate, config.scale, config.elastic), config.shift
        if key not in self._training_sets:
            self._training_sets[key] = TrainingSet(self.data.train, self.data.n_classes, *key, self.seed)
        return self._training_sets[key]

    def run(
        self, model: Any, encode: Encode, training_set: TrainingSet, schedule: Schedule, part: Part
    ) -> TrainingRun:
        """Train a model; it has the weights of its best epoch in the end."""
        with tempfile.TemporaryDirectory() as folder:
            run = TrainingRun(model, encode, training_set, schedule, Path(folder) / "run", "")
            if part.rate:
                rate: Any = Rate(schedule.learning_rate, schedule.epochs * run.steps, part.rate)
            else:
                rate = keras.optimizers.schedules.CosineDecay(schedule.learning_rate, schedule.epochs * run.steps)
            model.compile(keras.optimizers.Adam(rate), part.loss(), steps_per_execution=STEPS_PER_EXECUTION)
            model.optimizer.build(model.trainable_variables)
            run.run(self.data.validation, model.name)
        return run


def train_one(part: Part, course: Course) -> float:
    """Train with one part changed; return the accuracy on the validation images after the best epoch."""
    config = TrainConfig(epochs=course.epochs, **part.train)
    training_set: TrainingSet = course.training_set(config)
    if part.taught:
        training_set = Taught(training_set, course.teacher)
    keras.utils.set_random_seed(course.seed)
    model = changed(build_network(NETWORK, course.data.keras_shape, course.data.n_classes), part.layer)
    source = InputSettings(1, THRESHOLD).keras_input((784,))

    def encode(images: UInt8Array) -> Float32Array:
        return source.encode(images).astype(np.float32)

    epochs = course.epochs
    if part.real_first:
        epochs = epochs // 2
        first = changed(model, real)
        course.run(first, encode, training_set, Schedule(course.epochs - epochs, 128, 1e-3), Part())
        for layer in first.layers:
            if isinstance(layer, keras.layers.Dense):
                model.get_layer(layer.name).set_weights([np.clip(layer.get_weights()[0], -1, 1)])
    run = course.run(model, encode, training_set, Schedule(epochs, config.batch_size, config.learning_rate), part)
    if not part.reestimated:
        return run.best_accuracy
    reestimate(model, encode(course.data.train.images))
    return run.accuracy(course.data.validation)


def reestimate(model: Any, inputs: Float32Array) -> None:
    """Take mean and variance of each BatchNorm layer over all inputs, with the weights as they are now."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for index, start in enumerate(range(0, len(inputs), EVALUATION_BATCH)):
        for norm in norms:
            norm.momentum = index / (index + 1)  # the mean of all batches so far
        model(inputs[start : start + EVALUATION_BATCH], training=True)


def table(lines: list[dict[str, Any]]) -> Table:
    """Return the table: mean over the seeds, each seed, and the difference to the recipe in pairs of seeds."""
    by_name = {name: {line["seed"]: line["validation"] for line in lines if line["part"] == name} for name in PARTS}
    recipe, rows = by_name["the recipe"], []
    for name, found in by_name.items():
        if found:
            pairs = [found[seed] - recipe[seed] for seed in found if seed in recipe]
            gain = f"{100 * float(np.mean(pairs)):+.2f}" if pairs and name != "the recipe" else "-"
            each = ", ".join(f"{100 * found[seed]:.2f}" for seed in sorted(found))
            rows.append((name, f"{100 * float(np.mean(list(found.values()))):.2f} %", each, gain))
    epochs = sorted({line["epochs"] for line in lines})
    note = f"sfc, MNIST, epochs {epochs}: accuracy of Keras on the validation images after the best epoch."
    return Table("Ablation", ("changed", "mean", "each seed", "points against the recipe"), tuple(rows), note)


def missing(lines: list[dict[str, Any]], seeds: int, parts: list[str]) -> Iterator[tuple[int, str]]:
    """Yield seed and part of each run that has no line, one seed after the other."""
    done = {(line["seed"], line["part"]) for line in lines}
    return ((seed, name) for seed in range(seeds) for name in parts if (seed, name) not in done)


def main() -> None:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(description="gain of each part of the training recipe")
    parser.add_argument("--data-dir", type=Path, help="folder with the idx files of MNIST")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help="only these")
    parser.add_argument("-o", "--output", type=Path, default=Path("ablation.jsonl"), help="a line of JSON per run")
    parser.add_argument("--table", type=Path, help="print the table of this file instead")
    parser.add_argument("--markdown", action="store_true", help="as Markdown")
    arguments = parser.parse_args()
    path = arguments.table or arguments.output
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    if not arguments.table:
        course = Course(load_dataset("mnist", arguments.data_dir), 0, arguments.epochs)
        same = [line for line in lines if line["epochs"] == arguments.epochs]
        for seed, name in missing(same, arguments.seeds, arguments.parts):
            if seed != course.seed:
                course = Course(course.data, seed, arguments.epochs)
            started, found = time.process_time(), train_one(PARTS[name], course)
            seconds = round(time.process_time() - started)
            run = {
                "part": name,
                "seed": seed,
                "epochs": arguments.epochs,
                "validation": found,
                "cpu_seconds": seconds,
            }
            lines.append(run)
            with path.open("a") as stream:
                print(json.dumps(lines[-1]), file=stream)
    if arguments.markdown:
        print(markdown([table(lines)]))
    else:
        print_tables([table(lines)])


if __name__ == "__main__":
    main()
