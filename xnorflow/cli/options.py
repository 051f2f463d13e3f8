"""Options that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xnorflow.base.files.atomic import check_target
from xnorflow.flow.job import Job, make_job
from xnorflow.flow.step import StepResult

# adds a command, given its name, function, text and example, and returns its parser
Add = Callable[[str, Callable[[argparse.Namespace], int], str, str], argparse.ArgumentParser]


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Add what names a configuration and its network."""
    parser.add_argument("config", help="a YAML configuration, such as hls_configs/digits.yaml")
    parser.add_argument("--project", help="folder for the steps (default: projects/NAME)")
    parser.add_argument("--pretrained", action="store_true", help="take the trained network that comes along")
    parser.add_argument("--model", help="take this trained network (.h5 or .keras) instead of training one")
    parser.add_argument(
        "--overwrite", action="store_true",
        help="replace the network that the project holds, or a finished synthesis by a vendor's tools",
    )  # fmt: skip
    parser.add_argument("--data-dir", help="folder with the idx files of mnist or fashion_mnist")


def add_output(parser: argparse.ArgumentParser, *flags: str, help: str, **options: Any) -> None:
    """Add a file to write; one that can't be written is refused with the command line, before any work."""

    def target(text: str) -> Path:
        check_target(text)
        return Path(text)

    parser.add_argument(*flags, type=target, metavar="FILE", help=help, **options)


def job_from(arguments: argparse.Namespace, **more: Any) -> Job:
    """Return the job of a command that has what ``add_network_options`` added; ``more`` goes to ``make_job``."""
    names = ("project", "pretrained", "model", "data_dir", "overwrite")
    return make_job(arguments.config, **{name: getattr(arguments, name) for name in names}, **more)


def announce(step: StepResult) -> None:
    """Say that a step of the flow is done."""
    how = step.note or ("taken over from an earlier run" if step.reused else f"{step.seconds:.1f} s")
    print(f"{step.name}: {how}", file=sys.stderr, flush=True)
