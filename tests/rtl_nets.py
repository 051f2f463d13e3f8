"""Small random networks for the tests of the Verilog route."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from net_specs import bipolar

from xnorflow.net.folding import Folding
from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.spec import InputSpec, NetSpec

Foldings = dict[str, Folding]


def thresholds(rng: np.random.Generator, n_in: int, n_out: int, largest: int) -> np.ndarray:
    """Thresholds near 0, and a few neurons that are constant."""
    spread = max(1, int(np.sqrt(n_in)) * largest)
    values = rng.integers(-spread, spread + 1, n_out)
    constant = rng.integers(0, 8, n_out)
    values = np.where(constant == 0, n_in * largest + 1, values)
    return np.where(constant == 1, -n_in * largest - 5, values).astype(np.int32)


def dense_net(seed: int, sizes: list[int], bits: int = 1, scaled: bool = False) -> NetSpec:
    rng = np.random.default_rng(seed)
    hidden = []
    for index, (n_in, n_out) in enumerate(itertools.pairwise(sizes[:-1])):
        largest = 255 if bits == 8 and index == 0 else 1
        hidden.append(DenseSpec(f"d{index}", bipolar(rng, n_in, n_out), thresholds(rng, n_in, n_out, largest)))
    return NetSpec(f"net{seed}", InputSpec((sizes[0],), bits), tuple(hidden), _scores(rng, *sizes[-2:], scaled))


def _scores(rng: np.random.Generator, n_in: int, n_out: int, scaled: bool) -> ScoreSpec:
    weights = bipolar(rng, n_in, n_out)
    if not scaled:
        return ScoreSpec("scores", weights)
    scale = rng.integers(-(2**18), 2**18, n_out).astype(np.int64)
    offset = rng.integers(-(2**24), 2**24, n_out).astype(np.int64)
    return ScoreSpec("scores", weights, scale, offset, 20)


def conv_net(
    seed: int,
    shape: tuple[int, int, int],
    layers: list[tuple[tuple[int, int], int, tuple[int, int], tuple[int, int]]],
    bits: int = 1,
) -> NetSpec:
    """Layers are (kernel, channels, strides, pool); then scores of three classes."""
    rng = np.random.default_rng(seed)
    hidden, now = [], shape
    for index, (kernel, channels, strides, pool) in enumerate(layers):
        n_in = kernel[0] * kernel[1] * now[2]
        largest = 255 if bits == 8 and index == 0 else 1
        weights = bipolar(rng, *kernel, now[2], channels)
        layer = ConvSpec(f"c{index}", weights, thresholds(rng, n_in, channels, largest), strides, pool)
        hidden.append(layer)
        now = layer.output_shape(now)
    scores = _scores(rng, int(np.prod(now)), 3, False)
    return NetSpec(f"conv{seed}", InputSpec(shape, bits), tuple(hidden), scores)


def images_of(spec: NetSpec, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *spec.input.shape)).astype(np.uint8)


@st.composite
def dense_cases(draw: st.DrawFn) -> tuple[NetSpec, Foldings]:
    sizes = draw(st.lists(st.integers(1, 40), min_size=2, max_size=4))
    spec = dense_net(draw(st.integers(0, 2**16)), sizes, draw(st.sampled_from([1, 1, 8])), draw(st.booleans()))
    return spec, random_foldings(draw, spec)


@st.composite
def conv_cases(draw: st.DrawFn) -> tuple[NetSpec, Foldings]:
    """One to three convolutions of any kernel, step and pooling that leaves an image, folded at random."""
    shape = now = (draw(st.integers(2, 10)), draw(st.integers(2, 10)), draw(st.integers(1, 3)))
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        kernel = (draw(st.integers(1, min(3, now[0]))), draw(st.integers(1, min(3, now[1]))))
        strides = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
        rows, columns = ((size - side) // step + 1 for size, side, step in zip(now, kernel, strides, strict=False))
        pool = (draw(st.integers(1, min(3, rows))), draw(st.integers(1, min(3, columns))))
        channels = draw(st.integers(1, 6))
        layers.append((kernel, channels, strides, pool))
        now = (rows // pool[0], columns // pool[1], channels)
    spec = conv_net(draw(st.integers(0, 2**16)), shape, layers, draw(st.sampled_from([1, 1, 8])))
    return spec, random_foldings(draw, spec)


def random_foldings(draw: st.DrawFn, spec: NetSpec) -> Foldings:
    return {
        layer.name: Folding(draw(st.integers(1, layer.n_out)), draw(st.integers(1, layer.n_in)))
        for layer in spec.layers
    }
