"""Small edits of a report, as of any file: what loads can be shown, and the rest is one line."""

import dataclasses
import functools
import json
import shutil

import pytest
from conftest import ROOT
from run_reports import BAD, CARD, GOOD, report

from xnorflow.base.errors import XnorflowError
from xnorflow.base.resources import Counts
from xnorflow.cli.main import main
from xnorflow.flow.report import FILE, InputRow, RtlRow, RtlSpeed, SynthRow, load_report
from xnorflow.flow.step import RESULT, finished, run_step
from xnorflow.flow.steps_rtl import RtlSimulated
from xnorflow.routes.compare import SimResult
from xnorflow.show import run as show
from xnorflow.show.table import markdown
from xnorflow.sources.training.card import Card, find_card
from xnorflow.tools.report import Depth, LogicDelay, Slices

FULL = report(
    results=(GOOD, BAD, SimResult("x", 1, 0.0, 0, 1)),
    trained_here=False,
    input=InputRow(64, 3, "+1 from 64, 128, 192 on"),
    rtl_layers=(RtlRow("dense1", 64, 16, 8, 16, 8, 8), RtlRow("scores", 16, 10, 10, 16, 1, 1)),
    rtl_speed=RtlSpeed(8, 8.0, 20, 20),
    synth=SynthRow(
        "Yosys",
        "yosys 0.60",
        Counts(400, 300, 0, None),
        Counts(17600, 35200, 120, 80),
        Depth(5, 1, "a", "b"),
        LogicDelay(2.5, "FDRE a", "LUT6 b", ("X",)),
        Slices(5, 60, 100, 120),
        4400,
    ),
)
# what takes the place of each value in turn
ODD = (
    *(None, True, 0, -1, 3, 0.5, 1e308, 5e-324, 2**63 - 1, 10**40, "", " ", "\x1b[2J\r\n|\u202e\u2028"),
    *([], [[]], [1, 2, 3, 4], {}, {"lut": 1}),
)


def plain(value):
    return json.loads(json.dumps(dataclasses.asdict(value)))


def places(values, path=()):
    """Every path to a value in nested tables and lists."""
    entries = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, entry in entries:
        yield (*path, key)
        yield from places(entry, (*path, key))


def edits(values):
    """Every edit of one place, as JSON: its value replaced or taken out, or a strange one beside it."""
    whole = json.dumps(values)
    for path in places(values):
        changed = json.loads(whole)
        inner = functools.reduce(lambda outer, key: outer[key], path[:-1], changed)
        for odd in ODD:
            inner[path[-1]] = odd
            yield path, odd, json.dumps(changed)
        del inner[path[-1]]
        yield path, "gone", json.dumps(changed)
        inner.update(beside=1) if isinstance(inner, dict) else inner.extend([odd, odd])
        yield path, "beside", json.dumps(changed)


def one_line(error):
    return len(str(error).splitlines()) == 1 and str(error).isprintable()


def test_a_report_that_loads_can_be_shown(tmp_path):
    shown = refused = 0
    for path, odd, changed in edits(plain(FULL)):
        (tmp_path / FILE).write_text(changed)
        try:
            back = load_report(tmp_path)
        except XnorflowError as error:
            assert one_line(error) and FILE in str(error), (path, odd)
            refused += 1
        else:
            tables = show.report_tables(back)
            lines = markdown(tables).splitlines()
            assert all(line.isprintable() for line in lines), (path, odd)
            json.loads(show.report_json(back))
            assert back.agrees in (True, False), (path, odd)
            shown += 1
    assert shown > 300 and refused > 2000, "the edits are too coarse, or too fine, to prove much"


