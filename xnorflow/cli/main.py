"""The command line.

Exit codes: 0, 1 does not match or does not fit, 2 the user's mistake, 3 an unexpected exception, and 128 and the
signal's number where one stopped it.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from xnorflow import __version__, api
from xnorflow.base.errors import shown
from xnorflow.base.files.atomic import write_text
from xnorflow.cli.ending import ended
from xnorflow.cli.fit import add_fit_commands
from xnorflow.cli.options import add_network_options, add_output, announce, job_from
from xnorflow.cli.synth import add_synth_commands
from xnorflow.flow.report import RunReport
from xnorflow.show import run as show
from xnorflow.show.table import markdown, print_tables

# after hls4ml's and Vivado HLS's words
OTHER_NAMES = {"write": ("convert",), "simulate": ("csim",)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Raises:
        SystemExit: as ``ended``, or a wrong command line.
    """
    return ended(lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    return command(arguments)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line as every other error is said: in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line and exit with 2."""
        self.exit(2, f"xnorflow: error: {shown(message)}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="xnorflow", description="Binary neural networks on very small FPGAs, with every number exact."
    )
    parser.add_argument("--version", action="version", version=f"xnorflow {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "doctor", _doctor, "list every tool, its version or how to get it", "xnorflow doctor")
    init = _add(commands, "init", _init, "lay down the shipped networks and configurations", "xnorflow init binary")
    init.add_argument("folder", metavar="DIR", help="a folder that is empty or not there yet")
    data = _add(commands, "data", _data, "load a data set and show its split and hash", "xnorflow data mnist5k")
    data.add_argument("name", help="mnist5k, digits, mnist, fashion_mnist, an .npz file or a folder of images")
    data.add_argument("--data-dir", help="folder with the idx files of mnist or fashion_mnist")
    for name, function, text in (
        ("train", api.train, "train the network of a configuration"),
        ("extract", api.extract, "... then extract the golden model and compare it with Keras"),
        ("write", api.write, "... then write it as an HLS project with hls4ml, or as Verilog"),
        ("simulate", api.simulate, "... then simulate it image by image: C simulation, or RTL simulation"),
        ("run", api.run, "the whole flow, with a report at the end"),
    ):
        also = OTHER_NAMES.get(name, ())
        command = _add(commands, name, _flow(function), text, f"xnorflow {name} hls_configs/digits.yaml", also)
        _add_flow_options(command)
    report = _add(
        commands, "report", _report, "show the report of a run", "xnorflow report projects/digits --markdown"
    )
    report.add_argument("project", help="a run's project folder")
    form = report.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as Markdown")
    add_output(report, "-o", "--output", help="write to this file instead of the terminal")
    for add_commands in (add_fit_commands, add_synth_commands):
        add_commands(lambda name, function, text, example: _add(commands, name, function, text, example))
    return parser


def _add(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    function: Callable[[argparse.Namespace], int],
    text: str,
    example: str,
    also: Sequence[str] = (),
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, aliases=list(also), help=text, description=text, epilog=f"example: {example}")
    parser.set_defaults(command=function)
    return parser


def _add_flow_options(parser: argparse.ArgumentParser) -> None:
    add_network_options(parser)
    parser.add_argument("--data", help="data set instead of the configuration's")
    parser.add_argument("--epochs", type=int, help="epochs instead of the configuration's")
    parser.add_argument("--seed", type=int, help="seed instead of the configuration's")
    parser.add_argument("--seeds", type=int, help="train so many seeds and keep the best by validation")


def _flow(function: Callable[..., RunReport]) -> Callable[[argparse.Namespace], int]:
    def command(arguments: argparse.Namespace) -> int:
        overrides = {key: getattr(arguments, key) for key in ("epochs", "seed", "seeds")}
        train = {key: value for key, value in overrides.items() if value is not None}
        report = function(job_from(arguments, data=arguments.data, train=train), announce=announce)
        tables = show.report_tables(report)
        if not report.results and report.card is not None:
            tables.insert(0, show.card_table(report.card))
        for text in report.warnings:
            print(f"xnorflow: warning: {text}", file=sys.stderr)
        print_tables(tables)
        return 0 if report.agrees else 1

    return command


def _doctor(arguments: argparse.Namespace) -> int:
    findings = api.doctor()
    print_tables([show.doctor_table(findings)])
    return 1 if any(item.required and item.version is None for item in findings) else 0


def _init(arguments: argparse.Namespace) -> int:
    files = api.init(arguments.folder)
    counts = {ending: sum(path.suffix == ending for path in files) for ending in (".yaml", ".h5")}
    print(f"{counts['.yaml']} configurations in hls_configs/, {counts['.h5']} trained networks in keras_models/")
    print("next:")
    go = f"cd {shown(shlex.quote(arguments.folder))}"
    for command in (go, "xnorflow doctor", "xnorflow run hls_configs/digits.yaml --pretrained"):
        print(f"  {command}")
    return 0


def _data(arguments: argparse.Namespace) -> int:
    print_tables([show.data_table(api.data(arguments.name, arguments.data_dir))])
    return 0


def _report(arguments: argparse.Namespace) -> int:
    report = api.report(arguments.project)
    tables = show.report_tables(report)
    if arguments.json:
        text = show.report_json(report) + "\n"
    elif arguments.markdown or arguments.output:
        text = markdown(tables)
    else:
        print_tables(tables)
        return 0
    if arguments.output:
        write_text(arguments.output, text)
    else:
        sys.stdout.write(text)
    return 0
