from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow import train as module
from xnorflow.config import TrainConfig
from xnorflow.data import DataSet, Split
from xnorflow.errors import ConfigError, DataError
from xnorflow.extract import extract
from xnorflow.files import sha256_file
from xnorflow.modelfile import load_model
from xnorflow.train import build_network, shift_images, train

NETWORK = """
from xnorflow.blocks import add_dense, add_scores, start

def build(shape, classes):
    model = start("little", shape, flat=True)
    add_dense(model, 8, "dense1")
    add_scores(model, classes)
    return model
"""
FEW = TrainConfig(seed=3, epochs=4, batch_size=32, learning_rate=0.02, shift=1)


@pytest.fixture(scope="module")
def data() -> DataSet:
    """Four classes of 6x6 images: which quarter is bright, with noise."""
    random = np.random.default_rng(0)

    def split(n: int) -> Split:
        labels = random.integers(0, 4, n)
        images = random.integers(0, 160, (n, 6, 6), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 2)
            image[row * 3 : row * 3 + 3, column * 3 : column * 3 + 3] |= 128
        return Split(images, labels)

    return DataSet("quarters", split(320), split(100), split(150), 4, "0123abcd" * 8)


@pytest.fixture
def network(tmp_path) -> Path:
    path = tmp_path / "little.py"
    path.write_text(NETWORK)
    return path


class Stopped(Exception):
    pass


def final_weights(path: Path) -> list[np.ndarray]:
    return load_model(path)[0].get_weights()


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def watch(monkeypatch, stop_after: int | None = None) -> dict[str, Any]:
    """Record every epoch's latent weights, and stop after one of them if told to."""
    seen: dict[str, Any] = {"weights": [], "loss": [], "validation": [], "splits": [], "run": None}
    epoch, accuracy = module._TrainingRun._train_epoch, module._TrainingRun.accuracy

    def train_epoch(self: Any) -> tuple[float, float]:
        if stop_after is not None and self.epoch == stop_after:
            raise Stopped
        loss, validation = epoch(self)
        seen["run"] = self
        seen["weights"].append(self.model.get_weights())
        seen["loss"].append(loss)
        seen["validation"].append(validation)
        return loss, validation

    def count(self: Any, split: Split) -> float:
        seen["splits"].append(split)
        return accuracy(self, split)

    monkeypatch.setattr(module._TrainingRun, "_train_epoch", train_epoch)
    monkeypatch.setattr(module._TrainingRun, "accuracy", count)
    return seen


def test_best_epoch_by_validation_and_the_test_set_once(tmp_path, monkeypatch, network, data):
    seen = watch(monkeypatch)
    trained = train(network, data, tmp_path / "out", FEW, pixel_threshold=96)
    # the test images are looked at once, after every look at the validation images
    assert [split is data.test for split in seen["splits"]] == [False] * 4 + [True]
    assert all(split is data.validation for split in seen["splits"][:4])
    best = max(seen["validation"])
    epoch = 4 - seen["validation"][::-1].index(best)
    assert (trained.card["best_epoch"], trained.card["accuracy"]["validation"]) == (epoch, best)
    signs = [np.where(w >= 0, 1, -1) if w.ndim == 2 else w for w in seen["weights"][epoch - 1]]
    assert equal(final_weights(trained.path), signs)
    assert best > 0.5, "it learnt nothing, so the choice of epoch proves little"


