"""A process that feeds images to a compiled hls4ml library: ``python -m xnorflow.routes.hls.worker``.

It is a process of its own because a fault in the compiled code would end the caller's.
It prints a line ``done N`` for every ``REPORT_EVERY`` images.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.files.atomic import atomic_open

REPORT_EVERY = 25
# marks a node's output in the file, apart from the scores of the network
NODE = "node:"


class _TraceData(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_double)))


def main() -> None:
    """Read a job (JSON file named by the first argument), run it, write its output (``.npz``)."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    inputs = np.load(job["inputs"], allow_pickle=False)
    library = ctypes.CDLL(job["library"])
    function = getattr(library, f"{job['top']}_double")
    nodes: dict[str, int] = job["trace"]
    traces: dict[str, NDArray[np.float64]] = {name: np.zeros((len(inputs), size)) for name, size in nodes.items()}
    scores = np.zeros((len(inputs), job["n_classes"]))
    if nodes:
        library.allocate_trace_storage(ctypes.c_size_t(ctypes.sizeof(ctypes.c_double)))
    for index, image in enumerate(inputs):
        values = np.ascontiguousarray(image, np.float64)
        function(_pointer(values), _pointer(scores[index]))
        if nodes:
            _collect(library, traces, index)
        if (index + 1) % REPORT_EVERY == 0:
            print("done", REPORT_EVERY, flush=True)
    print("done", len(inputs) % REPORT_EVERY, flush=True)
    with atomic_open(Path(job["outputs"])) as stream:
        np.savez(stream, scores=scores, **{NODE + name: values for name, values in traces.items()})  # type: ignore[arg-type]


def _pointer(array: NDArray[np.float64]) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


def _collect(library: Any, traces: dict[str, NDArray[np.float64]], index: int) -> None:
    stored = (_TraceData * len(traces))()
    library.collect_trace_output(stored)
    for entry in stored:
        values = traces[entry.name.decode()]
        values[index] = np.ctypeslib.as_array(entry.data, values[index].shape)


if __name__ == "__main__":
    main()
