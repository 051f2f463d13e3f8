"""Images per second against cells: every choice that no other one beats, as data and as a plot."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.base.errors import ConfigError, ToolNotFound
from xnorflow.base.files.atomic import atomic_open, check_target
from xnorflow.base.packages import needed
from xnorflow.base.resources import KINDS, counts_at
from xnorflow.fitting.cost import Kernel, NetCost
from xnorflow.fitting.problem import Budget, Problem
from xnorflow.fitting.verdict import decide, evidence_of_estimate
from xnorflow.net.shapes import LayerShape
from xnorflow.tools.answer import Answer

FORMATS = ("svg", "png")
# of each answer, the best first, its mark and colour in the plot
MARKS = {
    Answer.FITS: ("o", "tab:blue"),
    Answer.TOO_CLOSE: ("^", "tab:orange"),
    Answer.DOES_NOT_FIT: ("x", "tab:grey"),
}
ANSWERS = tuple(MARKS)


@dataclass(frozen=True)
class Point:
    """One choice for a whole network.

    Attributes:
        answer: whether it keeps the budget, by the whole of its bands.
    """

    cost: NetCost
    answer: Answer


def front_of(
    layers: Sequence[LayerShape],
    kernel: Kernel,
    budget: Budget,
    clock_mhz: float = 100.0,
    restate: Callable[[NetCost], NetCost] = lambda cost: cost,
) -> tuple[Point, ...]:
    """Return the Pareto front of interval, likely LUT and BRAM18, and whether it fits; quickest first.

    At each interval a network can have, five choices are made: least LUT, least BRAM18 and least
    sum of shares without a limit, and the least sum that likely, or surely, is within the budget; all are exact.
    What another one equals or beats in all of these is left out. ``restate`` turns each choice into what it will
    really cost.

    Raises:
        ConfigError: no layers, or a layer that the kernel can't build.
    """
    problem = Problem(layers, kernel, budget.device)
    ends = (problem, problem.at("high"))
    found: dict[tuple[int, ...], Point] = {}
    for longest in problem.thresholds():
        choices = [_cheapest(problem, longest, weights, clock_mhz) for weights in ((1, 0), (0, 1), None)]
        within = [end.solve(budget.usable, longest, "sum") for end in ends]
        choices += [NetCost(layers, clock_mhz) for layers in within if layers is not None]
        for choice in choices:
            cost = restate(choice)
            use = counts_at(cost.expected, "likely")
            answer = decide([evidence_of_estimate(cost.expected)], budget).answer
            key = (cost.interval_cycles, use.lut, use.bram18, ANSWERS.index(answer))
            found.setdefault(key, Point(cost, answer))
    keys = np.array(sorted(found), dtype=np.int64)
    beaten = [((keys <= key).all(axis=1) & (keys < key).any(axis=1)).any() for key in keys]
    return tuple(found[key] for key, worse in zip(sorted(found), beaten, strict=True) if not worse)


def _cheapest(problem: Problem, longest: int, weights: tuple[int, int] | None, clock_mhz: float) -> NetCost:
    chosen = []
    lut, bram18 = KINDS.index("lut"), KINDS.index("bram18")
    for costs, uses, sums, intervals in zip(
        problem.costs, problem.uses, problem.sums, problem.intervals, strict=True
    ):
        places = np.flatnonzero(intervals <= longest)
        value = (
            sums[places] if weights is None else uses[places, lut] * weights[0] + uses[places, bram18] * weights[1]
        )
        order = np.lexsort((intervals[places], sums[places], value))
        chosen.append(costs[int(places[order[0]])])
    return NetCost(tuple(chosen), clock_mhz)


def plot(points: Sequence[Point], budget: Budget, path: str | Path, title: str = "") -> None:
    """Write the front as SVG or PNG: LUT and BRAM18 over images/s, the device's limits drawn in.

    Raises:
        ConfigError: no points.
        ConfigError, DataError, ToolNotFound: as ``check_drawing``.
    """
    if not points:
        raise ConfigError("a plot needs at least one point, got none; explore the network first")
    kind = check_drawing(path)
    figure = _figure(points, budget, title)
    with atomic_open(Path(path)) as stream:
        figure.savefig(stream, format=kind, metadata={"Date": None} if kind == "svg" else None)


def check_drawing(path: str | Path) -> str:
    """Return the file format of a plot, by the ending of its file.

    Raises:
        ConfigError: another ending.
        DataError: the file can't be written.
        ToolNotFound: matplotlib is not installed.
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ConfigError(f"a plot is written as {' or '.join(FORMATS)}, got {path.name!r}; change its ending")
    if importlib.util.find_spec("matplotlib") is None:
        raise ToolNotFound("the plot needs matplotlib; install it with: pip install matplotlib")
    check_target(path)
    return kind


def _figure(points: Sequence[Point], budget: Budget, title: str) -> Any:
    with needed("matplotlib", "the plot", "matplotlib"):
        from matplotlib.figure import Figure
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    for axes, kind, label in zip(figure.subplots(1, 2), ("lut", "bram18"), ("LUT", "BRAM18"), strict=True):
        for answer, (mark, colour) in MARKS.items():
            some = [point.cost for point in points if point.answer is answer]
            counts = [cost.expected[kind] for cost in some]
            axes.errorbar(
                [cost.images_per_s for cost in some],
                [band.likely for band in counts],
                yerr=[
                    [band.likely - band.low for band in counts],
                    [band.high - band.likely for band in counts],
                ],
                fmt=mark,
                markersize=4,
                linewidth=0.6,
                color=colour,
                label=answer.value,
            )
        device = budget.device
        axes.axhline(device.resources[kind], color="tab:red", label=f"{device.name} has")
        axes.axhline(budget.usable[kind], color="tab:red", linestyle="--", label="usable")
        axes.set(xscale="log", yscale="log" if kind == "lut" else "linear", xlabel="images/s (estimated)")
        axes.set_ylabel(f"{label} (estimated, with its band)")
        axes.legend(fontsize="small")
    figure.suptitle(title)
    return figure
