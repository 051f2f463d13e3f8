from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from net_specs import bipolar

from xnorflow.net.bits import or_pool, pack, xor_popcount
from xnorflow.net.golden import Evaluator
from xnorflow.net.layers import ScoreSpec
from xnorflow.net.spec import InputSpec

sizes = given(st.integers(1, 200), st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**32))


def evaluator(weights: np.ndarray, bits: int) -> Evaluator:
    return Evaluator(InputSpec((len(weights),), bits), (), ScoreSpec("scores", weights))


@settings(max_examples=150, deadline=None)
@sizes
@example(64, 3, 2, 0)
@example(63, 3, 2, 0)
@example(65, 3, 2, 0)
@example(128, 1, 1, 0)
def test_bipolar_products_equal_integer_matmul(n_in, n_out, n, seed):
    random = np.random.default_rng(seed)
    weights, pixels = bipolar(random, n_in, n_out), random.integers(0, 256, (n, n_in), dtype=np.uint8)
    x = np.where(pixels >= 128, 1, -1)
    assert np.array_equal(evaluator(weights, 1).scores(pixels), x @ weights.astype(np.int64))


@settings(max_examples=100, deadline=None)
@sizes
@example(200, 40, 1, 0)
def test_bit_planes_equal_integer_matmul(n_in, n_out, n, seed):
    random = np.random.default_rng(seed)
    weights, pixels = bipolar(random, n_in, n_out), random.integers(0, 256, (n, n_in), dtype=np.uint8)
    pixels[0] = random.choice(np.array([0, 1, 127, 128, 254, 255], np.uint8), n_in)
    got = evaluator(weights, 8).scores(pixels)
    assert np.array_equal(got, pixels.astype(np.int64) @ weights.astype(np.int64))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(1, 5), st.integers(0, 2**32))
def test_pack_keeps_every_bit_in_its_place(n, rows, seed):
    bits = np.random.default_rng(seed).integers(0, 2, (rows, n)).astype(np.bool_)
    words = pack(bits)
    assert words.dtype == np.uint64 and words.shape == (rows, -(-n // 64))
    for row in range(rows):
        expected = sum(1 << i for i in range(n) if bits[row, i])
        assert sum(int(word) << (64 * i) for i, word in enumerate(words[row])) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**32))
def test_popcount_is_the_number_of_differing_bits(n, rows, columns, seed):
    random = np.random.default_rng(seed)
    x, weights = (random.integers(0, 2, (k, n)).astype(np.bool_) for k in (rows, columns))
    got = xor_popcount(pack(x), np.ascontiguousarray(pack(weights).T))
    assert np.array_equal(got, (x[:, None] != weights[None]).sum(axis=2))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32))
def test_or_pool_drops_what_fills_no_window(rows, columns, height, width, seed):
    height, width = min(height, rows), min(width, columns)
    bits = np.random.default_rng(seed).random((3, rows, columns, 2)) < 0.3
    got = or_pool(bits, (height, width))
    assert got.shape == (3, rows // height, columns // width, 2)
    for row in range(rows // height):
        for column in range(columns // width):
            window = bits[:, row * height : (row + 1) * height, column * width : (column + 1) * width]
            assert np.array_equal(got[:, row, column], window.any(axis=(1, 2)))


def test_pool_ignores_the_leftover_row():
    bits = np.zeros((1, 3, 3, 1), np.bool_)
    bits[0, 2] = bits[0, :, 2] = True
    assert not or_pool(bits, (2, 2)).any()


@pytest.mark.parametrize("n", [1, 63, 64, 65, 200])
def test_padding_bits_never_count(n):
    weights = np.stack([np.ones(n, np.int8), -np.ones(n, np.int8)], axis=1)
    images = np.stack([np.zeros(n, np.uint8), np.full(n, 255, np.uint8)])
    assert evaluator(weights, 1).scores(images).tolist() == [[-n, n], [n, -n]]
    assert evaluator(weights, 8).scores(images).tolist() == [[0, 0], [255 * n, -255 * n]]
