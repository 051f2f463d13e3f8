"""Warnings: another scaling of pixels, an accuracy that is missed, chance."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from conftest import ROOT, needs_qkeras
from little_net import quarters

from xnorflow.cli.main import main
from xnorflow.flow.report import load_report
from xnorflow.net.inputs import InputSettings
from xnorflow.sources.keras.accuracy import accuracy_warnings
from xnorflow.sources.keras.extract import extract_model, keras_scores

needs_qkeras()
# sums of the brighter quarter lie above, those of others below
EDGE = -1400.0


def model_reading(scale, offset=0.0):
    """A network made by hand that sees the brighter quarter of pixels x * scale + offset."""
    from keras_nets import chain, dense, norm, sign

    from xnorflow.base.keras_stack import import_keras

    model = chain((36,), dense(4, "d"), norm("n"), sign(), dense(4, "scores"))
    quarter = np.zeros((6, 6, 4), np.float32)
    for label in range(4):
        row, column = divmod(label, 2)
        quarter[row * 3 : row * 3 + 3, column * 3 : column * 3 + 3, label] = 1
    weights = (2 * quarter - 1).reshape(36, 4)
    for layer in model.layers:
        if layer.name == "d":
            layer.set_weights([weights])
        elif layer.name == "scores":
            layer.set_weights([2 * np.eye(4) - 1])
        elif isinstance(layer, import_keras().layers.BatchNormalization):
            edge = EDGE * scale + offset * weights[:, 0].sum()
            layer.set_weights([np.full(4, value) for value in (1, 0, edge, 1)[4 - len(layer.get_weights()) :]])
    return model


def warnings_for(model, known=None):
    spec, split = extract_model(model, InputSettings(8)), quarters().test
    accuracy = (keras_scores(model, spec, split.images).argmax(axis=1) == split.labels).mean()
    return accuracy_warnings(model, spec, split, float(accuracy), known), float(accuracy)


def test_pixels_as_the_network_wants_them_are_no_cause_for_a_warning():
    found, accuracy = warnings_for(model_reading(1))
    assert (found, accuracy) == ((), 1.0)


@pytest.mark.parametrize(
    ("scale", "offset", "name", "advice"),
    [
        (1 / 16, 0, "x / 16", "moving_mean times 16, moving_variance and epsilon times 256"),
        (1 / 127.5, -1, "x / 127.5 - 1", "train it on pixels of 0 to 255"),
    ],
)
def test_another_scaling_that_is_better_is_named_with_both_accuracies(scale, offset, name, advice):
    (scaling, *_), accuracy = warnings_for(model_reading(scale, offset))
    assert f"has {100 * accuracy:.1f} % right as this configuration reads them, but 100.0 % with pixels as" in scaling
    assert advice in scaling and (name in scaling or offset)
    assert accuracy < 0.9


def test_the_advice_for_a_scaling_mends_the_network():
    from xnorflow.base.keras_stack import import_keras

    model = model_reading(1 / 16)
    layer = next(layer for layer in model.layers if isinstance(layer, import_keras().layers.BatchNormalization))
    layer.moving_mean.assign(layer.moving_mean * 16)
    layer.moving_variance.assign(layer.moving_variance * 256)
    layer.epsilon *= 256
    assert warnings_for(model) == ((), 1.0)


def test_a_known_accuracy_that_is_met_ends_the_search_and_one_that_is_missed_is_said(monkeypatch):
    model = model_reading(1)
    assert warnings_for(model, known=1.0)[0] == ()
    monkeypatch.setattr(model, "predict", lambda *inputs, **options: pytest.fail("other scalings were tried"))
    spec, split = extract_model(model, InputSettings(8)), quarters().test
    assert accuracy_warnings(model, spec, split, 0.995, 1.0) == ()
    monkeypatch.undo()
    (missed,) = accuracy_warnings(model, spec, split, 0.98, 1.0)
    assert "card knows 100.0 % for these very images, here it is 98.0 %" in missed


def test_chance_is_said_in_words_and_no_scaling_is_better_by_chance():
    model = model_reading(1)
    model.get_layer("scores").set_weights([np.ones((4, 4))])
    spec, split = extract_model(model, InputSettings(8)), quarters().test
    (text,) = accuracy_warnings(model, spec, split, 0.30, None)
    assert "the accuracy of 30.0 % is no better than chance" in text


def test_a_run_shows_its_warnings_everywhere_and_ends_with_0(tmp_path, capsys):
    model, project = tmp_path / "net.h5", tmp_path / "p"
    shutil.copyfile(ROOT / "keras_models/digits.h5", model)
    card = json.loads((ROOT / "keras_models/digits.json").read_text())
    card["accuracy"]["test"] = 0.99
    model.with_suffix(".json").write_text(json.dumps(card))
    config = str(ROOT / "hls_configs/digits.yaml")
    assert main(["extract", config, "--model", str(model), "--project", str(project)]) == 0
    out, err = capsys.readouterr()
    assert "xnorflow: warning: the network's card knows 99.0 %" in err
    assert out.index("Warnings") < out.index("is it right?")
    (text,) = load_report(project).warnings
    assert text.startswith("the network's card knows 99.0 %")
    assert main(["report", str(project), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == [text]
    assert main(["report", str(project), "--markdown"]) == 0
    assert "## Warnings" in capsys.readouterr().out
    # the card that comes with the network is right
    shutil.copyfile(ROOT / "keras_models/digits.json", model.with_suffix(".json"))
    assert main(["extract", config, "--model", str(model), "--project", str(project)]) == 0
    assert "warning" not in capsys.readouterr().err
    assert dataclasses.asdict(load_report(project))["warnings"] == ()
