"""Why a network does not fit, and the nearest change that would."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xnorflow.base.device import Device, devices
from xnorflow.base.resources import NO_CELLS, Counts, counts_at
from xnorflow.fitting.cost import Kernel
from xnorflow.fitting.problem import Budget, Goal, Problem
from xnorflow.net.shapes import LayerShape

# shares of the hidden width and of the input that are tried, largest first
SHARES = (0.9, 0.8, 0.75, 2 / 3, 0.5, 1 / 3, 0.25, 0.125, 0.0625)
# a search over scaled budgets stops at this many times the device
_LARGEST_SCALE = 4096.0
_PRECISION = 1.002


@dataclass(frozen=True)
class Shortfall:
    """One resource that runs out.

    Attributes:
        needed: least that the network needs, or what the least overfull choice needs.
        usable: what the budget allows.
    """

    kind: str
    needed: int
    usable: int

    @property
    def over(self) -> int:
        """How much is missing."""
        return self.needed - self.usable


def shortfalls(problem: Problem, budget: Budget, goal: Goal) -> tuple[Shortfall, ...]:
    """Return what runs out, the worst first.

    Where a resource alone is too small for every choice, that is its least need. Where each alone
    would do but not together, it is what a choice needs that overfills the budgets least, all
    scaled alike.
    """
    usable, longest = budget.usable, goal.longest_interval
    masks = [intervals <= longest if longest is not None else intervals >= 0 for intervals in problem.intervals]
    if not all(mask.any() for mask in masks):
        return ()
    least = sum(
        (uses[mask].min(axis=0) for uses, mask in zip(problem.uses, masks, strict=True)),
        np.zeros(4, np.int64),
    )
    alone = _short(Counts(*(int(need) for need in least)), usable)
    return _worst_first(alone or _together(problem, usable, longest))


def _short(needed: Counts[int], usable: Counts[int]) -> list[Shortfall]:
    """Return the resources of which more is needed than there is."""
    found = [Shortfall(kind, need, usable[kind]) for kind, need in needed.items()]
    return [item for item in found if item.over > 0]


def _together(problem: Problem, usable: Counts[int], longest: int | None) -> list[Shortfall]:
    low, high, best = 1.0, 2.0, None
    while best is None and high <= _LARGEST_SCALE:
        best = problem.solve(usable.scaled(high), longest, "sum")
        low, high = (low, high) if best is not None else (high, 2 * high)
    if best is None:
        return []
    while high / low > _PRECISION:
        middle = (low * high) ** 0.5
        attempt = problem.solve(usable.scaled(middle), longest, "sum")
        low, high, best = (middle, high, best) if attempt is None else (low, middle, attempt)
    needs = counts_at(sum((cost.expected for cost in best), NO_CELLS), problem.level)
    return _short(needs, usable)


def _worst_first(found: list[Shortfall]) -> tuple[Shortfall, ...]:
    return tuple(sorted(found, key=lambda item: -item.over / max(1, item.usable)))


def changes(layers: Sequence[LayerShape], kernel: Kernel, budget: Budget, goal: Goal) -> tuple[str, ...]:
    """Return, in words, each nearest change that would fit.

    Tried are fewer images per second, narrower layers, a smaller input and a bigger part.
    """
    found = []
    if goal.images_per_s is not None:
        chosen = Problem(layers, kernel, budget.device, goal.level).quickest(budget.usable)
        if chosen is not None:
            rate = goal.clock_mhz * 1e6 / max(cost.interval_cycles for cost in chosen)
            found.append(f"{rate:,.0f} images/s would fit")
    for words, smaller in (("hidden layers", narrower), ("the input", smaller_input)):
        for share, shapes in smaller(layers):
            if _fits(shapes, kernel, budget, goal):
                sizes = "-".join(str(size) for size in (shapes[0].n_in, *(shape.n_out for shape in shapes)))
                found.append(f"{words} at {share:.0%} would fit ({sizes})")
                break
    bigger = sorted((device for device in devices() if device.name != budget.device.name), key=_size)
    for device in bigger:
        if _size(device) > _size(budget.device) and _fits(
            layers, kernel, dataclasses.replace(budget, device=device), goal
        ):
            found.append(f"part {device.name} would fit")
            break
    return tuple(found)


def _size(device: Device) -> int:
    return device.resources.lut


def _fits(layers: Sequence[LayerShape], kernel: Kernel, budget: Budget, goal: Goal) -> bool:
    problem = Problem(layers, kernel, budget.device, goal.level)
    return problem.solve(budget.usable, goal.longest_interval, "sum") is not None


def narrower(layers: Sequence[LayerShape]) -> Iterator[tuple[float, tuple[LayerShape, ...]]]:
    """Yield the network with every hidden layer at a share of its width."""
    for share in SHARES:
        shapes = []
        scale = 1.0
        for layer in layers:
            n_in = max(1, round(layer.n_in * scale))
            n_out = layer.n_out if layer.is_scores else _width(layer.n_out, share)
            shapes.append(dataclasses.replace(layer, n_in=n_in, n_out=n_out))
            scale = n_out / layer.n_out
        yield share, tuple(shapes)


def _width(width: int, share: float) -> int:
    """Return a share of a width; a multiple of 8 stays one, as it has more divisors to fold by."""
    step = 8 if width % 8 == 0 and width * share >= 8 else 1
    return max(1, int(width * share) // step * step)


def smaller_input(layers: Sequence[LayerShape]) -> Iterator[tuple[float, tuple[LayerShape, ...]]]:
    """Yield a fully connected network with a share of the inputs; nothing for a convolutional one."""
    if any(layer.vectors > 1 for layer in layers):
        return
    for share in SHARES:
        first = dataclasses.replace(layers[0], n_in=max(1, round(layers[0].n_in * share)))
        yield share, (first, *layers[1:])
