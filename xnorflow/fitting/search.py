"""Exact choice of one option per layer: least sum of costs under several budgets.

Three steps. Prices for the budgets (Lagrangian relaxation) give a lower bound of every choice. A
beam search gives a good choice. Then a sweep over the layers keeps every partial choice that no
other one equals or beats in cost and in all budgets at once, and drops those that can't lead to a
better end: what is left of a budget is too little for the layers to come, or the lower bound is
above the choice already known. These rules drop only what can't be the answer, so it is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.arrays import Float64Array

Ints = NDArray[np.int64]

ROUNDS = 150
BEAM = 400
# lower bounds are sums of floats: keep what lies within rounding of the best known
SLACK = 1e-9


@dataclass(frozen=True)
class Options:
    """What one layer may be.

    Attributes:
        cost: what is to be small, shape (n,).
        uses: what the budgets limit, shape (n, budgets).
    """

    cost: Ints
    uses: Ints


def minimise(layers: Sequence[Options], budget: Ints) -> tuple[int, ...] | None:
    """Return the index of an option per layer with the least total cost within the budgets.

    Returns:
        None where no choice keeps every budget.
    """
    kept = _possible(layers, budget)
    if kept is None:
        return None
    # a budget that even the largest choice keeps decides nothing
    largest = sum(layer.uses[keep].max(axis=0) for layer, keep in zip(layers, kept, strict=True))
    tight = np.asarray(largest > budget)
    small = []
    for at, layer in enumerate(layers):
        keep = kept[at]
        keep = kept[at] = keep[_undominated(layer.cost[keep], layer.uses[keep][:, tight])]
        small.append(Options(layer.cost[keep], layer.uses[keep][:, tight]))
    chosen = _solve(small, budget[tight])
    if chosen is None:
        return None
    return tuple(int(keep[index]) for keep, index in zip(kept, chosen, strict=True))


def _possible(layers: Sequence[Options], budget: Ints) -> list[Ints] | None:
    """Return per layer the options that leave the others their least; None where a layer has none."""
    if any(len(layer.cost) == 0 for layer in layers):
        return None
    least = [layer.uses.min(axis=0) for layer in layers]
    total = sum(least, np.zeros_like(budget))
    kept = []
    for layer, own in zip(layers, least, strict=True):
        keep = np.flatnonzero((layer.uses - own + total <= budget).all(axis=1))
        if not len(keep):
            return None
        kept.append(keep)
    return kept


def _undominated(cost: Ints, uses: Ints) -> Ints:
    """Return the rows that no other row equals or beats in cost and every use, first of equals."""
    if uses.shape[1] == 0:
        return np.array([int(cost.argmin())], dtype=np.int64)
    points = np.column_stack([cost, uses])
    order = np.lexsort(points.T[::-1])
    if uses.shape[1] == 1:
        lowest = np.minimum.accumulate(points[order, 1])
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = points[order[1:], 1] < lowest[:-1]
        return np.asarray(order[first], dtype=np.int64)
    points = points[order]
    kept = []
    while len(order):
        kept.append(order[0])
        alive = (points < points[0]).any(axis=1)
        order, points = order[alive], points[alive]
    return np.array(kept, dtype=np.int64)


def _solve(layers: list[Options], budget: Ints) -> list[int] | None:
    prices: Float64Array = np.zeros(len(budget), dtype=np.float64)
    known, _ = _sweep(layers, budget, prices, None, BEAM)
    prices, possible = _prices(layers, budget, known)
    if not possible:
        return None
    better, _ = _sweep(layers, budget, prices, known, BEAM)
    if better is not None and (known is None or better < known):
        known = better
    fixed = [_worth(layers, at, budget, prices, known) for at in range(len(layers))]
    small = [Options(layer.cost[keep], layer.uses[keep]) for layer, keep in zip(layers, fixed, strict=True)]
    # a search without a beam finds the known choice again, or a better one
    _, chosen = _sweep(small, budget, prices, known, None)
    return None if chosen is None else [int(keep[index]) for keep, index in zip(fixed, chosen, strict=True)]


def _worth(layers: list[Options], at: int, budget: Ints, prices: Float64Array, known: float | None) -> Ints:
    """Return the options of a layer that may be in a choice as good as the known one."""
    reduced = [layer.cost + layer.uses @ prices for layer in layers]
    if known is None:
        return np.arange(len(reduced[at]))
    others = sum(float(value.min()) for index, value in enumerate(reduced) if index != at)
    return np.flatnonzero(reduced[at] + others - float(prices @ budget) <= _limit(known))


def _limit(known: float) -> float:
    return known + SLACK * (1 + abs(known))


def _sweep(
    layers: list[Options], budget: Ints, prices: Float64Array, known: float | None, beam: int | None
) -> tuple[float | None, list[int] | None]:
    """Join the layers one by one; return the least cost found and its options.

    With a beam only so many partial choices of the best lower bound go on, and the end is a good
    choice; without, it is the best. ``trail`` remembers which options made a partial choice.
    """
    reduced = [float((layer.cost + layer.uses @ prices).min()) for layer in layers]
    cost: Ints = np.zeros(1, np.int64)
    used: Ints = np.zeros((1, len(budget)), np.int64)
    trail: list[tuple[Ints, Ints]] = []
    for at, layer in enumerate(layers):
        least = sum((other.uses.min(axis=0) for other in layers[at + 1 :]), np.zeros_like(budget))
        bound = sum(reduced[at + 1 :]) - float(prices @ budget)
        parent = np.repeat(np.arange(len(cost)), len(layer.cost))
        option = np.tile(np.arange(len(layer.cost)), len(cost))
        cost, used = cost[parent] + layer.cost[option], used[parent] + layer.uses[option]
        keep = (used + least <= budget).all(axis=1)
        if known is not None:
            keep &= cost + used @ prices + bound <= _limit(known)
        places = np.flatnonzero(keep)
        if beam is not None and len(places) > beam:
            value = cost[places] + used[places] @ prices + (used[places] / np.maximum(budget, 1)).sum(axis=1)
            places = places[np.argpartition(value, beam)[:beam]]
        if not len(places):
            return None, None
        places = places[_undominated(cost[places], used[places])]
        cost, used = cost[places], used[places]
        trail.append((parent[places], option[places]))
    best = int(cost.argmin())
    return float(cost[best]), _follow(trail, best)


def _follow(trail: list[tuple[Ints, Ints]], end: int) -> list[int]:
    chosen = []
    for parent, option in reversed(trail):
        chosen.append(int(option[end]))
        end = int(parent[end])
    return chosen[::-1]


def _prices(layers: list[Options], budget: Ints, known: float | None) -> tuple[Float64Array, bool]:
    """Return prices of the budgets that make a good lower bound, and whether a choice is possible at all.

    Where the bound of every choice is above the cost of the dearest one, there is none.

    Subgradient ascent on ``sum_l min_o(cost + prices . uses) - prices . budget``, which never is
    above the least cost; the step aims at the known cost (Polyak 1969), budgets scaled to 1.
    """
    scale = np.maximum(budget, 1).astype(np.float64)
    prices: Float64Array = np.zeros(len(budget), dtype=np.float64)
    best_prices = prices
    best, reach = -np.inf, 1.0
    aim = known if known is not None else float(sum(int(layer.cost.max()) for layer in layers))
    for turn in range(ROUNDS):
        picks = [int((layer.cost + layer.uses @ (prices / scale)).argmin()) for layer in layers]
        cost = float(sum(int(layer.cost[pick]) for layer, pick in zip(layers, picks, strict=True)))
        uses = sum((layer.uses[pick] for layer, pick in zip(layers, picks, strict=True)), np.zeros_like(budget))
        slope = (uses - budget) / scale
        bound = cost + float(prices @ slope)
        if bound > best:
            best, best_prices = bound, prices
        elif turn % 10 == 9:
            reach /= 2
        size = float(slope @ slope)
        if known is None and bound > _limit(aim):
            return best_prices / scale, False
        if size == 0 or aim <= bound:
            break
        prices = np.maximum(0.0, prices + reach * (aim - bound) / size * slope)
    return best_prices / scale, True
