"""The Verilog route's own commands: trace, and synth by Yosys."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from xnorflow import api_rtl as api
from xnorflow.api import make_job
from xnorflow.device import device_of
from xnorflow.show import print_tables, synth_table
from xnorflow.show_fit import report_tables, timing_table

Add = Callable[[str, Callable[[argparse.Namespace], int], str, str], argparse.ArgumentParser]


def add_rtl_commands(add: Add) -> None:
    """Add the commands to a command line, as ``cli_fit.add_fit_commands`` does."""
    trace = add(
        "trace", _trace, "simulate one test image as Verilog and write every signal to a VCD file",
        "xnorflow trace hls_configs/digits-verilog.yaml --pretrained --image 3 -o three.vcd",
    )  # fmt: skip
    add_network_options(trace)
    trace.add_argument("--image", type=int, default=0, help="number of the test image (default 0)")
    trace.add_argument("--cycles", type=int, help="cycles per image, where the configuration has no folding")
    trace.add_argument("-o", "--output", default="trace.vcd", help="the VCD file (default trace.vcd)")


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Add what names a configuration and its network."""
    parser.add_argument("config", help="a YAML configuration, such as hls_configs/digits.yaml")
    parser.add_argument("--project", help="folder for the steps (default: projects/NAME)")
    parser.add_argument("--pretrained", action="store_true", help="take the trained network that comes along")
    parser.add_argument("--model", help="take this trained network (.h5 or .keras) instead of training one")
    parser.add_argument("--data-dir", help="folder with the idx files of mnist or fashion_mnist")


def network_options(arguments: argparse.Namespace) -> Mapping[str, Any]:
    """Return what ``add_network_options`` added, as keywords of the Python functions."""
    return {name: getattr(arguments, name) for name in ("project", "pretrained", "model", "data_dir")}


def _trace(arguments: argparse.Namespace) -> int:
    output = Path(arguments.output)
    plan = api.trace(
        arguments.config, output, image=arguments.image, cycles=arguments.cycles, **network_options(arguments)
    )
    print(f"wrote {output}: test image {arguments.image}, {plan.latency_cycles:,} cycles, scores equal")
    return 0


def synth(arguments: argparse.Namespace) -> int:
    """Run ``synth --backend yosys``; 1 where the part is too small."""
    run = api.synth_yosys(
        arguments.config,
        cycles=arguments.cycles,
        timeout_s=arguments.time_limit,
        on_step=lambda step: print(step, file=sys.stderr, flush=True),
        **network_options(arguments),
    )
    config = make_job(arguments.config).config
    print(f"{run.interval_cycles:,} cycles per image, latency {run.latency_cycles:,} cycles, by formula")
    for layer in run.layers:
        print(f"  {layer.name}: {layer.pe} neurons x {layer.simd} inputs per cycle, {layer.cycles:,} cycles")
    print_tables([synth_table(run.synth, device_of(config.part).name)])
    if run.routed is not None:
        print_tables([*report_tables([run.routed]), timing_table(run.routed)])
    else:
        print(run.missing)
    return 1 if run.synth.fits is False else 0
