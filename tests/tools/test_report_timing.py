"""Vivado's timing summary: which clock takes the worst path, and at which stage the design was."""

import pytest
from vendor_files import ALL
from vivado_reports import TIMING, vivado

from xnorflow.base.errors import ReportError
from xnorflow.tools.report import Stage, Timing

RULE = "-" * 60
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
OTHER = """
Path Group         From Clock         To Clock               WNS(ns)      TNS(ns)  TNS Failing Endpoints
----------         ----------         --------               -------      -------  ---------------------
**async_default**  fast               slow                    -0.500       -1.000                      4
**default**                                                    2.000        0.000                      0


"""
AFTER = f"""{RULE}
| User Ignored Path Table
| -----------------------
{RULE}

"""
PATH = """
Slack (MET) :             0.627ns  (required time - arrival time)
  Source:                 first_reg/C

    Location             Delay type                Incr(ns)  Path(ns)    Netlist Resource(s)
  -------------------------------------------------------------------    -------------------
                         net (fo=1, routed)           0.000     0.400    first
                         net (fo=7, estimated)        0.300     0.700    second
                         net (fo=2, routed)           0.000     0.700    third
  -------------------------------------------------------------------
                         slack                                  0.627{more}

"""


def worst(slack):
    """The summary with another worst slack."""
    return TIMING.replace("      0.627        0.000      ", f"{slack:>11}        0.000      ", 1)


def stateless(text):
    return text.replace("| Design State : Routed\n", "")


@pytest.mark.parametrize(
    ("nets", "stage"),
    [
        ("routed", Stage.ROUTED),
        ("routed routed unset", Stage.ROUTED),
        ("routed routed routed estimated", Stage.PLACED),
        ("estimated routed routed", Stage.PLACED),
        ("unplaced", Stage.SYNTHESISED),
        ("routed unplaced estimated", Stage.SYNTHESISED),
    ],
)
def test_one_net_that_is_not_routed_tells_the_stage(read, nets, stage):
    lines = "".join(f"   net (fo=1, {net})   0.3  1.2   a\n" for net in nets.split())
    # whatever the file is called
    assert read(stateless(ALL["timing.rpt"]) + lines, "net_routed.rpt").stage is stage


def test_paths_of_2026_1_end_in_a_word(read):
    text = stateless(vivado("report_timing_summary", TIMING + PATH.format(more=" <hidden>"))).replace(
        "2022.2", "2026.1"
    )
    report = read(text)
    assert (report.version, report.stage, report.timing.slack_ns) == ("2026.1", Stage.PLACED, 0.627)


@pytest.mark.parametrize("end", ["slack", "0.627"])
def test_path_that_lost_its_end_is_refused(read, end):
    path = PATH.format(more="")
    with pytest.raises(ReportError, match="end of the last path"):
        read(vivado("report_timing_summary", TIMING + path[: path.rindex(end)] + "\n"))


def test_worst_slack_in_another_path_group_is_of_the_clock_that_takes_the_path(read):
    timing = read(vivado("report_timing_summary", worst("-0.500").rstrip("\n") + "\n" + OTHER + AFTER)).timing
    assert (timing.clock_ns, timing.slack_ns, timing.estimated_ns) == (10.0, -0.5, 10.5)


def test_worst_slack_of_no_clock_has_no_period(read):
    timing = read(vivado("report_timing_summary", worst("-9.000") + OTHER + AFTER)).timing
    assert (timing.clock_ns, timing.slack_ns, timing.estimated_ns) == (None, -9.0, None)


def test_table_that_lost_the_worst_slack_is_refused(read):
    with pytest.raises(ReportError, match=r"clock with a slack of -0\.5"):
        read(vivado("report_timing_summary", worst("-0.500") + OTHER[: OTHER.index("**async")]))


def test_pulse_width_of_a_clock_without_paths_is_no_setup_slack(read):
    row = f"idle{'0.627':>92}        0.000\n"
    clocks = TIMING.replace("fast     {0", "idle     {0.000 1.000}        2.000           500.000\nfast     {0")
    text = clocks.replace("fast           1.500", row + "fast           1.500")
    assert read(vivado("report_timing_summary", text)).timing.clock_ns == 10.0


def test_timing_of_setup_alone_has_no_hold_slack(read):
    text = vivado("report_timing_summary -delay_type max", SETUP_ONLY)
    assert read(text).timing == Timing(clock_ns=10.0, estimated_ns=9.373, slack_ns=0.627, hold_slack_ns=None)


def test_timing_that_lost_its_hold_slack_is_refused(read):
    with pytest.raises(ReportError, match=r"WHS\(ns\)"):
        read(vivado("report_timing_summary -delay_type min_max", SETUP_ONLY))


@pytest.mark.parametrize("damaged", ["WNS(ns) x", "x WNS(ns)", "WNS(ns)WNS(ns)"])
def test_timing_with_a_damaged_header_is_refused(read, damaged):
    text = TIMING.replace("WNS(ns)", damaged, 1)
    with pytest.raises(ReportError, match=r"WNS\(ns\)"):
        read(vivado("report_timing_summary", text))


def test_worst_slack_between_two_clocks_is_of_the_one_that_takes_the_path(read):
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
def test_timing_without_state_and_paths_tells_its_stage_by_its_name(read, name, stage):
    text = ALL["timing.rpt"].replace("| Design State : Routed\n", "")
    if "post_" in name:
        # some write the name into the command alone
        text = text.replace("-file x.rpt", f"-file C:/reports/{name}")
        name = "x.rpt"
    assert read(text, name).stage is stage


@pytest.mark.parametrize("name", ["x.rpt", "net_routed.runs/impl_1/x.rpt", "C:\\net_routed.runs\\x.rpt"])
def test_timing_that_tells_its_stage_nowhere_is_refused(read, name):
    with pytest.raises(ReportError, match="Design State"):
        read(stateless(ALL["timing.rpt"]).replace("-file x.rpt", f"-file {name}"))
