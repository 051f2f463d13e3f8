"""What a network reads of an image, and the settings that say so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from input_specs import input_specs, plain_values

from xnorflow.base.errors import ConfigError, DataError
from xnorflow.net.inputs import LEARNED, NEVER, InputSettings, InputSpec


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_encoding_is_the_plain_definition(data):
    shape = data.draw(st.sampled_from([(1,), (7,), (3, 4, 1), (2, 5, 3)]))
    source = data.draw(input_specs(shape))
    images = np.random.default_rng(data.draw(st.integers(0, 2**32))).integers(0, 256, (5, *shape), dtype=np.uint8)
    got = source.encode(images)
    assert (source.image_shape, source.pixels) == (shape, int(np.prod(shape)))
    assert got.dtype == (np.uint8 if source.bits == 8 else np.int8) and got.shape == (5, *source.shape)
    assert np.array_equal(got, plain_values(source, images))


def test_the_bits_of_a_pixel_stand_side_by_side_in_the_channels():
    source = InputSpec((1, 2, 6), 1, [64, 128, 192])
    image = np.array([[[[63, 64], [150, 255]]]], np.uint8)
    assert source.encode(image).tolist() == [[[[-1, -1, -1, 1, -1, -1], [1, 1, -1, 1, 1, 1]]]]
    assert (source.image_shape, source.pixels, source.size, source.bits_per_pixel) == ((1, 2, 2), 4, 12, 3)
    assert InputSpec((4,), 8).bits_per_pixel == 8


@pytest.mark.parametrize("value", range(256))
def test_every_value_of_a_pixel_at_every_kind_of_threshold(value):
    table = np.array([[0], [1], [value], [min(value + 1, 255)], [255], [NEVER]])
    expected = [[1, 1 if value >= 1 else -1, 1, 1 if value == 255 else -1, 1 if value == 255 else -1, -1]]
    assert InputSpec((6,), 1, table).encode(np.full((1, 6), value, np.uint8)).tolist() == expected


def test_thresholds_cannot_be_changed_afterwards():
    given = np.array([[3], [4]])
    source = InputSpec((2,), 1, given)
    given[0, 0] = 99
    assert source.thresholds.tolist() == [[3], [4]]
    with pytest.raises(ValueError, match="read-only"):
        source.thresholds[0, 0] = 5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (((4,), 1, 0), "pixel_threshold must be 1 to 255, got 0"),
        (((4,), 1, 256), "pixel_threshold must be 1 to 255, got 256"),
        (((4,), 1, [0, 5]), "pixel_threshold must be 1 to 255, got 0"),
        (((4,), 1, [5, 256]), "pixel_threshold must be 1 to 255, got 256"),
        (((4,), 1, []), "small whole numbers"),
        (((4,), 1, 1.5), "small whole numbers, got .* float64"),
        (((4,), 1, [True, False]), "small whole numbers, got .* bool"),
        (((4,), 1, [5, 5]), r"must rise from one to the next, got \[5, 5\]"),
        (((4,), 1, [6, 5]), "must rise"),
        (((9,), 1, list(range(1, 10))), "at most 8 thresholds, got 9"),
        (((4,), 1, [5, 6, 7]), r"input shape \(4,\) of 1 bits does not hold 3 bits per pixel"),
        (((4, 4, 1), 1, [5, 6]), r"input shape \(4, 4, 1\)"),
        (((4,), 8, [5, 6]), "input shape .* of 8 bits"),
        (((4,), 1, np.full((3, 1), 9)), "one row, or 4 for as many pixels, got 3"),
        (((4,), 1, np.full((4, 2), [3, 9])), "one row, or 2 for as many pixels, got 4"),
        (((2,), 1, np.array([[5], [257]])), "must be 0 to 256, got 257"),
        (((2,), 1, np.array([[5], [-1]])), "must be 0 to 256, got -1"),
        (((4,), 1, np.array([[5, 6], [9, 8]])), "must rise"),
        (((2,), 1, np.full((2, 1, 1), 9)), "small whole numbers"),
    ],
)
def test_thresholds_that_are_not_allowed(arguments, text):
    with pytest.raises(ConfigError, match=text) as caught:
        InputSpec(*arguments)
    assert len(str(caught.value).splitlines()) == 1


def test_images_are_of_the_size_before_encoding():
    source = InputSpec((2, 2, 3), 1, [9, 99, 199])
    assert source.encode(np.zeros((5, 4), np.uint8)).shape == (5, 2, 2, 3)
    assert source.encode(np.zeros((0, 2, 2), np.uint8)).shape == (0, 2, 2, 3)
    with pytest.raises(
        DataError, match=r"reads uint8 images of shape \(2, 2, 1\), got uint8 images of shape \(12,\)"
    ):
        source.encode(np.zeros((5, 12), np.uint8))


@pytest.mark.parametrize("setting", [1, 255, [9], [1, 255], list(range(1, 9)), LEARNED])
def test_settings_that_are_allowed(setting):
    InputSettings(1, setting)
    InputSettings(pixel_threshold=setting)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ([], "must be 1 to 255, a list of such, or learned"),
        ([64, "128"], "a list of such, or learned"),
        ([64, None], "a list of such, or learned"),
        ([64, True], "a list of such, or learned"),
        ([[64, 128]], "a list of such, or learned"),
        ([64.0], "a list of such, or learned"),
        ("learnt", "a list of such, or learned, got 'learnt'"),
        ({"a": 1}, "a list of such, or learned"),
        (None, "a list of such, or learned"),
        ([10**30], "small whole numbers"),
        (10**30, "small whole numbers"),
        ([64, 300], "must be 1 to 255, got 300"),
        ([128, 64], r"must rise from one to the next, got \[128, 64\]"),
        ([64, 64], "must rise"),
        (list(range(1, 10)), "at most 8 thresholds, got 9"),
    ],
)
def test_settings_that_are_refused(setting, text):
    with pytest.raises(ConfigError, match=text) as caught:
        InputSettings(1, setting)
    assert "pixel_threshold" in str(caught.value) and len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("setting", [[64, 128], LEARNED])
def test_eight_bit_pixels_are_not_compared(setting):
    with pytest.raises(ConfigError, match=r"goes with input_bits 1, got .* and input_bits 8"):
        InputSettings(8, setting)
    InputSettings(8, 100)


def test_what_keras_reads():
    several, learned, eight = InputSettings(1, [9, 99]), InputSettings(1, LEARNED), InputSettings(8)
    assert several.encoded_shape((6, 5, 3)) == (6, 5, 6)
    assert {each.encoded_shape((6, 5, 3)) for each in (InputSettings(), learned, eight)} == {(6, 5, 3)}
    assert [each.bits_per_pixel for each in (InputSettings(), several, learned, eight)] == [1, 2, 1, 8]
    assert [each.learned for each in (InputSettings(), several, learned, eight)] == [False, False, True, False]
    image = np.array([[9, 200]], np.uint8)
    assert several.keras_input((4,)).encode(image).tolist() == [[1, -1, 1, 1]]
    assert (
        learned.keras_input((2,)).encode(image).tolist()
        == eight.keras_input((2,)).encode(image).tolist()
        == [[9, 200]]
    )
    assert InputSettings().keras_input((2,)).encode(image).tolist() == [[-1, 1]]
