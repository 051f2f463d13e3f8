"""A project holds one network: it is remembered, and never replaced by another unasked."""

import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ROOT
from flow_runs import DIGITS

from xnorflow import api
from xnorflow.base.errors import ConfigError, DataError
from xnorflow.cli.main import main
from xnorflow.flow.job import TRAIN
from xnorflow.flow.step import RESULT
from xnorflow.sources.training.card import CardData, find_card, save_card

CARD = find_card(ROOT / "keras_models/digits.h5")[0]


@pytest.fixture
def trainings(monkeypatch):
    """Training left out: the network is a text that names its settings. Returns the settings of each call."""
    calls = []

    def train(network, data, folder, config, settings):
        calls.append(config)
        (folder / f"{network.stem}.h5").write_text(repr((config, data.sha256, settings)))
        about = CardData(data.name, data.sha256, len(data.test.labels))
        return SimpleNamespace(card=dataclasses.replace(CARD, data=about, train=config, seconds=1234.5))

    monkeypatch.setattr("xnorflow.sources.training.train.train_network", train)
    monkeypatch.setattr("xnorflow.sources.keras.file.read.check_model", lambda path: None)
    return calls


@pytest.fixture
def trained(tmp_path, trainings) -> Path:
    """A project with a network that was trained there, 2 epochs."""
    api.train(DIGITS, project=tmp_path / "p", train={"epochs": 2})
    return tmp_path / "p"


@pytest.fixture
def given(tmp_path, trainings) -> Path:
    """A project with the network of a file."""
    (tmp_path / "my.h5").write_text("mine")
    assert api.train(DIGITS, project=tmp_path / "p", model=tmp_path / "my.h5").trained_here is False
    return tmp_path / "p"


def content(project):
    return (project / TRAIN / "digits.h5").read_text()


def refused(project, words, **options):
    """What a command says that would replace the network."""
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    config = options.pop("config", DIGITS)
    with pytest.raises(ConfigError, match=words) as caught:
        api.train(config, project=project, **options)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    text = str(caught.value)
    assert len(text.splitlines()) == 1 and text.startswith(f"{project} holds ")
    assert text.endswith("add --overwrite to replace it, or name another --project")
    return text


def said(command, project, *more):
    """The lines of a command that goes well."""
    lines = []
    api.train(command, project=project, announce=lambda step: lines.append(step), **dict(more))
    return [(step.name, step.reused, step.note) for step in lines]


# --- another network is refused


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 3}, "asked for is one trained with epochs 3;"),
        ({"epochs": 2, "seed": 1, "seeds": 2}, "asked for is one trained with seed 1, seeds 2;"),
    ],
)
def test_other_training_settings_do_not_replace_a_network(trained, trainings, settings, words):
    text = refused(trained, words, train=settings)
    assert "holds a network trained here in 1,234 s (2 epochs of digits)" in text and len(trainings) == 1
    api.train(DIGITS, project=trained, train=settings, overwrite=True)
    assert len(trainings) == 2 and f"epochs={settings['epochs']}" in content(trained)


def test_a_given_network_does_not_replace_a_trained_one(trained, trainings, tmp_path):
    (tmp_path / "my.h5").write_text("mine")
    refused(trained, r"asked for is the network of .*my\.h5;", model=tmp_path / "my.h5")
    refused(trained, r"asked for is the network of .*keras_models/digits\.h5;", pretrained=True)
    report = api.train(DIGITS, project=trained, model=tmp_path / "my.h5", overwrite=True)
    assert (report.trained_here, report.card, content(trained)) == (False, None, "mine")


def test_a_given_network_is_not_replaced(given, trainings, tmp_path):
    (tmp_path / "other.h5").write_text("another")
    words = r"holds the network of my\.h5, asked for is the network of .*other\.h5;"
    refused(given, words, model=tmp_path / "other.h5")
    # training that is asked for by an option
    refused(given, r"asked for is one of digits\.py trained on digits;", train={"epochs": 300})
    assert not trainings and content(given) == "mine"
    api.train(DIGITS, project=given, overwrite=True)
    assert len(trainings) == 1


