"""The commands that ask whether a network fits: fit, explore, stock, devices, synth, calibrate."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from xnorflow import api
from xnorflow.base.errors import ConfigError, shown
from xnorflow.cli.options import Add, add_output
from xnorflow.fitting.calibration import write_calibration
from xnorflow.fitting.problem import GOALS
from xnorflow.fitting.question import BOARD_LOGIC, FitQuestion, fit_question
from xnorflow.flow.config_file import write_config
from xnorflow.show import fit as show_fit
from xnorflow.show.table import markdown, print_tables
from xnorflow.tools.answer import Answer


def add_fit_commands(add: Add) -> None:
    """Add the commands to a command line."""
    fit = add(
        "fit", _fit, "choose the reuse factors that fit the part, or judge the ones there are",
        "xnorflow fit hls_configs/sfc.yaml --goal area --images-per-s 1000",
    )  # fmt: skip
    _add_budget(fit)
    fit.add_argument("--goal", choices=GOALS, default="interval", help="what is to be least")
    fit.add_argument("--images-per-s", type=float, help="least throughput wanted; needed for --goal area")
    add_output(fit, "--write", help="write the configuration with the chosen reuse factors")
    fit.add_argument("--check", action="store_true", help="judge the configuration as it stands")
    fit.add_argument("--report", action="append", default=[], help="with --check: a report of HLS or Vivado")
    explore = add(
        "explore", _explore, "images per second against LUT and block RAM, all choices that no other one beats",
        "xnorflow explore hls_configs/sfc.yaml --plot sfc.svg",
    )  # fmt: skip
    _add_budget(explore)
    add_output(explore, "--plot", help="draw it, with the part's limits (.svg or .png)")
    stock = add(
        "stock", _stock, "what hls4ml's own kernels and ours need of the part at their best, network by network",
        "xnorflow stock hls_configs/tfc.yaml hls_configs/sfc.yaml --markdown",
    )  # fmt: skip
    _add_budget(stock, several=True)
    stock.add_argument("--markdown", action="store_true", help="as Markdown")
    listing = add("devices", _devices, "list the parts and boards that --part takes", "xnorflow devices --json")
    listing.add_argument("--json", action="store_true", help="as JSON")
    calibrate = add(
        "calibrate", _calibrate, "learn from your own reports what Vivado makes of an HLS estimate",
        "xnorflow calibrate my_csynth.xml my_utilization_placed.rpt -o mine.yaml",
    )  # fmt: skip
    calibrate.add_argument("reports", nargs="+", help="HLS reports, and Vivado reports of the same top functions")
    add_output(calibrate, "-o", "--output", help="write the ratios to this file, for --calibration")


def _add_budget(parser: argparse.ArgumentParser, several: bool = False) -> None:
    words = "a YAML configuration, such as hls_configs/sfc.yaml"
    if several:
        parser.add_argument("config", nargs="+", help=words)
    else:
        parser.add_argument("config", help=words)
    parser.add_argument("--project", help="project folder whose network is taken (default: projects/NAME)")
    parser.add_argument("--part", help="another part, board or device file than the configuration's")
    parser.add_argument("--margin", type=float, default=0.10, help="share of the part left to placing (default 0.10)")
    parser.add_argument(
        "--board-logic", choices=tuple(BOARD_LOGIC), default="none", help="what the board's own logic takes"
    )
    parser.add_argument("--calibration", metavar="FILE", help="ratios that `xnorflow calibrate` wrote")


def _question(arguments: argparse.Namespace, config: str | None = None) -> FitQuestion:
    question = fit_question(
        arguments.config if config is None else config,
        project=arguments.project,
        part=arguments.part,
        margin=arguments.margin,
        board_logic=arguments.board_logic,
        calibration=arguments.calibration,
    )
    print(shown(f"network {question.name}: {question.origin}"))
    return question


def _fit(arguments: argparse.Namespace) -> int:
    question = _question(arguments)
    if arguments.check:
        verdict, cost = api.check(question, arguments.report)
        print_tables(show_fit.check_tables(cost, verdict))
        return 0 if verdict.fits else 1
    if arguments.report:
        raise ConfigError("--report goes with --check; without it, fit searches and reads no report")
    found, chosen = api.fit(question, arguments.goal, arguments.images_per_s)
    print_tables(show_fit.fit_tables(found))
    if chosen is None:
        return 1
    if arguments.write:
        write_config(chosen, arguments.write, found.message)
        print(f"wrote {shown(arguments.write)}")
    return 0 if found.answer is Answer.FITS else 1


def _explore(arguments: argparse.Namespace) -> int:
    question = _question(arguments)
    points = api.explore(question, arguments.plot)
    print_tables([show_fit.explore_table(points, question.budget)])
    if arguments.plot:
        print(f"wrote {shown(arguments.plot)}")
    return 0


def _stock(arguments: argparse.Namespace) -> int:
    questions = [_question(arguments, config) for config in arguments.config]
    found, budget = [api.stock(question) for question in questions], questions[0].budget
    if arguments.markdown:
        sys.stdout.write(markdown([show_fit.stock_table([row for rows in found for row in rows], budget)]))
    else:
        print_tables(show_fit.stock_tables(found, budget))
    return 0


def _devices(arguments: argparse.Namespace) -> int:
    if arguments.json:
        print(json.dumps([dataclasses.asdict(device) for device in api.devices()], indent=2, ensure_ascii=False))
    else:
        print_tables([show_fit.devices_table(api.devices())])
    return 0


def _calibrate(arguments: argparse.Namespace) -> int:
    ratios = api.calibrate([Path(name) for name in arguments.reports])
    print_tables([show_fit.calibration_table(ratios)])
    if arguments.output:
        write_calibration(ratios, arguments.output)
        print(f"wrote {shown(arguments.output)}")
    return 0
