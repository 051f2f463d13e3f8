import dataclasses
import json

import pytest
from run_reports import BAD, GOOD, report

from xnorflow.base.errors import ReportError
from xnorflow.base.files.plain import from_plain
from xnorflow.flow.report import FILE, load_report, save_report
from xnorflow.routes.compare import SimResult


@pytest.mark.parametrize("changes", [{}, {"results": (GOOD, BAD)}, {"layers": (), "steps": (), "card": None}])
def test_round_trip(tmp_path, changes):
    save_report(report(**changes), tmp_path)
    assert load_report(tmp_path) == report(**changes)


def test_what_follows_from_the_numbers():
    assert report().agrees and not report(results=(GOOD, BAD)).agrees
    assert report(results=()).agrees  # nothing ran, nothing differs
    assert (report().interval_cycles, report(layers=()).interval_cycles) == (64, None)
    assert not report().trained_on_other_data and not report(card=None).trained_on_other_data
    assert report(data_sha256="ef" * 32).trained_on_other_data


@pytest.mark.parametrize("result", [GOOD, BAD, SimResult("x", 1, 0.0, 0, 1)])
def test_results_from_their_json_form(result):
    assert from_plain(SimResult, json.loads(json.dumps(dataclasses.asdict(result))), "x") == result


def test_a_score_that_differs_is_no_agreement_even_where_no_class_does():
    assert not SimResult("x", 10, 1.0, 0, 1).agrees
    assert not SimResult("x", 10, 1.0, 1, 0).agrees
    assert SimResult("x", 10, 0.0, 0, 0).agrees


@pytest.mark.parametrize("where", ["", "none"])
def test_no_report(tmp_path, where):
    with pytest.raises(ReportError, match=r"no report\.json in .*; run `xnorflow run CONFIG` first"):
        load_report(tmp_path / where)


def damaged(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ReportError) as caught:
        load_report(tmp_path)
    assert len(str(caught.value).splitlines()) == 1
    assert FILE in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"null", b"{}", b"\xff", b'"text"'])
def test_damaged_report(tmp_path, content):
    damaged(tmp_path, content)


@pytest.mark.parametrize(
    "change",
    [
        *({"layers": 3}, {"layers": [3]}, {"layers": [{}]}, {"results": None}, {"results": [{"mismatch": None}]}),
        *(
            {"results": [{}]},
            {"results": [{"mismatch": 3}]},
            {"results": [{"mismatch": {"first": 3}}]},
            {"steps": {"a": 1}},
        ),
        *({"extra": 1}, {"steps": "text"}, {"results": ["text"]}),
    ],
)
def test_report_with_a_wrong_field(tmp_path, change):
    values = json.loads(json.dumps(dataclasses.asdict(report())))
    assert damaged(tmp_path, json.dumps(values | change).encode()).startswith("damaged report")


def test_report_of_another_format(tmp_path):
    values = dataclasses.asdict(report(format=99))
    assert "field format is 99, this version reads 2" in damaged(tmp_path, json.dumps(values).encode())
