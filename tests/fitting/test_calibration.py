"""A user's own ratios from HLS report to Vivado."""

import os

import pytest

from xnorflow.base.errors import DataError
from xnorflow.fitting.calibration import load_calibration


def refused(path):
    with pytest.raises(DataError) as caught:
        load_calibration(path)
    text = str(caught.value)
    assert len(text.splitlines()) == 1 and text.isprintable() and str(path) in text
    assert text.endswith("; write one with xnorflow calibrate -o")
    return text


def test_resources_that_the_file_leaves_out_are_left_out(tmp_path):
    (tmp_path / "mine.yaml").write_text("lut: [1, 1.5, 2]\ndsp: [0.5, 0.5, 0.5]\n")
    assert load_calibration(tmp_path / "mine.yaml") == {"lut": (1.0, 1.5, 2.0), "dsp": (0.5, 0.5, 0.5)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected object, got null"),
        ("[1]", "expected object, got array"),
        (":", "not a calibration file"),
        ("3: [1, 2, 3]", "expected str"),
        ("cheese: [1, 2, 3]", "unknown field cheese"),
        ("lut: 3", "field lut: expected array"),
        ("lut: [1, 2]", "field lut: expected array of length 3, got 2"),
        ("lut: [a, 2, 3]", "field lut[0]: expected float, got str"),
        ("lut: [true, 2, 3]", "field lut[0]: expected float, got bool"),
        ("lut: [3, 2, 1]", "lut must be three rising numbers, got 3.0, 2.0, 1.0"),
        ("lut: [0, 1, 2]", "field lut[0]: expected float >= 0.001, got 0"),
        ("ff: [-1, 1, 2]", "field ff[0]: expected float >= 0.001, got -1"),
        ("lut: [1, 2, .inf]", "field lut[2]: expected float <= 1000.0, got inf"),
        ("lut: [.nan, 1, 2]", "field lut[0]: expected float"),
        ("lut: [1, .nan, 2]", "field lut[1]: expected float"),
        ("lut: [1, 2, 5.0e+300]", "field lut[2]: expected float <= 1000.0"),
        (f"lut: [1, 2, {'9' * 400}]", "field lut[2]: number out of range"),
        (f"lut: [1, 2, {'9' * 5000}]", "not a calibration file"),
        ("lut: [1, 2, 3]\nlut: [1, 2, 3]", "stands twice"),
        ("[" * 5000, "nested too deep"),
        ("lut: [1, 2, 3] #" + "a" * 300_000, "at most 262,144 are read"),
    ],
)
def test_what_is_no_calibration_is_one_line(tmp_path, text, says):
    (tmp_path / "mine.yaml").write_text(text)
    assert says in refused(tmp_path / "mine.yaml")


def test_a_calibration_that_cannot_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "not a regular file" in refused(tmp_path / "pipe.yaml")
    assert "no such file" in refused(tmp_path / "none.yaml")
