"""What Vivado made of an HLS design, as HLS notes it; and files beside reports, each called what it is."""

import os

import pytest
from hls_reports import CSYNTH
from vendor_files import ALL
from vivado_reports import FLAT, POWER, vivado

from xnorflow.base.errors import ReportError
from xnorflow.tools.report import Power, Stage, Timing, Usage
from xnorflow.tools.vivado.csynth_xml import LARGEST_XML
from xnorflow.tools.vivado.read import LARGEST_BYTES, read_report

EXPORT = """Implementation tool: Xilinx Vivado v.2023.1
Project:             net_prj
Solution:            solution1
Device target:       xc7z010-clg400-1

#=== Post-Implementation Resource usage ===
CLB:              0
LUT:           2437
FF:            1006
DSP:              0
BRAM:            39
LATCH:            0

#=== Final timing ===
CP required:                     10.000
CP achieved post-synthesis:      7.100
CP achieved post-implementation: 9.373
Timing met
"""
RULE = "=" * 64
RESULTS = """{rule}
== Vivado {title} Results
{rule}
+ General Information:
    * Date:            Mon Jan 05 10:00:00 2026
    * Version:         2024.1 (Build 1 on Jan  1 2024)
    * Project:         net_prj
    * Solution:        solution1 (Vivado IP Flow Target)
    * Target device:   xc7z010-clg400-1


{rule}
== {name} Resource Summary
{rule}
LUT:              2437
FF:               1006
DSP:              0
BRAM:             39
URAM:             0
SRL:              8


{rule}
== {name} Timing Summary
{rule}
* Timing was {met}met
+----------------+-------------+
| Timing         | Period (ns) |
+----------------+-------------+
| Target         | 10.000      |
{rows}+----------------+-------------+


{rule}
== {name} Fail Fast
{rule}
"""
SYN = RESULTS.format(
    rule=RULE, title="RTL Synthesis", name="RTL Synthesis", met="", rows="| Post-Route     | 7.100       |\n"
)
IMPL = RESULTS.format(
    rule=RULE,
    title="Place & Route",
    name="Place & Route",
    met="not ",
    rows="| Post-Synthesis | 7.100       |\n| Post-Route     | 10.373      |\n",
)
VERBOSE = """
============================================================
+ Verbose Summary: Schedule
============================================================
* Number of FSM states : 2
"""


def test_export_after_implementation(read):
    report = read(EXPORT)
    assert (report.stage, report.version, report.top) == (Stage.ROUTED, "2023.1", "net")
    assert report.usage == Usage(lut=2437, ff=1006, bram18=39, dsp=0)
    assert report.timing == Timing(clock_ns=10.0, estimated_ns=9.373, slack_ns=0.627)


def test_export_that_lost_its_last_timing_is_not_taken_for_a_synthesis(read):
    with pytest.raises(ReportError, match="CP achieved post-implementation"):
        read(EXPORT.replace("CP achieved post-implementation: 9.373\n", ""))


def test_results_of_vitis_after_synthesis(read):
    report = read(SYN)
    assert (report.stage, report.tool, report.version, report.top) == (Stage.SYNTHESISED, "Vivado", "2024.1", "net")
    assert (report.part_name, report.usage) == ("xc7z010clg400-1", Usage(lut=2437, ff=1006, bram18=39, dsp=0, uram=0))
    assert report.timing == Timing(clock_ns=10.0, estimated_ns=7.1, slack_ns=2.9)


def test_results_of_vitis_after_routing(read):
    report = read(IMPL)
    assert (report.stage, report.timing.estimated_ns, report.timing.slack_ns) == (Stage.ROUTED, 10.373, -0.373)


@pytest.mark.parametrize("text", [SYN, IMPL])
def test_results_cut_anywhere_are_refused_or_equal(read, text):
    whole = read(text)
    for end in range(0, len(text), 7):
        try:
            assert read(text[:end]) == whole
        except ReportError as error:
            assert "x.rpt" in str(error)


def test_verbose_report_with_totals_is_read_as_its_csynth(read):
    assert read(CSYNTH + VERBOSE) == read(CSYNTH)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CSYNTH[: CSYNTH.index(RULE + "\n== Utilization")] + VERBOSE, "verbose scheduling report .* csynth.xml"),
        (f"{RULE}\n== Design Size Report\n{RULE}\n", "design sizes"),
        ("Report time       : Mon Jan  5 10:00:00 2026.\nSolution : solution1.\n", "co-simulation"),
        ('$MAX_LATENCY = "9"\n', "co-simulation"),
        ("latency        interval\n 7   8\n", "co-simulation"),
        ("Found 1 solution(s) in net_prj.\n" + CSYNTH, "what hls4ml printed"),
        ("****** Vitis HLS - High-Level Synthesis from C, C++ and OpenCL v2023.2 (64-bit)\n", "a tool's log"),
        ("INFO: [HLS 200-10] Running\n", "a tool's log"),
        ("Design Route Status\n", "report_route_status"),
        (EXPORT.replace("CP achieved post-synthesis:", "CP achieved:"), "2016.1 or older"),
        ('{"LUT": 1}', "JSON"),
        ("<design_size><item/></design_size>", "another kind than csynth.xml"),
        ("<profile><AreaReport/></profile>", "XML of export_design"),
        (vivado("report_utilization -cells [get_cells one]", FLAT), "some cells alone"),
    ],
)
def test_a_whole_file_of_another_kind_is_called_what_it_is(read, text, words):
    with pytest.raises(ReportError, match=words) as caught:
        read(text)
    message = str(caught.value)
    assert "cut short" not in message and "damaged" not in message and "\n" not in message


@pytest.mark.parametrize("text", [ALL["flat.rpt"], vivado("report_power", POWER)])
def test_report_may_end_in_the_border_of_a_table_without_rows(read, text):
    whole = read(text)
    bare = text[: text.rindex("| Clocks")] if "| Clocks" in text else text.rstrip()
    bare = bare.replace("On-Chip Components", "By Hierarchy").rstrip()
    for end in ("", "\n", "\n\n"):
        assert read(bare + end) == whole


def test_table_that_is_read_and_lost_its_rows_is_refused(read):
    text = ALL["flat.rpt"].replace("5. Black Boxes\n\n", "\n")
    with pytest.raises(ReportError, match=r"4\. Primitives"):
        read(text[: text.index("| CARRY4")])


def test_footnotes_of_a_power_report_are_no_part_of_its_numbers(read):
    text = ALL["power.rpt"].replace("| 1.390   ", "| 1.390** ")
    assert read(text).power == Power(total_w=1.527, dynamic_w=1.390, static_w=0.138)


def test_giant_xml_is_refused_before_it_is_taken_apart(read):
    with pytest.raises(ReportError, match="at most 16 MB, got 16 MB"):
        read("<profile>" + " " * LARGEST_XML)


def test_pipe_device_and_giant_are_refused_unread(tmp_path):
    pipe, giant = tmp_path / "pipe", tmp_path / "giant\n.rpt"
    os.mkfifo(pipe)
    with giant.open("wb") as stream:
        stream.truncate(LARGEST_BYTES + 1)
    for path, words in ((pipe, "not a regular file"), ("/dev/zero", "not a regular file"), (giant, "at most")):
        with pytest.raises(ReportError, match=words) as caught:
            read_report(path)
        assert "\n" not in str(caught.value)
