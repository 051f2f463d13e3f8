"""C-simulate a project's network on its test set: ``python scripts/04_csim.py [CONFIG [PROJECT]]``."""

import sys

from xnorflow import api
from xnorflow.cli.ending import run_script


def main(config: str = "hls_configs/digits.yaml", project: str | None = None) -> None:
    """Run the C simulation both ways; exit with 1 where any score differs from the golden model."""
    report = api.csim(config, project=project)
    for result in report.results:
        print(f"{result.source}: {result.images} images, {result.scores_differ} with a score that differs")
    sys.exit(0 if report.agrees else 1)


if __name__ == "__main__":
    run_script(main)
