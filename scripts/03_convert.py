"""Convert a project's network to a Vivado HLS project: ``python scripts/03_convert.py [CONFIG [PROJECT]]``."""

from xnorflow import api, show
from xnorflow.ending import run_script


def main(config: str = "hls_configs/digits.yaml", project: str | None = None) -> None:
    """Write the HLS project of the network that 01_train.py trained, and print what it makes of each layer."""
    report = api.convert(config, project=project)
    show.print_tables(show.report_tables(report))


if __name__ == "__main__":
    run_script(main)
