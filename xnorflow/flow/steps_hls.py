"""The steps of the HLS route, from a NetSpec to a project that is C-simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from xnorflow.flow.config import BuildConfig
from xnorflow.flow.report import LayerRow
from xnorflow.flow.state import Compared, Run, Trace
from xnorflow.flow.step import StepResult
from xnorflow.net.layers import LayerSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.plan.cycles import cycles
from xnorflow.routes.hls.plan.fold import layer_folding, layer_reuse_factor
from xnorflow.routes.hls.plan.types import types_of
from xnorflow.routes.hls.settings import XNOR, HlsSettings

CONVERT, CSIM = "03-convert", "04-csim"
# Images that go along with the HLS project, for whoever runs its testbench in Vivado HLS.
TESTBENCH_IMAGES = 100


class Converted(TypedDict):
    """What 03-convert found: the name of the top function."""

    top: str


def convert_step(run: Run) -> StepResult:
    """Write the HLS project, with the first test images for its testbench."""
    from xnorflow.routes.hls.csim import write_tb_data
    from xnorflow.routes.hls.write.project import write_project

    def work(trace: Trace, folder: Path) -> dict[str, Any]:
        config, spec, images = trace.config, trace.spec, trace.data.test.images[:TESTBENCH_IMAGES]
        project = write_project(
            spec, _settings(config), folder / "project", part=config.part, clock_mhz=config.clock_mhz
        )
        inputs = spec.input.encode(images).reshape(len(images), -1)
        write_tb_data(project.folder / "tb_data", inputs, spec.class_scores(images))
        return {"top": project.top}

    step = run.step(CONVERT, work, kind=Converted)
    run.add(layers=layer_rows(run.spec, _settings(run.config)))
    return step


def csim_step(run: Run) -> StepResult:
    """Compile the project and run its C simulation both ways on every test image."""
    from xnorflow.routes.hls.simulate import simulate_csim
    from xnorflow.routes.hls.write.project import load_project

    def work(trace: Trace, folder: Path) -> dict[str, Any]:
        project = load_project(trace.made(CONVERT) / "project")
        results = simulate_csim(trace.spec, _settings(trace.config), project, trace.data.test, folder)
        return {"results": results}

    step = run.step(CSIM, work, kind=Compared)
    run.add_results(step)
    return step


def _settings(config: BuildConfig) -> HlsSettings:
    assert config.hls is not None, "a configuration of the Verilog route has no HLS project"
    return config.hls


def _kernel_of(layer: LayerSpec, settings: HlsSettings) -> str:
    if settings.kernel != XNOR:
        return f"hls4ml {settings.strategy_of(layer.name)}"
    folding = layer_folding(layer, settings)
    return f"XNOR {folding.pe} x {folding.simd}"


def layer_rows(spec: NetSpec, settings: HlsSettings) -> tuple[LayerRow, ...]:
    """Return what the HLS project makes of each layer: folding, cycles, types."""
    per_layer = cycles(spec, settings).layers
    rows = []
    for layer in spec.layers:
        types = types_of(spec, layer, settings)
        rows.append(
            LayerRow(
                layer.name,
                layer.n_in,
                layer.n_out,
                _kernel_of(layer, settings),
                layer_reuse_factor(layer, settings),
                per_layer[layer.name],
                types.accum.cpp,
                types.result.cpp,
            )
        )
    return tuple(rows)
