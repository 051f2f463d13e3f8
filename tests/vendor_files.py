"""Real reports of vendors' tools, as the tests read them."""

import pytest
from hls_reports import CSYNTH, SUMMARY, XML
from vivado_reports import FLAT, POWER, TIMING, TREE, vivado

from xnorflow.tools.vivado.read import read_report

ALL = {
    "csynth.rpt": CSYNTH,
    "summary.rpt": SUMMARY,
    "csynth.xml": XML,
    "flat.rpt": vivado("report_utilization", FLAT, "Physopt postRoute"),
    "tree.rpt": vivado("report_utilization", TREE, "Fully Placed"),
    "timing.rpt": vivado("report_timing_summary", TIMING),
    "power.rpt": vivado("report_power", POWER, "routed"),
}


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, name="x.rpt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_report(path)

    return write_and_read
