from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from net_specs import flat, ones, plain_conv, plain_pool, plain_scores, random_images, specs, zeros

from xnorflow.base.errors import ConfigError, DataError
from xnorflow.net.golden import BLOCK
from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.net.spec_file import save_spec


@settings(max_examples=80, deadline=None)
@given(specs(), st.integers(0, 2**32))
def test_scores_equal_the_plain_definition(spec, seed):
    images = np.concatenate(
        [
            random_images(spec, 5, seed),
            np.full((1, *spec.input.image_shape), 0, np.uint8),
            np.full((1, *spec.input.image_shape), 255, np.uint8),
        ]
    )
    expected = plain_scores(spec, images)
    got = spec.class_scores(images)
    assert got.dtype == np.int64
    assert np.array_equal(got, expected)
    assert np.array_equal(spec.predict(images), [int(np.flatnonzero(row == row.max())[0]) for row in expected])


@settings(max_examples=30, deadline=None)
@given(specs(), st.integers(0, 2**32))
def test_trace_has_sums_and_outputs_of_every_layer(spec, seed):
    images = random_images(spec, 3, seed)
    trace = spec.trace(images)
    assert list(trace) == [layer.name for layer in spec.layers]
    x = spec.input.encode(images).astype(np.int64)
    for layer in spec.hidden:
        if isinstance(layer, ConvSpec):
            sums = plain_conv(x, layer.weights, layer.strides)
            x = plain_pool(np.where(sums >= layer.thresholds, 1, -1), layer.pool)
        else:
            sums = flat(x) @ layer.weights.astype(np.int64)
            x = np.where(sums >= layer.thresholds, 1, -1)
        assert np.array_equal(trace[layer.name].sums, sums)
        assert np.array_equal(trace[layer.name].output, x)
        assert abs(sums).max() <= spec.max_abs_sum(layer)
    assert np.array_equal(trace["scores"].output, spec.class_scores(images))


@pytest.mark.parametrize("n", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks_of_images_join_without_a_seam(tiny_spec, tiny_conv_spec, n):
    for spec in (tiny_spec, tiny_conv_spec):
        images = random_images(spec, n)
        assert spec.class_scores(images).shape == (n, 10)
        assert np.array_equal(spec.class_scores(images), plain_scores(spec, images))
        assert spec.predict(images).shape == (n,)


def test_images_may_come_in_any_shape_of_the_right_size(tiny_spec):
    images = random_images(tiny_spec, 4)
    assert np.array_equal(tiny_spec.class_scores(images.reshape(4, 8, 8)), tiny_spec.class_scores(images))
    assert np.array_equal(tiny_spec.class_scores(images.reshape(4, 8, 8, 1)), tiny_spec.class_scores(images))


def test_equal_scores_give_the_lowest_class():
    weights = ones(2, 4)
    weights[:, 0] = -1
    spec = NetSpec("ties", InputSpec((2,)), (), ScoreSpec("scores", weights))
    images = np.array([[255, 255], [0, 255], [0, 0]], np.uint8)
    assert spec.class_scores(images).tolist() == [[-2, 2, 2, 2], [0, 0, 0, 0], [2, -2, -2, -2]]
    assert spec.predict(images).tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("threshold", "fires"),
    [(-5, "+++"), (-4, "+++"), (-3, "-++"), (0, "-++"), (1, "--+"), (4, "--+"), (5, "---")],
)
def test_thresholds_at_the_ends_of_the_range(threshold, fires):
    dense = DenseSpec("dense1", ones(4, 1), np.array([threshold]))
    spec = NetSpec("ends", InputSpec((4,)), (dense,), ScoreSpec("scores", ones(1, 1)))
    images = np.array([[0, 0, 0, 0], [0, 0, 255, 255], [255] * 4], np.uint8)
    assert spec.class_scores(images)[:, 0].tolist() == [1 if sign == "+" else -1 for sign in fires]


