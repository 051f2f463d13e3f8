from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from little_net import NETWORK, quarters, write_little

from xnorflow.base.errors import ConfigError, DataError
from xnorflow.base.files.atomic import sha256_file
from xnorflow.net.inputs import InputSettings
from xnorflow.sources.data.sets import DataSet, Split
from xnorflow.sources.keras.extract import extract_model
from xnorflow.sources.keras.file.read import load_model
from xnorflow.sources.training import seed as training
from xnorflow.sources.training.card import Accuracy, find_card
from xnorflow.sources.training.settings import TrainConfig
from xnorflow.sources.training.train import build_network, train_network

FEW = TrainConfig(3, 1, 4, 32, learning_rate=0.02, shift=1, rotate=5, scale=0.05, elastic=0.3)


@pytest.fixture(scope="module")
def data() -> DataSet:
    return quarters()


@pytest.fixture
def network(tmp_path) -> Path:
    return write_little(tmp_path)


class Stopped(Exception):
    pass


def final_weights(path: Path) -> list[np.ndarray]:
    return load_model(path)[0].get_weights()


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def watch(monkeypatch, stop_after: int | None = None, run: str = "seed-3") -> dict[str, Any]:
    """Record the latent weights after every epoch of a run, and stop it before one of them if told to."""
    seen: dict[str, Any] = {"weights": [], "validation": [], "splits": []}
    epoch, accuracy = training.TrainingRun._train_epoch, training.TrainingRun.accuracy

    def train_epoch(self: Any) -> float:
        if self.log.stem != run:
            return epoch(self)
        if stop_after is not None and self.epoch == stop_after:
            raise Stopped
        loss = epoch(self)
        seen["weights"].append(self.model.get_weights())
        return loss

    def count(self: Any, split: Split) -> float:
        found = accuracy(self, split)
        if self.log.stem == run:
            seen["splits"].append(split)
            seen["validation"].append(found)
        return found

    monkeypatch.setattr(training.TrainingRun, "_train_epoch", train_epoch)
    monkeypatch.setattr(training.TrainingRun, "accuracy", count)
    return seen


def stop(monkeypatch, *job: Any, epoch: int, run: str = "seed-3") -> None:
    """Train, and stop a run before one of its epochs."""
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        watch(patch, stop_after=epoch, run=run)
        train_network(*job)


def test_best_epoch_by_validation_and_the_test_set_once(tmp_path, monkeypatch, network, data):
    seen = watch(monkeypatch)
    trained = train_network(network, data, tmp_path / "out", FEW, InputSettings(pixel_threshold=96))
    # the test images are looked at once, after every look at the validation images
    assert [split is data.test for split in seen["splits"]] == [False] * 4 + [True]
    assert all(split is data.validation for split in seen["splits"][:4])
    best = max(seen["validation"][:4])
    epoch = 4 - seen["validation"][3::-1].index(best)
    assert (trained.card.best_epoch, trained.card.accuracy.validation) == (epoch, best)
    signs = [np.where(w >= 0, 1, -1) if w.ndim == 2 else w for w in seen["weights"][epoch - 1]]
    assert equal(final_weights(trained.path), signs)
    assert best > 0.5, "it learnt nothing, so the choice of epoch proves little"


def test_card_tells_how_the_network_came_to_be(tmp_path, network, data):
    trained = train_network(network, data, tmp_path / "out", FEW, InputSettings(pixel_threshold=96))
    card = json.loads((tmp_path / "out" / "little.json").read_text())
    assert card == json.loads(json.dumps(dataclasses.asdict(trained.card)))
    assert find_card(trained.path) == (trained.card, "")
    assert trained.path == tmp_path / "out" / "little.h5"
    assert card["sha256"] == sha256_file(trained.path)
    assert card["data"] == {"name": "quarters", "sha256": "0123abcd" * 8, "test_images": 150}
    assert card["input"] == {"bits": 1, "pixel_threshold": 96}
    assert card["train"] == dataclasses.asdict(FEW)
    assert card["network"] == "little" and card["seconds"] > 0 and 1 <= card["best_epoch"] <= 4
    assert set(card["versions"]) == {"python", "tensorflow", "tf-keras", "qkeras", "numpy"}
    model, found = load_model(trained.path)
    assert found == InputSettings(**card["input"])
    predicted = extract_model(model, found).predict(data.test.images)
    assert card["accuracy"]["golden"] == (predicted == data.test.labels).mean()
    logits = model.predict(found.keras_input((36,)).encode(data.test.images).astype(np.float32), verbose=0)
    assert card["accuracy"]["test"] == (logits.argmax(axis=1) == data.test.labels).mean()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["little.h5", "little.json", "seed-3.log"]


