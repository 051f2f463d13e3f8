"""The head, the design state and the table of contents of a Vivado report."""

from __future__ import annotations

import re

from xnorflow.tools.report import Stage
from xnorflow.tools.vivado.text import Source

# sections that come last, often without a row, and of which nothing is read
NOT_READ = ("Black Boxes", "Instantiated Netlists", "By Hierarchy", "SLR Connectivity Matrix", "By Clock Domain")


def head(source: Source, name: str) -> str:
    """Return a field of the head.

    Raises:
        ReportError: it is missing.
    """
    return source.after(rf"^\|\s*{name}\s*:\s*(\S.*)$", f"field {name} in the head")


def version(source: Source) -> str:
    """Return Vivado's version, such as 2019.2."""
    return source.after(r"^\|\s*Tool Version\s*:\s*Vivado v\.(\d{4}\.\d[\d.]*)", "field Tool Version")


def stage_of(source: Source, state: str) -> Stage:
    """Return the stage that a design state stands for.

    Raises:
        ReportError: a state that is not known.
    """
    words = state.lower().replace(" ", "")
    if words.startswith("partially"):
        words = {"partiallyplaced": "synthesized", "partiallyrouted": "placed"}.get(words, words)
    if words.endswith("routed") or "postroute" in words:
        return Stage.ROUTED
    if words.endswith("placed") or "postplace" in words:
        return Stage.PLACED
    if words.startswith(("synth", "opt", "physopt", "elaborated", "linked")):
        return Stage.SYNTHESISED
    raise source.wrong("Design State", "Synthesized, Fully Placed or Routed", state)


def check_contents(source: Source) -> None:
    """Hold the sections against the table of contents; the last one must have its table.

    Raises:
        ReportError: a section is missing, so the report is cut short.
    """
    numbered = re.compile(r"^\d+(?:\.\d+)*\.?\s+\S.*")
    listed: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(source.lines[:-1]):
        if match := numbered.match(line.rstrip()):
            if re.match(r"^-+\s*$", source.lines[number + 1]):
                seen[match.group(0)] = number
            elif not seen:
                listed.append(match.group(0))
    if not listed:
        raise source.missing("table of contents")
    for entry in listed:
        if entry not in seen:
            raise source.missing(f"section {entry}")
    last = listed[-1]
    borders = sum(line.startswith("+-") for line in source.lines[seen[last] :])
    # two borders are a table without rows, or the head of one that is cut short, which matters where it is read
    cut = borders == 2 and source.lines[-2].strip() and not last.endswith(NOT_READ)
    if borders < 2 or cut:
        raise source.missing(f"table of section {last}")
