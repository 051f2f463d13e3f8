"""FPGA devices as data: one YAML file each in ``xnorflow/devices/``; a new device is a new file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

from xnorflow.errors import ConfigError

# a slice of the 7-series; its registers have one control set (AMD UG474, chapter 2)
SLICE_LUTS, SLICE_REGISTERS = 4, 8


@dataclass(frozen=True)
class Resources:
    """Amounts of the four things that run out. ``bram18`` counts 18 Kb halves."""

    lut: int
    ff: int
    bram18: int
    dsp: int

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.lut + other.lut, self.ff + other.ff, self.bram18 + other.bram18, self.dsp + other.dsp)


@dataclass(frozen=True)
class Device:
    """A device and what it holds.

    Attributes:
        parts: orderable part names (package and speed grade).
        boards: boards that carry it.
        source: the data sheet the numbers come from.
        pins: by part and package, four pins to place a design on: clock, two inputs, an output.
    """

    name: str
    parts: tuple[str, ...]
    boards: tuple[str, ...]
    resources: Resources
    source: str
    pins: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def slices(self) -> int:
        """Slices."""
        return self.resources.lut // SLICE_LUTS


# aspect ratios of a RAMB18 with one port: bits per word, words (AMD UG473, table 1-1)
RAMB18_RATIOS = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))


def bram18_blocks(word_bits: int, depth: int) -> int:
    """Return the 18 Kb blocks of a memory, in the best of the aspect ratios."""
    return min(-(-word_bits // width) * -(-depth // words) for width, words in RAMB18_RATIOS)


@cache
def devices() -> tuple[Device, ...]:
    """Return every known device, sorted by name.

    Raises:
        ConfigError: a device file lacks a field or holds one of the wrong kind.
    """
    folder = resources.files("xnorflow") / "devices"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda e: e.name)
    return tuple(_device(entry.name, yaml.safe_load(entry.read_text(encoding="utf-8"))) for entry in files)


def _device(file: str, fields: Any) -> Device:
    try:
        amounts = Resources(*(int(fields[key]) for key in ("lut", "ff", "bram18", "dsp")))
        pins = {package: tuple(names) for package, names in fields.get("pins", {}).items()}
        parts, boards = tuple(fields["parts"]), tuple(fields["boards"])
        return Device(fields["name"], parts, boards, amounts, fields["source"], pins)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"device file {file}: missing or wrong field ({error})") from error


def device_of(part: str) -> Device:
    """Return the device of an orderable part name, in any letter case.

    Raises:
        ConfigError: no device file lists the part.
    """
    known = {name: device for device in devices() for name in device.parts}
    for name, device in known.items():
        if name.lower() == part.lower():
            return device
    near = difflib.get_close_matches(part.lower(), known, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"
    raise ConfigError(f"unknown part {part!r}; {hint} (a device is added by a file in xnorflow/devices/)")
