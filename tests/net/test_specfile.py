from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from input_specs import input_specs
from net_specs import bipolar
from spec_files import arrays_of, assert_equal

from xnorflow.base.errors import DataError
from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.names import NAME
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.net.spec_file import load_spec, save_spec, spec_sha256


@st.composite
def specs(draw: st.DrawFn) -> NetSpec:
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    named = st.from_regex(NAME, fullmatch=True)
    names = iter(draw(st.lists(named, min_size=4, max_size=4, unique_by=str.lower)))
    shape: tuple[int, ...] = (draw(st.integers(1, 40)),)
    hidden: list[ConvSpec | DenseSpec] = []
    image = draw(st.booleans())
    if image:
        shape = (draw(st.integers(2, 7)), draw(st.integers(2, 7)), draw(st.integers(1, 3)))
    source = draw(input_specs(shape))
    shape = source.shape
    if image:
        weights = bipolar(random, draw(st.integers(1, 2)), draw(st.integers(1, 2)), shape[2], draw(st.integers(1, 9)))
        strides = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
        pool = (1, draw(st.integers(1, 2))) if shape[1] > 4 else (1, 1)
        thresholds = random.integers(-(2**31), 2**31, weights.shape[3])
        hidden.append(ConvSpec(next(names), weights, thresholds, strides, pool))
    n_in = math.prod(hidden[0].output_shape(shape) if hidden else shape)
    for _ in range(draw(st.integers(0, 2))):
        weights = bipolar(random, n_in, draw(st.integers(1, 20)))
        hidden.append(DenseSpec(next(names), weights, random.integers(-99, 99, weights.shape[1])))
        n_in = weights.shape[1]
    weights = bipolar(random, n_in, draw(st.integers(1, 5)))
    extra = [random.integers(-(2**50), 2**50, weights.shape[1]) for _ in range(2)]
    scores = ScoreSpec(next(names), weights, *extra, 20) if draw(st.booleans()) else ScoreSpec(next(names), weights)
    return NetSpec(draw(named), source, tuple(hidden), scores)


@settings(max_examples=60, deadline=None)
@given(spec=specs())
def test_round_trip(tmp_path_factory, spec):
    path = tmp_path_factory.mktemp("spec") / "s.npz"
    digest = save_spec(spec, path)
    assert digest == spec_sha256(spec)
    loaded = load_spec(path)
    assert_equal(loaded, spec)
    assert spec_sha256(loaded) == digest
    images = np.random.default_rng(0).integers(0, 256, (4, *spec.input.image_shape), dtype=np.uint8)
    assert np.array_equal(loaded.class_scores(images), spec.class_scores(images))


def test_every_part_of_a_network_counts_in_its_hash(tiny_conv_spec):
    conv, dense = tiny_conv_spec.hidden
    scores, source = tiny_conv_spec.scores, tiny_conv_spec.input
    flipped = np.array(dense.weights)
    flipped[3, 4] *= -1
    raised = np.array(conv.thresholds)
    raised[1] += 1

    def net(name="tiny_conv", source=source, conv=conv, dense=dense, scores=scores):
        return NetSpec(name, source, (conv, dense), scores)

    ones = np.ones(10, np.int64)
    digests = {
        spec_sha256(spec)
        for spec in (
            net(),
            net(name="other"),
            net(source=InputSpec((8, 8, 1), 8)),
            net(source=InputSpec((8, 8, 1), 1, 127)),
            net(source=InputSpec((8, 8, 1), 1, np.full((64, 1), 128))),
            net(source=InputSpec((8, 8, 1), 1, np.arange(64)[:, None])),
            net(conv=ConvSpec("conv1", conv.weights, raised, conv.strides, conv.pool)),
            net(conv=ConvSpec("conv2", conv.weights, conv.thresholds, conv.strides, conv.pool)),
            net(dense=DenseSpec("dense1", flipped, dense.thresholds)),
            net(scores=ScoreSpec("scores", scores.weights, ones, ones)),
            net(scores=ScoreSpec("scores", scores.weights, ones, ones, 1)),
        )
    }
    assert len(digests) == 11


def load_bytes(folder: Path, content: bytes) -> NetSpec:
    path = folder / "damaged.npz"
    path.write_bytes(content)
    return load_spec(path)


def check_damaged(folder: Path, content: bytes, spec: NetSpec) -> bool:
    """Load it: refused in one line, or (a time stamp was hit) the same network. Return whether refused."""
    try:
        assert_equal(load_bytes(folder, content), spec)
    except DataError as error:
        assert len(str(error).splitlines()) == 1
        assert "damaged.npz" in str(error)
        return True
    return False


@pytest.mark.parametrize("mask", [0x01, 0xFF])
def test_every_flipped_byte_is_refused_or_harmless(tmp_path, stored, tiny_conv_spec, mask):
    refused = 0
    positions = range(0, len(stored), 3)
    for position in positions:
        content = bytearray(stored)
        content[position] ^= mask
        refused += check_damaged(tmp_path, bytes(content), tiny_conv_spec)
    assert refused > len(positions) // 2


def test_every_truncation_is_refused(tmp_path, stored, tiny_conv_spec):
    for length in range(0, len(stored), 5):
        assert check_damaged(tmp_path, stored[:length], tiny_conv_spec)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_of_any_kind_is_refused_or_harmless(tmp_path_factory, stored, tiny_conv_spec, data):
    start = data.draw(st.integers(0, len(stored)))
    end = data.draw(st.integers(start, min(len(stored), start + 40)))
    content = stored[:start] + data.draw(st.binary(max_size=40)) + stored[end:]
    check_damaged(tmp_path_factory.mktemp("any"), content, tiny_conv_spec)


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=300))
def test_foreign_bytes_are_refused(tmp_path_factory, content):
    with pytest.raises(DataError, match=r"damaged\.npz"):
        load_bytes(tmp_path_factory.mktemp("foreign"), content)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r"no such file: .*none\.npz; extract it again"):
        load_spec(tmp_path / "none.npz")
    with pytest.raises(DataError):
        load_spec(tmp_path)


def test_the_file_holds_no_pickle_and_is_small(stored, tiny_conv_spec):
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        for name in archive.namelist():
            assert b"'descr': '|O'" not in archive.read(name)[:128]
    weights = sum(layer.weights.size for layer in tiny_conv_spec.layers)
    packed = sum(array.nbytes for name, array in arrays_of(stored).items() if name.startswith("w"))
    assert packed <= weights / 8 + len(tiny_conv_spec.layers)


def test_saving_over_an_older_file_leaves_one_whole_file(tmp_path, tiny_spec, tiny_conv_spec):
    path = tmp_path / "deep er" / "s.npz"
    save_spec(tiny_spec, path)
    save_spec(tiny_conv_spec, path)
    assert_equal(load_spec(path), tiny_conv_spec)
    assert [entry.name for entry in path.parent.iterdir()] == ["s.npz"]
