"""The Verilog route's own command trace, and what synth by Yosys shows."""

from __future__ import annotations

import argparse

from xnorflow import api
from xnorflow.cli_options import Add, add_network_options, add_output, announce, job_of
from xnorflow.device import device_of
from xnorflow.errors import shown
from xnorflow.show import print_tables, synth_table
from xnorflow.show_fit import report_tables, timing_table
from xnorflow.synth_flow import YosysRun


def add_rtl_commands(add: Add) -> None:
    """Add the command to a command line."""
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
    plan = api.trace(job_of(arguments), output, image=image, cycles=arguments.cycles, announce=announce)
    print(f"wrote {shown(output)}: test image {image}, {plan.latency_cycles:,} cycles, scores equal")
    return 0


def show_yosys(run: YosysRun, part: str) -> int:
    """Print what Yosys counted; 0 only where it fits the part."""
    print(f"{run.interval_cycles:,} cycles per image, latency {run.latency_cycles:,} cycles, by formula")
    for layer in run.layers:
        print(f"  {shown(layer.name)}: {layer.pe} neurons x {layer.simd} inputs per cycle, {layer.cycles:,} cycles")
    print_tables([synth_table(run.synth, device_of(part).name)])
    if run.routed is not None:
        print_tables([*report_tables([run.routed]), timing_table(run.routed)])
    else:
        print(run.missing)
    return 0 if run.synth.fits else 1