def test_card_tells_how_the_network_came_to_be(tmp_path, network, data):
    trained = train(network, data, tmp_path / "out", FEW, pixel_threshold=96)
    card = json.loads((tmp_path / "out" / "little.json").read_text())
    assert card == trained.card
    assert trained.path == tmp_path / "out" / "little.h5"
    assert card["sha256"] == sha256_file(trained.path)
    assert card["data"] == {"name": "quarters", "sha256": "0123abcd" * 8, "test_images": 150}
    assert card["input"] == {"bits": 1, "pixel_threshold": 96}
    assert card["train"] == {"seed": 3, "epochs": 4, "batch_size": 32, "learning_rate": 0.02, "shift": 1}
    assert card["network"] == "little" and card["seconds"] > 0 and 1 <= card["best_epoch"] <= 4
    assert set(card["versions"]) == {"python", "tensorflow", "tf-keras", "qkeras", "numpy"}
    model, found = load_model(trained.path)
    assert found == card["input"]
    predicted = extract(model, **found).predict(data.test.images)
    assert card["accuracy"]["test"] == (predicted == data.test.labels).mean()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["little.h5", "little.json", "train.log"]


def test_latent_weights_stay_between_minus_one_and_one(tmp_path, monkeypatch, network, data):
    seen = watch(monkeypatch)
    train(network, data, tmp_path / "out", TrainConfig(seed=0, epochs=2, batch_size=32, learning_rate=1.0))
    kernels = [w for weights in seen["weights"] for w in weights if w.ndim == 2]
    assert len(kernels) == 4
    for kernel in kernels:
        assert kernel.min() >= -1 and kernel.max() <= 1
        assert len(np.unique(kernel)) > 2, "these are signs, not latent weights"
    assert any((np.abs(kernel) == 1).any() for kernel in kernels), "nothing reached the limit, so nothing was clipped"


def test_one_seed_gives_one_network_and_another_another(tmp_path, monkeypatch, network, data):
    runs = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        seen = watch(monkeypatch)
        train(network, data, tmp_path / name, TrainConfig(seed, 2, 32, 0.02, 1))
        runs.append(seen["weights"][-1])
        monkeypatch.undo()
    assert equal(runs[0], runs[1])
    assert not equal(runs[0], runs[2])


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch, network, data, epoch):
    seen = watch(monkeypatch)
    whole = train(network, data, tmp_path / "whole", FEW)
    expected = seen["weights"]
    monkeypatch.undo()
    watch(monkeypatch, stop_after=epoch)
    with pytest.raises(Stopped):
        train(network, data, tmp_path / "halves", FEW)
    monkeypatch.undo()
    assert not (tmp_path / "halves" / "little.h5").exists()
    seen = watch(monkeypatch)
    resumed = train(network, data, tmp_path / "halves", FEW)
    assert len(seen["weights"]) == 4 - epoch
    for got, right in zip(seen["weights"], expected[epoch:], strict=True):
        assert equal(got, right)
    assert equal(final_weights(resumed.path), final_weights(whole.path))
    for key in ("accuracy", "best_epoch"):
        assert resumed.card[key] == whole.card[key]
    log = (tmp_path / "halves" / "train.log").read_text().splitlines()
    assert [line.split()[:2] for line in log] == [["epoch", str(i)] for i in range(1, 5)]
    assert not (tmp_path / "halves" / "checkpoint.npz").exists()


@pytest.mark.parametrize("change", ["seed", "data", "network", "input"])
def test_a_checkpoint_of_other_settings_is_not_taken_up(tmp_path, monkeypatch, network, data, change):
    watch(monkeypatch, stop_after=1)
    with pytest.raises(Stopped):
        train(network, data, tmp_path / "out", FEW)
    monkeypatch.undo()
    config, options = FEW, {}
    if change == "seed":
        config = TrainConfig(9, 4, 32, 0.02, 1)
    if change == "data":
        data = DataSet("other", data.train, data.validation, data.test, 4, "f" * 64)
    if change == "network":
        network.write_text(NETWORK.replace("8,", "9,"))
    if change == "input":
        options = {"input_bits": 8}
    seen = watch(monkeypatch, stop_after=1)
    with pytest.raises(Stopped):
        train(network, data, tmp_path / "out", config, **options)
    assert len(seen["weights"]) == 1, "the first epoch was not trained again"


