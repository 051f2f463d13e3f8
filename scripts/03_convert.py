"""Convert a project's network to a Vivado HLS project: ``python scripts/03_convert.py [CONFIG [PROJECT]]``."""

from xnorflow import api
from xnorflow.cli.ending import run_script
from xnorflow.show import run as show
from xnorflow.show.table import print_tables


def main(config: str = "hls_configs/digits.yaml", project: str | None = None) -> None:
    """Write the HLS project of the network that 01_train.py trained, and print what it makes of each layer."""
    report = api.convert(config, project=project)
    print_tables(show.report_tables(report))


if __name__ == "__main__":
    run_script(main)
