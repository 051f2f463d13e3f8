"""Real reports of other people's designs, kept beside the checkout; see tests/test_report.py for our own."""

import contextlib
import csv
import os
import random
from pathlib import Path

import pytest

from xnorflow.base.errors import ReportError
from xnorflow.tools.report import Stage
from xnorflow.tools.vivado.read import read_report

SHARED = os.environ.get("XNORFLOW_SHARED_DATA") or Path(__file__).parents[3] / "shared/data"
FOLDER = Path(SHARED) / "vendor_reports"
INDEX = FOLDER / "INDEX.csv"
ROWS = list(csv.DictReader(INDEX.open())) if INDEX.is_file() else []
REFUSED = ("44", "49")  # a console log with a report inside, and JSON

pytestmark = pytest.mark.skipif(not ROWS, reason=f"no real reports in {FOLDER}; set XNORFLOW_SHARED_DATA")


def expected_values(row):
    def pair(low, high):
        return (int(row[low]), int(row[high]))

    usage = [int(row[key]) if row[key] else None for key in ("LUT", "FF", "BRAM_18K", "DSP", "URAM")]
    clock = [float(row[key]) for key in ("clk_target", "clk_est")]
    return [
        row["version"],
        row["part"],
        usage,
        clock,
        pair("lat_best", "lat_worst"),
        pair("ii_min", "ii_max"),
        row["pipe"],
    ]


def got_values(report):
    use, time = report.usage, report.timing
    usage = [use.lut, use.ff, use.bram18, use.dsp, use.uram]
    clock = [time.clock_ns, time.estimated_ns]
    return [
        report.version,
        report.part,
        usage,
        clock,
        time.latency_cycles,
        time.interval_cycles,
        time.pipeline,
    ]


@pytest.mark.parametrize("row", [row for row in ROWS if row["version"]], ids=lambda row: row["file"])
def test_every_value_of_the_index(row):
    report = read_report(FOLDER / row["file"])
    assert got_values(report) == expected_values(row)
    assert report.stage is Stage.HLS
    assert report.available.lut


def test_text_of_a_run_says_what_its_xml_says():
    """The index pairs them by its values; the files name the same function of the same folder."""
    reports = {}
    for row in ROWS:
        if row["version"]:
            place = (row["repo"], row["path"].rpartition(".")[0])
            reports.setdefault(place, []).append(read_report(FOLDER / row["file"]))
    pairs = [pair for pair in reports.values() if len(pair) == 2]
    assert len(pairs) >= 5
    for first, second in pairs:
        assert got_values(first) == got_values(second)
        assert (first.tool, first.top, first.available) == (second.tool, second.top, second.available)
        assert first.timing == second.timing


def test_summary_of_a_run_says_what_its_xml_says_of_the_largest():
    summary, whole = (
        read_report(FOLDER / name) for name in ("28_Thifjj__csynth.rpt", "26_Thifjj__myproject_csynth.xml")
    )
    assert summary.usage == whole.usage
    for name in ("latency_cycles", "interval_cycles"):
        assert getattr(summary.timing, name) == (None, getattr(whole.timing, name)[1])


@pytest.mark.parametrize("row", [row for row in ROWS if not row["version"]], ids=lambda row: row["file"])
def test_reports_without_values_in_the_index(row):
    """Values read off the files by eye: (stage, version, LUT, FF, bram18, DSP)."""
    by_eye = {
        "4": (Stage.HLS, "2021.1", 2700, 2209, 3, 5),
        "19": (Stage.SYNTHESISED, "2019.2", 14672, 15270, 4, 21),
        "20": (Stage.PLACED, "2019.2", 17192, 19167, 10, 21),
        "28": (Stage.HLS, "2025.1", 4725, 13240, 3, 110),
        "37": (Stage.SYNTHESISED, "2016.4", 20956, 17813, 112, 4),
        "40": (Stage.SYNTHESISED, "2019.2", 30654, 16164, 279, 123),
        "43": (Stage.ROUTED, "2019.1", None, None, None, None),
        "46": (Stage.SYNTHESISED, "2019.2.1", 58287, 33188, 101, 195),
    }
    if row["n"] in REFUSED:
        with pytest.raises(ReportError, match=row["file"]):
            read_report(FOLDER / row["file"])
        return
    report = read_report(FOLDER / row["file"])
    use = report.usage
    assert (report.stage, report.version, use.lut, use.ff, use.bram18, use.dsp) == by_eye[row["n"]]


def test_timing_report_values():
    timing = read_report(FOLDER / "43_uw-acme__hls_final_16_6_timing.rpt").timing
    assert (timing.clock_ns, timing.slack_ns, timing.hold_slack_ns, timing.estimated_ns) == (
        5.0,
        -0.627,
        0.055,
        5.627,
    )


@pytest.mark.parametrize("row", [row for row in ROWS if row["n"] not in REFUSED], ids=lambda row: row["file"])
def test_cut_or_damaged_is_refused_or_equal(row, tmp_path):
    data = (FOLDER / row["file"]).read_bytes()
    whole = read_report(FOLDER / row["file"])
    chance = random.Random(row["file"])
    copy = tmp_path / row["file"]
    for part in (0.05, 0.3, 0.5):
        copy.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(ReportError, match=row["file"]):
            read_report(copy)
    for _ in range(12):
        copy.write_bytes(data[: chance.randrange(len(data))])
        with contextlib.suppress(ReportError):
            assert read_report(copy) == whole
    for _ in range(12):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 5, 50))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        copy.write_bytes(damaged)
        with contextlib.suppress(ReportError):
            read_report(copy)


def test_cycles_of_the_resource_kernel_are_those_of_the_cost_model():
    """hls4ml's dense kernel without DSPs: interval = reuse factor, latency = reuse factor + 0 to 3."""
    report = read_report(FOLDER / "39_uw-acme__myproject_csynth.rpt")
    layers = {name: time for name, time in report.module_timing.items() if name.startswith("dense_resource")}
    assert [time.interval_cycles for time in layers.values()] == [(30, 30), (25, 25), (30, 30)]
    for time in layers.values():
        reuse_factor = time.interval_cycles[0]
        assert reuse_factor <= time.latency_cycles[0] <= time.latency_cycles[1] <= reuse_factor + 3
