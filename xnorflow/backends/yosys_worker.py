"""Runs Yosys passes, one per line of a file, in a process of its own: a Yosys error ends the process.

Run as ``python yosys_worker.py <script>``; it imports nothing of xnorflow.
"""

import sys
import time
from pathlib import Path


def main(script: str) -> None:
    """Run the passes of ``script`` on one design and print how long each took."""
    from pyosys import libyosys

    design = libyosys.Design()
    for line in Path(script).read_text(encoding="utf-8").splitlines():
        if line.strip():
            started = time.monotonic()
            libyosys.run_pass(line, design)
            print(f"\n[{time.monotonic() - started:.1f} s] {line}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
