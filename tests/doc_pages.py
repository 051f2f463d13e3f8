"""What README and docs/ show a reader: Python and YAML blocks and commands, in the order in which they stand."""

import re
import shlex
from dataclasses import dataclass

from conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
PROGRAMS = ("xnorflow", "python", "pytest", "make")


@dataclass(frozen=True)
class Command:
    """A command as it is printed; ``needs`` says what a reader must have to run it, where it says so."""

    words: tuple[str, ...]
    needs: str = ""

    def __str__(self):
        return " ".join(self.words)


def python_blocks(page):
    """The Python blocks of a page."""
    return [text for language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if language == "python"]


def yaml_blocks(page):
    """The YAML blocks of a page."""
    return [text for language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if language == "yaml"]


def shown_commands(page):
    """The commands in the blocks of a page."""
    text = "\n".join(block for language, block in BLOCK.findall(page.read_text(encoding="utf-8")) if not language)
    return [command for line in text.splitlines() if (command := _command(line)) is not None]


def named_commands(page):
    """The commands in the running text of a page."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [command for code in INLINE.findall(text) if (command := _command(code)) is not None]


def _command(line):
    line, _, remark = line.partition(" #")
    words = line.split()
    if len(words) < 2 or words[0] not in PROGRAMS:
        return None
    needs = re.search(r"needs (.+)", remark)
    return Command(tuple(shlex.split(line)), needs[1] if needs else "")
