# ruff: noqa: W291, W293, E501
"""The report readers on small files written for this test, in the layouts of the tools."""

import contextlib
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow.backends.xilinx_reports import read_report
from xnorflow.errors import ReportError
from xnorflow.report import Power, Stage, Timing, Usage

CSYNTH = """

================================================================
== Vitis HLS Report for 'net'
================================================================
* Date:           Mon Jan  5 10:00:00 2026

* Version:        2023.2 (Build 1 on Jan  1 2024)
* Project:        net_prj
* Solution:       solution1 (Vivado IP Flow Target)
* Product family: zynq
* Target device:  xc7z010-clg400-1


================================================================
== Performance Estimates
================================================================
+ Timing: 
    * Summary: 
    +--------+----------+----------+------------+
    |  Clock |  Target  | Estimated| Uncertainty|
    +--------+----------+----------+------------+
    |ap_clk  |  10.00 ns|  7.250 ns|     2.70 ns|
    +--------+----------+----------+------------+

+ Latency: 
    * Summary: 
    +---------+---------+----------+----------+-----+-----+---------+
    |  Latency (cycles) |  Latency (absolute) |  Interval | Pipeline|
    |   min   |   max   |    min   |    max   | min | max |   Type  |
    +---------+---------+----------+----------+-----+-----+---------+
    |{low:>9}|       90|  0.120 us|  0.900 us|   64|   64| dataflow|
    +---------+---------+----------+----------+-----+-----+---------+

    + Detail: 
        * Instance: 
        +--------+-------+---------+---------+----------+----------+-----+-----+---------+
        |        |       |  Latency (cycles) |  Latency (absolute) |  Interval | Pipeline|
        |Instance| Module|   min   |   max   |    min   |    max   | min | max |   Type  |
        +--------+-------+---------+---------+----------+----------+-----+-----+---------+
        |one_U0  |one    |       12|       12|  0.120 us|  0.120 us|   12|   12|       no|
        |two_U0  |two    |        ?|        ?|         ?|         ?|    ?|    ?|       no|
        +--------+-------+---------+---------+----------+----------+-----+-----+---------+

        * Loop: 
        N/A



================================================================
== Utilization Estimates
================================================================
* Summary: 
+-----------------+---------+-----+--------+-------+-----+
|       Name      | BRAM_18K| DSP |   FF   |  LUT  | URAM|
+-----------------+---------+-----+--------+-------+-----+
|Expression       |        -|    -|       0|     36|    -|
|Instance         |        3|    -|    1564|   3254|    -|
+-----------------+---------+-----+--------+-------+-----+
|Total            |        3|    0|    1564|   3290|    0|
+-----------------+---------+-----+--------+-------+-----+
|Available        |      120|   80|   35200|  17600|    0|
+-----------------+---------+-----+--------+-------+-----+
|Utilization (%)  |        2|   ~0|       4|     18|    0|
+-----------------+---------+-----+--------+-------+-----+

+ Detail: 
    * Instance: 
    +--------+-------+---------+----+------+------+-----+
    |Instance| Module| BRAM_18K| DSP|  FF  |  LUT | URAM|
    +--------+-------+---------+----+------+------+-----+
    |one_U0  |one    |        1|   0|  1000|  3000|    0|
    |two_U0  |two    |        2|   0|   564|   254|    0|
    +--------+-------+---------+----+------+------+-----+
    |Total   |       |        3|   0|  1564|  3254|    0|
    +--------+-------+---------+----+------+------+-----+


================================================================
== Interface
================================================================
* Summary: 
+-----------+-----+-----+------------+--------------+--------------+
| RTL Ports | Dir | Bits|  Protocol  | Source Object|    C Type    |
+-----------+-----+-----+------------+--------------+--------------+
|ap_clk     |   in|    1|  ap_ctrl_hs|           net|  return value|
+-----------+-----+-----+------------+--------------+--------------+

""".replace("{low:>9}", "       12")

