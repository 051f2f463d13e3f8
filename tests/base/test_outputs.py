"""What the commands write with -o, --write and --plot: refused before any work, or whole."""

import os

import pytest
from conftest import ROOT
from run_reports import report
from targets_seen import BAD, seen

from xnorflow import api
from xnorflow.base.errors import DataError
from xnorflow.cli.main import main
from xnorflow.fitting.pareto import plot
from xnorflow.flow.report import save_report

# nothing named here exists: whoever looks for it first would say so
DOORS = {
    "report": ["report", "none", "-o"],
    "trace": ["trace", "none.yaml", "-o"],
    "fit": ["fit", "none.yaml", "--write"],
    "explore": ["explore", "none.yaml", "--plot"],
    "calibrate": ["calibrate", "none.rpt", "-o"],
}
CASES = {name: case for name, case in BAD.items() if name not in ("null", "pipe without a reader")}
CASES |= {"empty": ("", "name a file"), "slash": ("new/", "name a file"), "red": ("file/[red]\x1b", r"[red]\x1b")}


def refused(capsys, *arguments):
    """The only line of a command that does nothing."""
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.strip().isprintable()
    return err


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("door", DOORS)
def test_a_bad_target_is_refused_before_any_work(place, capsys, door, name):
    path, words = CASES[name]
    before = seen(place)
    line = refused(capsys, *DOORS[door], path)
    assert words in line and line.startswith("xnorflow: error: cannot write")
    assert seen(place) == before and (place / "file").read_text() == "old"


@pytest.mark.parametrize(
    "work",
    [
        lambda path: api.trace(ROOT / "hls_configs/demo-verilog.yaml", path, project=path.parent / "none"),
        lambda path: api.explore(ROOT / "hls_configs/digits.yaml", path),
        lambda path: plot([None], None, path),
    ],
)
def test_the_functions_behind_them_refuse_it_as_early(place, work):
    pytest.importorskip("matplotlib")
    (place / "folder.svg").mkdir()
    with pytest.raises(DataError, match=r"cannot write \S*folder.svg: Is a directory"):
        work(place / "folder.svg")


@pytest.fixture
def project(tmp_path):
    save_report(report(), tmp_path / "project")
    return str(tmp_path / "project")


def test_a_report_goes_through_links_and_into_devices(place, project, capfd):
    for name in ("link", "fresh", "/dev/null", "new/deep/report.md"):
        assert main(["report", project, "--markdown", "-o", name]) == 0
        assert capfd.readouterr() == ("", "")
    assert main(["report", project, "--markdown"]) == 0
    text = capfd.readouterr().out
    for name in ("file", "folder/new", "new/deep/report.md"):
        assert (place / name).read_text() == text
    assert (place / "link").is_symlink() and (place / "fresh").is_symlink()


def test_a_report_to_a_full_device_is_one_line(project, capfd):
    assert main(["report", project, "-o", "/dev/full"]) == 2
    assert capfd.readouterr() == (
        "",
        "xnorflow: error: cannot write /dev/full: No space left on device; free some space or choose another place\n",
    )
    assert not os.path.isfile("/dev/full")  # noqa: PTH113


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
def test_a_report_to_standard_output_by_name(project, capfd, name):
    assert main(["report", project, "--json", "-o", name]) == 0
    written = capfd.readouterr().out
    assert main(["report", project, "--json"]) == 0
    assert capfd.readouterr().out == written
