"""What the search is asked: a budget, a goal, and the options of every layer as numbers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xnorflow.base.device import Device
from xnorflow.base.errors import ConfigError
from xnorflow.base.resources import NO_CELLS, NONE, Counts, counts_at
from xnorflow.fitting.cost import Kernel, LayerCost
from xnorflow.fitting.search import Options, minimise
from xnorflow.net.shapes import LayerShape

GOALS = ("interval", "latency", "area")
_LEVELS = ("low", "likely", "high")
# shares are whole numbers of so many parts, fine enough that two that differ stay apart
PARTS = 10**12
# AXI DMA, interconnect and resets around an IP on a Zynq: a placed design less its IP, Vivado 2019.2
AXI_DMA_SHELL = Counts(lut=2520, ff=3897, bram18=6, dsp=0)


@dataclass(frozen=True)
class Budget:
    """What a network may use of a device.

    Attributes:
        margin: share of the device that is left to placing and routing.
        shell: what the board's own logic takes (``AXI_DMA_SHELL``).
    """

    device: Device
    margin: float = 0.10
    shell: Counts[int] = NONE

    def __post_init__(self) -> None:
        if not 0 <= self.margin < 1:
            raise ConfigError(f"margin must be 0 or more and below 1, as 0.1 for 10 %, got {self.margin!r}")

    @property
    def usable(self) -> Counts[int]:
        """Device less margin and shell; 0 where the shell takes all."""
        # a margin of 10 % of 120 leaves 108, not 107.99...
        left = self.device.resources.map(lambda whole: int(whole * (1 - self.margin) + 1e-9))
        return left.over(self.shell)


@dataclass(frozen=True)
class Goal:
    """What the search is for.

    Attributes:
        what: "interval" (most images per second), "latency" or "area". Area is the largest share of
            the budget that any resource takes, and among equals the sum of the shares: what is left is
            then as much of every resource as can be. Among equals of the other goals the search takes
            the least area.
        clock_mhz: clock of the design.
        images_per_s: least throughput wanted; needed for "area".
        level: which end of the bands must fit: "low", "likely" or "high".
    """

    what: str = "interval"
    clock_mhz: float = 100.0
    images_per_s: float | None = None
    level: str = "likely"

    def __post_init__(self) -> None:
        for name, allowed in (("what", GOALS), ("level", _LEVELS)):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"goal {name} must be {' or '.join(allowed)}, got {getattr(self, name)!r}")
        if not self.clock_mhz > 0:
            raise ConfigError(f"clock_mhz must be above 0, got {self.clock_mhz!r}")
        if self.images_per_s is not None and not self.images_per_s > 0:
            raise ConfigError(f"images_per_s must be above 0, got {self.images_per_s!r}")
        if self.what == "area" and self.images_per_s is None:
            raise ConfigError("the goal area needs images_per_s, the least throughput wanted; got none")

    @property
    def longest_interval(self) -> int | None:
        """Largest interval in cycles that keeps ``images_per_s``."""
        if self.images_per_s is None:
            return None
        return int(self.clock_mhz * 1e6 / self.images_per_s * (1 + 1e-12))


class Problem:
    """The options of every layer as numbers; made once, asked often."""

    def __init__(self, layers: Sequence[LayerShape], kernel: Kernel, device: Device, level: str = "likely") -> None:
        if not layers:
            raise ConfigError("a network needs at least one layer, got none")
        self.costs = [list(kernel.options(layer)) for layer in layers]
        for layer, costs in zip(layers, self.costs, strict=True):
            if not costs:
                raise ConfigError(
                    f"layer {layer.name}: kernel {kernel.name} has no way to build it; use another kernel"
                )
        # whole numbers, so that sums of shares compare exactly
        self.weights = np.array([10**9 // max(1, count) for count in device.resources.values()], np.int64)
        self.intervals = [np.array([cost.interval_cycles for cost in costs], np.int64) for costs in self.costs]
        self._count(level)

    def at(self, level: str) -> Problem:
        """Return the same options, counted at another end of their bands."""
        other = copy.copy(self)
        other._count(level)
        return other

    def _count(self, level: str) -> None:
        self.level = level
        self.uses = [
            np.array([counts_at(cost.expected, level).values() for cost in costs], np.int64) for costs in self.costs
        ]
        self.sums = [uses @ self.weights for uses in self.uses]
        slowest = [np.array([cost.latency_cycles[1] for cost in costs], np.int64) for costs in self.costs]
        most = 1 + sum(int(value.max()) for value in self.sums)
        self.latencies = [cycles * most + value for cycles, value in zip(slowest, self.sums, strict=True)]

    def solve(self, usable: Counts[int], longest: int | None, what: str) -> tuple[LayerCost, ...] | None:
        """Return the options of least "latency", or least "sum" of shares, within budgets and interval."""
        values = self.latencies if what == "latency" else self.sums
        budget = np.array(usable.values(), np.int64)
        places, layers = [], []
        for at, intervals in enumerate(self.intervals):
            place = np.flatnonzero(intervals <= longest) if longest is not None else np.arange(len(intervals))
            places.append(place)
            layers.append(Options(values[at][place], self.uses[at][place]))
        chosen = minimise(layers, budget)
        if chosen is None:
            return None
        return tuple(self.costs[at][int(places[at][index])] for at, index in enumerate(chosen))

    def smallest(self, usable: Counts[int], longest: int | None) -> tuple[LayerCost, ...] | None:
        """Return the options of least area within budgets and interval: see ``Goal.what``.

        The largest share is found by halving, until no resource has a whole number between what a
        choice takes and what is too little for every choice; so it is exact.
        """
        best = self.solve(usable, longest, "sum")
        low, bad = 0, None  # what is known to be too little
        while best is not None:
            high = self._share(best, usable)
            if high == 0 or _part(usable, high - 1) == bad:
                break
            middle = (low + high) // 2
            budget = _part(usable, middle)
            found = None if budget == bad else self.solve(budget, longest, "sum")
            if found is None:
                low, bad = middle, budget
            else:
                best = found
        return best

    def _share(self, chosen: Sequence[LayerCost], usable: Counts[int]) -> int:
        """Return the largest share of the budget that a choice takes, in ``PARTS`` and rounded up."""
        use = counts_at(sum((cost.expected for cost in chosen), NO_CELLS), self.level)
        return max(use.join(usable, lambda count, limit: -(-count * PARTS // max(1, limit))).values())

    def thresholds(self, longest: int | None = None) -> list[int]:
        """Return every interval that a network of these layers can have, ascending."""
        least = max(int(intervals.min()) for intervals in self.intervals)
        every = {int(value) for intervals in self.intervals for value in intervals}
        return sorted(value for value in every if value >= least and (longest is None or value <= longest))

    def quickest(self, usable: Counts[int], longest: int | None = None) -> tuple[LayerCost, ...] | None:
        """Return the options of least interval, and among those of least area.

        What fits at one interval fits at any longer one, so the least is found by halving.
        """
        values, found = self.thresholds(longest), None
        low, high = 0, len(values)
        while low < high:
            middle = (low + high) // 2
            if self.solve(usable, values[middle], "sum") is None:
                low = middle + 1
            else:
                found, high = values[middle], middle
        return None if found is None else self.smallest(usable, found)


def _part(usable: Counts[int], parts: int) -> Counts[int]:
    return usable.map(lambda count: count * parts // PARTS)
