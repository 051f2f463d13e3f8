"""BuildConfig <-> YAML: files of flat keys, checked key by key; ``backend`` says whose settings they are."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from xnorflow.base.checks import check_one_of, got
from xnorflow.base.device import is_device_file
from xnorflow.base.errors import ConfigError, DataError, shown
from xnorflow.base.files.atomic import write_text
from xnorflow.base.files.yaml_file import load_yaml
from xnorflow.flow.config import BACKENDS, VERILOG, BuildConfig
from xnorflow.net.folding import Folding
from xnorflow.net.inputs import InputSettings
from xnorflow.routes.hls.settings import KERNELS, STOCK, XNOR, HlsSettings, Precision
from xnorflow.routes.rtl.settings import RtlSettings
from xnorflow.sources.training.settings import TrainConfig

# as a file is written
KEYS = (
    *("network", "part", "data", "clock_mhz", "backend", "io_type", "kernel", "strategy", "reuse_factor"),
    *("input_bits", "pixel_threshold", "folding", "bram36", "registers_every", "precision", "train"),
)
HLS_KEYS = ("io_type", "kernel", "strategy", "reuse_factor", "precision")
RTL_KEYS = ("bram36", "registers_every")
# by their names in InputSettings
INPUT_KEYS = {"bits": "input_bits", "pixel_threshold": "pixel_threshold"}


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
            hint = "the ones that come along are in hls_configs/"
            raise ConfigError(f"no such configuration: {shown(path)}; {hint}") from error
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
    values = {"network": None, **_known(document, KEYS, "")}
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
    hls, rtl = _routes(values)
    read = InputSettings(**{name: values.pop(key) for name, key in INPUT_KEYS.items() if key in values})
    common = {key: value for key, value in values.items() if key in _names(BuildConfig)}
    return BuildConfig(**common, hls=hls, rtl=rtl, input=read)


def _routes(values: Mapping[str, Any]) -> tuple[HlsSettings | None, RtlSettings]:
    """Return the settings of both routes; those of HLS are None, and hardly any may stand there, for Verilog."""
    backend, folding = values.get("backend", HlsSettings.backend), values["folding"]
    check_one_of("backend", backend, BACKENDS)
    of_hls = {key: values[key] for key in HLS_KEYS if key in values}
    of_rtl = {key: values[key] for key in RTL_KEYS if key in values}
    if backend != VERILOG:
        return HlsSettings(backend, **of_hls, folding=folding), RtlSettings(**of_rtl)
    kernel = of_hls.pop("kernel", XNOR)
    check_one_of("kernel", kernel, KERNELS)
    # not looked at, but it must be right what stands there; this kernel takes all of it
    unused = HlsSettings(kernel=STOCK, **of_hls)
    if unused.reuse_factor != 1 or unused.precision:
        raise ConfigError(f"reuse_factor and precision are hls4ml's; with backend {VERILOG} give a folding instead")
    if kernel != XNOR:
        raise ConfigError(f"kernel goes with backend Vivado or Vitis, got {VERILOG}; leave it out")
    return None, RtlSettings(folding, **of_rtl)


def with_train(config: BuildConfig, changes: Mapping[str, Any]) -> BuildConfig:
    """Return the configuration with other settings of TrainConfig.

    Raises:
        ConfigError: an unknown setting, or a value that is not allowed.
    """
    train = dataclasses.replace(config.train, **_fields(changes, TrainConfig, "train"))
    return dataclasses.replace(config, train=train)


def config_to_dict(config: BuildConfig) -> dict[str, Any]:
    """Return the configuration as plain values; ``config_from_dict`` reads them back."""
    values = {**dataclasses.asdict(config), "backend": config.backend}
    rtl, hls, read = (values.pop(key) for key in ("rtl", "hls", "input"))
    values |= {key: read[name] for name, key in INPUT_KEYS.items()}
    values |= rtl if hls is None else {**hls, **{key: rtl[key] for key in RTL_KEYS}}
    if config.network is None:
        del values["network"]
    else:
        values["network"] = str(config.network)
    return {key: values[key] for key in KEYS if key in values}


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
    if config.hls is not None:
        always += ("io_type", "kernel", "reuse_factor", *(("strategy",) if config.hls.kernel == STOCK else ()))
    default = config_to_dict(BuildConfig(config.network, config.part, hls=config.hls and HlsSettings()))
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


def write_config(config: BuildConfig, path: str | Path, remark: str) -> None:
    """Write a configuration with a remark on its first line, as ``load_config`` reads it.

    Raises:
        DataError: the file can't be written.
    """
    path = Path(path)
    write_text(path, config_to_yaml(config, path, remark))


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


def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(item.name for item in dataclasses.fields(kind))


def _fields(document: Any, kind: type[Any], where: str) -> dict[str, Any]:
    return _known(document, _names(kind), where)


def _known(document: Any, known: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(document, Mapping):
        raise ConfigError(f"{where or 'the file'} must hold `key: value` lines, got {got(document)}")
    for key in document:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1) if isinstance(key, str) else []
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
            name = " ".join(key.split()) if isinstance(key, str) else got(key)
            raise ConfigError(f"unknown key {f'{where}.' if where else ''}{name}; {hint}")
    return dict(document)
