from __future__ import annotations

import numpy as np
import pytest

from xnorflow.sources.data.sets import Split
from xnorflow.sources.training import epochs as module
from xnorflow.sources.training.augment import Warp
from xnorflow.sources.training.epochs import TrainingSet


@pytest.fixture
def split() -> Split:
    random = np.random.default_rng(0)
    return Split(random.integers(0, 256, (20, 4, 4), dtype=np.uint8), np.arange(20) % 5)


def test_an_epoch_holds_every_image_once_with_its_label(split):
    images, targets = TrainingSet(split, 5, Warp(), 0, seed=1).epoch(0)
    order = [next(i for i in range(20) if np.array_equal(split.images[i], image)) for image in images]
    assert sorted(order) == list(range(20)) and order != list(range(20))
    assert np.array_equal(targets, np.eye(5)[split.labels[order]])
    assert targets.dtype == np.float32


def test_epochs_take_turns_over_the_copies(split, monkeypatch):
    monkeypatch.setattr(module, "COPIES", 3)
    training_set = TrainingSet(split, 5, Warp(rotate=9), 0, seed=1)
    assert len(training_set) == 20
    sets = [sorted(image.tobytes() for image in training_set.epoch(index)[0]) for index in range(6)]
    assert sets[:3] == sets[3:] and sets[0] != sets[1] != sets[2] != sets[0]
    assert not np.array_equal(training_set.epoch(0)[0], training_set.epoch(3)[0]), "the same order twice"
    # an epoch is the same whatever was asked for before, and another with another seed
    assert np.array_equal(TrainingSet(split, 5, Warp(rotate=9), 0, seed=1).epoch(4)[0], training_set.epoch(4)[0])
    assert not np.array_equal(TrainingSet(split, 5, Warp(rotate=9), 0, seed=2).epoch(4)[0], training_set.epoch(4)[0])
