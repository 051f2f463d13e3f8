"""The report readers on small files written for this test, in the layouts of the tools."""

import contextlib
import gzip

import pytest
from hls_reports import CSYNTH, SUMMARY, XML
from hypothesis import given, settings
from hypothesis import strategies as st
from vendor_files import ALL
from vivado_reports import FLAT, vivado

from xnorflow.base.errors import ReportError
from xnorflow.tools.report import Power, Stage, Timing, Usage
from xnorflow.tools.vivado.read import read_report


def test_csynth(read):
    report = read(CSYNTH)
    assert (report.stage, report.tool, report.version, report.top) == (
        Stage.HLS,
        "Vitis HLS",
        "2023.2",
        "net",
    )
    assert report.part_name == "xc7z010clg400-1"
    assert report.usage == Usage(lut=3290, ff=1564, bram18=3, dsp=0, uram=0)
    assert report.available == Usage(lut=17600, ff=35200, bram18=120, dsp=80, uram=0)
    assert report.timing == Timing(10.0, 7.25, (12, 90), (64, 64), None, 2.7, None, "dataflow")
    assert report.modules["one_U0"] == Usage(lut=3000, ff=1000, bram18=1, dsp=0, uram=0)
    assert report.module_timing["one_U0"].latency_cycles == (12, 12)
    assert report.module_timing["two_U0"].latency_cycles is None


def test_summary(read):
    report = read(SUMMARY)
    assert report.usage == Usage(lut=1628, ff=1094, bram18=6, dsp=0, uram=0)
    assert (report.timing.latency_cycles, report.timing.interval_cycles) == ((None, 3083), (None, 3084))
    assert report.timing.pipeline == "dataflow"
    assert list(report.modules) == ["one", "one/deep", "one#2"]
    assert report.module_timing["one"].latency_cycles is None
    assert report.modules["one#2"].lut == 142


def test_xml_with_modules(read):
    report = read(XML)
    assert (report.tool, report.version, report.timing.latency_cycles) == ("Vitis HLS", "2022.2", None)
    assert report.modules["one"] == Usage(lut=3000, ff=1000)
    assert report.module_timing["one"] == Timing(
        estimated_ns=5.1, latency_cycles=(12, 90), interval_cycles=(12, 90), pipeline="no"
    )


def test_utilisation(read):
    report = read(ALL["flat.rpt"])
    assert (report.stage, report.version, report.part) == (Stage.ROUTED, "2022.2", "xc7z010clg400-1")
    assert report.usage == Usage(lut=2437, lutram=128, ff=1006, carry4=101, muxf=12, bram18=39, dsp=0)
    assert (report.available.bram18, report.available.lut) == (120, 17600)


def test_hierarchy(read):
    report = read(ALL["tree.rpt"])
    assert report.stage is Stage.PLACED
    assert report.usage == Usage(lut=2437, lutram=128, ff=1006, bram18=39, dsp=0)
    assert report.modules["layer1"].bram18 == 38
    assert list(report.modules) == ["layer1", "layer1/popcount", "layer2"]


def test_timing(read):
    report = read(ALL["timing.rpt"])
    assert report.timing == Timing(clock_ns=10.0, estimated_ns=9.373, slack_ns=0.627, hold_slack_ns=-0.055)
    assert report.stage is Stage.ROUTED


def test_timing_without_clocks(read):
    text = ALL["timing.rpt"].replace("      0.627        0.000 ", "         NA           NA ", 1)
    assert read(text).timing.slack_ns is None


def test_power(read):
    assert read(ALL["power.rpt"]).power == Power(total_w=1.527, dynamic_w=1.390, static_w=0.138)


@pytest.mark.parametrize("name", ALL)
def test_windows_line_ends(read, name):
    assert read(ALL[name].replace("\n", "\r\n")) == read(ALL[name])


@pytest.mark.parametrize(
    ("name", "old", "field"),
    [
        ("csynth.rpt", "|Total            |        3|    0|    1564|   3290|    0|\n", "Total"),
        ("csynth.rpt", "* Version:        2023.2", "Version"),
        ("csynth.xml", "<LUT>3290</LUT>", "LUT"),
        ("csynth.xml", "<Interval-max>undef</Interval-max>", "Interval-max"),
        (
            "flat.rpt",
            "| Slice Registers         | 1006 |     0 |          0 |     35200 |  2.86 |\n",
            "Slice Registers",
        ),
        ("flat.rpt", "| Design State : Physopt postRoute\n", "Design State"),
        ("flat.rpt", "| F8 Muxes                |    0 |     0 |          0 |      4400 |  0.00 |\n", "F8 Muxes"),
        ("timing.rpt", "| Clock Summary", "Clock Summary"),
        (
            "timing.rpt",
            "  slow   {0.000 5.000}        10.000          100.000\n",
            "clock slow in section Clock Summary",
        ),
        ("timing.rpt", "| Speed File   : -1\n", "Speed File"),
        ("power.rpt", "| Dynamic (W)              | 1.390                            |\n", "Dynamic"),
    ],
)
def test_missing_field_is_named(read, name, old, field):
    assert old in ALL[name]
    with pytest.raises(ReportError, match=rf"x\.rpt.*{field}") as caught:
        read(ALL[name].replace(old, ""))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n\n", "empty"),
        (b"\x7fELF\0\0\1", "binary"),
        (gzip.compress(CSYNTH.encode(), mtime=0), "x.rpt"),
        ("net.prj\n" + CSYNTH, "not a report"),
        ('{"LUT": 1}', "not a report"),
        ("<html><body/></html>", "profile"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><profile>&b;</profile>", "DTD"),
        (vivado("report_drc", FLAT), "report_drc"),
        (vivado("report_utilization", FLAT, "Dreaming"), "Design State"),
    ],
)
def test_other_files_are_refused(read, content, words):
    with pytest.raises(ReportError, match=words) as caught:
        read(content)
    assert "x.rpt" in str(caught.value)


def test_a_folder_and_no_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.rpt", "a\0b"):
        with pytest.raises(ReportError):
            read_report(path)


@pytest.mark.parametrize("name", ALL)
def test_cut_anywhere_is_refused_or_equal(read, name):
    text = ALL[name]
    whole = read(text)
    half = [text[:end] for end in range(len(text))]
    for part in half[:: 3 if len(text) < 6000 else 5]:
        with contextlib.suppress(ReportError):
            assert read(part) == whole, len(part)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_other_exception(tmp_path_factory, name, data):
    text = bytearray(ALL[name].encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        cut = data.draw(st.integers(0, 40))
        text[at : at + cut] = data.draw(
            st.binary(max_size=12) | st.sampled_from([b"-", b"|", b"9" * 40, b"1e999", b"+"])
        )
    path = tmp_path_factory.mktemp("fuzz") / "x.rpt"
    path.write_bytes(bytes(text))
    try:
        read_report(path)
    except ReportError as error:
        assert "\n" not in str(error)
