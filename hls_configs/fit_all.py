"""Fit the shipped networks and write their configurations: ``python hls_configs/fit_all.py [FOLDER [NAME...]]``.

To be run when a network, a cost or a device has changed; a test compares what comes out with ``hls_configs/``.
"""

import sys
from pathlib import Path

from xnorflow.base.device import device_of
from xnorflow.fitting.choose import Fit, fit_config
from xnorflow.fitting.problem import Budget, Goal
from xnorflow.flow.config import BuildConfig
from xnorflow.flow.config_file import load_config, write_config
from xnorflow.net.spec import NetSpec
from xnorflow.sources.keras.extract import extract_file

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "hls_configs"
# ``*-small``: least area for this pace; the others: as fast as fits
SMALL_IMAGES_PER_S = 1000
# written by hand: the small folding that the demo synthesizes in a few seconds
BY_HAND = ("demo-verilog",)


def configurations() -> tuple[Path, ...]:
    """Return the configurations that fit writes."""
    return tuple(path for path in sorted(CONFIGS.glob("*.yaml")) if path.stem not in BY_HAND)


def model_of(path: Path, config: BuildConfig) -> Path:
    """Return the trained network that a configuration is fitted for: that of its data set, where there is one."""
    own = ROOT / f"keras_models/{path.stem.removesuffix('-small').removesuffix('-verilog')}.h5"
    return own if own.is_file() else ROOT / f"keras_models/{config.network_file.stem}.h5"


def refit(path: Path, spec: NetSpec) -> tuple[Fit, BuildConfig]:
    """Fit ``spec`` from the beginning, for the part and the goal of the configuration at ``path``.

    Raises:
        SystemExit: nothing fits.
    """
    config = load_config(path)
    goal = Goal("interval", config.clock_mhz, None, "high")
    if path.stem.endswith("-small"):
        goal = Goal("area", config.clock_mhz, SMALL_IMAGES_PER_S, "high")
    unfolded = {"folding": {}, "bram36": 60} if config.hls is None else {"reuse_factor": 1}
    start = config.with_route(**unfolded)
    found, chosen = fit_config(spec, start, Budget(device_of(config.part)), goal)
    if chosen is None:
        raise SystemExit(f"{path.name}: {found.message}")
    return found, chosen


def main(folder: str = str(CONFIGS), *names: str) -> None:
    """Write the configurations, or those of the given names, to ``folder``."""
    for path in configurations():
        if not names or path.stem in names:
            found, chosen = refit(path, extract_file(model_of(path, load_config(path))))
            write_config(chosen, Path(folder) / path.name, found.message)
            print(f"{path.stem}: {found.message}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
