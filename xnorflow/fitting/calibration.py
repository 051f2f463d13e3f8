"""A user's own ratios from HLS report to Vivado, as ``xnorflow calibrate`` writes them to a YAML file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from msgspec import Meta

from xnorflow.base.errors import DataError, XnorflowError, shown
from xnorflow.base.files.atomic import write_text
from xnorflow.base.files.plain import from_plain
from xnorflow.base.files.yaml_file import load_yaml
from xnorflow.base.resources import Ratios
from xnorflow.fitting.verdict import Ratio

# beyond it, two reports are not of the same design
MOST_RATIO = 1000
_Factor = Annotated[float, Meta(ge=1 / MOST_RATIO, le=MOST_RATIO)]
_Factors = tuple[_Factor, _Factor, _Factor]


@dataclass(frozen=True)
class Calibration:
    """Low, likely and high factor of each resource; None where the file leaves it out."""

    lut: _Factors | None = None
    ff: _Factors | None = None
    bram18: _Factors | None = None
    dsp: _Factors | None = None

    def __post_init__(self) -> None:
        for kind, factors in vars(self).items():
            if factors is not None and not factors[0] <= factors[1] <= factors[2]:
                raise ValueError(f"{kind} must be three rising numbers, got {', '.join(map(str, factors))}")


def load_calibration(path: str | Path) -> Ratios:
    """Read a calibration: low, likely and high of each resource that the file names.

    Raises:
        DataError: missing, not YAML, or not three rising numbers from 1/1000 to 1000 for each resource.
    """
    try:
        calibration = from_plain(Calibration, load_yaml(Path(path), "a calibration file"), shown(path))
    except XnorflowError as error:
        raise DataError(f"{error}; write one with xnorflow calibrate -o") from error
    return {kind: factors for kind, factors in dataclasses.asdict(calibration).items() if factors is not None}


def write_calibration(ratios: Mapping[str, Ratio], path: str | Path) -> None:
    """Write ratios as ``load_calibration`` reads them.

    Raises:
        DataError: the file can't be written.
    """
    table = {kind: [ratio.low, ratio.likely, ratio.high] for kind, ratio in ratios.items()}
    remark = "# From HLS report to Vivado: low, likely, high. Written by xnorflow calibrate.\n"
    write_text(Path(path), remark + yaml.safe_dump(table))
