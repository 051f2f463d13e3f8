"""The card of a trained network: where it is from and what it reaches; a JSON file beside the network's."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from xnorflow.base.errors import DataError, shown
from xnorflow.base.files.atomic import is_file, write_json
from xnorflow.base.files.plain import Count, Positive, Seconds, Share, from_plain, read_json
from xnorflow.net.inputs import InputSettings
from xnorflow.sources.training.settings import TrainConfig


@dataclass(frozen=True)
class CardData:
    """The data set that a network was trained on, and how many test images it holds."""

    name: str
    sha256: str
    test_images: Count


@dataclass(frozen=True)
class Accuracy:
    """Shares of images classified rightly: by Keras on two sets, by the golden model on the test images."""

    validation: Share
    test: Share
    golden: Share


@dataclass(frozen=True)
class SeedRun:
    """What one seed came to; accuracies are shares of images classified rightly.

    Attributes:
        seed: the seed.
        best_epoch: the epoch whose weights were taken, counted from 1.
        validation: accuracy of Keras on the validation images.
        test: accuracy of Keras on the test images.
        golden: accuracy of the golden model, the integer network, on the test images.
        seconds: training time.
    """

    seed: Count
    best_epoch: Positive
    validation: Share
    test: Share
    golden: Share
    seconds: Seconds


@dataclass(frozen=True)
class Seeds:
    """Every seed that was trained; mean and standard deviation are of ``golden``, the latter None for one seed."""

    golden_mean: Share
    golden_standard_deviation: Seconds | None
    runs: tuple[SeedRun, ...]


@dataclass(frozen=True)
class Card:
    """Where a trained network is from and what it reaches.

    Attributes:
        network: its name.
        data: what it was trained on.
        input: what it reads.
        seed: the seed that was kept.
        best_epoch: the epoch whose weights were taken, counted from 1.
        accuracy: that of the seed that was kept.
        seeds: all seeds.
        train: the settings.
        seconds: training time of all seeds.
        versions: by name, of Python and the packages that matter.
        sha256: hash of the network's file.
    """

    network: str
    data: CardData
    input: InputSettings
    seed: Count
    best_epoch: Positive
    accuracy: Accuracy
    seeds: Seeds
    train: TrainConfig
    seconds: Seconds
    versions: dict[str, str]
    sha256: str


def card_path(model: Path) -> Path:
    """Return where the card of a network's file is."""
    return model.with_suffix(".json")


def save_card(card: Card, model: Path) -> None:
    """Write the card of a network's file."""
    write_json(card_path(model), dataclasses.asdict(card))


def find_card(model: Path) -> tuple[Card | None, str]:
    """Return the card of a network's file, or None, and why a file in its place is not taken for one.

    Keras' own ``to_json`` and anything else may stand there under the same name. Nothing is said of a file that
    has less than half of a card's fields: it was never one.
    """
    path = card_path(model)
    try:
        if not is_file(path):
            return None, ""
        values = read_json(path)
        fields = {field.name for field in dataclasses.fields(Card)}
        if not isinstance(values, dict) or len(fields & values.keys()) < len(fields) / 2:
            return None, ""
        return from_plain(Card, values, shown(path)), ""
    except DataError as error:
        return None, f"{error}; it is not taken for the card of {shown(model)}, the network is used without one"
