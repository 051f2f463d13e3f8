"""Every program of ours ends with an exit code and at most one line for what went wrong."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from run_reports import report

from xnorflow.base.errors import ConfigError, DataError, Mismatch, ToolFailed
from xnorflow.cli import ending
from xnorflow.cli.ending import ended
from xnorflow.cli.main import main
from xnorflow.flow.report import save_report


def raising(error):
    def program():
        print("printed before")
        raise error

    return program


def code_of(program):
    try:
        return ended(program)
    except SystemExit as stop:
        return stop.code


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(ending.tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DataError("a"), 2, "error: a"),
        (Mismatch("a"), 1, "error: a"),
        (ConfigError("a\nb\x1b[31m\u202e"), 2, r"error: a\nb\x1b[31m\u202e"),
        (ToolFailed("a; its last lines:\n    b\x1b[0m"), 2, "error: a; its last lines:\n    b\\x1b[0m"),
        (KeyboardInterrupt(), 130, "stopped; the same command goes on from here"),
        (MemoryError(), 2, f"error: not enough memory; {ending.MORE_MEMORY}"),
        (MemoryError("9 GiB"), 2, f"error: not enough memory (9 GiB); {ending.MORE_MEMORY}"),
        (type("ResourceExhaustedError", (Exception,), {})(), 2, f"error: not enough memory; {ending.MORE_MEMORY}"),
    ],
)
def test_what_a_user_can_mend_is_said_and_has_its_code(capsys, logs, error, code, line):
    assert code_of(raising(error)) == code
    assert capsys.readouterr() == ("printed before\n", f"xnorflow: {line}\n")
    assert list(logs.iterdir()) == []


def test_memory_that_the_system_refuses(capsys):
    assert code_of(raising(OSError(errno.ENOMEM, "Cannot allocate memory"))) == 2
    assert "not enough memory" in capsys.readouterr().err


UNEXPECTED = [
    TypeError("a\nb \x1b[31m"),
    RecursionError("too deep"),
    KeyError("key"),
    AssertionError(),
    OSError(errno.EIO, "odd"),
    UnicodeEncodeError("ascii", "ö", 0, 1, "no"),
    ValueError("x" * 100_000),
]


@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
def test_an_unexpected_exception_is_one_line_that_names_its_log(capsys, logs, error):
    assert code_of(raising(error)) == ending.UNEXPECTED == 3
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), len(err) < 1000) == ("printed before\n", 1, True)
    assert err.startswith(f"xnorflow: unexpected {type(error).__name__}")
    assert "Traceback" not in err and err.strip().isprintable()
    (log,) = logs.iterdir()
    assert f"; the whole of it is in {log}; please report it with that file" in err
    text = log.read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in text and "raise error" in text
    assert re.search(r"^command line: ", text, re.M) and re.search(r"^numpy \d", text, re.M)


def test_a_log_that_cannot_be_written_is_said(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(ending.tempfile, "tempdir", str(tmp_path / "none"))
    assert code_of(raising(TypeError("x"))) == 3
    err = capsys.readouterr().err
    assert err.startswith("xnorflow: unexpected TypeError (x); no log could be written (") and err.count("\n") == 1


def test_memory_too_short_for_a_log_is_said(capsys, monkeypatch):
    def short(error):
        raise MemoryError

    monkeypatch.setattr(ending, "_account", short)
    assert code_of(raising(TypeError("x"))) == 3
    assert (
        capsys.readouterr().err == "xnorflow: unexpected TypeError (x); no log could be written; please report it\n"
    )


def test_an_exception_of_any_command_ends_so(capsys, monkeypatch):
    monkeypatch.setattr("xnorflow.cli.main.api.doctor", lambda: {}["none"])
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    assert ended.value.code == 3 and "unexpected KeyError" in capsys.readouterr().err


def test_the_interpreter_agrees(package_env, tmp_path):
    code = "from xnorflow.cli.ending import ended; print('a'); ended(lambda: 1 // 0)"
    env = {**package_env, "TMPDIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=600)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (3, "a\n", 1)
    assert len(list(tmp_path.glob("*.log"))) == 1


# --- standard streams that are closed or full


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with nothing but a report."""
    folder = tmp_path_factory.mktemp("project")
    save_report(report(), folder)
    return folder


