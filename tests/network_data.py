"""Test images for a shipped network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xnorflow.base.errors import DataError
from xnorflow.sources.data.sets import DEBIAN_FOLDERS, DataSet, load_dataset
from xnorflow.sources.training.card import Card, find_card

ROOT = Path(__file__).resolve().parents[1]


FOLDER = ROOT / "keras_models"


BESIDE = ROOT.parent / "shared/data/mnist"


def shipped(name: str) -> Path:
    path = FOLDER / f"{name}.h5"
    if not path.is_file():
        pytest.skip(f"{path.name} is not there yet")
    return path


def card_of(name: str) -> Card:
    card, remark = find_card(shipped(name))
    assert card is not None, remark
    return card


def data_of(name: str) -> DataSet:
    """Load the data set that the network's card names."""
    wanted = card_of(name).data.name
    places = (DEBIAN_FOLDERS.get(wanted), os.environ.get("XNORFLOW_DATA"), BESIDE)
    folder = next((Path(path) for path in places if path and Path(path).is_dir()), None)
    if folder is None and wanted != "digits":
        pytest.skip(f"the idx files of {wanted} are neither in {BESIDE} nor where XNORFLOW_DATA says")
    try:
        return load_dataset(wanted, folder)
    except DataError as error:
        pytest.skip(str(error))
