"""Train a network on real digits and look at its card: ``python scripts/01_train.py [CONFIG]``."""

from xnorflow import api
from xnorflow.cli.ending import run_script
from xnorflow.show import run as show
from xnorflow.show.table import print_tables


def main(config: str = "hls_configs/digits.yaml") -> None:
    """Train the network of ``config``, or go on from the last whole epoch."""
    report = api.train(config)
    # a network that the project had from a file may have no card
    print_tables(show.report_tables(report) if report.card is None else [show.card_table(report.card)])


if __name__ == "__main__":
    run_script(main)