def test_a_file_that_is_no_network_does_not_stay_in_the_way(given, tmp_path, monkeypatch):
    monkeypatch.setattr("xnorflow.sources.keras.file.read.load_model", lambda path: ("", {}))

    def fail(*arguments):
        raise DataError("damaged")

    monkeypatch.setattr("xnorflow.sources.keras.extract.extract_model", fail)
    with pytest.raises(DataError, match="damaged"):
        api.extract(DIGITS, project=given)
    (tmp_path / "good.h5").write_text("good")
    api.train(DIGITS, project=given, model=tmp_path / "good.h5")
    assert content(given) == "good"


def test_a_file_that_is_no_network_is_refused_by_its_own_name_before_it_is_copied(tmp_path):
    (tmp_path / "my.h5").write_text("hello")
    with pytest.raises(DataError, match=r"my\.h5: it is a text file and no network"):
        api.train(DIGITS, project=tmp_path / "p", model=tmp_path / "my.h5")
    assert not (tmp_path / "p" / TRAIN).exists()


def test_another_network_file_or_data_set_is_another_network(trained, given_config, tmp_path, digits_data):
    config, source = given_config
    api.train(config, project=tmp_path / "q")
    source.write_text(source.read_text() + "\n# edited\n")
    refused(tmp_path / "q", r"trained with the network file digits\.py as it is;", config=config)
    np.savez(tmp_path / "own.npz", images=digits_data.test.images, labels=digits_data.test.labels)
    refused(trained, r"trained with data own", data=str(tmp_path / "own.npz"), train={"epochs": 2})
    other = tmp_path / "tfc.yaml"
    other.write_text(config.read_text().replace("digits.py", str(ROOT / "keras_models/tfc.py")))
    (tmp_path / "my.h5").write_text("mine")
    api.train(config, project=tmp_path / "r", model=tmp_path / "my.h5")
    refused(tmp_path / "r", r"network of my\.h5, asked for is one of tfc\.py trained on digits", config=other)


@pytest.fixture
def given_config(tmp_path):
    """A configuration whose text and network file can be edited."""
    source = Path(shutil.copy(ROOT / "keras_models/digits.py", tmp_path / "digits.py"))
    path = tmp_path / "digits.yaml"
    path.write_text("network: digits.py\npart: xc7z010clg400-1\ndata: digits\ntrain: {epochs: 5}\n")
    return path, source


def test_an_edited_configuration_is_another_network(trained, given_config, tmp_path):
    config, _ = given_config
    api.train(config, project=tmp_path / "q")
    config.write_text(config.read_text().replace("5", "6"))
    refused(tmp_path / "q", "trained with epochs 6;", config=config)


def test_the_command_line_says_it_in_one_line(trained, capsys):
    command = ["extract", str(DIGITS), "--project", str(trained), "--seed", "7"]
    assert main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"xnorflow: error: {trained} holds a network") and "--overwrite" in line


# --- a project remembers its network


def test_a_given_network_is_remembered(given, trainings):
    assert said(DIGITS, given) == [(TRAIN, True, "the network of my.h5, taken over")]
    assert content(given) == "mine" and not trainings
    report = api.train(DIGITS, project=given)
    assert (report.trained_here, report.card) == (False, None)


def test_the_same_content_is_the_same_network(given, tmp_path):
    shutil.copy(tmp_path / "my.h5", tmp_path / "same.h5")
    for path in (tmp_path / "same.h5", given / TRAIN / "digits.h5"):
        assert said(DIGITS, given, ("model", path)) == [(TRAIN, True, "")]
    assert api.train(DIGITS, project=given).card is None


