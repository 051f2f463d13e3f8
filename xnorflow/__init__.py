"""xnorflow: binary neural networks on very small FPGAs, with every number exact.

One function per command: ``xnorflow.run("hls_configs/digits.yaml", pretrained=True)``. What it offers is loaded when
it is first asked for, so that ``import xnorflow`` itself loads nothing.
"""

__version__ = "0.1.0"

# true for type checkers alone; the module typing would take longer to load than all of this
TYPE_CHECKING = False
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
    from xnorflow.base.errors import ConfigError as ConfigError
    from xnorflow.base.errors import DataError as DataError
    from xnorflow.base.errors import Mismatch as Mismatch
    from xnorflow.base.errors import ReportError as ReportError
    from xnorflow.base.errors import ToolFailed as ToolFailed
    from xnorflow.base.errors import ToolNotFound as ToolNotFound
    from xnorflow.base.errors import XnorflowError as XnorflowError
    from xnorflow.fitting.calibration import write_calibration as write_calibration
    from xnorflow.fitting.question import FitQuestion as FitQuestion
    from xnorflow.fitting.question import fit_question as fit_question
    from xnorflow.flow.config import BuildConfig as BuildConfig
    from xnorflow.flow.config_file import load_config as load_config
    from xnorflow.flow.config_file import write_config as write_config
    from xnorflow.flow.job import Job as Job
    from xnorflow.flow.job import make_job as make_job
    from xnorflow.flow.report import RunReport as RunReport
    from xnorflow.net.folding import Folding as Folding
    from xnorflow.net.inputs import InputSettings as InputSettings
    from xnorflow.net.spec import NetSpec as NetSpec
    from xnorflow.net.spec_file import load_spec as load_spec
    from xnorflow.net.spec_file import save_spec as save_spec
    from xnorflow.routes.compare import SimResult as SimResult
    from xnorflow.routes.hls.settings import HlsSettings as HlsSettings
    from xnorflow.routes.hls.settings import Precision as Precision
    from xnorflow.routes.rtl.settings import RtlSettings as RtlSettings
    from xnorflow.sources.data.sets import DataSet as DataSet
    from xnorflow.sources.training.settings import TrainConfig as TrainConfig
    from xnorflow.tools.report import SynthReport as SynthReport

# the modules of what stands above, for Python
_OFFERED = {
    "api": (
        "calibrate check convert csim data devices doctor explore extract fit init report run simulate "
        "stock synth trace train write"
    ),
    "base.errors": "ConfigError DataError Mismatch ReportError ToolFailed ToolNotFound XnorflowError",
    "fitting.calibration": "write_calibration",
    "fitting.question": "FitQuestion fit_question",
    "flow.config": "BuildConfig",
    "flow.config_file": "load_config write_config",
    "flow.job": "Job make_job",
    "flow.report": "RunReport",
    "net.folding": "Folding",
    "net.inputs": "InputSettings",
    "net.spec": "NetSpec",
    "net.spec_file": "load_spec save_spec",
    "routes.compare": "SimResult",
    "routes.hls.settings": "HlsSettings Precision",
    "routes.rtl.settings": "RtlSettings",
    "sources.data.sets": "DataSet",
    "sources.training.settings": "TrainConfig",
    "tools.report": "SynthReport",
}
_HOME = {name: module for module, names in _OFFERED.items() for name in names.split()}
__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> object:
    import importlib

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