def through_shell(package_env, arguments, streams):
    """Run a command with its standard streams led elsewhere, which is the shell's business."""
    argv = ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-m", "xnorflow", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, env=package_env, timeout=600)


@pytest.mark.parametrize("arguments", [["report"], ["--help"]], ids=["tables", "help"])
@pytest.mark.parametrize(
    ("streams", "code", "says"),
    [
        (">&-", 2, "cannot write to standard output: Bad file descriptor"),
        ("<&- >&-", 2, "cannot write to standard output: Bad file descriptor"),
        (">/dev/full", 2, "cannot write to standard output: No space left on device"),
        ("2>&-", 0, None),
        ("2>/dev/full", 0, None),
        ("<&- >&- 2>&-", 2, None),
    ],
)
def test_output_that_is_lost_is_an_error_and_remarks_are_not(package_env, project, arguments, streams, code, says):
    ran = through_shell(package_env, [*arguments, str(project)], streams)
    assert ran.returncode == code
    if says is None:
        assert ran.stderr == ""
    else:
        assert ran.stderr.startswith(f"xnorflow: error: {says}; ") and ran.stderr.count("\n") == 1


def test_a_command_without_output_does_not_miss_it(package_env, project, tmp_path):
    ran = through_shell(package_env, ["report", str(project), "-o", str(tmp_path / "r.md")], ">&- 2>&-")
    assert (ran.returncode, (tmp_path / "r.md").stat().st_size > 0) == (0, True)


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full"])
def test_an_error_without_a_place_to_say_it_keeps_its_code(package_env, tmp_path, streams):
    assert through_shell(package_env, ["report", str(tmp_path)], streams).returncode == 2


def test_no_file_takes_the_number_of_a_closed_stream(package_env):
    code = (
        "import os; from xnorflow.cli.ending import ended; ended(lambda: os._exit(os.open('/dev/null', os.O_RDONLY)))"
    )
    argv = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code]
    assert subprocess.run(argv, env=package_env, timeout=600).returncode == 3


@pytest.mark.parametrize("kept", ["out", "err"])
def test_progress_to_a_reader_that_left_does_not_stop_the_work(package_env, kept):
    code = (
        "import sys; from xnorflow.cli.ending import ended; from xnorflow.base.progress import progress_bar\n"
        "def work():\n"
        "    for _ in range(3):\n"
        "        with progress_bar('train [red]x', 2) as advance: advance(2)\n"
        "    return 7\n"
        "sys.exit(ended(work))"
    )
    read, write = os.pipe()
    os.close(read)
    options = {"stdout": write, "stderr": subprocess.PIPE} if kept == "err" else {"stderr": write}
    ran = subprocess.run([sys.executable, "-c", code], env=package_env, text=True, timeout=600, **options)
    os.close(write)
    assert ran.returncode == 7
    if kept == "err":
        assert ran.stderr.count("train [red]x") == 3


# --- scripts


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.yaml"], "no such configuration: none.yaml"),
        (["a", "b", "c", "d"], "too many positional arguments; the script takes [CONFIG] [PROJECT], got a b c d"),
    ],
)
def test_a_script_ends_as_the_command_line_does(package_env, tmp_path, arguments, says):
    argv = [sys.executable, str(ROOT / "scripts/03_convert.py"), *arguments]
    ran = subprocess.run(argv, capture_output=True, text=True, env=package_env, cwd=tmp_path, timeout=600)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"xnorflow: error: {says}") and ran.stderr.count("\n") == 1


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.name)
def test_every_script_is_run_so(path: Path):
    assert path.read_text().endswith('\n\nif __name__ == "__main__":\n    run_script(main)\n')
