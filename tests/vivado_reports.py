"""Small reports in Vivado's layouts, written for the tests."""

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
| F8 Muxes                |    0 |     0 |          0 |      4400 |  0.00 |
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
