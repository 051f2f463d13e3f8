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
    # each name a second time: for type checkers that says that it is offered
    from xnorflow.api import calibrate as calibrate
    from xnorflow.api import check as check
    from xnorflow.api import convert as convert
    from xnorflow.api import csim as csim
    from xnorflow.api import data as data
    from xnorflow.api import devices as devices
    from xnorflow.api import doctor as doctor
    from xnorflow.api import explore as explore
    from xnorflow.api import extract as extract
    from xnorflow.api import fit as fit
    from xnorflow.api import init as init
    from xnorflow.api import report as report
    from xnorflow.api import run as run
    from xnorflow.api import simulate as simulate
    from xnorflow.api import stock as stock
    from xnorflow.api import synth as synth
    from xnorflow.api import trace as trace
    from xnorflow.api import train as train
    from xnorflow.api import write as write
    from xnorflow.calibration import write_calibration as write_calibration
    from xnorflow.config import BuildConfig as BuildConfig
    from xnorflow.config_file import load_config as load_config
    from xnorflow.config_file import write_config as write_config
    from xnorflow.data import DataSet as DataSet
    from xnorflow.errors import ConfigError as ConfigError
    from xnorflow.errors import DataError as DataError
    from xnorflow.errors import Mismatch as Mismatch
    from xnorflow.errors import ReportError as ReportError
    from xnorflow.errors import ToolFailed as ToolFailed
    from xnorflow.errors import ToolNotFound as ToolNotFound
    from xnorflow.errors import XnorflowError as XnorflowError
    from xnorflow.hls.settings import HlsSettings as HlsSettings
    from xnorflow.hls.settings import Precision as Precision
    from xnorflow.inputs import InputSettings as InputSettings
    from xnorflow.job import Job as Job
    from xnorflow.job import make_job as make_job
    from xnorflow.question import FitQuestion as FitQuestion
    from xnorflow.question import fit_question as fit_question
    from xnorflow.report import SimResult as SimResult
    from xnorflow.report import SynthReport as SynthReport
    from xnorflow.rtl.settings import RtlSettings as RtlSettings
    from xnorflow.runreport import RunReport as RunReport
    from xnorflow.spec import NetSpec as NetSpec
    from xnorflow.specfile import load_spec as load_spec
    from xnorflow.specfile import save_spec as save_spec
    from xnorflow.train_settings import TrainConfig as TrainConfig
    from xnorflow.xnor.folding import Folding as Folding

# the modules of what stands above, for Python
_OFFERED = {
    "api": (
        "calibrate check convert csim data devices doctor explore extract fit init report run simulate stock synth "
        "trace train write"
    ),
    "calibration": "write_calibration",
    "config": "BuildConfig",
    "config_file": "load_config write_config",
    "data": "DataSet",
    "errors": "ConfigError DataError Mismatch ReportError ToolFailed ToolNotFound XnorflowError",
    "hls.settings": "HlsSettings Precision",
    "inputs": "InputSettings",
    "job": "Job make_job",
    "question": "FitQuestion fit_question",
    "report": "SimResult SynthReport",
    "rtl.settings": "RtlSettings",
    "runreport": "RunReport",
    "spec": "NetSpec",
    "specfile": "load_spec save_spec",
    "train_settings": "TrainConfig",
    "xnor.folding": "Folding",
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
    """The package; Python sets a module that is loaded as its attribute, here not over a function of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Front
