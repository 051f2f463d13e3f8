"""Weights and thresholds as the hardware holds them.

The hardware counts hits: inputs that are 0 where the weight is -1. With z hits, |x| the sum of the
inputs (as 0/1, or as pixels) and m the number of weights of -1,

* for 1-bit inputs:  sum_i x_i w_i = 4 z + 2 |x| - n - 2 m
* for 8-bit pixels:  sum_i x_i w_i = 2 z + |x| - 510 m, with the hits counted as 255 - pixel

so that a layer needs ``2 z + |x|`` and one constant per neuron: the start value of its counter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.arrays import Integers
from xnorflow.net.layers import ScoreSpec
from xnorflow.routes.rtl.plan.layer import LayerPlan

BitMatrix = NDArray[np.uint8]


def start_values(plan: LayerPlan) -> Integers:
    """Return what is added to ``2 z + |x|`` for each neuron.

    Hidden layer: the top bit of the sum says that the neuron fires. Scores: the sum, as a signed
    number, is the integer score (8-bit inputs) or its half, rounded down (1-bit inputs).
    """
    weights = plan.spec.weights.reshape(plan.n_in, plan.n_out)
    minus = (weights < 0).sum(axis=0).astype(np.int64)
    n, modulus = plan.n_in, 1 << plan.sum_bits
    constant = n + 2 * minus if plan.bits == 1 else 510 * minus
    if isinstance(plan.spec, ScoreSpec):
        # 4 z + 2 |x| - constant = 2 (2 z + |x| - (constant + odd) / 2) + odd
        offset = (constant + n % 2) // 2 if plan.bits == 1 else constant
        result: Integers = -offset % modulus
        return result
    need = plan.spec.thresholds.astype(np.int64) + constant
    if plan.bits == 1:
        need = -(-need // 2)
    fires: Integers = (modulus // 2 - np.clip(need, 0, plan.max_total + 1)) % modulus
    return fires


def weight_bits(plan: LayerPlan) -> BitMatrix:
    """Return the words of a layer's weight memory, shape (reuse_factor, word_bits), lowest bit first.

    Words are in the order chunk by chunk, group by group. A word holds for each of ``simd`` inputs the bits
    of ``pe`` neurons (1 for a weight of -1), then ``pe`` start values, which are 0 but in the first chunk.
    Padding weights are 0; padding neurons never fire.
    """
    minus = np.zeros((plan.groups * plan.pe, plan.chunks * plan.simd), np.uint8)
    minus[: plan.n_out, _places(plan)] = plan.spec.weights.reshape(plan.n_in, plan.n_out).T < 0
    # (groups, pe, chunks, simd) -> (groups, chunks, simd, pe)
    rows = minus.reshape(plan.groups, plan.pe, plan.chunks, plan.simd).transpose(0, 2, 3, 1)
    values = np.zeros(plan.groups * plan.pe, np.int64)
    values[: plan.n_out] = start_values(plan)
    starts = np.zeros((plan.groups, plan.chunks, plan.pe * plan.sum_bits), np.uint8)
    starts[:, 0] = ((values[:, None] >> np.arange(plan.sum_bits)) & 1).reshape(plan.groups, -1)
    weights = rows.reshape(plan.groups, plan.chunks, -1)
    return np.concatenate([weights, starts], axis=2).reshape(plan.reuse_factor, -1)


def _places(plan: LayerPlan) -> Integers:
    """Return the place of each input among the ``chunks * simd`` bits; a short last chunk sits at its top."""
    word, value = np.divmod(np.arange(plan.n_in), plan.count)
    if plan.whole:
        return np.arange(plan.n_in)
    in_last = word // plan.ratio == plan.chunks - 1
    word = word + np.where(in_last, plan.chunks * plan.ratio - plan.words, 0)
    places: Integers = word * plan.count + value
    return places
