"""Tables on a terminal and in Markdown."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from xnorflow.base.errors import shown

MISSING = "-"


@dataclass(frozen=True)
class Table:
    """A table before it is drawn: a title, column heads, rows of text, and a remark below.

    Names from outside stand in any of them: what would steer the terminal is escaped, an end of line is a space.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", shown(self.title))
        object.__setattr__(self, "columns", tuple(map(shown, self.columns)))
        object.__setattr__(self, "rows", tuple(tuple(map(shown, row)) for row in self.rows))
        object.__setattr__(self, "note", shown(self.note))


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave a closed pipe to the caller; rich would end the program with exit code 1."""
        raise BrokenPipeError


def print_tables(tables: list[Table], console: Console | None = None) -> None:
    """Draw tables on the terminal."""
    console = console or _Console()
    for table in tables:
        # Text, for a string would be read as markup: [x] would vanish
        drawn = RichTable(title=Text(table.title), title_justify="left", title_style="bold")
        for index, column in enumerate(table.columns):
            drawn.add_column(Text(column), justify="left" if index == 0 else "right", overflow="fold")
        for row in table.rows:
            drawn.add_row(*(Text(cell) for cell in row))
        console.print(drawn)
        if table.note:
            console.print(table.note, highlight=False, markup=False, soft_wrap=True)
        console.print()


def markdown(tables: list[Table]) -> str:
    """Return tables as Markdown."""
    parts = []
    for table in tables:
        lines = [f"## {table.title}", "", _line(table.columns), _line(("---",) * len(table.columns))]
        lines += [_line(row) for row in table.rows]
        if table.note:
            lines += ["", table.note]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
