"""Layouts that single versions or options of the tools write, in small files written for this test."""

import pytest
from hls_reports import SUMMARY, XML
from vendor_files import ALL
from vivado_reports import FLAT, TREE, vivado

from xnorflow.base.errors import ReportError
from xnorflow.tools.report import Stage, SynthReport, Usage
from xnorflow.tools.vivado.read import read_report


def tree_alone(version):
    return SUMMARY.partition("\n\n=====\n== HW".replace("=====", "=" * 64))[0].replace("2022.2", version) + "\n"


@pytest.mark.parametrize("version", ["2020.2", "2020.2.2"])
def test_summary_of_2020_ends_with_its_tree(read, version):
    report = read(tree_alone(version))
    assert report.version == version
    assert (report.usage, report.modules) == (read(SUMMARY).usage, read(SUMMARY).modules)


def test_summary_of_2020_cut_in_its_tree_is_refused(read):
    text = tree_alone("2020.2")
    for part in (text[: text.rindex("    +--")], text[: text.rindex("    | + one")], text[: text.rindex("PS:")]):
        with pytest.raises(ReportError, match=r"x\.rpt"):
            read(part)


def test_summary_of_later_versions_has_more_than_its_tree(read):
    with pytest.raises(ReportError, match="SW I/O Information"):
        read(tree_alone("2021.1"))


def test_hierarchy_with_percentages(read):
    text = TREE.replace("|       2437 |", "|2437(13.85%)|")
    text = text.replace("|        900 |        900 |", "|  900(5.1%) | 900 (5.1%) |")
    report = read(vivado("report_utilization -hierarchical -hierarchical_percentages", text))
    assert (report.usage.lut, report.modules["layer1/popcount"].lut) == (2437, 900)


def test_utilisation_of_a_part_of_several_dies(read):
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


def test_throughput_of_a_dataflow_in_old_xml(read):
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
