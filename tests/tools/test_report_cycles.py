"""Cycles and counts: what a report gives in halves, leaves open, or lets run over."""

import pytest
from hls_reports import CSYNTH, SUMMARY, XML

from xnorflow.base.errors import ReportError

# numbers that an integer shows when it ran over, and words for none
NONE = (
    "-1", "4294967295", "4294967296", "2147483647", "18446744073709551615", "9223372036854775807", "1" + 30 * "0",
    "undef", "?", "N/A", "inf", "nan", "-", "4 ~ -1",
)  # fmt: skip


def row(low, high):
    """The text's latencies of the whole design."""
    old = "|       12|       90|  0.120 us|  0.900 us|   64|   64| dataflow|"
    assert old in CSYNTH
    return CSYNTH.replace(old, f"|{low:>9}|{high:>9}|  0.120 us|  0.900 us|   64|   64| dataflow|")


def latencies(low, high):
    """The XML with other latencies of the whole design, and of its module."""
    text = XML.replace("Best-caseLatency>undef", f"Best-caseLatency>{low}")
    return text.replace("Worst-caseLatency>undef", f"Worst-caseLatency>{high}")


def test_a_half_that_is_not_known_is_none(read):
    for text in (row("12", "?"), latencies("12", "undef")):
        assert read(text).timing.latency_cycles == (12, None)
    for text in (row("-", "90"), latencies("undef", "90")):
        assert read(text).timing.latency_cycles == (None, 90)
    assert read(row("?", "?")).timing.latency_cycles is None


@pytest.mark.parametrize(("low", "high"), [("12", "-1"), ("-1", "12"), ("90", "12"), ("12", "4294967295")])
def test_ends_that_contradict_each_other_are_none(read, low, high):
    for text in (
        latencies(low, high),
        XML.replace("<PipelineInitiationInterval>12 ~ 90", f"<PipelineInitiationInterval>{low} ~ {high}"),
    ):
        report = read(text)
        assert report.usage.lut == 3290
    assert read(latencies(low, high)).timing.latency_cycles is None
    assert report.module_timing["one"].interval_cycles is None
    assert report.module_timing["one"].latency_cycles == (12, 90)


@pytest.mark.parametrize(("cell", "cycles"), [("7", (7, 7)), ("7 ~ ?", (7, None)), ("0", (0, 0)), ("2 ~ 0", None)])
def test_interval_of_a_module_in_one_cell(read, cell, cycles):
    report = read(XML.replace("12 ~ 90", cell))
    assert report.module_timing["one"].interval_cycles == cycles


def test_interval_of_0_beside_no_latency_is_none(read):
    text = (
        XML.replace("12 ~ 90", "0").replace("Latency>12<", "Latency>undef<").replace("Latency>90<", "Latency>undef<")
    )
    assert read(text).module_timing["one"].interval_cycles is None


@pytest.mark.parametrize("value", NONE)
def test_a_number_that_ran_over_or_is_none_loses_its_field_alone(read, value):
    report = read(XML.replace("<LUT>3290</LUT>", f"<LUT>{value}</LUT>").replace("Latency>undef<", "Latency>12<"))
    assert report.usage.lut is None and report.usage.ff == 1564
    assert report.timing.latency_cycles == (12, 12)
    report = read(latencies(value, value))
    assert report.timing.latency_cycles is None and report.usage.lut == 3290
    assert read(XML.replace(">7.250<", f">{value}<")).timing.estimated_ns is None


@pytest.mark.parametrize("value", ["-1", "?", "undef"])
def test_the_same_in_text(read, value):
    report = read(CSYNTH.replace("1564|   3290|    0|", f"1564|{value:>7}|    0|"))
    assert report.usage.lut is None and report.usage.ff == 1564


def test_letters_in_a_number_are_damage(read):
    with pytest.raises(ReportError, match="LUT must be a whole number"):
        read(XML.replace("<LUT>3290</LUT>", "<LUT>32x0</LUT>"))


def test_summary_tells_the_largest_number_of_cycles_alone(read):
    report = read(SUMMARY)
    assert report.timing.latency_cycles == (None, 3083)
    assert report.module_timing["one/deep"].interval_cycles == (None, 5)
    # none is fewer than 0
    zero = SUMMARY.replace("|     3083|3.08e+04|", "|        0|   0.000|")
    assert read(zero).timing.latency_cycles == (0, 0)


def test_dash_in_a_summary_is_no_cell_but_no_known_cycle(read):
    report = read(SUMMARY)
    assert (report.modules["one"].bram18, report.modules["one"].dsp, report.modules["one"].uram) == (0, 0, 0)
    assert report.module_timing["one"].latency_cycles is None


def vivado_hls(version, *, name="net", source_object=None, more_port="", operator=""):
    """A function that is not pipelined, as Vivado HLS writes it: its interval is its latency."""
    text = CSYNTH.replace("Vitis HLS", "Vivado HLS").replace("2023.2", version).replace("'net'", f"'{name}'")
    text = text.replace("|   64|   64| dataflow|", "|   12|   90|     none|")
    rows = next(f"{line}\n" for line in text.splitlines() if line.startswith("|ap_clk     |"))
    mine = rows.replace("           net|", f"{source_object or name:>14}|")
    text = text.replace(rows, mine + (mine.replace("ap_clk     ", f"{more_port:<11}") if more_port else ""))
    table = f"    * DSP48: \n    +---+---+\n    |{operator}_U1|{operator}|\n    +---+---+\n\n"
    end = text.index("=" * 64 + "\n== Interface")
    return text[:end] + (table if operator else "") + text[end:]


@pytest.mark.parametrize("version", ["2017.4", "2017.4.op", "2018.3", "2019.1", "2019.2.1", "2020.1"])
def test_text_that_leaves_a_cycle_out_of_a_top_functions_interval(read, version):
    report = read(vivado_hls(version))
    assert (report.version, report.timing.interval_cycles) == (version, (13, 91))


@pytest.mark.parametrize("version", ["2016.4", "2017.2"])
def test_text_that_leaves_nothing_out(read, version):
    assert read(vivado_hls(version)).timing.interval_cycles == (12, 90)


@pytest.mark.parametrize(
    ("sign", "cycles"),
    [
        ({"source_object": "net<4>"}, (12, 90)),
        ({"more_port": "ap_continue"}, (12, 90)),
        ({"more_port": "start_out"}, (12, 90)),
        ({"operator": "top_mul_4ns"}, (12, 90)),
        ({"operator": "net_mul_4ns"}, (13, 91)),
        ({"operator": "network_mul"}, (12, 90)),
    ],
)
def test_signs_of_a_called_function_and_of_a_top_function(read, sign, cycles):
    assert read(vivado_hls("2020.1", **sign)).timing.interval_cycles == cycles


def test_operators_of_a_long_name_are_cut_and_get_a_code(read):
    name = "classify_ten_digits"
    text = vivado_hls("2020.1", name=name, operator="classify_ten_digibcD")
    # the column is as wide as the name
    text = text.replace("-" * 14 + "+" + "-" * 14 + "+\n", "-" * 19 + "+" + "-" * 14 + "+\n")
    text = text.replace("| Source Object|", "| Source Object     |")
    assert read(text).timing.interval_cycles == (13, 91)
