"""The step 05-synth: a vendor's tools on the converted project.

It can take hours: a finished one is taken over, and never deleted for another without being asked to.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.base.errors import ConfigError, shown
from xnorflow.flow.state import Run
from xnorflow.flow.step import RESULT, StepResult, finished
from xnorflow.flow.steps_hls import CONVERT
from xnorflow.routes.hls.write.project import load_project
from xnorflow.tools.vivado.run import CSIM_RESULTS, SynthRun, plans_of, read_run, synthesise
from xnorflow.tools.vivado.tcl import HlsJob

SYNTH = "05-synth"
# what hls4ml and the step write down about a project, such as where it stood: nothing that is synthesized
NOTES = ("hls4ml_config.yml", "hls4ml.log")


@dataclass(frozen=True)
class Synthesis:
    """What the vendor's tools are to do.

    Attributes:
        cosim: simulate the generated Verilog as well.
        export: pack an IP.
        vivado: "none", "synthesise" or "implement".
        timeout_s: time limit of each program.
        on_step: called with each of the programs' steps as it starts.
        overwrite: delete a finished synthesis of something else.
    """

    cosim: bool
    export: bool
    vivado: str
    timeout_s: float | None
    on_step: Callable[[str], None] | None
    overwrite: bool

    def step(self, run: Run) -> StepResult:
        """Run the tools, or take over what they found for the very same project.

        Raises:
            ConfigError: the folder holds a finished synthesis of something else.
        """
        order, backend, converted = self._order(run), run.config.backend, run.result(CONVERT)
        settings = {"cosim": self.cosim, "export": self.export, "vivado": self.vivado}
        files = {name: digest for name, digest in converted.files.items() if Path(name).name not in NOTES}
        inputs = {"files": files, "backend": backend, **settings}
        folder = run.job.project / SYNTH
        if finished(folder, inputs) is None and os.path.lexists(folder / RESULT) and not self.overwrite:
            raise ConfigError(
                f"{shown(folder)} holds the finished synthesis of another conversion, or with other options; "
                "add --overwrite to replace it, or name another --project"
            )
        # a user may open the tool's project and work on it: the reports alone say whether this was done
        left = {str(path) for plan in plans_of(order, backend) for path in plan.reports} | {str(CSIM_RESULTS)}

        def work(folder: Path) -> dict[str, Any]:
            found = synthesise(order, backend, folder, timeout_s=self.timeout_s, on_step=self.on_step)
            return {"seconds": found.seconds}

        return run.kept_step(SYNTH, inputs, work, proves=lambda name: name in left)

    def result(self, run: Run) -> SynthRun:
        """Read the reports, once the step is done."""
        return read_run(self._order(run), run.config.backend, run.job.project / SYNTH, run.result(SYNTH).seconds)

    def _order(self, run: Run) -> HlsJob:
        project, config = load_project(run.job.project / CONVERT / "project"), run.config
        return HlsJob(
            project.folder.resolve(), project.top, config.part, config.clock_mhz,
            cosim=self.cosim, export=self.export, vivado=self.vivado,
        )  # fmt: skip
