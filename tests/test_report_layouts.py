"""Layouts that single versions or options of the tools write, in small files written for this test."""

import pytest
from hls_reports import SUMMARY, XML
from test_report import ALL, read  # noqa: F401
from vivado_reports import FLAT, TIMING, TREE, vivado

from xnorflow.backends.xilinx_reports import read_report
from xnorflow.errors import ReportError
from xnorflow.report import Stage, SynthReport, Timing, Usage

# what a report has where it was asked for setup alone
SETUP_ONLY = TIMING.replace("      WHS(ns)      THS(ns)", "     WPWS(ns)     TPWS(ns)")
INTER = """| Inter Clock Table
| -----------------
{rule}

From Clock    To Clock          WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints
----------    --------          -------      -------  ---------------------  -------------------
fast          slow               -0.250       -1.000                      4                   10
slow          fast                1.750        0.000                      0                   10


{rule}
"""
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


def tree_alone(version):
    return SUMMARY.partition("\n\n=====\n== HW".replace("=====", "=" * 64))[0].replace("2022.2", version) + "\n"


@pytest.mark.parametrize("version", ["2020.2", "2020.2.2"])
def test_summary_of_2020_ends_with_its_tree(read, version):  # noqa: F811
    report = read(tree_alone(version))
    assert report.version == version
    assert (report.usage, report.modules) == (read(SUMMARY).usage, read(SUMMARY).modules)


def test_summary_of_2020_cut_in_its_tree_is_refused(read):  # noqa: F811
    text = tree_alone("2020.2")
    for part in (text[: text.rindex("    +--")], text[: text.rindex("    | + one")], text[: text.rindex("PS:")]):
        with pytest.raises(ReportError, match=r"x\.rpt"):
            read(part)


def test_summary_of_later_versions_has_more_than_its_tree(read):  # noqa: F811
    with pytest.raises(ReportError, match="SW I/O Information"):
        read(tree_alone("2021.1"))


def test_timing_of_setup_alone_has_no_hold_slack(read):  # noqa: F811
    text = vivado("report_timing_summary -delay_type max", SETUP_ONLY)
    assert read(text).timing == Timing(clock_ns=10.0, estimated_ns=9.373, slack_ns=0.627, hold_slack_ns=None)


def test_timing_that_lost_its_hold_slack_is_refused(read):  # noqa: F811
    with pytest.raises(ReportError, match=r"WHS\(ns\)"):
        read(vivado("report_timing_summary -delay_type min_max", SETUP_ONLY))


@pytest.mark.parametrize("damaged", ["WNS(ns) x", "x WNS(ns)", "WNS(ns)WNS(ns)"])
def test_timing_with_a_damaged_header_is_refused(read, damaged):  # noqa: F811
    text = TIMING.replace("WNS(ns)", damaged, 1)
    with pytest.raises(ReportError, match=r"WNS\(ns\)"):
        read(vivado("report_timing_summary", text))


def test_worst_slack_between_two_clocks_is_of_the_one_that_takes_the_path(read):  # noqa: F811
    rule = "-" * 60
    text = TIMING.replace("| Other Path Groups Table", INTER.format(rule=rule) + "| Other Path Groups Table")
    text = text.replace("      0.627        0.000      ", "     -0.250       -1.000      ", 1)
    timing = read(vivado("report_timing_summary", text)).timing
    assert (timing.clock_ns, timing.slack_ns, timing.estimated_ns) == (10.0, -0.25, 10.25)


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("post_route_timing_summary.rpt", Stage.ROUTED),
        ("timing_post_place.rpt", Stage.PLACED),
        ("net_timing_synth.rpt", Stage.SYNTHESISED),
        ("net_timing_opted.rpt", Stage.SYNTHESISED),
        ("net_timing_physopted.rpt", Stage.PLACED),
        ("net_timing_routed.rpt", Stage.ROUTED),
    ],
)
def test_timing_without_state_and_paths_tells_its_stage_by_its_name(read, name, stage):  # noqa: F811
    text = ALL["timing.rpt"].replace("| Design State : Routed\n", "")
    if "post_" in name:
        # some write the name into the command alone
        text = text.replace("-file x.rpt", f"-file C:/reports/{name}")
        name = "x.rpt"
    assert read(text, name).stage is stage


