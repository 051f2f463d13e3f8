"""Proof by Yosys that a counter of cells equals its quick form, for every input and in every cycle."""

from __future__ import annotations

from pathlib import Path

from xnorflow.base.files.atomic import write_text
from xnorflow.routes.rtl.plan import counter
from xnorflow.routes.rtl.write.counter import counter_module
from xnorflow.routes.rtl.write.network import fixed_modules
from xnorflow.tools.yosys.run import run_passes

CELLS = ("xnf_606", "xnf_63", "xnf_32", "xnf_add3")


def prove_counter(heap: counter.CounterPlan, folder: Path, timeout_s: float | None = None) -> None:
    """Prove the two forms of a counter equal: the solver finds no input for which they differ.

    The cells are taken as Yosys' own models of LUT6, LUT6_2 and CARRY4. The work grows steeply with
    the number of bits: 20 take seconds.

    Raises:
        ToolFailed: they differ, or the time is up.
    """
    write_text(folder / "count.v", counter_module("count", heap))
    _prove(["count.v"], "count", heap.registers, folder, timeout_s)


def prove_cell(name: str, folder: Path, timeout_s: float | None = None) -> None:
    """Prove a counter cell (one of ``CELLS``) equal to the sum that it stands for.

    Raises:
        ToolFailed: they differ.
    """
    _prove([], name, 0, folder, timeout_s)


def _prove(sources: list[str], top: str, depth: int, folder: Path, timeout_s: float | None) -> None:
    fixed = fixed_modules()
    for cell in CELLS:
        write_text(folder / f"{cell}.v", fixed[f"{cell}.v"])
    files = " ".join([*sources, *(f"{cell}.v" for cell in CELLS)])
    # the pipelines are feed-forward: once they are filled, outputs depend on the inputs of `depth` cycles
    induction = f"-tempinduct -seq {depth} " if depth else ""
    # the counters keep their hierarchy in synthesis; here everything is to be one module
    dissolve = "setattr -mod -unset keep_hierarchy"
    passes = [
        f"read_verilog {files}",
        f"hierarchy -top {top}",
        dissolve,
        f"prep -flatten -top {top}",
        f"rename {top} gold",
        "design -stash gold",
        f"read_verilog -D XNF_CELLS {files}",
        "read_verilog +/xilinx/cells_sim.v",
        f"hierarchy -top {top}",
        dissolve,
        f"prep -flatten -top {top}",
        f"rename {top} gate",
        "design -stash gate",
        "design -copy-from gold gold",
        "design -copy-from gate gate",
        "miter -equiv -flatten -make_outputs gold gate miter",
        f"sat -verify {induction}-prove trigger 0 -show-inputs -show-outputs miter",
    ]
    run_passes(passes, folder, log="equivalence.log", timeout_s=timeout_s)
