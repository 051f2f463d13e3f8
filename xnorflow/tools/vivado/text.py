"""What the text reports of Vivado and Vitis have in common: headings, bordered tables, cells."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from xnorflow.base.errors import ReportError, shown

# what stands where a tool gives no number
ABSENT = {"", "-", "--", "---", "~0", "?", "na", "n/a", "nan", "none", "undef", "unspecified", "inf", "-inf", "_"}
BORDER = re.compile(r"^\s*\+[-+]*-\+\s*$")
INTEGER = re.compile(r"-?[0-9]{1,40}")
DECIMAL = re.compile(r"[-+]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,2})?")
# times and powers beyond it are an integer that ran over
MOST = 2.0**31 - 2
Span = tuple[int | None, int | None]
NANOSECONDS = {"": 1.0, "ns": 1.0, "us": 1e3, "ms": 1e6, "sec": 1e9, "s": 1e9}


@dataclass(frozen=True)
class Source:
    """A report's file and text, as lines without line ends."""

    path: Path
    lines: tuple[str, ...]

    def missing(self, field: str, hint: str = "the file is cut short or of a layout not known") -> ReportError:
        """Return the error for a field that the report must have."""
        return ReportError(f"{shown(self.path)}: no {field}; {hint}, so write the report again")

    def wrong(self, field: str, allowed: str, got: str) -> ReportError:
        """Return the error for a field whose value is not of its kind."""
        start = got if len(got) <= 60 else got[:57] + "..."
        return ReportError(f"{shown(self.path)}: {field} must be {allowed}, got {start!r}; write the report again")

    def integer(self, field: str, cell: str) -> int | None:
        """Return a count; None where the tool gives none, or one that ran over, such as -1."""
        number = self._printed(field, cell)
        return number if number is not None and _is_count(number) else None

    def _printed(self, field: str, cell: str) -> int | None:
        """Return the number that is printed, None of a range; a percentage in brackets is left off."""
        text = re.sub(r" ?\([^()]{1,9}%\)$", "", cell.strip())
        if _is_none(text):
            return None
        if not INTEGER.fullmatch(text):
            raise self.wrong(field, "a whole number", text)
        return int(text)

    def span(self, field: str, low: str, high: str) -> Span | None:
        """Return the smallest and the largest of a count, either None where the tool gives none.

        It is None as a whole where the tool gives neither, or where one end shows that the tool's counting
        ran over: then the other end is no surer.
        """
        least, most = self._printed(field, low), self._printed(field, high)
        known = [number for number in (least, most) if number is not None]
        if not known or not all(map(_is_count, known)) or known != sorted(known):
            return None
        return least, most

    def span_in(self, field: str, cell: str) -> Span | None:
        """Return the ``span`` in one cell: one number that is both ends, or two as in ``64 ~ 128``."""
        ends = [cell] if cell.strip().startswith("~") else cell.split("~", 1)
        return self.span(field, ends[0], ends[-1])

    def decimal(self, field: str, cell: str) -> float | None:
        """Return a number; None where the tool gives none."""
        text = cell.strip()
        if _is_none(text):
            return None
        if not DECIMAL.fullmatch(text):
            raise self.wrong(field, "a number", text)
        return float(text) if abs(float(text)) < MOST else None

    def nanoseconds(self, field: str, cell: str) -> float | None:
        """Return a time in ns, 0 or more; it may carry its unit."""
        number, _, unit = ("-", "", "") if _is_none(cell) else cell.strip().partition(" ")
        if unit.strip() not in NANOSECONDS:
            raise self.wrong(field, "a time in ns, us or ms", cell.strip())
        value = self.decimal(field, number)
        return None if value is None or value < 0 else value * NANOSECONDS[unit.strip()]

    def bram18(self, field: str, tiles: str) -> int | None:
        """Return 36 Kb tiles, of which a half may be in use, in 18 Kb halves."""
        value = self.decimal(field, tiles)
        if value is None or value < 0:
            return None
        if not (2 * value).is_integer():
            raise self.wrong(field, "a number of tiles in halves", tiles.strip())
        return int(2 * value)

    def after(self, pattern: str, field: str) -> str:
        """Return group 1 of the first line that matches.

        Raises:
            ReportError: no line does.
        """
        found = self.find(pattern)
        if found is None:
            raise self.missing(field)
        return found

    def find(self, pattern: str) -> str | None:
        """Return group 1 of the first line that matches, or None."""
        compiled = re.compile(pattern)
        for line in self.lines:
            if match := compiled.match(line):
                return match.group(1).strip()
        return None

    def has(self, pattern: str) -> bool:
        """Tell whether a line matches."""
        compiled = re.compile(pattern)
        return any(compiled.match(line) for line in self.lines)


