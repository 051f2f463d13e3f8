"""BuildConfig: everything a run depends on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xnorflow.base.checks import got, number
from xnorflow.base.device import is_device_file, orderable
from xnorflow.base.errors import ConfigError
from xnorflow.net.inputs import InputSettings
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.settings import HLS_BACKENDS, HlsSettings
from xnorflow.routes.rtl.settings import RtlSettings
from xnorflow.sources.training.settings import TrainConfig

VERILOG = "Verilog"
BACKENDS = (*HLS_BACKENDS, VERILOG)


@dataclass(frozen=True)
class BuildConfig:
    """One network on one device.

    Attributes:
        network: the network's Python file, ``keras_models/<name>.py``; None where a trained one is given, or the
            project has one.
        part: a part, device or board by its name, which becomes the orderable name, or the path of a device file.
        data: a data set's name, an ``.npz`` file or a folder of images (see ``xnorflow.sources.data.sets``).
        clock_mhz: target clock.
        hls: how the HLS project is made; None for the Verilog route.
        rtl: how Verilog is made, on the Verilog route, and of a network whose route is the other one.
        input: what the network reads of an image; ``input_bits`` and ``pixel_threshold`` in a file.
        train: how the network is trained.
    """

    network: Path | None
    part: str
    data: str = "mnist5k"
    clock_mhz: float = 100.0
    hls: HlsSettings | None = field(default_factory=HlsSettings)
    rtl: RtlSettings = field(default_factory=RtlSettings)
    input: InputSettings = field(default_factory=InputSettings)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        name = orderable(self.part)
        object.__setattr__(self, "part", str(Path(self.part).resolve()) if is_device_file(self.part) else name)
        if not number(self.clock_mhz) or not 1 <= self.clock_mhz <= 800:
            raise ConfigError(f"clock_mhz must be 1 to 800, got {got(self.clock_mhz)}")

    @property
    def route(self) -> HlsSettings | RtlSettings:
        """The settings of the configuration's route."""
        return self.rtl if self.hls is None else self.hls

    @property
    def backend(self) -> str:
        """The route by its name in files: "Vivado" or "Vitis" for an HLS project, "Verilog" for our own Verilog."""
        return VERILOG if self.hls is None else self.hls.backend

    def with_route(self, **changes: Any) -> BuildConfig:
        """Return the configuration with other settings of its route."""
        if self.hls is None:
            return dataclasses.replace(self, rtl=dataclasses.replace(self.rtl, **changes))
        return dataclasses.replace(self, hls=dataclasses.replace(self.hls, **changes))

    @property
    def network_file(self) -> Path:
        """The network's Python file; where the configuration names none, this raises a ConfigError."""
        if self.network is None:
            raise ConfigError(
                "network is missing, and no trained one is at hand: name its Python file by network: in the "
                "configuration, or a trained network by --model, or a project that has one by --project"
            )
        return self.network

    @property
    def name(self) -> str:
        """The network's name: that of its file."""
        return self.network_file.stem

    def check_layers(self, spec: NetSpec) -> None:
        """Refuse settings that name a layer the network does not have, or more of a layer than it has.

        Raises:
            ConfigError: naming the key, the layer and what it may be.
        """
        self.route.check_layers(spec)