SUMMARY = """

================================================================
== Synthesis Summary Report of 'net'
================================================================
+ General Information: 
    * Date:           Mon Jan  5 10:00:00 2026
    * Version:        2022.2 (Build 1 on Jan  1 2023)
    * Target device:  xc7z010-clg400-1
    

+ Performance & Resource Estimates: 
    
    PS: '+' for module; 'o' for loop; '*' for dataflow
    +-------------+------+------+---------+--------+----------+---------+------+----------+---------+----+-----------+------------+-----+
    |   Modules   | Issue|      | Latency | Latency| Iteration|         | Trip |          |         |    |           |            |     |
    |   & Loops   | Type | Slack| (cycles)|  (ns)  |  Latency | Interval| Count| Pipelined|  BRAM   | DSP|     FF    |     LUT    | URAM|
    +-------------+------+------+---------+--------+----------+---------+------+----------+---------+----+-----------+------------+-----+
    |+ net*       |     -|  0.26|     3083|3.08e+04|         -|     3084|     -|  dataflow|  6 (~0%)|   -|  1094 (3%)|  1628 (12%)|    -|
    | + one       |     -|  0.26|        -|       -|         -|        -|     -|        no|        -|   -|  114 (~0%)|   141 (~0%)|    -|
    |  + deep     |     -|  0.26|        5|  50.000|         -|        5|     -|        no|        -|   -|   14 (~0%)|    41 (~0%)|    -|
    |  o loop     |     -|  7.30|        5|  50.000|         2|        1|     4|       yes|        -|   -|          -|           -|    -|
    | + one       |     -|  0.26|        6|  60.000|         -|        6|     -|        no|        -|   -|  114 (~0%)|   142 (~0%)|    -|
    +-------------+------+------+---------+--------+----------+---------+------+----------+---------+----+-----------+------------+-----+


================================================================
== HW Interfaces
================================================================

================================================================
== SW I/O Information
================================================================

================================================================
== Pragma Report
================================================================
"""

XML = """<profile>
<ReportVersion><Version>2022.2</Version></ReportVersion>
<UserAssignments><unit>ns</unit><Part>xc7z010-clg400-1</Part><TopModelName>net</TopModelName>
<TargetClockPeriod>10.00</TargetClockPeriod><ClockUncertainty>2.70</ClockUncertainty></UserAssignments>
<PerformanceEstimates><PipelineType>no</PipelineType>
<SummaryOfTimingAnalysis><unit>ns</unit><EstimatedClockPeriod>7.250</EstimatedClockPeriod></SummaryOfTimingAnalysis>
<SummaryOfOverallLatency><Best-caseLatency>undef</Best-caseLatency><Worst-caseLatency>undef</Worst-caseLatency>
<Interval-min>undef</Interval-min><Interval-max>undef</Interval-max></SummaryOfOverallLatency></PerformanceEstimates>
<AreaEstimates><Resources><BRAM_18K>3</BRAM_18K><DSP>0</DSP><FF>1564</FF><LUT>3290</LUT><URAM>0</URAM></Resources>
<AvailableResources><BRAM_18K>120</BRAM_18K><DSP>80</DSP><FF>35200</FF><LUT>17600</LUT><URAM>0</URAM></AvailableResources>
</AreaEstimates>
<ModuleInformation><Module><Name>one</Name><Loops/>
<PerformanceEstimates><SummaryOfTimingAnalysis><EstimatedClockPeriod>5.1</EstimatedClockPeriod></SummaryOfTimingAnalysis>
<SummaryOfOverallLatency><Best-caseLatency>12</Best-caseLatency><Worst-caseLatency>90</Worst-caseLatency>
<PipelineInitiationInterval>12 ~ 90</PipelineInitiationInterval><PipelineType>no</PipelineType></SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates><Resources><FF>1000</FF><AVAIL_FF>35200</AVAIL_FF><UTIL_FF>2</UTIL_FF><LUT>3000</LUT></Resources></AreaEstimates>
</Module></ModuleInformation>
</profile>
"""

HEAD = """Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.
----------------------------------------------------------------------------------
| Tool Version : Vivado v.2022.2 (lin64) Build 1 Fri Oct 14 04:59:54 MDT 2022
| Command      : {command} -file x.rpt
| Design       : net
| Device       : xc7z010clg400-1
| Speed File   : -1
| Design State : {state}
----------------------------------------------------------------------------------

"""

