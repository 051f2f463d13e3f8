"""Cycle-accurate simulation by Verilator: the network as a compiled program, fed with many images.

The counters are simulated in their quick form (loops); that the cells on the device are equal to
them is proven by Yosys (``tests/prove.py``) and by simulating the synthesized netlist.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.arrays import Integers
from xnorflow.base.errors import ConfigError, ToolFailed
from xnorflow.base.files.atomic import write_text
from xnorflow.base.processes.programs import run_tool
from xnorflow.net.inputs import Images
from xnorflow.routes.rtl.plan.network import NetPlan
from xnorflow.routes.rtl.write.network import field_bits, files_of, result_bits
from xnorflow.routes.shares import ImageShare, in_shares


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


UNDISTURBED = Disturbance()


class NoResult(ToolFailed):
    """The simulated network stopped giving results, or ended before the last one."""


# what a simulation tells of each image, in the order of ``RtlResult``
COLUMNS = ("classes", "scores", "first_beat", "last_beat", "taken")


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

    @classmethod
    def joined(cls, parts: Sequence[RtlResult]) -> RtlResult:
        """Return the result of all images from those of successive shares."""
        ends = itertools.accumulate(len(part.classes) for part in parts)
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS},
            starts=(0, *ends)[: len(parts)],
        )

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


def simulate_rtl(
    program: str | Path,
    plan: NetPlan,
    images: Images,
    *,
    disturbance: Disturbance = UNDISTURBED,
    workers: int | None = None,
    trace: str | Path | None = None,
) -> RtlResult:
    """Run a compiled network on images, shared out among ``workers`` processes.

    Args:
        program: what ``routes.rtl.build.build`` made of the network's files.
        plan: the network and its foldings.
        images: uint8 images, at least one.
        disturbance: stalls, gaps and resets.
        workers: processes; by default one per core, with ``trace`` one.
        trace: VCD file that a program compiled for it writes; give few images with it.

    Raises:
        NoResult: the network hangs, or ends before the last result.
        ToolFailed: the network breaks the stream's rules.
        ConfigError: there are no images.
    """
    if not len(images):
        raise ConfigError("the RTL simulation needs at least one image, got none")
    beats, program, file = pack_images(plan, images), Path(program), Path(trace) if trace else None
    return RtlResult.joined(
        in_shares(
            lambda share: _run_share(program, plan, beats[share.images], share, disturbance, file),
            len(images),
            1 if trace else workers,
        )
    )


def _run_share(
    program: Path,
    plan: NetPlan,
    beats: NDArray[np.uint8],
    share: ImageShare,
    disturbance: Disturbance,
    trace: Path | None,
) -> RtlResult:
    folder, number = program.parent, share.index
    source, target, log = (folder / f"shard{number}.{end}" for end in ("in", "out", "log"))
    arguments: dict[str, object] = {
        "input": source.resolve(),
        "output": target.resolve(),
        "images": len(beats),
        "beats": plan.beats,
        "beat_bytes": plan.beat_bits // 8,
        "result_bytes": result_bits(plan) // 8,
        "seed": disturbance.seed * 64 + number,
        "gap": round(256 * disturbance.gap),
        "stall": round(256 * disturbance.stall),
        "reset_every": disturbance.reset_every,
        "first_beats": disturbance.first_beats,
        **({"trace": trace.resolve()} if trace else {}),
    }
    argv: list[str | Path] = [program.resolve(), *(f"{key}={value}" for key, value in arguments.items())]
    try:
        source.write_bytes(beats.tobytes())
        run_tool(argv, cwd=folder, log=log)
        return _parse(target.read_bytes(), plan, len(beats), log)
    finally:
        source.unlink(missing_ok=True)
        target.unlink(missing_ok=True)


def _parse(data: bytes, plan: NetPlan, images: int, log: Path) -> RtlResult:
    field = (f"<i{field_bits(plan) // 8}", (plan.spec.n_classes,))
    row = np.dtype(list(zip(COLUMNS, ("<u2", field, "<i8", "<i8", "<i8"), strict=True)))
    if len(data) != images * row.itemsize:
        raise NoResult(
            f"RTL simulation: the network gave results of {len(data) // row.itemsize} of {images} images,"
            f" then none; log: {log}"
        )
    rows = np.frombuffer(data, row)
    classes, scores, first, last, taken = (np.asarray(rows[name], np.int64) for name in COLUMNS)
    return RtlResult(classes, scores, first, last, taken)