def test_the_best_seed_by_validation_is_kept(tmp_path, network, data):
    """Seeds together come to what each comes to alone; mean and deviation are those of the golden model."""
    config = dataclasses.replace(FEW, seeds=3, epochs=2)
    together = train_network(network, data, tmp_path / "all", config)
    runs = together.card.seeds.runs
    assert [run.seed for run in runs] == [3, 4, 5]
    alone = [
        train_network(network, data, tmp_path / f"{s}", dataclasses.replace(config, seed=s, seeds=1))
        for s in (3, 4, 5)
    ]
    for run, one in zip(runs, alone, strict=True):
        assert Accuracy(run.validation, run.test, run.golden) == one.card.accuracy
        assert one.card.seeds.golden_mean == run.golden
        assert one.card.seeds.golden_standard_deviation is None
    best = max(runs, key=lambda run: run.validation)
    assert together.card.seed == best.seed
    assert equal(final_weights(together.path), final_weights(alone[best.seed - 3].path))
    golden = [run.golden for run in runs]
    assert len(set(golden)) > 1, "the seeds do not differ, so their choice proves little"
    assert together.card.seeds.golden_mean == pytest.approx(np.mean(golden))
    assert together.card.seeds.golden_standard_deviation == pytest.approx(np.std(golden, ddof=1))


def test_finished_seeds_are_not_trained_again(tmp_path, monkeypatch, network, data):
    config = dataclasses.replace(FEW, seeds=2, epochs=2)
    whole = train_network(network, data, tmp_path / "whole", config)
    stop(monkeypatch, network, data, tmp_path / "halves", config, epoch=1, run="seed-4")
    assert not (tmp_path / "halves" / "little.json").exists()
    seen = watch(monkeypatch)
    resumed = train_network(network, data, tmp_path / "halves", config)
    assert seen["weights"] == [], "the first seed was trained again"
    assert equal(final_weights(resumed.path), final_weights(whole.path))
    for got, right in zip(resumed.card.seeds.runs, whole.card.seeds.runs, strict=True):
        assert dataclasses.replace(got, seconds=0) == dataclasses.replace(right, seconds=0)


def test_latent_weights_stay_between_minus_one_and_one(tmp_path, monkeypatch, network, data):
    seen = watch(monkeypatch)
    train_network(network, data, tmp_path / "out", dataclasses.replace(FEW, epochs=2, learning_rate=1.0))
    kernels = [w for weights in seen["weights"] for w in weights if w.ndim == 2]
    assert len(kernels) == 4
    for kernel in kernels:
        assert kernel.min() >= -1 and kernel.max() <= 1
        assert len(np.unique(kernel)) > 2, "these are signs, not latent weights"
    assert any((np.abs(kernel) == 1).any() for kernel in kernels), "nothing reached the limit, so nothing was clipped"


def test_one_seed_gives_one_network_and_another_another(tmp_path, monkeypatch, network, data):
    runs = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        seen = watch(monkeypatch, run=f"seed-{seed}")
        train_network(network, data, tmp_path / name, dataclasses.replace(FEW, seed=seed, epochs=2))
        runs.append(seen["weights"][-1])
        monkeypatch.undo()
    assert equal(runs[0], runs[1])
    assert not equal(runs[0], runs[2])


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch, network, data, epoch):
    seen = watch(monkeypatch)
    whole = train_network(network, data, tmp_path / "whole", FEW)
    expected = seen["weights"]
    monkeypatch.undo()
    stop(monkeypatch, network, data, tmp_path / "halves", FEW, epoch=epoch)
    assert not (tmp_path / "halves" / "little.h5").exists()
    seen = watch(monkeypatch)
    resumed = train_network(network, data, tmp_path / "halves", FEW)
    assert len(seen["weights"]) == 4 - epoch
    for got, right in zip(seen["weights"], expected[epoch:], strict=True):
        assert equal(got, right)
    assert equal(final_weights(resumed.path), final_weights(whole.path))
    for name in ("accuracy", "best_epoch"):
        assert getattr(resumed.card, name) == getattr(whole.card, name)
    log = (tmp_path / "halves" / "seed-3.log").read_text().splitlines()
    assert [line.split()[:2] for line in log] == [["epoch", str(i)] for i in range(1, 5)]
    assert not list((tmp_path / "halves").glob("*.npz"))


