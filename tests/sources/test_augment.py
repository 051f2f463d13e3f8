from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from xnorflow.sources.training import augment
from xnorflow.sources.training.augment import Warp, shift_images, warp_images

ALL = Warp(rotate=8, scale=0.08, elastic=0.6)


def blob(size: int = 15, row: float = 7, column: float = 7) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return (255 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 8)).astype(np.uint8)


def centre(image: np.ndarray) -> np.ndarray:
    return np.array(ndimage.center_of_mass(image))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)),
    st.builds(Warp, st.floats(0, 180), st.floats(0, 0.9), st.floats(0, 3)),
    st.integers(0, 2**32),
)
def test_sampling_equals_that_of_scipy(shape, warp, seed):
    """Every pixel is the linear interpolation at the place it is taken from, with zeros outside."""
    images = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    before = images.copy()
    warped = warp_images(images, warp, np.random.default_rng(seed))
    assert np.array_equal(images, before)
    assert warped.shape == images.shape and warped.dtype == np.uint8
    if warp == Warp():
        return
    rows, columns = augment._sources(shape, warp, np.random.default_rng(seed))
    for image, got, row, column in zip(images, warped, rows, columns, strict=True):
        expected = ndimage.map_coordinates(image.astype(float), [row, column], order=1, mode="grid-constant")
        assert np.abs(got - expected).max() <= 0.5 + 255 * 2e-3


@pytest.mark.parametrize("warp", [Warp(rotate=10), Warp(scale=0.2)])
def test_a_blob_in_the_middle_stays_there(warp):
    images = np.stack([blob(21, 10, 10)] * 300)
    moved = np.array([centre(image) for image in warp_images(images, warp, np.random.default_rng(0))]) - 10
    assert np.abs(moved).max() < 0.1


def test_rotations_go_both_ways_and_no_further():
    images = np.stack([blob(31, 15, 25)] * 300)
    offsets = (
        np.array([centre(image) for image in warp_images(images, Warp(rotate=20), np.random.default_rng(0))]) - 15
    )
    angles = np.rad2deg(np.arctan2(offsets[:, 0], offsets[:, 1]))
    assert -20.5 < angles.min() < -19 and 19 < angles.max() < 20.5
    assert np.abs(np.hypot(*offsets.T) - 10).max() < 0.2


def test_scaling_moves_what_is_outside_the_middle():
    images = np.stack([blob(31, 15, 23)] * 300)
    warped = warp_images(images, Warp(scale=0.2), np.random.default_rng(0))
    columns = np.array([centre(image)[1] for image in warped]) - 15
    assert 6.4 < columns.min() < 6.9 and 9.5 < columns.max() < 10.1  # 8 / 1.2 and 8 / 0.8


def test_elastic_distortion_moves_neighbours_together():
    rows, columns = augment._sources((400, 28, 28), Warp(elastic=0.8), np.random.default_rng(0))
    moved = rows - np.arange(28)[:, None]
    # a weighted mean of independent displacements moves less than each of them
    assert 0.3 < moved.std() < 0.8
    assert np.abs(np.diff(moved, axis=1)).max() < 0.8, "neighbours tear apart"
    assert abs(np.corrcoef(moved[:, 0, 0], moved[:, 27, 27])[0, 1]) < 0.2, "corners move together"
    assert abs(np.corrcoef(moved[:, 5, 5], (columns - np.arange(28))[:, 5, 5])[0, 1]) < 0.2


def test_chunks_channels_and_generators(monkeypatch):
    images = np.random.default_rng(1).integers(0, 256, (9, 7, 5, 3), dtype=np.uint8)
    warped = warp_images(images, ALL, np.random.default_rng(4))
    assert np.array_equal(warped, warp_images(images, ALL, np.random.default_rng(4)))
    assert not np.array_equal(warped, warp_images(images, ALL, np.random.default_rng(5)))
    for channel in range(3):
        # all channels of an image go the same way
        alone = warp_images(np.ascontiguousarray(images[..., channel]), ALL, np.random.default_rng(4))
        assert np.array_equal(warped[..., channel], alone)
    monkeypatch.setattr(augment, "_CHUNK", 4)
    assert warp_images(images, ALL, np.random.default_rng(4)).shape == images.shape
    assert warp_images(images, Warp(), np.random.default_rng(4)) is images


shapes = st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 9))


@settings(max_examples=80, deadline=None)
@given(shapes, st.integers(0, 3), st.booleans(), st.integers(0, 2**32))
def test_every_shifted_image_is_the_image_moved_with_zeros_behind_it(shape, most, colour, seed):
    images = np.random.default_rng(seed).integers(1, 256, (*shape, 2) if colour else shape, dtype=np.uint8)
    before = images.copy()
    shifted = shift_images(images, most, np.random.default_rng(seed))
    assert shifted.shape == images.shape and shifted.dtype == np.uint8
    assert np.array_equal(images, before)
    height, width = shape[1:]
    for image, got in zip(images, shifted, strict=True):
        moved = []
        for down in range(-most, most + 1):
            for right in range(-most, most + 1):
                one = np.zeros_like(image)
                rows = [row for row in range(height) if 0 <= row - down < height]
                columns = [column for column in range(width) if 0 <= column - right < width]
                for row in rows:
                    for column in columns:
                        one[row, column] = image[row - down, column - right]
                moved.append(one)
        assert any(np.array_equal(got, one) for one in moved)


def test_shifts_go_everywhere_and_follow_the_generator():
    images = np.zeros((500, 5, 5), np.uint8)
    images[:, 2, 2] = 255
    shifted = shift_images(images, 1, np.random.default_rng(1))
    reached = shifted.max(axis=0) > 0
    assert reached[1:4, 1:4].all() and reached.sum() == 9
    assert np.array_equal(shifted, shift_images(images, 1, np.random.default_rng(1)))
    assert not np.array_equal(shifted, shift_images(images, 1, np.random.default_rng(2)))
    assert shift_images(images, 0, np.random.default_rng(1)) is images
