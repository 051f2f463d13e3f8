import threading

import pytest
from processes import FAMILY, alive, pids, python, wait_for

from xnorflow.base.errors import ToolFailed
from xnorflow.base.processes.parallel import in_parallel
from xnorflow.base.processes.programs import run_tool


def failing_once(path):
    """A program that fails as soon as there is a file."""
    wait = "import sys, time; from pathlib import Path\nwhile not Path(sys.argv[1]).exists(): time.sleep(.01)"
    return python(f"{wait}\nsys.exit(3)", path)


def test_order_is_kept_and_nothing_is_taken():
    done = {number: threading.Event() for number in range(4)}
    done[3].set()

    def work(number):
        done[number + 1].wait()
        done[number].set()
        return number

    assert in_parallel(work, [0, 1, 2]) == [0, 1, 2]
    assert in_parallel(str, []) == []


def test_failure_of_one_stops_the_others_and_is_what_is_raised(tmp_path):
    """Those that stand before it in the list and are killed are no cause."""

    def work(name):
        program = failing_once(tmp_path / "first") if name == "bad" else python(FAMILY, tmp_path / name)
        run_tool(program, cwd=tmp_path, log=tmp_path / f"{name}.log")

    with pytest.raises(ToolFailed, match="failed with exit code 3"):
        in_parallel(work, ["first", "bad"])
    assert not any(map(alive, pids(tmp_path / "first")))


def test_failure_reaches_work_inside_the_others(tmp_path):
    def work(name):
        if name == "bad":
            run_tool(failing_once(tmp_path / "inner"), cwd=tmp_path, log=tmp_path / "bad.log")
        in_parallel(
            lambda path: run_tool(python(FAMILY, path), cwd=tmp_path, log=tmp_path / "l"), [tmp_path / "inner"]
        )

    with pytest.raises(ToolFailed, match="failed with exit code 3"):
        in_parallel(work, ["outer", "bad"])
    assert not any(map(alive, pids(tmp_path / "inner")))


def test_program_that_would_start_after_a_failure_is_stopped(tmp_path):
    failed = threading.Event()

    def work(name):
        if name == "bad":
            try:
                raise ToolFailed("bad")
            finally:
                failed.set()
        failed.wait()
        run_tool(python("import time; time.sleep(600)"), cwd=tmp_path, log=tmp_path / "log")

    with pytest.raises(ToolFailed, match="bad"):
        in_parallel(work, ["late", "bad"])


def test_programs_of_another_thread_go_on(tmp_path):
    """What ``in_parallel`` stops is its own."""
    ids, seconds = tmp_path / "ids", []

    def other():
        code = "import sys, time; from pathlib import Path; ids = Path(sys.argv[1])\nids.touch()\n"
        code += "while ids.exists(): time.sleep(.01)"
        seconds.append(run_tool(python(code, ids), cwd=tmp_path, log=tmp_path / "other"))

    thread = threading.Thread(target=other)
    thread.start()
    wait_for(ids.exists)
    with pytest.raises(ToolFailed):
        in_parallel(lambda name: run_tool(python("raise SystemExit(3)"), cwd=tmp_path, log=tmp_path / name), ["a"])
    ids.unlink()
    thread.join()
    assert seconds
