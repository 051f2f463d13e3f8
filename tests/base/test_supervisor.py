import os
import signal
import socket
import subprocess
import threading

import pytest
from processes import FAMILY, alive, pids, python, wait_for

from xnorflow.base.errors import ConfigError, ToolFailed
from xnorflow.base.files.atomic import folder_lock
from xnorflow.base.processes.programs import run_tool

CALLER = """
import sys
from pathlib import Path
from xnorflow.base.files.atomic import folder_lock
from xnorflow.base.processes.parallel import in_parallel
from xnorflow.base.processes.programs import run_tool
folder, script, how = Path(sys.argv[1]), *sys.argv[2:]
def work(name):
    run_tool([sys.executable, "-c", script, folder / name, how], cwd=folder, log=folder / (name + ".log"))
with folder_lock(folder):
    in_parallel(work, ["a", "b"])
"""
LONG_LINE = """
import resource, sys
from pathlib import Path
from xnorflow.base.processes.programs import run_tool
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
folder, code = Path(sys.argv[1]), "import sys; [sys.stdout.write('x' * 1000000) for _ in range(40)]; print('end')"
lines, before = [], peak()
run_tool([sys.executable, "-c", code], cwd=folder, log=folder / "log", on_line=lines.append)
print(peak() - before, *map(len, lines))
"""
GIVES_AWAY = """
import socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    socket.send_fds(connection, [b"x"], [1])
    connection.recv(1)
print("given away")
"""


@pytest.fixture
def caller(tmp_path, package_env):
    """Starts a process that runs two families at once under the folder's lock, and kills it at the end."""
    started = []

    def start(how):
        command = python(CALLER, tmp_path, FAMILY, how)
        started.append(subprocess.Popen(command, env=package_env, stderr=subprocess.PIPE, text=True))
        return started[0]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", ["near", "away"])
def test_killed_caller_takes_everything_along_and_only_then_frees_its_lock(tmp_path, caller, how):
    """The children ignore the polite signal: for a second they outlive what held the lock."""
    process = caller(how)
    family = [pid for name in ("a", "b") for pid in pids(tmp_path / name, process)]
    assert all(map(alive, family))
    process.kill()
    with folder_lock(tmp_path):
        # supervisors hold the lock until they end
        assert not any(alive(pid) for name in ("a", "b") for pid in pids(tmp_path / name)[1:])
    wait_for(lambda: not any(map(alive, family)))


def test_killed_supervisor_takes_its_program_along(tmp_path):
    def kill():
        os.kill(pids(tmp_path / "ids")[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(ToolFailed, match="was killed by SIGKILL"):
        run_tool(python(FAMILY, tmp_path / "ids"), cwd=tmp_path, log=tmp_path / "log")
    killer.join()
    wait_for(lambda: not any(map(alive, pids(tmp_path / "ids"))))


def test_killed_supervisor_takes_its_program_along_though_the_caller_stands_still(tmp_path, caller):
    process = caller("near")
    families = [pids(tmp_path / name, process) for name in ("a", "b")]
    process.send_signal(signal.SIGSTOP)
    for supervisor, _, _ in families:
        os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: not any(alive(program) for _, program, _ in families))
    process.send_signal(signal.SIGCONT)
    # and the caller then ends the rest of the group
    wait_for(lambda: not any(alive(child) for _, _, child in families))


@pytest.mark.parametrize("limit", [None, 600])
def test_what_a_program_leaves_behind_is_ended_with_it(tmp_path, limit):
    """It holds the program's output open, in a session of its own, and would have to be waited for."""
    run_tool(python(FAMILY, tmp_path / "ids", "away", "ends"), cwd=tmp_path, log=tmp_path / "log", timeout_s=limit)
    assert not any(map(alive, pids(tmp_path / "ids")))


@pytest.mark.parametrize("how", ["near", "away"])
def test_time_limit_stops_everything(tmp_path, how):
    limits = iter((1.5, 6, 24, 96))
    while not (tmp_path / "ids").exists():
        limit = next(limits)  # on a busy machine the family takes long to start
        with pytest.raises(ToolFailed, match=f"took longer than {limit:g} s and was stopped; log: "):
            run_tool(python(FAMILY, tmp_path / "ids", how), cwd=tmp_path, log=tmp_path / "log", timeout_s=limit)
    assert not any(map(alive, pids(tmp_path / "ids")))


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), 1e300, True, "9"])
def test_time_limits_that_are_none(tmp_path, limit):
    with pytest.raises(ConfigError, match=r"a time limit must be above 0 and at most 1,000,000 seconds, got "):
        run_tool(python("pass"), cwd=tmp_path, log=tmp_path / "log", timeout_s=limit)
    assert not (tmp_path / "log").exists()


def test_output_that_is_held_open_elsewhere_is_not_waited_for(tmp_path):
    """As by a service that a program has asked for help: no signal of ours reaches it."""
    held = []

    def hold(listener):
        connection, _ = listener.accept()
        held.extend(socket.recv_fds(connection, 1, 1)[1])
        connection.send(b"x")
        connection.close()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        holder = threading.Thread(target=hold, args=[listener])
        holder.start()
        run_tool(python(GIVES_AWAY, tmp_path / "socket"), cwd=tmp_path, log=tmp_path / "log", timeout_s=600)
        holder.join()
    assert len(held) == 1
    os.close(held[0])
    assert (tmp_path / "log").read_text().endswith("\ngiven away\n")


def test_line_without_end_takes_no_memory_and_is_logged_whole(tmp_path, package_env):
    ended = subprocess.run(python(LONG_LINE, tmp_path), env=package_env, capture_output=True, text=True, check=True)
    more, *lengths = map(int, ended.stdout.split())
    assert more < 20_000_000 and lengths == [1000]
    assert (tmp_path / "log").read_bytes().split(b"\n", 1)[1] == 40_000_000 * b"x" + b"end\n"


def test_line_in_an_error_is_cut(tmp_path):
    with pytest.raises(ToolFailed) as caught:
        run_tool(python("print('x' * 5000); raise SystemExit(1)"), cwd=tmp_path, log=tmp_path / "log")
    assert str(caught.value).splitlines()[1:] == ["    " + 1000 * "x"]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_lines_of_other_systems(tmp_path, end):
    lines, parts = [], [b"a" + end[:1].encode(), end[1:].encode() + b"b"]
    code = f"import os, time; [(os.write(1, part), time.sleep(.01)) for part in {parts}]"
    run_tool(python(code), cwd=tmp_path, log=tmp_path / "log", on_line=lines.append)
    assert lines == ["a", "b"]
    assert (tmp_path / "log").read_bytes().split(b"\n", 1)[1] == b"a\nb"


def test_program_starts_as_if_nothing_stood_before_it(tmp_path):
    code = """
import os, signal
print(sorted(int(name) for name in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{name}')))
print(*(signal.getsignal(number).name for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)))
print(os.environ['EXTRA'])
"""
    with folder_lock(tmp_path):
        run_tool(python(code), cwd=tmp_path, log=tmp_path / "log", env={"EXTRA": "more"})
    assert (tmp_path / "log").read_text().splitlines()[-3:] == ["[0, 1, 2]", "SIG_DFL SIG_DFL SIG_DFL", "more"]
