"""The steps of the HLS route, from a NetSpec to a project that is C-simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from xnorflow.flow.config import BuildConfig
from xnorflow.flow.report import LayerRow
from xnorflow.flow.state import Compared, Run, Trace
from xnorflow.flow.step import StepResult
from xnorflow.routes.hls.plan.network import HlsPlan, plan_project
from xnorflow.routes.hls.settings import HlsSettings

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
        plan = plan_project(spec, _settings(config))
        project = write_project(plan, folder / "project", part=config.part, clock_mhz=config.clock_mhz)
        inputs = spec.input.encode(images).reshape(len(images), -1)
        write_tb_data(project.folder / "tb_data", inputs, spec.class_scores(images))
        return {"top": project.top}

    step = run.step(CONVERT, work, kind=Converted)
    run.add(layers=layer_rows(plan_project(run.spec, _settings(run.config))))
    return step


def csim_step(run: Run) -> StepResult:
    """Compile the project and run its C simulation both ways on every test image."""
    from xnorflow.routes.hls.simulate import simulate_csim
    from xnorflow.routes.hls.write.project import load_project

    def work(trace: Trace, folder: Path) -> dict[str, Any]:
        plan = plan_project(trace.spec, _settings(trace.config))
        written, _ = trace.made(CONVERT)
        project = load_project(written / "project")
        results = simulate_csim(plan, project, trace.data.test, folder)
        return {"results": results}

    step = run.step(CSIM, work, kind=Compared)
    run.add_results(step)
    return step


def _settings(config: BuildConfig) -> HlsSettings:
    assert config.hls is not None, "a configuration of the Verilog route has no HLS project"
    return config.hls


def layer_rows(plan: HlsPlan) -> tuple[LayerRow, ...]:
    """Return what the HLS project makes of each layer: folding, cycles, types."""
    return tuple(
        LayerRow(
            layer.spec.name,
            layer.spec.n_in,
            layer.spec.n_out,
            layer.kernel,
            layer.reuse_factor,
            layer.cycles,
            layer.types.accum.cpp,
            layer.types.result.cpp,
        )
        for layer in plan.layers
    )