def test_timing_that_tells_its_stage_nowhere_is_refused(read):  # noqa: F811
    with pytest.raises(ReportError, match="Design State"):
        read(ALL["timing.rpt"].replace("| Design State : Routed\n", ""))


def test_hierarchy_with_percentages(read):  # noqa: F811
    text = TREE.replace("|       2437 |", "|2437(13.85%)|")
    text = text.replace("|        900 |        900 |", "|  900(5.1%) | 900 (5.1%) |")
    report = read(vivado("report_utilization -hierarchical -hierarchical_percentages", text))
    assert (report.usage.lut, report.modules["layer1/popcount"].lut) == (2437, 900)


def test_utilisation_of_a_part_of_several_dies(read):  # noqa: F811
    more = """5. Black Boxes
--------------

+----------+------+
| Ref Name | Used |
+----------+------+


6. SLR Connectivity
-------------------

+----------------------------------+------+-------+-----------+-------+
|                                  | Used | Fixed | Available | Util% |
+----------------------------------+------+-------+-----------+-------+
| SLR1 <-> SLR0                    |    9 |       |     23040 |  0.04 |
|   SLR0 -> SLR1                   |    9 |       |           |  0.04 |
+----------------------------------+------+-------+-----------+-------+
| Total SLLs Used                  |    9 |       |           |       |
+----------------------------------+------+-------+-----------+-------+


"""
    text = FLAT.replace("5. Black Boxes\n\n", "5. Black Boxes\n6. SLR Connectivity\n\n")
    text = text[: text.index("5. Black Boxes\n---")] + more
    text = text.replace("Slice LUTs*", "CLB LUTs*  ").replace("Slice Registers", "CLB Registers  ")
    report = read(vivado("report_utilization", text, "Optimized"))
    assert report.stage is Stage.SYNTHESISED
    assert report.usage == Usage(lut=2437, lutram=128, ff=1006, carry4=101, muxf=12, bram18=39, dsp=0)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("xa7a12tcsg325-1q", "xa7a12tcsg325-1q"),
        ("xq7z020-cl400-1Q", "xq7z020cl400-1q"),
        ("xck26-sfvc784-2LV-c", "xck26sfvc784-2lv-c"),
        ("7z010i-clg225-1L", "xc7z010iclg225-1l"),
        ("7z020clg400-1", "xc7z020clg400-1"),
    ],
)
def test_names_of_parts(part, name):
    assert SynthReport(Stage.HLS, "Vivado HLS", "2018.3", "net", part, Usage()).part_name == name


def test_throughput_of_a_dataflow_in_old_xml(read):  # noqa: F811
    old = """<DataflowPipelineThroughput><range><min>159</min><max>2089113</max></range></DataflowPipelineThroughput>
<Interval-min>159</Interval-min><Interval-max>2089113</Interval-max>"""
    new = "<Interval-min>undef</Interval-min><Interval-max>undef</Interval-max>"
    assert read(XML.replace(new, old)).timing.interval_cycles == (159, 2089113)


def test_a_file_that_holds_two_reports_is_refused_or_read_as_its_first(tmp_path):
    for name, text in ALL.items():
        path = tmp_path / name
        path.write_text(text)
        whole = read_report(path)
        path.write_text(text + text)
        try:
            assert read_report(path) == whole
        except ReportError as error:
            assert name in str(error)


def test_export_after_implementation(read):  # noqa: F811
    report = read(EXPORT)
    assert (report.stage, report.version, report.top) == (Stage.ROUTED, "2023.1", "net")
    assert report.usage == Usage(lut=2437, ff=1006, bram18=39, dsp=0)
    assert report.timing == Timing(clock_ns=10.0, estimated_ns=9.373, slack_ns=0.627)


def test_export_that_lost_its_last_timing_is_not_taken_for_a_synthesis(read):  # noqa: F811
    with pytest.raises(ReportError, match="CP achieved post-implementation"):
        read(EXPORT.replace("CP achieved post-implementation: 9.373\n", ""))
