import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import FAMILY, alive, hear_ctrl_c, pids, python

from xnorflow.base.errors import DataError, ToolFailed, ToolNotFound
from xnorflow.base.processes.programs import find_tool, override_variable, require_tool, run_tool

INTERRUPTED = """
import sys
from pathlib import Path
from xnorflow.base.processes.parallel import in_parallel
from xnorflow.base.processes.programs import run_tool
folder, script, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def work(name):
    return run_tool([sys.executable, "-c", script, folder / name], cwd=folder, log=folder / (name + ".log"))
try:
    in_parallel(work, ["a", "b"]) if how == "parallel" else work("a")
except KeyboardInterrupt:
    print("interrupted")
"""


# --- finding


def test_missing_program_names_everything_needed_to_mend_it(monkeypatch):
    monkeypatch.delenv("XNORFLOW_GXX", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert find_tool("g++") is None
    with pytest.raises(ToolNotFound) as caught:
        require_tool("g++", "the C simulation")
    assert str(caught.value) == (
        "the C simulation needs g++, which is not in PATH; sudo apt install g++ (or your system's C++ "
        "compiler package), or set XNORFLOW_GXX to its path"
    )


def test_variable_that_names_no_program(monkeypatch, tmp_path):
    (tmp_path / "plain").write_text("not executable")
    for wrong in ("/nonexistent", str(tmp_path / "plain")):
        monkeypatch.setenv("XNORFLOW_GXX", wrong)
        with pytest.raises(ToolNotFound, match=f"not in XNORFLOW_GXX={wrong}"):
            require_tool("g++", "the C simulation")


def test_variable_wins_over_path(monkeypatch):
    monkeypatch.setenv("XNORFLOW_GXX", sys.executable)
    assert require_tool("g++", "x") == Path(sys.executable)
    monkeypatch.setenv("XNORFLOW_GXX", "")  # set to nothing is not set
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolNotFound, match="not in PATH"):
        require_tool("g++", "x")


@pytest.mark.parametrize(("name", "variable"), [("g++", "XNORFLOW_GXX"), ("vivado_hls", "XNORFLOW_VIVADO_HLS")])
def test_names_of_variables(name, variable):
    assert override_variable(name) == variable


# --- running


def test_log_holds_the_command_and_all_output(tmp_path):
    log, lines = tmp_path / "logs" / "a.log", []
    code = "import os, sys; print('out', os.environ['EXTRA'], flush=True); print('err', file=sys.stderr)"
    seconds = run_tool(python(code), cwd=tmp_path, log=log, env={"EXTRA": "more"}, on_line=lines.append)
    command, *rest = log.read_text().splitlines()
    assert command.startswith("$ ") and "import os, sys" in command
    assert rest == lines == ["out more", "err"]
    assert 0 < seconds < 60


def test_arguments_reach_the_program_unchanged(tmp_path):
    folder = tmp_path / "mit Leerzeichen äöü 数"
    folder.mkdir()
    words = ["a b", "$HOME", "*", "'\"", ";false", "ü"]
    code = "import os, sys; print(os.getcwd()); print(sys.argv[1:])"
    run_tool(python(code, *words), cwd=folder, log=folder / "l ög.log")
    assert (folder / "l ög.log").read_text(encoding="utf-8").splitlines()[1:] == [str(folder), str(words)]


def test_program_has_no_standard_input(tmp_path):
    run_tool(python("import sys; print(repr(sys.stdin.read()))"), cwd=tmp_path, log=tmp_path / "log", timeout_s=600)
    assert (tmp_path / "log").read_text().splitlines()[-1] == "''"


def test_output_that_is_not_utf8(tmp_path):
    run_tool(python("import os; os.write(1, b'a\\xff\\xfeb\\n')"), cwd=tmp_path, log=tmp_path / "log")
    assert (tmp_path / "log").read_text(encoding="utf-8").splitlines()[1] == "a\ufffd\ufffdb"


def test_failure_shows_the_last_ten_lines_and_the_log(tmp_path):
    code = "print(*(f'line {i}' for i in range(25)), sep='\\n'); raise SystemExit(7)"
    with pytest.raises(ToolFailed) as caught:
        run_tool(python(code), cwd=tmp_path, log=tmp_path / "log")
    first, *last = str(caught.value).splitlines()
    assert first == f"{sys.executable} failed with exit code 7; log: {tmp_path / 'log'}; its last lines:"
    assert last == [f"    line {i}" for i in range(15, 25)]


def test_failure_without_output_has_no_empty_tail(tmp_path):
    with pytest.raises(ToolFailed) as caught:
        run_tool(python("raise SystemExit(1)"), cwd=tmp_path, log=tmp_path / "log")
    assert (
        str(caught.value) == f"{sys.executable} failed with exit code 1; log: {tmp_path / 'log'}; it printed nothing"
    )


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGABRT"])
def test_signals_are_named(tmp_path, name):
    code = f"import os, signal; os.kill(os.getpid(), signal.{name})"
    with pytest.raises(ToolFailed, match=f"was killed by {name}; log: "):
        run_tool(python(code), cwd=tmp_path, log=tmp_path / "log")


def test_realtime_signal_has_a_number(tmp_path):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 3)"
    with pytest.raises(ToolFailed, match=f"was killed by signal {signal.SIGRTMIN + 3}; log: "):
        run_tool(python(code), cwd=tmp_path, log=tmp_path / "log")


def test_program_that_cannot_start(tmp_path):
    with pytest.raises(ToolFailed, match=r"cannot start /nonexistent/g in .*: No such file or directory"):
        run_tool(["/nonexistent/g"], cwd=tmp_path, log=tmp_path / "log")
    (tmp_path / "text").write_text("no program")
    with pytest.raises(ToolFailed, match=r"cannot start .*text in .*: Permission denied"):
        run_tool([tmp_path / "text"], cwd=tmp_path, log=tmp_path / "log")
    (tmp_path / "garbage").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "garbage").chmod(0o755)
    with pytest.raises(ToolFailed, match=r"cannot start .*garbage in .*: Exec format error"):
        run_tool([tmp_path / "garbage"], cwd=tmp_path, log=tmp_path / "log")


def test_log_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*file/log"):
        run_tool(python("pass"), cwd=tmp_path, log=tmp_path / "file" / "log")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("size", [10, 100_000])
def test_full_disk_under_the_log(size):
    with pytest.raises(DataError, match=r"cannot write /dev/full: No space left on device"):
        run_tool(python(f"print('x' * {size})"), cwd=Path("/"), log=Path("/dev/full"))


# --- stopping


def test_error_in_the_callback_stops_the_group(tmp_path):
    def stop(line):
        raise ZeroDivisionError

    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(ZeroDivisionError):
        run_tool(python(code), cwd=tmp_path, log=tmp_path / "log", on_line=stop)
    assert not alive(int((tmp_path / "log").read_text().splitlines()[1]))


@pytest.mark.parametrize("how", ["single", "parallel"])
def test_ctrl_c_stops_the_whole_group(tmp_path, package_env, how):
    """Also where no command line listens."""
    command = python(INTERRUPTED, tmp_path, FAMILY, how)
    caller = subprocess.Popen(command, env=package_env, stdout=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c)
    try:
        family = [pid for name in ("a", "b")[: 1 + (how == "parallel")] for pid in pids(tmp_path / name, caller)]
        assert all(map(alive, family))
        caller.send_signal(signal.SIGINT)
        out, _ = caller.communicate(timeout=600)
    finally:
        caller.kill()
    assert out == "interrupted\n"
    assert not any(map(alive, family))