def test_a_damaged_checkpoint_is_refused(tmp_path, monkeypatch, network, data):
    watch(monkeypatch, stop_after=1)
    with pytest.raises(Stopped):
        train(network, data, tmp_path / "out", FEW)
    monkeypatch.undo()
    checkpoint = tmp_path / "out" / "checkpoint.npz"
    content = checkpoint.read_bytes()
    for damage in (b"", b"hello", content[: len(content) // 2]):
        checkpoint.write_bytes(damage)
        with pytest.raises(
            DataError, match=r"checkpoint\.npz: damaged checkpoint .*delete it to start afresh"
        ) as caught:
            train(network, data, tmp_path / "out", FEW)
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
        train(network, data, tmp_path / "out", FEW)
    assert "little.py" in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_a_missing_network_file_names_its_neighbours(tmp_path, network):
    with pytest.raises(ConfigError, match=r"no such network file: .*sfx\.py; in its folder: little$"):
        build_network(network.with_name("sfx.py"), (6, 6, 1), 4)
    with pytest.raises(ConfigError, match=r"no such network file: .*; in its folder: none$"):
        build_network(tmp_path / "nowhere" / "sfx.py", (6, 6, 1), 4)
    (tmp_path / "net.txt").write_text(NETWORK)
    with pytest.raises(ConfigError, match="not a Python file"):
        build_network(tmp_path / "net.txt", (6, 6, 1), 4)


def test_another_number_of_classes_is_refused(tmp_path, network, data):
    network.write_text(NETWORK.replace("add_scores(model, classes)", "add_scores(model, 7)"))
    with pytest.raises(ConfigError, match=r"little\.py: gives 7 scores, but quarters has 4 classes"):
        train(network, data, tmp_path / "out", FEW)


def test_fewer_images_than_a_batch_still_train(tmp_path, network, data):
    small = DataSet(
        "few", Split(data.train.images[:9], data.train.labels[:9]), data.validation, data.test, 4, "0" * 64
    )
    started = time.monotonic()
    card = train(network, small, tmp_path / "out", TrainConfig(0, 1, 32, 0.02, 0)).card
    assert card["best_epoch"] == 1 and time.monotonic() - started < 120


shapes = st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 9))


@settings(max_examples=80, deadline=None)
@given(shapes, st.integers(0, 3), st.booleans(), st.integers(0, 2**32))
def test_every_shifted_image_is_the_image_moved_with_zeros_behind_it(shape, most, colour, seed):
    images = np.random.default_rng(seed).integers(1, 256, (*shape, 2) if colour else shape, dtype=np.uint8)
    before = images.copy()
    shifted = shift_images(images, most, np.random.default_rng(seed))
    assert shifted.shape == images.shape and shifted.dtype == np.uint8
    assert np.array_equal(images, before)
    height, width = shape[1:]
    for image, got in zip(images, shifted, strict=True):
        moved = []
        for down in range(-most, most + 1):
            for right in range(-most, most + 1):
                one = np.zeros_like(image)
                rows = [row for row in range(height) if 0 <= row - down < height]
                columns = [column for column in range(width) if 0 <= column - right < width]
                for row in rows:
                    for column in columns:
                        one[row, column] = image[row - down, column - right]
                moved.append(one)
        assert any(np.array_equal(got, one) for one in moved)


def test_shifts_go_everywhere_and_follow_the_generator():
    images = np.zeros((500, 5, 5), np.uint8)
    images[:, 2, 2] = 255
    shifted = shift_images(images, 1, np.random.default_rng(1))
    reached = shifted.max(axis=0) > 0
    assert reached[1:4, 1:4].all() and reached.sum() == 9
    assert np.array_equal(shifted, shift_images(images, 1, np.random.default_rng(1)))
    assert not np.array_equal(shifted, shift_images(images, 1, np.random.default_rng(2)))
    assert shift_images(images, 0, np.random.default_rng(1)) is images
