"""The commands synth, of both routes, and trace."""

from __future__ import annotations

import argparse
import sys

from xnorflow import api
from xnorflow.base.device import device_of
from xnorflow.base.errors import shown
from xnorflow.cli.options import Add, add_network_options, add_output, announce, job_from
from xnorflow.flow.synth import SYNTH_BACKENDS, YosysRun
from xnorflow.show.synth import synth_table, timing_table, tool_tables
from xnorflow.show.table import print_tables
from xnorflow.tools.vivado.tcl import LEVELS


def add_synth_commands(add: Add) -> None:
    """Add the commands to a command line."""
    _add_synth(add)
    trace = add(
        "trace", _trace, "simulate one test image as Verilog and write every signal to a VCD file",
        "xnorflow trace hls_configs/digits-verilog.yaml --pretrained --image 3 -o three.vcd",
    )  # fmt: skip
    add_network_options(trace)
    trace.add_argument("--image", type=int, default=0, help="number of the test image (default 0)")
    trace.add_argument("--cycles", type=int, help="cycles per image, where the configuration has no folding")
    add_output(trace, "-o", "--output", default="trace.vcd", help="the VCD file (default trace.vcd)")


def _trace(arguments: argparse.Namespace) -> int:
    output, image = arguments.output, arguments.image
    plan = api.trace(job_from(arguments), output, image=image, cycles=arguments.cycles, announce=announce)
    print(f"wrote {shown(output)}: test image {image}, {plan.latency_cycles:,} cycles, scores equal")
    return 0


def show_yosys(run: YosysRun, part: str) -> int:
    """Print what Yosys counted; 0 only where it fits the part."""
    print(f"{run.interval_cycles:,} cycles per image, latency {run.latency_cycles:,} cycles, by formula")
    for layer in run.layers:
        print(f"  {shown(layer.name)}: {layer.pe} neurons x {layer.simd} inputs per cycle, {layer.cycles:,} cycles")
    print_tables([synth_table(run.synth, device_of(part).name)])
    if run.routed is not None:
        print_tables([*tool_tables([run.routed]), timing_table(run.routed)])
    else:
        print(run.missing)
    return 0 if run.synth.fits else 1


def _add_synth(add: Add) -> None:
    synth = add(
        "synth", _synth, "synthesize: Vivado HLS or Vitis HLS on the converted project, or Yosys on our Verilog",
        "xnorflow synth hls_configs/digits.yaml --pretrained --vivado synthesise",
    )  # fmt: skip
    add_network_options(synth)
    synth.add_argument(
        "--backend", choices=SYNTH_BACKENDS,
        help="hls: the configuration's HLS tool; yosys: the network as Verilog, whatever the configuration's route "
        "(default: by the configuration)",
    )  # fmt: skip
    synth.add_argument("--cycles", type=int, help="yosys: cycles per image, where the configuration has no folding")
    synth.add_argument("--cosim", action="store_true", help="simulate the generated Verilog as well")
    synth.add_argument("--export", action="store_true", help="pack an IP")
    synth.add_argument("--vivado", choices=LEVELS, default="none", help="how far Vivado goes on")
    synth.add_argument("--time-limit", type=float, metavar="SECONDS", help="stop a program that takes longer")


def _synth(arguments: argparse.Namespace) -> int:
    job = job_from(arguments)
    run = api.synth(
        job,
        backend=arguments.backend,
        cycles=arguments.cycles,
        cosim=arguments.cosim,
        export=arguments.export,
        vivado=arguments.vivado,
        timeout_s=arguments.time_limit,
        on_step=lambda step: print(f"05-synth: {step}", file=sys.stderr, flush=True),
        announce=announce,
    )
    if isinstance(run, YosysRun):
        return show_yosys(run, job.config.part)
    print_tables(tool_tables([run.hls, *run.vivado]))
    return 0
