"""Write the report of a run as Markdown: ``python scripts/06_report.py PROJECT [FILE.md]``."""

import sys
from pathlib import Path

from xnorflow import api, show
from xnorflow.files import write_text


def main(project: str = "projects/digits", output: str = "projects/digits.md") -> None:
    """Render the report in ``project`` to the file ``output``."""
    write_text(Path(output), show.markdown(show.report_tables(api.report(project))))
    print(f"wrote {output}")


if __name__ == "__main__":
    main(*sys.argv[1:])
