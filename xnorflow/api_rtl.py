"""The public Python functions behind ``synth --backend yosys`` and ``trace``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow import api
from xnorflow.backends.nextpnr import find_nextpnr
from xnorflow.config import VERILOG, BuildConfig
from xnorflow.data import load_dataset
from xnorflow.errors import ConfigError, ToolNotFound
from xnorflow.files import atomic_path, check_target, folder_lock, is_file, writing
from xnorflow.job import EXTRACT, Job
from xnorflow.report import SynthReport
from xnorflow.rtl import NetPlan
from xnorflow.rtl.simulate import compare, simulate_rtl
from xnorflow.runreport import RtlRow, SynthRow
from xnorflow.spec import NetSpec
from xnorflow.specfile import load_spec, spec_sha256
from xnorflow.steps import run_step
from xnorflow.steps_rtl import plan_of, route_step, routed_report, rtl_rows, synth_step

YOSYS, ROUTE, TRACE = "06-yosys", "07-route", "trace"


@dataclass(frozen=True)
class YosysRun:
    """What Yosys, and nextpnr where it is installed, made of a network.

    Attributes:
        layers: how each layer is folded.
        interval_cycles: cycles between two images, by formula.
        latency_cycles: cycles through the network, by formula.
        synth: Yosys' counts beside what the part has.
        routed: nextpnr's counts and clock; None where it is not installed.
        missing: what is missing to place and route; empty where nothing is.
    """

    layers: tuple[RtlRow, ...]
    interval_cycles: int
    latency_cycles: int
    synth: SynthRow
    routed: SynthReport | None
    missing: str


def synth_yosys(
    config: str | Path | BuildConfig,
    *,
    cycles: int | None = None,
    timeout_s: float | None = None,
    on_step: Callable[[str], None] = lambda step: None,
    **options: Any,
) -> YosysRun:
    """Synthesize a project's network as Verilog, and place and route it where nextpnr is installed.

    Args:
        config: a YAML file or a BuildConfig, of either route.
        cycles: cycles per image to fold for; by default the configuration's foldings, or 256.
        timeout_s: time limit of each program.
        on_step: called with each step as it starts.
        **options: as ``api.run`` takes them.

    Raises:
        ConfigError: foldings that cannot be, or ``cycles`` where the configuration has foldings.
        ToolNotFound: Yosys is missing.
        ToolFailed: a program failed.
    """
    job, spec = _network(config, **options)
    build = as_verilog(job.config)
    plan = plan_of(spec, build, cycles)
    settings = {"bram36": build.bram36, "registers_every": build.registers_every, "part": build.part}
    folding = {layer.spec.name: [layer.pe, layer.simd] for layer in plan.layers}
    inputs = {"spec": spec_sha256(spec), "folding": folding, **settings}
    with folder_lock(job.project):
        on_step(YOSYS)
        counted = run_step(job.project / YOSYS, inputs, lambda folder: synth_step(plan, build, folder, timeout_s))
        routed, missing = None, ""
        try:
            tool = find_nextpnr()
        except ToolNotFound as error:
            missing = str(error)
        else:
            on_step(ROUTE)
            inputs |= {"tool": tool, "clock_mhz": build.clock_mhz}
            sources = sorted((job.project / YOSYS / "verilog").glob("*.v"))
            step = run_step(
                job.project / ROUTE,
                inputs,
                lambda folder: route_step(plan, build, sources, tool, folder, timeout_s),
            )
            routed = routed_report(step.values["routed"])
    row = SynthRow.of(counted.values["synth"])
    return YosysRun(rtl_rows(plan), plan.interval_cycles, plan.latency_cycles, row, routed, missing)


def trace(
    config: str | Path | BuildConfig,
    output: str | Path,
    *,
    image: int = 0,
    cycles: int | None = None,
    **options: Any,
) -> NetPlan:
    """Simulate one test image and write every signal of every cycle to a VCD file.

    Args:
        config: a YAML file or a BuildConfig, of either route.
        output: the VCD file.
        image: number of the test image.
        cycles: as for ``synth_yosys``.
        **options: as ``api.run`` takes them.

    Raises:
        ConfigError: there is no such image.
        DataError: the file can't be written, said before the work.
        Mismatch: the simulated scores are not the golden model's.
    """
    check_target(output)
    job, spec = _network(config, **options)
    plan = plan_of(spec, as_verilog(job.config), cycles)
    images = load_dataset(job.config.data, job.data_dir).test.images
    if not 0 <= image < len(images):
        raise ConfigError(f"image must be 0 to {len(images) - 1}, got {image}")
    chosen = images[image : image + 1]
    with folder_lock(job.project):
        folder = job.project / TRACE
        with atomic_path(Path(output)) as partial, writing(folder):
            result = simulate_rtl(plan, chosen, folder, trace=partial)
    compare(plan, chosen, result)
    return plan


def as_verilog(config: BuildConfig) -> BuildConfig:
    """Return a configuration for the Verilog route; how an HLS project is folded and typed is dropped."""
    if config.backend == VERILOG:
        return config
    plain = BuildConfig(config.network, config.part)
    keys = ("kernel", "strategy", "reuse_factor", "folding", "precision")
    return dataclasses.replace(config, backend=VERILOG, **{key: getattr(plain, key) for key in keys})


def _network(config: str | Path | BuildConfig, **options: Any) -> tuple[Job, NetSpec]:
    """Return the job and the network its project holds; one is trained, or taken over, if there is none."""
    job = api.make_job(config, **options)
    stored = job.project / EXTRACT / "spec.npz"
    if job.model is not None or not is_file(stored):
        api.extract(config, **options)
    return job, load_spec(stored)
