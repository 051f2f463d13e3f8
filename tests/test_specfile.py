from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from input_specs import input_specs

from xnorflow.errors import DataError
from xnorflow.spec import ConvSpec, DenseSpec, InputSpec, NetSpec, ScoreSpec
from xnorflow.specfile import load_spec, save_spec, spec_sha256


def bipolar(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.choice(np.array([-1, 1], np.int8), shape)


@st.composite
def specs(draw: st.DrawFn) -> NetSpec:
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    names = iter(draw(st.lists(st.text(min_size=1, max_size=9), min_size=4, max_size=4, unique=True)))
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
    return NetSpec(draw(st.text(max_size=9)), source, tuple(hidden), scores)


def assert_equal(got: NetSpec, expected: NetSpec) -> None:
    assert (got.name, got.input.shape, got.input.bits) == (expected.name, expected.input.shape, expected.input.bits)
    assert np.array_equal(got.input.thresholds, expected.input.thresholds)
    assert [type(layer) for layer in got.layers] == [type(layer) for layer in expected.layers]
    for one, other in zip(got.layers, expected.layers, strict=True):
        assert one.name == other.name
        assert one.weights.dtype == np.int8 and np.array_equal(one.weights, other.weights)
        if isinstance(other, ConvSpec):
            assert (one.strides, one.pool) == (other.strides, other.pool)
    for one, other in zip(got.hidden, expected.hidden, strict=True):
        assert one.thresholds.dtype == np.int32 and np.array_equal(one.thresholds, other.thresholds)
    assert got.scores.fraction_bits == expected.scores.fraction_bits
    for key in ("scale", "offset"):
        one, other = getattr(got.scores, key), getattr(expected.scores, key)
        assert (one is None and other is None) or np.array_equal(one, other)


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


@pytest.fixture(scope="module")
def stored(tmp_path_factory, tiny_conv_spec) -> bytes:
    path = tmp_path_factory.mktemp("stored") / "s.npz"
    save_spec(tiny_conv_spec, path)
    return path.read_bytes()


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


def arrays_of(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def write(path: Path, arrays: dict[str, np.ndarray], *, sign: bool = True) -> Path:
    """Write arrays as a NetSpec file, with the right hash unless told otherwise."""
    from xnorflow import specfile

    if sign:
        arrays = {**arrays, "sha256": np.array(specfile._digest({k: v for k, v in arrays.items() if k != "sha256"}))}
    np.savez(path, **arrays)
    return path


def with_header(arrays: dict[str, np.ndarray], change) -> dict[str, np.ndarray]:
    header = json.loads(arrays["header"].tobytes())
    change(header)
    return {**arrays, "header": np.frombuffer(json.dumps(header).encode(), np.uint8)}


def test_hash_that_does_not_match_is_refused(tmp_path, stored):
    arrays = arrays_of(stored)
    arrays["t0"] = arrays["t0"] + 1
    with pytest.raises(DataError, match="does not match its sha256"):
        load_spec(write(tmp_path / "s.npz", arrays, sign=False))
    assert load_spec(write(tmp_path / "s.npz", arrays)).hidden[0].thresholds.tolist() == arrays["t0"].tolist()


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(format=1),
        lambda header: header.update(format=3),
        lambda header: header.update(format="1"),
        lambda header: header.pop("format"),
        lambda header: header.pop("layers"),
        lambda header: header.update(layers=[]),
        lambda header: header.update(layers=3),
        lambda header: header.update(input=None),
        lambda header: header["input"].update(bits=2),
        lambda header: header["input"].update(bits="1"),
        lambda header: header["input"].update(shape=[8, 8]),
        lambda header: header["input"].update(shape=8),
        lambda header: header["layers"][0].update(kind="lstm"),
        lambda header: header["layers"][0].update(shape=[3, 3, 2, 4]),
        lambda header: header["layers"][0].update(shape=[-3, -3, 1, 4]),
        lambda header: header["layers"][0].update(shape=[10**9, 10**9, 10**9]),
        lambda header: header["layers"][0].update(strides=[0, 1]),
        lambda header: header["layers"][0].update(strides=["a", "b"]),
        lambda header: header["layers"][0].update(pool=[99, 99]),
        lambda header: header["layers"][1].update(name="conv1"),
    ],
)
def test_headers_that_make_no_sense_are_refused(tmp_path, stored, change):
    with pytest.raises(DataError, match=r"s\.npz") as caught:
        load_spec(write(tmp_path / "s.npz", with_header(arrays_of(stored), change)))
    assert len(str(caught.value).splitlines()) == 1


def test_another_format_version_is_named(tmp_path, stored):
    path = write(tmp_path / "s.npz", with_header(arrays_of(stored), lambda header: header.update(format=7)))
    with pytest.raises(DataError, match="format 7, this version reads 1 and 2"):
        load_spec(path)


def format_1(stored: bytes, pixel_threshold: object) -> dict[str, np.ndarray]:
    """The older form: no table of pixel thresholds, but one for all pixels, in the header."""

    def change(header):
        header["format"] = 1
        header["input"]["pixel_threshold"] = pixel_threshold

    return {name: array for name, array in with_header(arrays_of(stored), change).items() if name != "pixels"}


def test_files_of_format_1_still_load(tmp_path, stored, tiny_conv_spec):
    loaded = load_spec(write(tmp_path / "s.npz", format_1(stored, 77)))
    assert loaded.input.thresholds.tolist() == [[77]]
    assert_equal(NetSpec(loaded.name, InputSpec((8, 8, 1)), loaded.hidden, loaded.scores), tiny_conv_spec)
    for wrong in (None, 0, 256, "77"):
        with pytest.raises(DataError, match=r"s\.npz: .*extract it again"):
            load_spec(write(tmp_path / "s.npz", format_1(stored, wrong)))


@pytest.mark.parametrize(
    "table", [np.zeros(0, "<i2"), np.full((3, 1), 9), np.array([[257]]), np.array([[1.5]]), np.array([[9, 8]])]
)
def test_pixel_thresholds_that_make_no_sense_are_refused(tmp_path, stored, table):
    with pytest.raises(DataError, match=r"s\.npz: .*pixel_threshold") as caught:
        load_spec(write(tmp_path / "s.npz", {**arrays_of(stored), "pixels": table}))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("missing", ["header", "pixels", "w0", "w1", "w2", "t0", "t1", "sha256"])
def test_missing_arrays_are_refused(tmp_path, stored, missing):
    arrays = arrays_of(stored)
    del arrays[missing]
    with pytest.raises(DataError, match=r"s\.npz"):
        load_spec(write(tmp_path / "s.npz", arrays, sign=missing != "sha256"))


def test_pickled_objects_are_refused_without_being_loaded(tmp_path, stored):
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    arrays = arrays_of(stored)
    arrays["t0"] = np.array([Evil()], object)
    np.savez(tmp_path / "s.npz", **arrays)
    with pytest.raises(DataError, match=r"s\.npz"):
        load_spec(tmp_path / "s.npz")
    assert not (tmp_path / "ran").exists()
    np.load(tmp_path / "s.npz", allow_pickle=True)["t0"]
    assert (tmp_path / "ran").exists(), "the file would not have done harm, so the test proves nothing"


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
