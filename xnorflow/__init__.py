"""xnorflow: binary neural networks on very small FPGAs, with every number exact.

One function per command: ``xnorflow.run("hls_configs/digits.yaml", pretrained=True)``. What it offers is loaded when
it is first asked for, so that ``import xnorflow`` itself loads nothing.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from xnorflow.api import (
        calibrate,
        check,
        convert,
        csim,
        data,
        devices,
        doctor,
        explore,
        extract,
        fit,
        report,
        run,
        simulate,
        stock,
        synth,
        trace,
        train,
    )  # fmt: skip
    from xnorflow.calibration import write_calibration
    from xnorflow.config import BuildConfig, load_config
    from xnorflow.config_file import write_config
    from xnorflow.data import DataSet
    from xnorflow.errors import (
        ConfigError,
        DataError,
        Mismatch,
        ReportError,
        ToolFailed,
        ToolNotFound,
        XnorflowError,
    )  # fmt: skip
    from xnorflow.job import Job, make_job
    from xnorflow.question import FitQuestion, fit_question
    from xnorflow.report import SimResult, SynthReport
    from xnorflow.runreport import RunReport
    from xnorflow.settings import Folding, Precision, TrainConfig
    from xnorflow.spec import NetSpec
    from xnorflow.specfile import load_spec, save_spec

# the modules of what stands above, for Python
_OFFERED = {
    "api": (
        "calibrate check convert csim data devices doctor explore extract fit report run simulate stock synth trace "
        "train"
    ),
    "calibration": "write_calibration",
    "config": "BuildConfig load_config",
    "config_file": "write_config",
    "data": "DataSet",
    "errors": "ConfigError DataError Mismatch ReportError ToolFailed ToolNotFound XnorflowError",
    "job": "Job make_job",
    "question": "FitQuestion fit_question",
    "report": "SimResult SynthReport",
    "runreport": "RunReport",
    "settings": "Folding Precision TrainConfig",
    "spec": "NetSpec",
    "specfile": "load_spec save_spec",
}
_HOME = {name: module for module, names in _OFFERED.items() for name in names.split()}
__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Front(ModuleType):
    """This package; Python sets a module that is loaded as its attribute, here not over a function of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Front
