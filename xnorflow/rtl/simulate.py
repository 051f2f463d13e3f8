"""Cycle-accurate simulation by Verilator: the network as a compiled program, fed with many images.

The counters are simulated in their quick form (loops); that the cells on the device are equal to
them is proven by Yosys (``xnorflow.backends.equivalence``) and by simulating the synthesized netlist.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xnorflow.errors import ConfigError, Mismatch, ToolFailed
from xnorflow.files import write_text
from xnorflow.inputs import Images
from xnorflow.parallel import in_parallel
from xnorflow.rtl.generate import field_bits, files_of, result_bits
from xnorflow.rtl.netplan import NetPlan
from xnorflow.rtl.verilator import build, check_tools
from xnorflow.spec import Integers
from xnorflow.tools import run_tool


@dataclass(frozen=True)
class Disturbance:
    """What makes life hard for the design under simulation.

    Attributes:
        gap: how often the source has no beat, 0 to 0.95.
        stall: how often the sink is not ready, 0 to 0.95.
        reset_every: cycles between resets, 16 of them at most; 0 for none.
        seed: of the random numbers, and of the registers' contents at power-up.
        first_beats: beats of the first image, too few or too many; 0 for the right number.
    """

    gap: float = 0.0
    stall: float = 0.0
    reset_every: int = 0
    seed: int = 0
    first_beats: int = 0

    def __post_init__(self) -> None:
        for name in ("gap", "stall"):
            if not 0 <= getattr(self, name) <= 0.95:
                raise ConfigError(f"{name} must be 0 to 0.95, got {getattr(self, name)!r}")


NONE = Disturbance()


@dataclass(frozen=True, eq=False)
class RtlResult:
    """What the simulated network gave.

    Attributes:
        classes: class of each image, as the network said.
        scores: scores, shape (n, n_classes).
        first_beat: cycle in which an image's first beat was taken.
        last_beat: cycle in which its last beat was taken.
        taken: cycle in which its result was taken.
        starts: first image of each process's share; cycles count anew there.
    """

    classes: Integers
    scores: Integers
    first_beat: Integers
    last_beat: Integers
    taken: Integers
    starts: tuple[int, ...] = (0,)

    @property
    def latency_cycles(self) -> int:
        """Cycles from the first image's first beat to its result."""
        return int(self.taken[0] - self.first_beat[0])

    @property
    def interval_cycles(self) -> float:
        """Mean cycles from one result to the next, within each process's share."""
        shares = np.split(self.taken, self.starts[1:])
        spans = sum(len(share) - 1 for share in shares)
        return sum(float(share[-1] - share[0]) for share in shares) / spans if spans else float("nan")


