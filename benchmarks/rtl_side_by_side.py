"""Our Verilog beside other forms of the same trained network, in one run of one Yosys.

    python benchmarks/rtl_side_by_side.py digits 64
    python benchmarks/rtl_side_by_side.py tfc 64 --folded-only --data-dir DIR

Rows: ours folded; the same folding with `+` for the counters; both fully unrolled (every weight
wired, an image per cycle); and what peer generators make of it: da4ml (``pip install da4ml``), whose
adder graphs are fully unrolled as well. A peer that is not installed is named as such. Peers are
compared with the golden model on every test image before they are counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from xnorflow.net.folding import Folding
from xnorflow.net.inputs import Images
from xnorflow.net.layers import ScoreSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.routes.rtl.simulate import write_design
from xnorflow.routes.rtl.write.network import TOP
from xnorflow.sources.data.sets import load_dataset
from xnorflow.sources.keras.extract import extract_file
from xnorflow.tools.report import SynthReport
from xnorflow.tools.yosys.run import synthesize

ROOT = Path(__file__).parents[1]
HEADER = ("form", "cycles per image", "LUT", "LUTRAM", "FF", "CARRY4", "BRAM36", "DSP", "LUT levels", "seconds")
# nanoseconds of logic that da4ml puts between two registers, by its own delay model
STAGE_NS = 3.0


def ours(spec: NetSpec, folder: Path, *, cycles: int, cells: bool) -> tuple[int, SynthReport]:
    """Synthesize our Verilog; 1 cycle stands for fully unrolled."""
    whole = {layer.name: Folding(layer.n_out, layer.n_in) for layer in spec.layers}
    plan = plan_network(spec, whole if cycles == 1 else choose_foldings(spec, cycles))
    return plan.interval_cycles, synthesize(write_design(plan, folder), TOP, folder, cells=cells)


def da4ml(spec: NetSpec, folder: Path, *, images: Images) -> tuple[int, SynthReport]:
    """Synthesize da4ml's pipeline of a network of dense layers on 1-bit inputs."""
    from da4ml.codegen import RTLModel
    from da4ml.trace import FixedVariableArrayInput, HWConfig, comb_trace, to_pipeline

    inputs = FixedVariableArrayInput((spec.input.size,), HWConfig(1, -1, -1)).quantize(0, 1, 0)
    values = inputs
    for layer in spec.layers:
        weights = layer.weights.astype(np.float64)
        minus = weights.sum(axis=0)
        values = (values @ weights) * 2.0 - minus
        if not isinstance(layer, ScoreSpec):
            values = values >= layer.thresholds.astype(np.float64)
    logic = comb_trace(inputs, values)
    bits = (spec.input.encode(images).reshape(len(images), -1) > 0).astype(np.float64)
    differ = int((logic.predict(bits) != spec.class_scores(images)).any(axis=1).sum())
    if differ:
        raise SystemExit(f"da4ml: {differ} of {len(images)} images differ from the golden model")
    RTLModel(to_pipeline(logic, STAGE_NS), "peer", folder / "peer", flavor="verilog").write()
    # its module for lookup tables, of which binary layers have none, reads a file that is not there
    sources = sorted(path for path in (folder / "peer/src").rglob("*.v") if path.name != "lookup_table.v")
    return 1, synthesize(sources, "peer", folder)


def row(form: str, make: Callable[[Path], tuple[int, SynthReport]]) -> str:
    """Return one row of the table."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        cycles, report = make(Path(name))
    usage, levels = report.usage, report.depth.lut_levels if report.depth else "-"
    counts = (usage.lut, usage.lutram, usage.ff, usage.carry4, f"{(usage.bram18 or 0) / 2:g}", usage.dsp, levels)
    return "| " + " | ".join(map(str, (form, cycles, *counts, f"{time.monotonic() - started:.0f}"))) + " |"


def main() -> None:
    """Print the table, a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", help="a network of keras_models/ with dense layers")
    parser.add_argument("cycles", type=int, help="cycles per image of the folded rows")
    parser.add_argument("--folded-only", action="store_true", help="leave out what is fully unrolled")
    parser.add_argument("--data-dir", type=Path, help="folder with the idx files of mnist")
    arguments = parser.parse_args()
    spec = extract_file(ROOT / f"keras_models/{arguments.network}.h5")
    test = load_dataset("digits" if arguments.network == "digits" else "mnist", arguments.data_dir).test
    accuracy = float((spec.predict(test.images) == test.labels).mean())
    print(f"{spec.name}: {accuracy:.2%} of {len(test.labels):,} test images, every row the same network\n")
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER), flush=True)
    forms: list[tuple[str, Callable[[Path], tuple[int, SynthReport]]]] = []
    for cycles in (arguments.cycles,) if arguments.folded_only else (arguments.cycles, 1):
        how = "unrolled" if cycles == 1 else "folded"
        for cells, name in ((True, "ours"), (False, "`+`")):
            forms.append((f"{name}, {how}", partial(ours, spec, cycles=cycles, cells=cells)))
    if not arguments.folded_only and importlib.util.find_spec("da4ml") is not None:
        forms.append(("da4ml, unrolled", partial(da4ml, spec, images=test.images)))
    for form, make in forms:
        print(row(form, make), flush=True)
    if importlib.util.find_spec("da4ml") is None:
        print("\nda4ml is not installed: no row; `pip install da4ml`")


if __name__ == "__main__":
    main()
