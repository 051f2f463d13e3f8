"""Verdict, Pareto front and the table of hls4ml's own kernels."""

import dataclasses

import pytest

from xnorflow.base.device import device_of
from xnorflow.base.errors import ConfigError, ToolNotFound
from xnorflow.base.resources import NO_CELLS, Band, Counts, exactly
from xnorflow.fitting import pareto
from xnorflow.fitting.choose import choose_options
from xnorflow.fitting.cost_hls4ml import StockKernel
from xnorflow.fitting.cost_rtl import RtlKernel
from xnorflow.fitting.pareto import ANSWERS, MARKS, _figure, front_of, plot
from xnorflow.fitting.problem import Budget, Goal
from xnorflow.fitting.verdict import decide, evidence_of_estimate, evidence_of_report, learn_ratios
from xnorflow.net.shapes import dense_shapes
from xnorflow.tools.answer import Answer
from xnorflow.tools.report import Stage, SynthReport, Timing, Usage

HOME = device_of("xc7z010clg400-1")
BUDGET = Budget(HOME)
SMALL = dense_shapes((64, 32, 10))


def report(stage, lut, ff=1000, bram18=10, dsp=0, slack=None, top="net"):
    usage = Usage(lut=lut, ff=ff, bram18=bram18, dsp=dsp)
    return SynthReport(stage, "Vivado", "2020.1", top, "xc7z010clg400-1", usage, Timing(slack_ns=slack))


def verdict(*reports):
    return decide([evidence_of_report(one) for one in reports], BUDGET)


@pytest.mark.parametrize(
    ("stage", "lut", "answer"),
    [
        # HLS: x0.20 to x0.66 against 15,840
        (Stage.HLS, 24000, Answer.FITS),
        (Stage.HLS, 24001, Answer.TOO_CLOSE),
        (Stage.HLS, 79000, Answer.TOO_CLOSE),
        (Stage.HLS, 79210, Answer.DOES_NOT_FIT),
        (Stage.YOSYS, 14000, Answer.FITS),
        (Stage.YOSYS, 15000, Answer.TOO_CLOSE),
        (Stage.SYNTHESISED, 15500, Answer.FITS),
        (Stage.SYNTHESISED, 17000, Answer.TOO_CLOSE),
        (Stage.SYNTHESISED, 19000, Answer.DOES_NOT_FIT),
        # placed is placed: all 17,600 count
        (Stage.PLACED, 17600, Answer.FITS),
        (Stage.ROUTED, 17601, Answer.DOES_NOT_FIT),
    ],
)
def test_answer_by_stage(stage, lut, answer):
    assert verdict(report(stage, lut)).answer is answer


def test_the_surest_source_decides():
    hls, routed = report(Stage.HLS, 100000), report(Stage.ROUTED, 9000, slack=0.1)
    assert verdict(hls).answer is Answer.DOES_NOT_FIT
    both = verdict(routed, hls)
    assert both.fits
    assert both.meets_clock is True
    assert "routed: fits" in both.message and "clock met" in both.message


def test_a_source_that_does_not_tell_leaves_it_to_the_next():
    synthesised = report(Stage.SYNTHESISED, 9000)
    timing = SynthReport(Stage.ROUTED, "Vivado", "2020.1", "net", None, Usage(), Timing(slack_ns=-0.5))
    both = verdict(synthesised, timing)
    assert both.answer is Answer.FITS
    assert both.meets_clock is False
    assert "clock not met" in both.message


def test_nothing_known_is_too_close_to_say():
    nothing = decide([], BUDGET)
    assert nothing.answer is Answer.TOO_CLOSE
    assert nothing.message.count("unknown") == 4
    assert nothing.meets_clock is None


def test_one_resource_is_enough_to_fail():
    failed = verdict(report(Stage.PLACED, 100, bram18=121))
    assert failed.answer is Answer.DOES_NOT_FIT
    assert [finding.answer for finding in failed.findings].count(Answer.FITS) == 3


