"""NetSpec files that are whole but make no sense, or of another version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from spec_files import arrays_of, assert_equal, with_header, write

from xnorflow.base.errors import DataError
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.net.spec_file import load_spec


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
        lambda header: header["layers"][1].update(name="CONV1"),
        lambda header: header["layers"][1].update(name="../../x"),
        lambda header: header["layers"][1].update(name="a\nb\x1b[2J"),
        lambda header: header["layers"][1].update(name=7, kind="\x1b[2J"),
        lambda header: header.update(name="../x"),
        lambda header: header.update(format=10**400),
    ],
)
def test_headers_that_make_no_sense_are_refused(tmp_path, stored, change):
    with pytest.raises(DataError, match=r"s\.npz") as caught:
        load_spec(write(tmp_path / "s.npz", with_header(arrays_of(stored), change)))
    assert len(str(caught.value).splitlines()) == 1 and str(caught.value).isprintable()


def test_a_small_file_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path, stored):
    arrays = arrays_of(stored)
    np.savez_compressed(tmp_path / "s.npz", **arrays | {"w0": np.zeros(32 * 10**6, np.uint8)})
    assert (tmp_path / "s.npz").stat().st_size < 200_000
    with pytest.raises(DataError, match=r"s\.npz: its arrays take .*, at most 32,000,000 are read; ext"):
        load_spec(tmp_path / "s.npz")
    # one bit becomes 8 bytes on the way, so this is looked at as well
    many = with_header(
        arrays | {"w0": np.zeros(10**7, np.uint8)},
        lambda header: header["layers"][0].update(shape=[1000, 1000, 1, 80]),
    )
    with pytest.raises(DataError, match="80,000,368 weights, at most 64,000,000 are read"):
        load_spec(write(tmp_path / "s.npz", many))
    with pytest.raises(DataError, match="a header of 3,000,000 bytes, at most 1,000,000 are read"):
        load_spec(write(tmp_path / "s.npz", arrays | {"header": np.full(3_000_000, ord("["), np.uint8)}))
    with pytest.raises(DataError, match=r"s\.npz: not a NetSpec file or damaged \(.*recursion"):
        load_spec(write(tmp_path / "s.npz", arrays | {"header": np.full(100_000, ord("["), np.uint8)}))


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
