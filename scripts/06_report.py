"""Write the report of a run as Markdown: ``python scripts/06_report.py PROJECT [FILE.md]``."""

from pathlib import Path

from xnorflow import api
from xnorflow.base.files.atomic import write_text
from xnorflow.cli.ending import run_script
from xnorflow.show import run as show
from xnorflow.show.table import markdown


def main(project: str = "projects/digits", output: str = "projects/digits.md") -> None:
    """Render the report in ``project`` to the file ``output``."""
    write_text(Path(output), markdown(show.report_tables(api.report(project))))
    print(f"wrote {output}")


if __name__ == "__main__":
    run_script(main)
