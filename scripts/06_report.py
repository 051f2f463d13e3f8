"""Write the report of a run as Markdown: ``python scripts/06_report.py PROJECT [FILE.md]``."""

from pathlib import Path

from xnorflow import api, show
from xnorflow.ending import run_script
from xnorflow.files import write_text


def main(project: str = "projects/digits", output: str = "projects/digits.md") -> None:
    """Render the report in ``project`` to the file ``output``."""
    write_text(Path(output), show.markdown(show.report_tables(api.report(project))))
    print(f"wrote {output}")


if __name__ == "__main__":
    run_script(main)
