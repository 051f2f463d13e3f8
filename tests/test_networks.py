from __future__ import annotations

import itertools

import numpy as np
import pytest
from network_data import BESIDE, FOLDER, ROOT, card_of, data_of, shipped  # noqa: F401

from xnorflow.base.files.atomic import sha256_file
from xnorflow.flow.config_file import load_config
from xnorflow.net.inputs import InputSettings
from xnorflow.net.layers import ConvSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.hls.simulate import simulate_csim
from xnorflow.routes.hls.write.project import write_project
from xnorflow.sources.keras.extract import extract_model, keras_scores
from xnorflow.sources.keras.file.read import load_model
from xnorflow.sources.training.card import Accuracy, CardData
from xnorflow.sources.training.train import build_network

DENSE = {
    "tfc": [784, 64, 64, 64, 10],
    "sfc": [784, 256, 256, 256, 10],
    "mfc": [784, 512, 512, 512, 10],
    "digits": [64, 64, 64, 10],
}
NETWORKS = [*DENSE, "cnv"]
# files of trained networks: those trained on another set than the network's first are <network>-<data>
TRAINED = [*NETWORKS, "sfc-fashion_mnist", "cnv-fashion_mnist"]
# the least share of test images that a shipped network classifies rightly
FLOOR = {
    **{"tfc": 0.945, "sfc": 0.975, "mfc": 0.98, "cnv": 0.99, "digits": 0.9},
    **{"sfc-fashion_mnist": 0.87, "cnv-fashion_mnist": 0.88},
}


def shape_of(name: str) -> tuple[int, ...]:
    return (8, 8, 1) if name == "digits" else (28, 28, 1)


def test_every_network_file_is_known_to_these_tests():
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_files_are_short(name):
    assert len((FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_the_stated_sizes_and_extract(name):
    spec = extract_model(build_network(FOLDER / f"{name}.py", shape_of(name), 10))
    check_sizes(name, spec)


def check_sizes(name: str, spec: NetSpec) -> None:
    assert (spec.name, spec.n_classes, spec.scores.scale) == (name, 10, None)
    assert spec.input.pixels == shape_of(name)[0] ** 2
    if name in DENSE:
        sizes = DENSE[name]
        assert [layer.weights.shape for layer in spec.layers] == list(itertools.pairwise(sizes))
        return
    convolutions = [layer for layer in spec.hidden if isinstance(layer, ConvSpec)]
    assert len(convolutions) >= 2 and any(layer.pool == (2, 2) for layer in convolutions)
    assert all(layer.weights.shape[:2] == (3, 3) for layer in convolutions)
    assert convolutions[0].weights.shape[2] == spec.input.bits_per_pixel
    assert len(spec.layers) - len(convolutions) == 2


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("shape", "classes", "bits"), [((12, 14, 1), 3, 8), ((28, 28, 3), 7, 1)])
def test_networks_build_for_other_images(name, shape, classes, bits):
    if name == "cnv" and shape[0] < 20:
        pytest.skip("three convolutions and two poolings need larger images")
    spec = extract_model(build_network(FOLDER / f"{name}.py", shape, classes), InputSettings(bits))
    assert (spec.n_classes, spec.input.size) == (classes, int(np.prod(shape)))


@pytest.mark.parametrize("name", TRAINED)
def test_trained_network_is_that_of_its_card(name):
    path, card = shipped(name), card_of(name)
    assert path.stat().st_size < 3_000_000
    assert card.sha256 == sha256_file(path)
    assert card.network == name.partition("-")[0]
    model, found = load_model(path)
    assert found == card.input
    check_sizes(card.network, extract_model(model, found))


@pytest.mark.parametrize("name", TRAINED)
def test_card_names_the_seed_that_validation_chose(name):
    card = card_of(name)
    runs, seeds = card.seeds.runs, card.seeds
    best = max(runs, key=lambda run: run.validation)
    assert (card.seed, card.best_epoch) == (best.seed, best.best_epoch)
    assert card.accuracy == Accuracy(best.validation, best.test, best.golden)
    assert [run.seed for run in runs] == list(range(card.train.seed, card.train.seed + len(runs)))
    assert len(runs) == card.train.seeds
    golden = [run.golden for run in runs]
    assert seeds.golden_mean == pytest.approx(np.mean(golden))
    if len(runs) > 1:
        assert seeds.golden_standard_deviation == pytest.approx(np.std(golden, ddof=1))


@pytest.mark.parametrize("name", TRAINED)
def test_trained_network_is_exact_on_every_test_image(name):
    """Keras, golden model and card agree: on every score of every image, and so on the accuracy."""
    data, card = data_of(name), card_of(name)
    assert card.data == CardData(data.name, data.sha256, len(data.test.labels))
    model, found = load_model(shipped(name))
    spec = extract_model(model, found)
    scores = spec.class_scores(data.test.images)
    assert scores.shape == (len(data.test.labels), 10)
    assert np.array_equal(keras_scores(model, spec, data.test.images), scores)
    accuracy = (scores.argmax(axis=1) == data.test.labels).mean()
    assert card.accuracy.golden == accuracy
    # at a tie float rounding behind the scores may let Keras choose another of the best classes
    ties = int(((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
    assert abs(accuracy - card.accuracy.test) * len(scores) <= ties + 1e-6
    logits = model.predict(spec.input.encode(data.test.images).astype(np.float32), batch_size=1000, verbose=0)
    assert card.accuracy.test == (logits.argmax(axis=1) == data.test.labels).mean()
    best = np.take_along_axis(scores, logits.argmax(axis=1)[:, None], axis=1)
    assert np.array_equal(best[:, 0], scores.max(axis=1))
    assert accuracy >= FLOOR[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_c_simulation_is_exact_on_every_test_image(tmp_path, name):
    data = data_of(name)
    model, found = load_model(shipped(name))
    spec, config = extract_model(model, found), load_config(ROOT / "hls_configs" / f"{name}.yaml")
    project = write_project(plan_project(spec, config.hls), tmp_path / "project", part=config.part)
    for result in simulate_csim(plan_project(spec, config.hls), project, data.test, tmp_path / "csim"):
        assert result.mismatch is None, result
        assert (result.images, result.classes_differ, result.scores_differ) == (len(data.test.labels), 0, 0)