def test_estimate():
    amounts = Counts(Band(1000, 2000, 4000), exactly(0), exactly(100), exactly(0))
    assert decide([evidence_of_estimate(amounts)], BUDGET).fits
    close = dataclasses.replace(NO_CELLS, lut=Band(1000, 2000, 40000))
    assert decide([evidence_of_estimate(close)], BUDGET).answer is Answer.TOO_CLOSE


def test_calibrate_takes_designs_with_both_reports():
    reports = [
        report(Stage.HLS, 1000, top="a"),
        report(Stage.SYNTHESISED, 600, top="a"),
        report(Stage.ROUTED, 500, top="a"),
        report(Stage.HLS, 1000, top="b"),
        report(Stage.PLACED, 250, top="b"),
        report(Stage.HLS, 7, top="c"),
    ]
    ratios = learn_ratios(reports)
    assert (ratios["lut"].low, ratios["lut"].high, ratios["lut"].designs) == (0.25, 0.5, 2)
    assert ratios["lut"].likely == pytest.approx(0.125**0.5)
    assert "dsp" not in ratios


# --- Pareto


@pytest.mark.parametrize("kernel", [StockKernel(), RtlKernel()], ids=lambda kernel: kernel.name)
def test_front_has_no_beaten_point(kernel):
    points = front_of(SMALL, kernel, BUDGET)
    keys = [
        (p.cost.interval_cycles, p.cost.expected.lut.likely, p.cost.expected.bram18.likely, ANSWERS.index(p.answer))
        for p in points
    ]
    assert keys == sorted(keys)
    for one in keys:
        assert not any(other != one and all(b <= a for a, b in zip(one, other, strict=True)) for other in keys)


def test_front_holds_the_quickest_that_fits():
    layers = dense_shapes((784, 256, 256, 256, 10))
    points = front_of(layers, RtlKernel(), BUDGET)
    found = choose_options(layers, RtlKernel(), BUDGET, Goal(level="high"))
    assert found.answer is Answer.FITS and found.message.startswith("fits xc7z010: ")
    quickest = min(point.cost.interval_cycles for point in points if point.answer is Answer.FITS)
    assert quickest == found.cost.interval_cycles


def test_the_front_judges_as_check_does():
    points = front_of(SMALL, StockKernel(), Budget(HOME, margin=0.9))
    for point in points:
        assert point.answer is decide([evidence_of_estimate(point.cost.expected)], Budget(HOME, margin=0.9)).answer
    # likely counts alone would say that some of these fit
    assert {point.answer for point in points} >= {Answer.TOO_CLOSE, Answer.DOES_NOT_FIT}


def test_the_plot_has_a_mark_for_each_answer():
    pytest.importorskip("matplotlib", reason="plots need matplotlib")
    points = front_of(SMALL, StockKernel(), BUDGET)
    axes = _figure(points, BUDGET, "").axes[0]
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert set(words) >= {"fits", "too close to say", "does not fit"}
    drawn = {bars.get_label(): bars.lines[0] for bars in axes.containers}
    for answer, (mark, colour) in MARKS.items():
        line = drawn[answer.value]
        assert (line.get_marker(), line.get_color()) == (mark, colour)
        assert len(line.get_xdata()) == sum(point.answer is answer for point in points)


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_plot(tmp_path, ending):
    pytest.importorskip("matplotlib", reason="plots need matplotlib")
    path = tmp_path / f"front.{ending}"
    plot(front_of(SMALL, StockKernel(), BUDGET), BUDGET, path, "small")
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG" if ending == "png" else b"<?xml")
    if ending == "svg":
        assert b"xc7z010 has" in data or b"<svg" in data


def test_plot_refuses_other_formats_and_no_points(tmp_path):
    points = front_of(SMALL, StockKernel(), BUDGET)
    with pytest.raises(ConfigError, match="svg or png"):
        plot(points, BUDGET, tmp_path / "front.gif")
    with pytest.raises(ConfigError, match="at least one point"):
        plot([], BUDGET, tmp_path / "front.svg")


def test_plot_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setattr(pareto.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolNotFound, match="pip install matplotlib"):
        plot(front_of(SMALL, StockKernel(), BUDGET), BUDGET, tmp_path / "front.svg")
    assert not list(tmp_path.iterdir())
