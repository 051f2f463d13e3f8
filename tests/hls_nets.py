"""Networks for the C simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from net_specs import bipolar

from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.spec import InputSpec, NetSpec
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.hls.settings import HlsSettings
from xnorflow.routes.hls.simulate import LIBRARY, TESTBENCH, simulate_csim
from xnorflow.routes.hls.write.project import write_project
from xnorflow.sources.data.sets import Split

PART = "xc7z010clg400-1"


def dense_net(n_in: int, *sizes: int, bits: int = 1, per_class: bool = False) -> NetSpec:
    """A dense network whose first layer also has a neuron that always and one that never fires."""
    random = np.random.default_rng(n_in)
    hidden, source = [], InputSpec((n_in,), bits, 100)
    *inner, classes = sizes
    for index, n_out in enumerate(inner):
        largest = n_in * (source.max_abs if index == 0 else 1)
        thresholds = random.integers(-largest, largest + 1, n_out)
        thresholds[:2] = [largest + 1, -largest][: min(2, n_out)]
        hidden.append(DenseSpec(f"dense{index + 1}", bipolar(random, n_in, n_out), thresholds))
        n_in = n_out
    return NetSpec("dense", source, tuple(hidden), scores(random, n_in, classes, per_class))


def scores(random: np.random.Generator, n_in: int, classes: int, per_class: bool) -> ScoreSpec:
    weights = bipolar(random, n_in, classes)
    if not per_class:
        return ScoreSpec("scores", weights)
    scale, offset = random.integers(-(2**21), 2**21, (2, classes))
    return ScoreSpec("scores", weights, scale, offset, 20)


def conv_net(
    shape: tuple[int, int, int], *convs: tuple[Any, int, int, Any], bits: int = 1, per_class: bool = False
) -> NetSpec:
    """Convolutions given as (kernel, channels, stride, pool), then a dense layer and scores."""
    random, hidden, source = np.random.default_rng(7), [], InputSpec(shape, bits, 100)
    at: tuple[int, ...] = shape
    for index, (kernel, channels, stride, pool) in enumerate(convs):
        weights = bipolar(random, *kernel, at[2], channels)
        largest = int(np.prod(weights.shape[:3])) * (source.max_abs if index == 0 else 1)
        thresholds = random.integers(-largest // 2, largest // 2 + 1, channels)
        thresholds[-1] = largest + 1
        hidden.append(ConvSpec(f"conv{index + 1}", weights, thresholds, (stride, stride), pool))
        at = hidden[-1].output_shape(at)
    n_in = int(np.prod(at))
    hidden.append(DenseSpec("dense1", bipolar(random, n_in, 5), random.integers(-3, 4, 5)))
    return NetSpec("conv", source, tuple(hidden), scores(random, 5, 3, per_class))


NETWORKS = {
    "1-1": dense_net(1, 1),
    "1-1-2": dense_net(1, 1, 2),
    "3-2-1-2": dense_net(3, 2, 1, 2),
    "7-5-3": dense_net(7, 5, 3),
    "13-11-7-4": dense_net(13, 11, 7, 4),
    "13-6-3 per class": dense_net(13, 6, 3, per_class=True),
    "7-4-3 of 8 bits": dense_net(7, 4, 3, bits=8),
    "13-4 of 8 bits, per class": dense_net(13, 4, bits=8, per_class=True),
    "conv 6x7": conv_net((6, 7, 1), ((3, 3), 4, 1, (2, 2))),
    "conv 2x1 of 8 bits": conv_net((5, 5, 2), ((2, 1), 3, 1, (1, 1)), bits=8),
    "conv strides": conv_net((7, 7, 1), ((3, 3), 3, 2, (1, 1)), ((2, 2), 2, 1, (1, 1))),
    "conv 1x1, pool 1x2": conv_net((4, 4, 3), ((1, 1), 4, 1, (1, 2)), per_class=True),
    "conv, conv, pool": conv_net((9, 8, 1), ((2, 2), 3, 1, (1, 1)), ((3, 3), 4, 1, (2, 2))),
}


def images_for(spec: NetSpec, n: int = 60) -> Split:
    """Random images of every brightness, and the two extremes."""
    random = np.random.default_rng(3)
    shape = (n, *spec.input.shape)
    bright = random.random(shape) < random.random((n, *[1] * len(spec.input.shape)))
    images = np.where(bright, random.integers(100, 256, shape), random.integers(0, 100, shape)).astype(np.uint8)
    images[0], images[1] = 0, 255
    return Split(images, random.integers(0, spec.n_classes, n))


def check_exact(spec: NetSpec, build: HlsSettings, folder: Path) -> None:
    split = images_for(spec)
    project = write_project(plan_project(spec, build), folder / "project", part=PART)
    results = simulate_csim(plan_project(spec, build), project, split, folder / "csim")
    assert [result.source for result in results] == [LIBRARY, TESTBENCH]
    for result in results:
        assert result.mismatch is None, result.mismatch
        assert (result.images, result.classes_differ, result.scores_differ) == (60, 0, 0)
        assert result.agrees
        assert result.accuracy == (spec.predict(split.images) == split.labels).mean()
