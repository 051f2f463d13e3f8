"""FPGA devices as data: one YAML file each in ``xnorflow/base/devices/``, or a file of a user's own.

A part is asked for by its orderable name (``xc7z010clg400-1``, in any usual spelling), by its device (``xc7z010``),
by a board (``Zybo Z7-10``), or by the path of a device file.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from xnorflow.base.checks import got
from xnorflow.base.errors import ConfigError, DataError, shown
from xnorflow.base.files.plain import Positive, from_plain
from xnorflow.base.files.yaml_file import load_yaml
from xnorflow.base.resources import Counts

# a slice of the 7-series; its registers have one control set (AMD UG474, chapter 2)
SLICE_LUTS, SLICE_REGISTERS = 4, 8
# endings that make a part the path of a device file
DEVICE_FILES = (".yaml", ".yml")
# as they are printed on the chip and sold: XC7Z010-1CLG400C, XC7A35T-L1CSG324I
SOLD = re.compile(r"(?:xc)?(7[a-z][0-9]+[a-z]*)-(l?)([1-3])([a-z]{3}[0-9]{3,4})[cei]?")

# parts and pins stand in Tcl and constraint files
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
MOST_OF_ANYTHING = 100_000_000


@dataclass(frozen=True)
class Device:
    """A device and what it holds.

    Attributes:
        parts: orderable part names (package and speed grade); the first stands for the device.
        boards: boards that carry it, and the part that each has.
        source: the data sheet the numbers come from.
        pins: by part and package, four pins to place a design on: clock, two inputs, an output.
    """

    name: str
    parts: tuple[str, ...]
    boards: Mapping[str, str] = field(hash=False)
    resources: Counts[int]
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


@dataclass(frozen=True)
class _File:
    """What a device file says."""

    name: str
    parts: tuple[str, ...]
    lut: Positive
    ff: Positive
    bram18: Positive
    dsp: Positive
    source: str
    boards: dict[str, str] = field(default_factory=dict)
    pins: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.parts:
            raise ConfigError("field parts: one or more orderable parts must be named, got none")
        for key, names in (("name", [self.name]), ("parts", self.parts), ("pins", chain(*self.pins.values()))):
            for name in names:
                if not _NAME.fullmatch(name):
                    raise ConfigError(f"field {key}: a name of letters, digits, - and _ is wanted, got {got(name)}")
        self._check_boards()
        for kind, count in self.resources.items():
            if count > MOST_OF_ANYTHING:
                raise ConfigError(f"field {kind}: at most {MOST_OF_ANYTHING:,}, got {got(count)}")

    @property
    def resources(self) -> Counts[int]:
        """What the part has."""
        return Counts(self.lut, self.ff, self.bram18, self.dsp)

    def _check_boards(self) -> None:
        for board, part in self.boards.items():
            if part not in self.parts:
                raise ConfigError(
                    f"field boards: the part of {shown(board)} must be one of {', '.join(self.parts)}, got {part}"
                )
        for package in self.pins:
            if not any(part.startswith(package) for part in self.parts):
                raise ConfigError(f"field pins: {package} must be the begin of one of {', '.join(self.parts)}")


@cache
def devices() -> tuple[Device, ...]:
    """Return every known device, sorted by name.

    Raises:
        ConfigError: a device file lacks a field or holds one of the wrong kind.
    """
    folder = resources.files("xnorflow.base") / "devices"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda e: e.name)
    return tuple(_device(entry.name, yaml.safe_load(entry.read_text(encoding="utf-8"))) for entry in files)


def load_device(path: str | Path) -> Device:
    """Read a device file of a user's own, of the same form as those in ``xnorflow/base/devices/``.

    Raises:
        ConfigError: it cannot be read, lacks a field, or holds one that is unknown or of the wrong kind.
    """
    try:
        return _device(str(path), load_yaml(Path(path), "a device file"))
    except DataError as error:
        raise ConfigError(f"device file: {error}") from error


def _device(file: str, fields: Any) -> Device:
    where = f"device file {shown(file)}"
    known = [item.name for item in dataclasses.fields(_File)]
    for name in fields if isinstance(fields, dict) else ():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown field {got(name)}; {hint}")
    try:
        told = from_plain(_File, fields, where)
    except DataError as error:
        raise ConfigError(f"{error}; compare it with one in xnorflow/base/devices/") from error
    return Device(told.name, told.parts, told.boards, told.resources, told.source, told.pins)


def is_device_file(part: str) -> bool:
    """Whether a part is asked for by the path of a device file."""
    return part.lower().endswith(DEVICE_FILES)


def device_of(part: str) -> Device:
    """Return the device of a part: of its name in any usual spelling, a board's, a device's, or of a device file.

    Raises:
        ConfigError: there is no such part, the name stands for several, or the device file is no good.
    """
    return _found(part)[0]


def orderable(part: str) -> str:
    """Return the orderable name of a part, as tools take it; of a device or a file of one, that of its first part.

    Raises:
        ConfigError: as ``device_of``.
    """
    return _found(part)[1]


def part_values(part: str) -> dict[str, Any]:
    """Return what results depend on of a part, for the inputs of a step: a device file may change."""
    device, name = _found(part)
    return {"part": name, "device": device.name, "resources": dataclasses.asdict(device.resources)}


def _found(part: str) -> tuple[Device, str]:
    if is_device_file(part):
        device = load_device(Path(part))
        return device, device.parts[0]
    sold = SOLD.fullmatch(part.strip().lower())
    if sold is not None:
        family, low, grade, package = sold.groups()
        part_name = f"xc{family}i{package}-{grade}l" if low else f"xc{family}{package}-{grade}"
        return _names().get(_key(part_name)) or _refuse(part)
    return _names().get(_key(part)) or _refuse(part)


def _key(name: str) -> str:
    """Return a name without case, spaces and punctuation."""
    return re.sub(r"[\W_]+", "", name).lower()


@cache
def _names() -> Mapping[str, tuple[Device, str]]:
    """Return the device and the part of every name, by its key."""
    found: dict[str, tuple[Device, str]] = {}
    for device in devices():
        for part in device.parts:
            # without speed grade, package or maker the first part that it may be
            for name in (part, part.rpartition("-")[0], device.name):
                at = (device, device.parts[0] if name == device.name else part)
                found.setdefault(_key(name), at)
                found.setdefault(_key(name).removeprefix("xc"), at)
        for board, part in device.boards.items():
            found[_key(board)] = found[_key(board).removesuffix("t")] = (device, part)
    return found


def _refuse(part: str) -> Any:
    boards = [board for device in devices() for board in device.boards]
    begun = [board for board in boards if _key(part) and _key(board).startswith(_key(part))]
    if begun:
        raise ConfigError(f"part {got(part)} may be {' or '.join(begun)}; name one of them")
    names = {_key(name): name for device in devices() for name in (*device.parts, *device.boards)}
    near = [names[key] for key in difflib.get_close_matches(_key(part), names, n=3, cutoff=0.6)]
    known = ", ".join(device.name for device in devices())
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {known}"
    raise ConfigError(
        f"unknown part {got(part)}; {hint} (xnorflow devices lists parts and boards; a device of your own is a file, "
        "such as my_part.yaml)"
    )