def pack_images(plan: NetPlan, images: Images) -> NDArray[np.uint8]:
    """Return the beats of images as bytes, shape (n, beats, bytes per beat)."""
    values = plan.spec.input.encode(images).reshape(len(images), -1)
    width = plan.beats * plan.values_per_beat
    padded: NDArray[np.uint8] = np.zeros((len(images), width), np.uint8)
    padded[:, : values.shape[1]] = values > 0 if plan.spec.input.bits == 1 else values
    if plan.spec.input.bits == 1:
        padded = np.packbits(padded, axis=1, bitorder="little")
    return padded.reshape(len(images), plan.beats, plan.beat_bits // 8)


def write_design(plan: NetPlan, folder: str | Path, bram36: float = 60) -> list[Path]:
    """Write the Verilog files of a network; return their paths."""
    paths = []
    for name, text in files_of(plan, bram36).items():
        paths.append(Path(folder) / name)
        write_text(paths[-1], text)
    return paths


def run(
    program: Path,
    plan: NetPlan,
    images: Images,
    *,
    disturbance: Disturbance = NONE,
    workers: int | None = None,
    trace: Path | None = None,
) -> RtlResult:
    """Run a compiled network on images, shared out among ``workers`` processes.

    Raises:
        ToolFailed: the network hangs or breaks the stream's rules.
        ConfigError: there are no images.
    """
    if not len(images):
        raise ConfigError("the RTL simulation needs at least one image, got none")
    beats = pack_images(plan, images)
    count = min(workers or os.cpu_count() or 1, len(images))
    bounds = np.linspace(0, len(images), count + 1).astype(int)
    shards = [beats[start:end] for start, end in itertools.pairwise(bounds)]
    parts = in_parallel(
        lambda numbered: _run_shard(program, plan, numbered[1], numbered[0], disturbance, trace), enumerate(shards)
    )
    classes, scores, first, last, taken = (np.concatenate(column) for column in zip(*parts, strict=True))
    return RtlResult(classes, scores, first, last, taken, tuple(int(bound) for bound in bounds[:-1]))


def _run_shard(
    program: Path,
    plan: NetPlan,
    beats: NDArray[np.uint8],
    number: int,
    disturbance: Disturbance,
    trace: Path | None,
) -> tuple[Integers, Integers, Integers, Integers, Integers]:
    folder = program.parent
    source, target = (folder / f"shard{number}.{end}" for end in ("in", "out"))
    result_bytes = result_bits(plan) // 8
    rates = [round(256 * rate) for rate in (disturbance.gap, disturbance.stall)]
    arguments = [
        len(beats),
        plan.beats,
        plan.beat_bits // 8,
        result_bytes,
        disturbance.seed * 64 + number,
        *rates,
    ]
    path = trace.resolve() if trace else "-"
    argv = [
        program.resolve(),
        source.resolve(),
        target.resolve(),
        *map(str, arguments),
        str(disturbance.reset_every),
        str(disturbance.first_beats),
        path,
    ]
    try:
        source.write_bytes(beats.tobytes())
        run_tool(argv, cwd=folder, log=folder / f"shard{number}.log")
        return _parse(target.read_bytes(), plan, len(beats), result_bytes)
    finally:
        source.unlink(missing_ok=True)
        target.unlink(missing_ok=True)


def _parse(
    data: bytes, plan: NetPlan, n: int, result_bytes: int
) -> tuple[Integers, Integers, Integers, Integers, Integers]:
    if len(data) != n * (result_bytes + 24):
        raise ToolFailed(
            f"the simulated network gave {len(data)} bytes for {n} images, not {n * (result_bytes + 24)}"
        )
    rows = np.frombuffer(data, np.uint8).reshape(n, result_bytes + 24)
    classes = rows[:, :2].copy().view("<u2")[:, 0].astype(np.int64)
    scores = rows[:, 2:result_bytes].copy().view(f"<i{field_bits(plan) // 8}").astype(np.int64)
    times = rows[:, result_bytes:].copy().view("<i8").astype(np.int64)
    return classes, scores, times[:, 0], times[:, 1], times[:, 2]


def simulate_rtl(
    plan: NetPlan,
    images: Images,
    folder: str | Path,
    *,
    disturbance: Disturbance = NONE,
    workers: int | None = None,
    trace: Path | None = None,
) -> RtlResult:
    """Generate, compile and run a network; all files go into ``folder``.

    Args:
        plan: the network and its foldings (``plan_network``).
        images: uint8 images.
        folder: working folder.
        disturbance: stalls, gaps and resets.
        workers: processes; by default one per core.
        trace: VCD file to write; give few images with it.
    """
    check_tools()
    sources = write_design(plan, folder)
    program = build(sources, Path(folder), trace=trace is not None)
    return run(program, plan, images, disturbance=disturbance, workers=1 if trace else workers, trace=trace)


def compare(plan: NetPlan, images: Images, result: RtlResult) -> None:
    """Check classes and every score against the golden model.

    Raises:
        Mismatch: how many images differ, and the first five.
    """
    scores = plan.spec.class_scores(images)
    wrong = (scores != result.scores).any(axis=1) | (scores.argmax(axis=1) != result.classes)
    if not wrong.any():
        return
    first = "; ".join(
        f"image {i}: expected {scores[i].argmax()} {scores[i].tolist()},"
        f" got {result.classes[i]} {result.scores[i].tolist()}"
        for i in np.flatnonzero(wrong)[:5]
    )
    raise Mismatch(
        f"RTL simulation: {int(wrong.sum())} of {len(images)} images differ from the golden model: {first}"
    )
