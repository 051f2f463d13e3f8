"""From BatchNorm and sign to one integer threshold per neuron (Umuroglu et al. 2017, arXiv:1612.07119, 4.2.2).

No formula is used for it: whatever gives a neuron's output is evaluated on every sum the neuron
can reach, so that its rounding is part of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.arrays import Integers
from xnorflow.base.errors import ConfigError

# from sums, shape (n, n_out), to whether the neurons give +1
Fires = Callable[[NDArray[np.int64]], NDArray[np.bool_]]
CHUNK = 4096


@dataclass(frozen=True)
class Edges:
    """Where the neurons of a layer change sides.

    Attributes:
        first: smallest value that gives +1; one step above all where none does.
        last: largest value that gives +1; one step below all where none does.
        falling: whether +1 lies below -1 (a negative BatchNorm scale).
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    falling: NDArray[np.bool_]


@dataclass(frozen=True)
class Folded:
    """A layer whose BatchNorm and sign have become thresholds: a neuron gives +1 where its sum reaches its own.

    Attributes:
        weights: +1/-1, of the shape that they had.
        thresholds: shape (n_out,).
        inverted: neurons whose output is stored as its opposite; whoever reads it flips the weights there.
    """

    weights: NDArray[np.int8]
    thresholds: Integers
    inverted: NDArray[np.bool_]


def fold(
    layer: str, fires: Fires, weights: NDArray[np.int8], max_abs: int, step: int, *, pools_first: bool = False
) -> Folded:
    """Fold what follows a product into its weights and thresholds, exactly.

    Args:
        layer: name for the error.
        fires: BatchNorm and sign, as a function of sums.
        weights: +1/-1, shape (..., n_out); a neuron has as many inputs as the other axes hold.
        max_abs: largest magnitude of an input.
        step: between two sums that follow one another: 2 for inputs of +1/-1.
        pools_first: whether max-pooling stands between the product and the sign.

    Raises:
        ConfigError: a neuron's outputs have no single threshold.
    """
    n_out = weights.shape[-1]
    top = weights.size // n_out * max_abs
    edges = find_edges(layer, fires, np.arange(-top, top + 1, step), n_out)
    falling, last = edges.falling, edges.last
    # a neuron that never fires: one above the largest sum, no further, as the types grow with it
    thresholds = np.minimum(edges.first, top + 1)
    if pools_first:
        # max over sums is OR over bits only while the comparison stays >=; so keep the weights,
        # store NOT (sum <= last), and let the next layer flip the weights that read it
        return Folded(weights, np.where(falling, last + step, thresholds), falling)
    thresholds = np.where(falling, -last, thresholds)
    return Folded(np.where(falling, -weights, weights).astype(np.int8), thresholds, np.zeros(n_out, np.bool_))


def find_edges(layer: str, fires: Fires, values: NDArray[np.int64], n_out: int) -> Edges:
    """Evaluate ``fires`` on every value that can be reached.

    Args:
        layer: name for the error.
        fires: what follows the values.
        values: two or more, rising in even steps: the sums of a neuron, or what a pixel can be.
        n_out: neurons, or pixels.

    Raises:
        ConfigError: a neuron's outputs have no single threshold.
    """
    step = values[1] - values[0]
    lowest, highest = values[0], values[-1]
    first = np.full(n_out, highest + step)
    last = np.full(n_out, lowest - step)
    count = np.zeros(n_out, np.int64)
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK, None]
        on = fires(np.broadcast_to(chunk, (len(chunk), n_out)))
        count += on.sum(axis=0)
        first = np.minimum(first, np.where(on, chunk, highest + step).min(axis=0))
        last = np.maximum(last, np.where(on, chunk, lowest - step).max(axis=0))
    rising = (last == highest) | (count == 0)
    falling = ~rising & (first == lowest)
    if not (rising | falling).all() or not ((last - first) // step + 1 == count)[count > 0].all():
        neuron = int(np.argmin(rising | falling))
        raise ConfigError(f"layer {layer}: neuron {neuron} has no single threshold (BatchNorm overflows?)")
    return Edges(first, last, falling)