@pytest.mark.parametrize("threshold", [-(2**31), 2**31 - 1])
def test_thresholds_at_the_ends_of_int32(threshold):
    dense = DenseSpec("dense1", ones(4, 1), np.array([threshold]))
    assert dense.thresholds.tolist() == [threshold]
    spec = NetSpec("ends", InputSpec((4,)), (dense,), ScoreSpec("scores", ones(1, 1)))
    assert spec.class_scores(random_images(spec, 9)).tolist() == [[1 if threshold < 0 else -1]] * 9


@pytest.mark.parametrize("thresholds", [np.array([2**31]), np.array([-(2**31) - 1]), np.array([0.5])])
def test_thresholds_that_int32_would_change_are_refused(thresholds):
    for make in (lambda t: DenseSpec("d7", ones(4, 1), t), lambda t: ConvSpec("d7", ones(1, 1, 1, 1), t)):
        with pytest.raises(ConfigError, match=r"layer d7: thresholds must be whole numbers of 32 bits"):
            make(thresholds)


def test_eight_bit_sums_reach_their_largest():
    spec = NetSpec("long", InputSpec((300,), 8), (), ScoreSpec("scores", np.stack([ones(300), -ones(300)], axis=1)))
    images = np.full((1, 300), 255, np.uint8)
    assert spec.class_scores(images).tolist() == [[76500, -76500]]
    assert spec.max_abs_sum(spec.scores) == 76500