def test_a_trained_network_given_to_its_own_project_stays_what_it_is(trained, trainings):
    report = api.train(DIGITS, project=trained, model=trained / TRAIN / "digits.h5")
    assert report.trained_here is True and report.card.network == "digits" and report.steps[0].reused


def test_a_network_of_options_is_remembered_where_they_are_left_out(trained, trainings):
    words = "a network trained here in 1,234 s (2 epochs of digits), taken over"
    assert said(DIGITS, trained) == [(TRAIN, True, words)] and len(trainings) == 1
    assert said(DIGITS, trained, ("train", {"epochs": 2})) == [(TRAIN, True, "")]


def test_newer_code_does_not_train_again(trained, trainings, monkeypatch):
    monkeypatch.setattr("xnorflow.flow.state.code_hash", lambda module: "newer")
    assert api.train(DIGITS, project=trained, train={"epochs": 2}).steps[0].reused and len(trainings) == 1


def test_a_new_card_beside_the_same_network_is_taken(given, tmp_path):
    save_card(CARD, tmp_path / "my.h5")
    assert api.train(DIGITS, project=given, model=tmp_path / "my.h5").card == CARD
    assert api.train(DIGITS, project=given).card == CARD
    assert api.train(DIGITS, project=given, model=tmp_path / "my.h5").steps[0].reused


# --- what is damaged


def test_a_project_with_an_overlong_name_is_one_line(trainings, tmp_path, capsys):
    assert main(["train", str(DIGITS), "--project", str(tmp_path / ("x" * 300))]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "File name too long" in line and not trainings


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"key": 1, "seconds": 1, "values": {}, "files": {}}', "[" * 99_999]
)
def test_a_damaged_result_does_not_cost_the_network(trained, trainings, text):
    before = content(trained)
    (trained / TRAIN / RESULT).write_text(text)
    with pytest.raises(DataError, match=r"holds a network, but it or its result\.json was changed or damaged"):
        api.train(DIGITS, project=trained, train={"epochs": 2})
    assert content(trained) == before and len(trainings) == 1
    api.train(DIGITS, project=trained, train={"epochs": 2}, overwrite=True)
    assert len(trainings) == 2


def test_a_result_that_is_no_file_does_not_cost_the_network(trained, trainings):
    (trained / TRAIN / RESULT).unlink()
    (trained / TRAIN / RESULT).mkdir()
    with pytest.raises(DataError, match="changed or damaged"):
        api.train(DIGITS, project=trained, train={"epochs": 2})
    assert len(trainings) == 1


@pytest.mark.parametrize("change", [{"trained_here": "yes"}, {"card": 3}, {"card": {"data": 1}}])
def test_a_result_of_other_types_does_not_cost_the_network(trained, trainings, change):
    path = trained / TRAIN / RESULT
    result = json.loads(path.read_text())
    path.write_text(json.dumps({**result, "values": {**result["values"], **change}}))
    with pytest.raises(DataError, match="changed or damaged"):
        api.train(DIGITS, project=trained, train={"epochs": 2})
    assert len(trainings) == 1


def test_a_network_that_the_user_put_there_is_not_deleted(trained, trainings):
    (trained / TRAIN / "digits.h5").write_text("my own")
    with pytest.raises(DataError, match="changed or damaged"):
        api.train(DIGITS, project=trained)
    assert content(trained) == "my own"


def test_a_network_that_is_gone_is_trained_again(trained, trainings):
    (trained / TRAIN / "digits.h5").unlink()
    api.train(DIGITS, project=trained, train={"epochs": 2})
    assert len(trainings) == 2


def test_a_network_is_not_taken_from_the_folder_that_is_emptied_for_it(trained, trainings):
    path = trained / TRAIN / "best.h5"
    path.write_text("the best")
    with pytest.raises(ConfigError, match="copy it elsewhere"):
        api.train(DIGITS, project=trained, model=path, overwrite=True)
    assert path.read_text() == "the best"
