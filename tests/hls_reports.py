# ruff: noqa: W291, W293, E501
"""Small reports in the layouts of Vivado HLS and Vitis HLS, written for the tests."""

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