def test_arrays_are_frozen_copies():
    weights, thresholds = ones(4, 2), zeros(2)
    dense = DenseSpec("dense1", weights, thresholds)
    conv = ConvSpec("conv1", ones(1, 1, 1, 2), zeros(2))
    scores = ScoreSpec("scores", ones(2, 3), np.arange(3), np.arange(3), 4)
    weights[:], thresholds[:] = -1, 9
    assert (dense.weights == 1).all() and (dense.thresholds == 0).all()
    for array in (
        dense.weights,
        dense.thresholds,
        conv.weights,
        conv.thresholds,
        scores.weights,
        scores.scale,
        scores.offset,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(FrozenInstanceError):
        dense.weights = weights  # type: ignore[misc]


BAD_LAYERS = [
    (lambda: DenseSpec("L3", ones(4, 2) * 0, zeros(2)), r"layer L3: weights must be \+1 or -1"),
    (lambda: DenseSpec("L3", np.full((4, 2), np.nan), zeros(2)), r"layer L3: weights must be \+1 or -1"),
    (lambda: DenseSpec("L3", ones(4), zeros(1)), r"layer L3: weights must have 2 non-empty axes, got shape \(4,\)"),
    (lambda: DenseSpec("L3", ones(0, 2), zeros(2)), r"layer L3: weights must have 2 non-empty axes"),
    (lambda: DenseSpec("L3", ones(4, 2), zeros(3)), r"layer L3: needs 2 thresholds, got shape \(3,\)"),
    (lambda: ConvSpec("L3", ones(4, 2), zeros(2)), r"layer L3: weights must have 4 non-empty axes"),
    (lambda: ConvSpec("L3", ones(1, 1, 1, 2), zeros(1)), r"layer L3: needs 2 thresholds"),
    (lambda: ConvSpec("L3", ones(1, 1, 1, 1), zeros(1), (0, 1)), r"layer L3: strides \(0, 1\)"),
    (lambda: ConvSpec("L3", ones(1, 1, 1, 1), zeros(1), (1, 1), (1, -2)), r"layer L3: .*pool \(1, -2\)"),
    (lambda: ConvSpec("L3", ones(1, 1, 1, 1), zeros(1), (1,)), r"layer L3: strides \(1,\)"),
    (lambda: ConvSpec("L3", ones(1, 1, 1, 1), zeros(1), (1, 1), (1, 1, 1)), r"layer L3: .*pool \(1, 1, 1\)"),
    (lambda: ScoreSpec("L3", ones(4, 2), np.ones(2)), r"layer L3: scale and offset come together"),
    (lambda: ScoreSpec("L3", ones(4, 2), np.ones(3), np.ones(2)), r"layer L3: scale needs 2 values"),
    (lambda: ScoreSpec("L3", ones(4, 2), np.ones(2), np.ones(1)), r"layer L3: offset needs 2 values"),
    (lambda: InputSpec((4,), 2), "input bits must be 1 or 8, got 2"),
    (lambda: InputSpec((4, 4)), r"input shape must be .* got \(4, 4\)"),
    (lambda: InputSpec((0,)), "input shape"),
]


@pytest.mark.parametrize(("make", "text"), BAD_LAYERS)
def test_impossible_layers_are_refused_by_name(make, text):
    with pytest.raises(ConfigError, match=text) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1


CONV = ConvSpec("conv1", ones(3, 3, 1, 2), zeros(2), pool=(2, 2))
BAD_NETS = [
    ((5,), [DenseSpec("dense1", ones(4, 2), zeros(2))], 2, "layer dense1: reads 4 values but .* gives 5"),
    ((4,), [DenseSpec("dense1", ones(4, 2), zeros(2))], 3, "layer scores: reads 3 values but .* gives 2"),
    (
        (4,),
        [DenseSpec("scores", ones(4, 2), zeros(2))],
        2,
        "layer names must differ by more than .*, got scores, scores",
    ),
    ((9,), [CONV], 2, r"layer conv1: kernel \(3, 3, 1\) does not fit an input of shape \(9,\)"),
    ((2, 9, 1), [CONV], 2, r"layer conv1: kernel .* \(2, 9, 1\)"),
    ((9, 2, 1), [CONV], 2, "layer conv1: kernel"),
    ((9, 9, 2), [CONV], 2, "layer conv1: kernel"),
    ((3, 4, 1), [CONV], 2, r"layer conv1: pool \(2, 2\) does not fit an output of 1x2"),
]


@pytest.mark.parametrize(("shape", "hidden", "n_in", "text"), BAD_NETS)
def test_networks_whose_shapes_do_not_follow_are_refused(shape, hidden, n_in, text):
    with pytest.raises(ConfigError, match=text):
        NetSpec("bad", InputSpec(shape), tuple(hidden), ScoreSpec("scores", ones(n_in, 2)))


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 64), np.int64),
        np.zeros((2, 64), np.float32),
        np.zeros((2, 64), np.bool_),
        np.zeros((2, 63), np.uint8),
        np.zeros((2, 8, 9), np.uint8),
        np.zeros(64, np.uint8),
    ],
)
def test_wrong_images_are_refused(tiny_spec, images):
    with pytest.raises(DataError, match=r"reads uint8 images of shape \(64,\), got"):
        tiny_spec.predict(images)


def test_golden_model_runs_without_tensorflow(tiny_conv_spec, tmp_path):
    images = random_images(tiny_conv_spec, 70)
    save_spec(tiny_conv_spec, tmp_path / "spec.npz")
    np.save(tmp_path / "images.npy", images)
    script = """
import sys
for name in ("tensorflow", "tf_keras", "keras", "qkeras", "hls4ml", "h5py", "sklearn", "mlxtend"):
    sys.modules[name] = None
import numpy as np
from pathlib import Path
import xnorflow.net.spec
from xnorflow.net.spec_file import load_spec
np.save("scores.npy", load_spec(Path("spec.npz")).class_scores(np.load("images.npy")))
np.save("classes.npy", load_spec(Path("spec.npz")).predict(np.load("images.npy")))
"""
    root = str(Path(__file__).resolve().parents[2])
    subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": root, "PATH": "/usr/bin:/bin"}, check=True
    )
    expected = plain_scores(tiny_conv_spec, images)
    assert np.array_equal(np.load(tmp_path / "scores.npy"), expected)
    assert np.array_equal(np.load(tmp_path / "classes.npy"), expected.argmax(axis=1))