FLAT = """Utilization Design Information

Table of Contents
-----------------
1. Slice Logic
2. Memory
3. DSP
4. Primitives
5. Black Boxes

1. Slice Logic
--------------

+-------------------------+------+-------+------------+-----------+-------+
|        Site Type        | Used | Fixed | Prohibited | Available | Util% |
+-------------------------+------+-------+------------+-----------+-------+
| Slice LUTs*             | 2437 |     0 |          0 |     17600 | 13.85 |
|   LUT as Logic          | 2309 |     0 |          0 |     17600 | 13.12 |
|   LUT as Memory         |  128 |     0 |          0 |      6000 |  2.13 |
| Slice Registers         | 1006 |     0 |          0 |     35200 |  2.86 |
| F7 Muxes                |   12 |     0 |          0 |      8800 |  0.14 |
+-------------------------+------+-------+------------+-----------+-------+

2. Memory
---------

+-------------------+------+-------+------------+-----------+-------+
|     Site Type     | Used | Fixed | Prohibited | Available | Util% |
+-------------------+------+-------+------------+-----------+-------+
| Block RAM Tile    | 19.5 |     0 |          0 |        60 | 32.50 |
|   RAMB36/FIFO*    |   19 |     0 |          0 |        60 | 31.67 |
|   RAMB18          |    1 |     0 |          0 |       120 |  0.83 |
+-------------------+------+-------+------------+-----------+-------+

3. DSP
------

+-----------+------+-------+------------+-----------+-------+
| Site Type | Used | Fixed | Prohibited | Available | Util% |
+-----------+------+-------+------------+-----------+-------+
| DSPs      |    0 |     0 |          0 |        80 |  0.00 |
+-----------+------+-------+------------+-----------+-------+

4. Primitives
-------------

+----------+------+---------------------+
| Ref Name | Used | Functional Category |
+----------+------+---------------------+
| CARRY4   |  101 |          CarryLogic |
+----------+------+---------------------+

5. Black Boxes
--------------

+----------+------+
| Ref Name | Used |
+----------+------+


"""

TREE = """Utilization Design Information

Table of Contents
-----------------
1. Utilization by Hierarchy

1. Utilization by Hierarchy
---------------------------

+--------------+--------+------------+------------+---------+------+------+--------+--------+------------+
|   Instance   | Module | Total LUTs | Logic LUTs | LUTRAMs | SRLs |  FFs | RAMB36 | RAMB18 | DSP Blocks |
+--------------+--------+------------+------------+---------+------+------+--------+--------+------------+
| net          |  (top) |       2437 |       2309 |     120 |    8 | 1006 |     19 |      1 |          0 |
|   (net)      |  (top) |          7 |          7 |       0 |    0 |    6 |      0 |      0 |          0 |
|   layer1     |  layer |       2000 |       1900 |     100 |    0 |  900 |     19 |      0 |          0 |
|     popcount |    pop |        900 |        900 |       0 |    0 |  100 |      0 |      0 |          0 |
|   layer2     |  layer |        430 |        402 |      20 |    8 |  100 |      0 |      1 |          0 |
+--------------+--------+------------+------------+---------+------+------+--------+--------+------------+


"""

RULE = "-" * 60
TIMING = f"""Timing Summary Report

{RULE}
| Design Timing Summary
| ---------------------
{RULE}

    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)
    -------      -------  ---------------------  -------------------      -------      -------
      0.627        0.000                      0                57693       -0.055       -1.000


{RULE}
| Clock Summary
| -------------
{RULE}

Clock    Waveform(ns)         Period(ns)      Frequency(MHz)
-----    ------------         ----------      --------------
fast     {{0.000 2.500}}        5.000           200.000
  slow   {{0.000 5.000}}        10.000          100.000


{RULE}
| Intra Clock Table
| -----------------
{RULE}

Clock        WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)
-----        -------      -------  ---------------------  -------------------      -------      -------
fast           1.500        0.000                      0                  100        0.055        0.000
  slow         0.627        0.000                      0                  100       -0.055       -1.000


{RULE}
| Other Path Groups Table
| -----------------------
{RULE}

"""

POWER = """Power Report

Table of Contents
-----------------
1. Summary
1.1 On-Chip Components

1. Summary
----------

+--------------------------+----------------------------------+
| Total On-Chip Power (W)  | 1.527 (Junction temp exceeded!)  |
| Design Power Budget (W)  | Unspecified*                     |
| Dynamic (W)              | 1.390                            |
| Device Static (W)        | <0.138                           |
+--------------------------+----------------------------------+

1.1 On-Chip Components
----------------------

+----------+-----------+
| On-Chip  | Power (W) |
+----------+-----------+
| Clocks   |     0.056 |
+----------+-----------+


"""


def vivado(command, body, state="Routed"):
    return HEAD.format(command=command, state=state) + body


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
    assert report.usage == Usage(lut=1628, ff=1094, bram18=6, dsp=None, uram=None)
    assert (report.timing.latency_cycles, report.timing.interval_cycles) == ((3083, 3083), (3084, 3084))
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


@pytest.mark.parametrize(("net", "stage"), [("routed", Stage.ROUTED), ("estimated", Stage.PLACED)])
def test_timing_without_state_tells_it_by_its_nets(read, net, stage):
    text = ALL["timing.rpt"].replace("| Design State : Routed\n", "") + f"   net (fo=1, {net})   0.3  1.2\n"
    assert read(text).stage is stage


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
        ("timing.rpt", "| Clock Summary", "Clock Summary"),
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
