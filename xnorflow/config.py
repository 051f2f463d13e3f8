"""BuildConfig: everything a run depends on, read from one YAML file and checked key by key."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from xnorflow.device import is_device_file, orderable
from xnorflow.errors import ConfigError, DataError, shown
from xnorflow.inputs import InputSettings, PixelThreshold
from xnorflow.settings import Folding, Precision, TrainConfig, got, number, whole
from xnorflow.spec import NetSpec
from xnorflow.yamlfile import load_yaml

HLS_BACKENDS = ("Vivado", "Vitis")
VERILOG = "Verilog"
BACKENDS = (*HLS_BACKENDS, VERILOG)
IO_TYPES = ("io_parallel", "io_stream")
STRATEGIES = ("Latency", "Resource")
XNOR, STOCK = "xnor", "hls4ml"
KERNELS = (XNOR, STOCK)


@dataclass(frozen=True)
class BuildConfig:
    """One network on one device.

    Attributes:
        network: the network's Python file, ``keras_models/<name>.py``; None where a trained one is given, or the
            project has one.
        data: a data set's name, an ``.npz`` file or a folder of images (see ``xnorflow.data``).
        part: a part, device or board by its name, which becomes the orderable name, or the path of a device file.
        clock_mhz: target clock.
        backend: "Vivado" or "Vitis" for hls4ml, "Verilog" for our own Verilog.
        io_type: "io_parallel" (whole images in registers) or "io_stream" (one pixel at a time).
        kernel: "xnor" for our packed kernels in the HLS project, "hls4ml" for its own.
        strategy: hls4ml strategy of each layer, or one for all, for kernel "hls4ml".
        reuse_factor: cycles per image of each layer (per output pixel in a convolution), or one for all.
        input_bits, pixel_threshold: what the network reads of a pixel; ``input`` gives both, as InputSettings.
        folding: neurons and inputs per cycle of each layer, for "Verilog"; for kernel "xnor" where
            a reuse factor alone does not say it.
        bram36: block RAMs that weights may take, for "Verilog"; the rest goes into LUTs.
        registers_every: counter stages between two registers, for "Verilog"; 1 is the fastest clock,
            more takes fewer registers.
        precision: types that replace the solved ones, per layer, for kernel "hls4ml".
        train: how the network is trained.
    """

    network: Path | None
    part: str
    data: str = "mnist5k"
    clock_mhz: float = 100.0
    backend: str = "Vivado"
    io_type: str = "io_parallel"
    kernel: str = XNOR
    strategy: str | dict[str, str] = "Resource"
    reuse_factor: int | dict[str, int] = 1
    input_bits: int = 1
    pixel_threshold: PixelThreshold = 128
    folding: dict[str, Folding] = field(default_factory=dict)
    bram36: int = 60
    registers_every: int = 1
    precision: dict[str, Precision] = field(default_factory=dict)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        name = orderable(self.part)
        object.__setattr__(self, "part", str(Path(self.part).resolve()) if is_device_file(self.part) else name)
        _one_of("backend", self.backend, BACKENDS)
        _one_of("io_type", self.io_type, IO_TYPES)
        _one_of("kernel", self.kernel, KERNELS)
        strategies = self.strategy.values() if isinstance(self.strategy, dict) else [self.strategy]
        for strategy in strategies:
            _one_of("strategy", strategy, STRATEGIES)
        factors = self.reuse_factor.values() if isinstance(self.reuse_factor, dict) else [self.reuse_factor]
        for factor in factors:
            if not whole(factor) or factor < 1:
                raise ConfigError(f"reuse_factor must be a whole number >= 1, got {got(factor)}")
        for key in ("strategy", "reuse_factor", "precision", "folding"):
            table = getattr(self, key)
            for layer in table if isinstance(table, dict) else ():
                if not isinstance(layer, str):
                    raise ConfigError(f"{key}: layers are named by text, got {got(layer)}; put it in quotes")
        self._check_numbers()

    def _check_numbers(self) -> None:
        if not number(self.clock_mhz) or not 1 <= self.clock_mhz <= 800:
            raise ConfigError(f"clock_mhz must be 1 to 800, got {got(self.clock_mhz)}")
        InputSettings(self.input_bits, self.pixel_threshold)
        # above what any device has and any counter needs
        for name, least, most in (("bram36", 0, 10_000), ("registers_every", 1, 1000)):
            value = getattr(self, name)
            if not whole(value) or not least <= value <= most:
                raise ConfigError(f"{name} must be a whole number >= {least} and at most {most:,}, got {got(value)}")
        self._check_route()

    def _check_route(self) -> None:
        """Refuse settings that the backend or kernel would not look at."""
        if self.backend == VERILOG:
            if self.reuse_factor != 1 or self.precision:
                raise ConfigError(
                    f"reuse_factor and precision are hls4ml's; with backend {VERILOG} give a folding instead"
                )
            if self.kernel != XNOR:
                raise ConfigError(f"kernel goes with backend Vivado or Vitis, got {self.backend}; leave it out")
        elif self.kernel == STOCK:
            if self.folding:
                raise ConfigError(
                    f"folding goes with kernel {XNOR} or backend {VERILOG}, got kernel {STOCK} and {self.backend}; "
                    "give a reuse_factor instead"
                )
        elif self.strategy != "Resource" or self.precision:
            raise ConfigError(f"strategy and precision go with kernel {STOCK}; kernel {XNOR} works its types out")
        both = set(self.folding) & set(self.reuse_factor if isinstance(self.reuse_factor, dict) else ())
        if both:
            raise ConfigError(f"layer {min(both)} has a folding and a reuse_factor, which follows from it; give one")

    @property
    def input(self) -> InputSettings:
        """What the network reads of an image."""
        return InputSettings(self.input_bits, self.pixel_threshold)

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

    def reuse_factor_of(self, layer: str) -> int:
        """Reuse factor of a layer; 1 where a per-layer table leaves it out."""
        return self.reuse_factor.get(layer, 1) if isinstance(self.reuse_factor, dict) else self.reuse_factor

    def strategy_of(self, layer: str) -> str:
        """Strategy of a layer; "Resource" where a per-layer table leaves it out."""
        return self.strategy.get(layer, "Resource") if isinstance(self.strategy, dict) else self.strategy

    def check_layers(self, spec: NetSpec) -> None:
        """Refuse per-layer settings that name a layer the network does not have, or more of a layer than it has.

        Raises:
            ConfigError: naming the key, the layer and the network's layers.
        """
        names = [layer.name for layer in spec.layers]
        for key in ("strategy", "reuse_factor", "precision", "folding"):
            table = getattr(self, key)
            for layer in table if isinstance(table, dict) else ():
                if layer not in names:
                    raise ConfigError(f"{key}: network {spec.name} has no layer {layer!r}; it has {', '.join(names)}")
        for known in (layer for layer in spec.layers if layer.name in self.folding):
            self.folding[known.name].check(known.name, known.n_in, known.n_out, divides=self.backend != VERILOG)


def load_config(path: str | Path) -> BuildConfig:
    """Read a YAML configuration; paths in it are relative to the file.

    Raises:
        ConfigError: unreadable file, not YAML, an unknown key or a value that is not allowed.
    """
    path = Path(path)
    try:
        document = load_yaml(path, "a configuration")
    except DataError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigError(f"no such configuration: {shown(path)}; some come along, in hls_configs/") from error
        raise ConfigError(str(error)) from error
    try:
        return config_from_dict(document, path.resolve().parent)
    except ConfigError as error:
        raise ConfigError(f"{shown(path)}: {error}") from error


def config_from_dict(document: Any, folder: Path) -> BuildConfig:
    """Build a BuildConfig from what a YAML file says; paths in it are relative to ``folder``.

    Raises:
        ConfigError: an unknown or missing key, or a value that is not allowed.
    """
    values = {"network": None, **_fields(document, BuildConfig, "")}
    for key in ("network", "part", "data", "backend", "io_type", "kernel"):
        if key in document and not (isinstance(values[key], str) and values[key]):
            raise ConfigError(f"{key} must be text, got {got(values[key])}")
    if "part" not in values:
        raise ConfigError("part is missing")
    if values["network"] is not None:
        values["network"] = _path("network", folder, values["network"])
    if is_device_file(values["part"]):
        values["part"] = str(_path("part", folder, values["part"]))
    data = values.get("data", "")
    if data.endswith(".npz") or "/" in data:
        values["data"] = str(_path("data", folder, data))
    # a key with nothing behind it stands for the defaults
    tables = {key: {} if values.get(key) is None else values[key] for key in ("train", "precision", "folding")}
    values["train"] = TrainConfig(**_fields(tables["train"], TrainConfig, "train"))
    values["folding"] = _foldings(tables["folding"])
    values["precision"] = _precisions(tables["precision"])
    return BuildConfig(**values)


def with_train(config: BuildConfig, changes: Mapping[str, Any]) -> BuildConfig:
    """Return the configuration with other settings of TrainConfig.

    Raises:
        ConfigError: an unknown setting, or a value that is not allowed.
    """
    train = dataclasses.replace(config.train, **_fields(changes, TrainConfig, "train"))
    return dataclasses.replace(config, train=train)


def config_to_dict(config: BuildConfig) -> dict[str, Any]:
    """Return the configuration as plain values; ``config_from_dict`` reads them back."""
    values = dataclasses.asdict(config) | {"network": str(config.network)}
    if config.network is None:
        del values["network"]
    return values


def _path(key: str, folder: Path, text: str) -> Path:
    try:
        if b"\0" not in os.fsencode(text):
            return (folder / text).resolve()
    except (UnicodeEncodeError, OSError, RuntimeError):
        pass  # a character no file name has, a name too long, a loop of links
    raise ConfigError(f"{key} is not a path: {got(text)}")


def config_to_yaml(config: BuildConfig, path: Path, remark: str) -> str:
    """Return the text of a YAML file at ``path`` that ``load_config`` reads back as ``config``.

    Settings that have their default value are left out, but for part, clock, backend and reuse factors.
    """
    always: tuple[str, ...] = ("network", "data", "part", "clock_mhz", "backend")
    if config.backend != VERILOG:
        always += ("io_type", "kernel", "reuse_factor")
        if config.kernel == STOCK:
            always += ("strategy",)
    default = config_to_dict(BuildConfig(config.network, config.part))
    values = {key: value for key, value in config_to_dict(config).items() if key in always or value != default[key]}
    if "train" in values:
        plain = dataclasses.asdict(TrainConfig())
        values["train"] = {name: value for name, value in values["train"].items() if value != plain[name]}
    if config.network is not None:
        values["network"] = os.path.relpath(config.network, path.resolve().parent)
    if is_device_file(config.part):
        values["part"] = os.path.relpath(config.part, path.resolve().parent)
    text = yaml.safe_dump(values, sort_keys=False, default_flow_style=None, width=118, allow_unicode=True)
    return f"# {' '.join(remark.split())}\n{text}"


def _foldings(table: Any) -> dict[str, Folding]:
    if not isinstance(table, dict):
        raise ConfigError(f"folding must be a table of layers, got {got(table)}")
    foldings = {}
    for layer, entry in table.items():
        values = _fields(entry, Folding, f"folding.{layer}")
        if set(values) != {"pe", "simd"}:
            raise ConfigError(f"folding.{layer} must be {{pe: P, simd: S}}, got {got(entry)}")
        foldings[str(layer)] = Folding(**values)
    return foldings


def _precisions(table: Any) -> dict[str, Precision]:
    if not isinstance(table, dict):
        raise ConfigError(f"precision must be a table of layers, got {got(table)}")
    return {
        str(layer): Precision(**_fields(entry, Precision, f"precision.{layer}")) for layer, entry in table.items()
    }


def _fields(document: Any, kind: type[Any], where: str) -> dict[str, Any]:
    if not isinstance(document, Mapping):
        raise ConfigError(f"{where or 'the file'} must hold `key: value` lines, got {got(document)}")
    known = [item.name for item in dataclasses.fields(kind)]
    for key in document:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1) if isinstance(key, str) else []
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
            name = " ".join(key.split()) if isinstance(key, str) else got(key)
            raise ConfigError(f"unknown key {f'{where}.' if where else ''}{name}; {hint}")
    return dict(document)


def _one_of(key: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{key} must be {' or '.join(allowed)}, got {got(value)}")
