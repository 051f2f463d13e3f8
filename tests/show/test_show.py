import io
import json

import pytest
from rich.console import Console
from run_reports import BAD, CARD, GOOD, report

from xnorflow.base.doctor import Finding
from xnorflow.routes.compare import SimResult
from xnorflow.show import run as show
from xnorflow.show.table import MISSING, Table, markdown, print_tables

TABLE = Table("Title", ("name", "n"), (("a|b", "1"), ("c\nd", "2")), "[note] with 100 % and (brackets).")


def drawn(tables, width=200):
    stream = io.StringIO()
    print_tables(tables, Console(file=stream, width=width))
    return stream.getvalue()


def by_title(part, tables):
    return next(table for table in tables if part in table.title)


def test_markdown_is_well_formed():
    assert markdown([TABLE]) == (
        "## Title\n\n| name | n |\n| --- | --- |\n| a\\|b | 1 |\n| c\\nd | 2 |\n\n[note] with 100 % and (brackets).\n"
    )
    two = markdown([TABLE, TABLE])
    assert two.count("## Title") == 2 and "\n\n\n" not in two


def test_notes_are_printed_as_they_stand():
    text = drawn([TABLE])
    assert TABLE.note in text and "a|b" in text and "Title" in text


def test_cells_are_not_markup():
    table = Table("[bold]T[/bold] [x]", ("[a]",), (("/path/[red]x[/red]",), ("[/]",)))
    text = drawn([table])
    assert "/path/[red]x[/red]" in text and "[/]" in text and "[a]" in text and "[bold]T[/bold] [x]" in text


def test_control_characters_of_names_are_shown_and_do_nothing():
    odd = "x\x1b[31m\n\t\u202e\udcff"
    for text in (drawn([Table(odd, (odd,), ((odd,),), odd)]), markdown([Table(odd, (odd,), ((odd,),), odd)])):
        assert text.count(r"x\x1b[31m\n\t\u202e\udcff") == 4
        assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize("width", [30, 80])
def test_narrow_terminals_lose_nothing(width):
    text = drawn([Table("T", ("field", "value"), (("key", "x" * 100),))], width)
    assert text.count("x") == 100


def test_report_json_holds_what_follows():
    values = json.loads(show.report_json(report(results=(GOOD, BAD))))
    assert (values["agrees"], values["interval_cycles"]) == (False, 64)
    assert values["results"][1]["mismatch"]["first"][0] == [0, 3, 20, 4]


def test_agreement_table():
    slow = SimResult("C simulation, testbench", 1000, 0.98765, 1, 2, 4.0)
    table = by_title("is it right?", show.report_tables(report(results=(GOOD, slow, BAD))))
    assert table.rows[1] == ("C simulation, testbench", "98.77 %", "1", "2", "250")
    assert table.rows[2][-1] == MISSING  # not measured is not 0
    assert "100 test images of digits (sha256 abababababab)" in table.note
    assert "no test of it" not in table.note


def test_accuracy_on_images_that_may_have_been_trained_on_is_said_to_be_none():
    tables = show.report_tables(report(trained_here=False, data_sha256="ef" * 32))
    assert "The network was trained on digits, which may hold these very images" in tables[0].note


def test_mismatch_table():
    table = by_title("First layer that differs", show.report_tables(report(results=(GOOD, BAD))))
    assert table.title == "First layer that differs: dense1, 12 of 640 sums"
    assert table.columns == ("image", "value", "expected", "got")
    assert table.rows == (("0", "3", "20", "4"), ("7", "1", "-9", "7"))
    assert table.note == "To mend it: remove it"
    assert not any("differs:" in table.title for table in show.report_tables(report()))


def test_hardware_table_says_where_its_numbers_come_from():
    table = by_title("tiny on xc7z010", show.report_tables(report()))
    assert table.rows[0] == ("dense1", "64 x 16", "Resource", "64", "64", "ap_int<8>", "ap_int<8>")
    assert "Cycles per image: 64 (the slowest layer), by formula" in table.note
    assert "Images per second: 1,562,500, estimated" in table.note and "not measured" in table.note


def test_unfinished_run_has_only_what_it_found():
    (only,) = show.report_tables(report(results=(), layers=()))
    assert only.rows == (("01-train", "1.5 s", "run now"), ("02-extract", "0.2 s", "earlier run"))


def test_other_tables(digits_data):
    data = show.data_table(digits_data)
    assert data.rows[2] == ("test", "359", "8 x 8", "10") and data.note == f"sha256 {digits_data.sha256}"
    card = show.card_table(CARD)
    assert ("accuracy", '{"validation": 0.75, "test": 0.5, "golden": 0.5}') in card.rows
    doctor = show.doctor_table([Finding("g++", None, "C simulation", True, "apt install g++")])
    assert doctor.rows == (("g++", "missing", "C simulation", "apt install g++"),)