@pytest.mark.parametrize("name", ["name", "device"])
def test_names_are_shown_escaped_on_the_terminal(tmp_path, capsys, name):
    (tmp_path / FILE).write_text(json.dumps(plain(dataclasses.replace(FULL, **{name: "\x1b[31mred\u202e"}))))
    assert main(["report", str(tmp_path)]) == 0
    out = "".join(capsys.readouterr().out.split())
    assert r"\x1b[31mred\u202e" in out and "\x1b" not in out


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"format":2,"x":' * 100_000,
        b'{"format":2,"name":"\\ud800"}',
        b'{"format":NaN}',
        b'{"format":[[[[[[[[]]]]]]]]}',
        b'{"format":2}',
    ],
)
def test_hostile_reports_are_one_line_and_exit_code_2(tmp_path, capsys, content):
    (tmp_path / FILE).write_bytes(content)
    assert main(["report", str(tmp_path)]) == 2
    assert one_line(capsys.readouterr().err.strip())


# --- results of steps


def test_an_edited_result_is_taken_by_its_types_or_the_step_runs_again(tmp_path):
    folder = tmp_path / "04-rtlsim"
    run_step(folder, {}, lambda folder: {"results": (GOOD, BAD), "speed": FULL.rtl_speed}, kind=RtlSimulated)
    taken = left = 0
    for path, odd, changed in edits(json.loads((folder / RESULT).read_text())):
        (folder / RESULT).write_text(changed)
        result = finished(folder, {}, RtlSimulated)
        assert result is None or (
            all(isinstance(found, SimResult) for found in result.values["results"])
            and isinstance(result.values["speed"], RtlSpeed)
        ), (path, odd)
        taken, left = taken + (result is not None), left + (result is None)
    assert taken > 50 and left > 300


# --- cards


def test_an_edited_card_is_one_or_none(tmp_path):
    taken = left = 0
    for path, odd, changed in edits(plain(CARD)):
        (tmp_path / "a.json").write_text(changed)
        card, remark = find_card(tmp_path / "a.h5")
        assert isinstance(card, Card) or (one_line(remark) and "not taken for the card of" in remark), (path, odd)
        if card is not None:
            markdown([show.card_table(card)])
        taken, left = taken + (card is not None), left + (card is None)
    assert taken > 100 and left > 500


@pytest.mark.parametrize(
    ("content", "said"),
    [
        *((b"{}", False), (b"[]", False), (b"null", False), (b'{"a": 1}', False)),
        (b'{"class_name": "Functional", "config": {"name": "m"}, "keras_version": "2.21.0", "backend": "x"}', False),
        *((b"", True), (b"\xff", True), (b"{", True), (b"[" * 100_000, True)),
        (json.dumps({**plain(CARD), "accuracy": 3}).encode(), True),
    ],
)
def test_a_file_in_the_cards_place_is_recognised(tmp_path, content, said):
    (tmp_path / "a.json").write_bytes(content)
    card, remark = find_card(tmp_path / "a.h5")
    assert card is None and bool(remark) is said
    assert find_card(tmp_path / "b.h5") == (None, "")


def test_a_whole_card_is_taken(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(plain(CARD)))
    assert find_card(tmp_path / "a.h5") == (CARD, "")


def test_a_network_beside_somebodys_json_is_used_without_a_card(tmp_path, capsys):
    pytest.importorskip("sklearn")
    shutil.copy(ROOT / "keras_models/digits.h5", tmp_path / "my.h5")
    card = json.loads((ROOT / "keras_models/digits.json").read_text())
    command = ["train", str(ROOT / "hls_configs/digits.yaml"), "--model", str(tmp_path / "my.h5"), "--project"]
    for number, (content, said) in enumerate(
        [({}, ""), (card | {"seed": "one"}, "field seed: expected int, got str")]
    ):
        (tmp_path / "my.json").write_text(json.dumps(content))
        assert main([*command, str(tmp_path / str(number))]) == 0
        captured = capsys.readouterr()
        assert "Card of" not in captured.out and said in captured.err
        assert ("my.json" in captured.err) is bool(said)
        assert load_report(tmp_path / str(number)).card is None
    (tmp_path / "my.json").write_text(json.dumps(card))
    assert main([*command, str(tmp_path / "0")]) == 0
    captured = capsys.readouterr()
    assert "Card of digits" in captured.out and "my.json" not in captured.err
