"""Area of the Verilog route, side by side in one Yosys: counter cells against `+`, folded and unrolled.

    python benchmarks/rtl_area.py sfc.npz 64 128 256

Each row is a synthesis of the whole network with its streams. The `+` form is the same design with
the counters as loops over bits, which Yosys makes into adders. Without arguments beyond the file
the network is unrolled: one image per cycle, weights as wiring; do that with a small network.
"""

import argparse
import tempfile
import time
from pathlib import Path

from xnorflow.net.spec_file import load_spec
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.routes.rtl.simulate import write_design
from xnorflow.routes.rtl.write.network import TOP
from xnorflow.tools.yosys.run import synthesize

HEADER = ("network", "cycles", "form", "LUT", "LUTRAM", "FF", "CARRY4", "BRAM36", "DSP", "seconds")


def row(path: Path, cycles: int, cells: bool, bram36: float) -> list[str]:
    """Synthesize one variant; return its row of the table."""
    spec = load_spec(path)
    plan = plan_network(spec, choose_foldings(spec, cycles))
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        usage = synthesize(write_design(plan, folder, bram36), TOP, folder, cells=cells).usage
    seconds = f"{time.monotonic() - started:.0f}"
    form = "cells" if cells else "+"
    bram = f"{(usage.bram18 or 0) / 2:g}"
    numbers = (usage.lut, usage.lutram, usage.ff, usage.carry4)
    return [spec.name, str(plan.interval_cycles), form, *map(str, numbers), bram, str(usage.dsp), seconds]


def main() -> None:
    """Print the table, a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path, help="network, an .npz file of `xnorflow extract`")
    parser.add_argument("cycles", type=int, nargs="*", default=[1], help="cycles per image")
    parser.add_argument("--bram36", type=float, default=60, help="block RAMs that weights may take")
    parser.add_argument("--ours", action="store_true", help="leave out the `+` form")
    arguments = parser.parse_args()
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER), flush=True)
    for cycles in arguments.cycles:
        for cells in (True,) if arguments.ours else (True, False):
            print("| " + " | ".join(row(arguments.spec, cycles, cells, arguments.bram36)) + " |", flush=True)


if __name__ == "__main__":
    main()