@pytest.mark.parametrize("change", ["epochs", "data", "network", "input", "rotate"])
def test_a_checkpoint_of_other_settings_is_not_taken_up(tmp_path, monkeypatch, network, data, change):
    stop(monkeypatch, network, data, tmp_path / "out", FEW, epoch=1)
    config, reads = FEW, InputSettings()
    if change in ("epochs", "rotate"):
        config = dataclasses.replace(FEW, **{change: 9})
    if change == "data":
        data = DataSet("other", data.train, data.validation, data.test, 4, "f" * 64)
    if change == "network":
        network.write_text(NETWORK.replace("8,", "9,"))
    if change == "input":
        reads = InputSettings(8)
    seen = watch(monkeypatch, stop_after=1)
    with pytest.raises(Stopped):
        train_network(network, data, tmp_path / "out", config, reads)
    assert len(seen["weights"]) == 1, "the first epoch was not trained again"


def test_a_damaged_checkpoint_is_refused(tmp_path, monkeypatch, network, data):
    stop(monkeypatch, network, data, tmp_path / "out", FEW, epoch=1)
    checkpoint = tmp_path / "out" / "seed-3.npz"
    content = checkpoint.read_bytes()
    for damage in (b"", b"hello", content[: len(content) // 2]):
        checkpoint.write_bytes(damage)
        with pytest.raises(DataError, match=r"seed-3\.npz: damaged checkpoint .*delete it to start afresh") as caught:
            train_network(network, data, tmp_path / "out", FEW)
        assert len(str(caught.value).splitlines()) == 1


BAD_NETWORKS = [
    ("def build(shape, classes: return 1", "SyntaxError"),
    ("x = 1", "build"),
    ("import no_such_package\n", "no_such_package"),
    ("def build(shape):\n    return 1\n", "TypeError"),
    ("def build(shape, classes):\n    raise ValueError('two\\nlines')\n", "two"),
    ("def build(shape, classes):\n    return None\n", "build"),
    ("def build(shape, classes):\n    return 3\n", "build"),
]


@pytest.mark.parametrize(("text", "hint"), BAD_NETWORKS)
def test_network_files_that_do_not_build_are_refused(tmp_path, network, data, text, hint):
    network.write_text(text)
    with pytest.raises(ConfigError, match=hint) as caught:
        train_network(network, data, tmp_path / "out", FEW)
    assert "little.py" in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_a_missing_network_file_names_its_neighbours(tmp_path, network):
    with pytest.raises(ConfigError, match=r"no such network file: .*sfx\.py; in its folder: little$"):
        build_network(network.with_name("sfx.py"), (6, 6, 1), 4)
    with pytest.raises(ConfigError, match=r"no such network file: .*; in its folder: none$"):
        build_network(tmp_path / "nowhere" / "sfx.py", (6, 6, 1), 4)
    (tmp_path / "net.txt").write_text(NETWORK)
    with pytest.raises(ConfigError, match="not a Python file"):
        build_network(tmp_path / "net.txt", (6, 6, 1), 4)


def test_what_is_not_binary_is_refused_before_any_training(tmp_path, monkeypatch, network, data):
    network.write_text(
        NETWORK.replace(
            "    add_scores",
            "    from xnorflow.base.keras_stack import import_keras\n"
            "    model.add(import_keras().layers.Dense(8))\n    add_scores",
        )
    )
    seen = watch(monkeypatch)
    with pytest.raises(ConfigError, match="Dense is not a binary layer"):
        train_network(network, data, tmp_path / "out", FEW)
    assert seen["weights"] == [] and not (tmp_path / "out").exists()


def test_another_number_of_classes_is_refused(tmp_path, network, data):
    network.write_text(NETWORK.replace("add_scores(model, classes)", "add_scores(model, 7)"))
    with pytest.raises(ConfigError, match=r"little\.py: gives 7 scores, but quarters has 4 classes"):
        train_network(network, data, tmp_path / "out", FEW)


def test_fewer_images_than_a_batch_still_train_with_a_word(tmp_path, capsys, network, data):
    small = DataSet(
        "few", Split(data.train.images[:9], data.train.labels[:9]), data.validation, data.test, 4, "0" * 64
    )
    card = train_network(network, small, tmp_path / "out", dataclasses.replace(FEW, epochs=1)).card
    assert "batch_size is 32, but few has 9 training images: each epoch is one step" in capsys.readouterr().err
    assert card.best_epoch == 1


def test_a_shift_beyond_the_image_is_refused_before_training(tmp_path, network, data):
    with pytest.raises(
        ConfigError, match=r"train\.shift must be below 6, for the images of quarters have 6 x 6 pixels"
    ):
        train_network(network, data, tmp_path / "out", dataclasses.replace(FEW, shift=6))
    assert not (tmp_path / "out").exists()