def _is_none(text: str) -> bool:
    """Whether a cell has no number, or has two."""
    return text.strip().lower() in ABSENT or " ~ " in text


def _is_count(number: int) -> bool:
    """Whether a tool can mean it: neither negative nor what an integer of 32 or 64 bits that ran over looks like."""
    return 0 <= number < 2**63 - 2 and all(abs(number - 2**bits) > 2 for bits in (31, 32))


@dataclass(frozen=True)
class ReportTable:
    """A bordered table.

    Attributes:
        section: last heading above it between rules of ``=``, or numbered and underlined.
        group: last heading above it that starts with ``+``.
        item: last heading above it that starts with ``*``.
        header: cells of the last header line, one per column.
        titles: the whole header as text, for cells that span columns.
        rows: cells of each row; white space at their left is kept.
        end: number of the line after the table.
    """

    section: str
    group: str
    item: str
    header: tuple[str, ...]
    titles: str
    rows: tuple[tuple[str, ...], ...]
    end: int

    def column(self, *names: str) -> int | None:
        """Return the index of the first column of one of these names."""
        for name in names:
            if name in self.header:
                return self.header.index(name)
        return None

    def row(self, *names: str) -> tuple[str, ...] | None:
        """Return the first row whose first cell is one of ``names``, footnote marks aside."""
        for row in self.rows:
            if row[0].strip().rstrip("*").strip() in names:
                return row
        return None


@dataclass
class _Headings:
    section: str = ""
    group: str = ""
    item: str = ""

    def see(self, line: str, following: str) -> None:
        text = line.strip()
        if text.startswith("== "):
            self.section, self.group, self.item = text[3:].strip(), "", ""
        elif re.match(r"^\d+(\.\d+)*\.?\s+\S", line) and re.match(r"^-+\s*$", following):
            self.section, self.group, self.item = re.sub(r"^[\d.]+\s+", "", text), "", ""
        elif text.startswith("+ "):
            self.group, self.item = text[2:].strip().rstrip(":"), ""
        elif text.startswith("* "):
            self.item = text[2:].strip().rstrip(":")


def tables(source: Source, wanted: Callable[[str, str], bool] = lambda section, item: True) -> list[ReportTable]:
    """Return the tables whose section and item ``wanted`` accepts; of the others only the end is checked.

    Raises:
        ReportError: a table has no end, or a row that does not fit its border.
    """
    found: list[ReportTable] = []
    headings = _Headings()
    lines = source.lines
    index = 0
    while index < len(lines):
        if not BORDER.match(lines[index]):
            headings.see(lines[index], lines[index + 1] if index + 1 < len(lines) else "")
            index += 1
            continue
        end = index
        while end < len(lines) and (BORDER.match(lines[end]) or lines[end].lstrip().startswith("|")):
            end += 1
        if not BORDER.match(lines[end - 1]) or end - index < 3:
            raise source.missing(f"end of the table at line {index + 1} ({headings.section or 'first section'})")
        if wanted(headings.section, headings.item):
            found.append(_table(source, headings, index, end))
        index = end
    return found


def _table(source: Source, headings: _Headings, start: int, end: int) -> ReportTable:
    border = source.lines[start].rstrip()
    marks = [place for place, letter in enumerate(border) if letter == "+"]
    blocks: list[list[str]] = [[]]
    for number in range(start + 1, end):
        line = source.lines[number].rstrip()
        if BORDER.match(line):
            blocks.append([])
        elif len(line) != len(border):
            raise source.wrong(f"row at line {number + 1}", f"as wide as its table ({len(border)})", line.strip())
        else:
            blocks[-1].append(line)
    head, body = blocks[0], [line for block in blocks[1:] for line in block]
    if not body and len(blocks) == 2:
        # one block only: a table of names and values without a header
        head, body = ([], head) if _is_headless(headings.section) else (head, [])
    for line in body:
        if any(line[mark] != "|" for mark in marks):
            raise source.wrong("a row", "cut at its table's columns", line.strip())
    cells = [tuple(_cells(line, marks)) for line in body]
    header = tuple(cell.strip() for cell in _cells(head[-1], marks)) if head else ()
    return ReportTable(headings.section, headings.group, headings.item, header, " ".join(head), tuple(cells), end)


def _is_headless(section: str) -> bool:
    return section in ("Summary", "Environment")


def _cells(line: str, marks: list[int]) -> list[str]:
    return [line[left + 1 : right].rstrip() for left, right in pairwise(marks)]
