import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xnorflow.base.errors import DataError, ToolFailed
from xnorflow.base.files.folders import MARKER
from xnorflow.flow.step import RESULT, run_step

KILLED = """
import os, sys
from pathlib import Path
from xnorflow.flow import step as steps
from xnorflow.flow.step import run_step
def die(*_): os.kill(os.getpid(), 9)
def work(folder):
    (folder / "half").write_text("half")
    (folder / "checkpoint").write_text("3")
    if sys.argv[2] == "work":
        die()
    return {"n": 1}
if sys.argv[2] == "hash":
    steps.sha256_file = die
if sys.argv[2] == "result":
    os.fsync = lambda handle, real=os.fsync: die() if (Path(sys.argv[1]) / "half").exists() else real(handle)
run_step(Path(sys.argv[1]), {"a": 1}, work)
"""


class Work:
    """Writes two files, counts its calls and notes what it found in its folder."""

    def __init__(self, values=None):
        self.calls, self.found, self.values = 0, [], values or {"n": 1}

    def __call__(self, folder):
        self.calls += 1
        self.found = sorted(path.name for path in folder.iterdir() if path.name not in ("config.json", MARKER))
        (folder / "sub").mkdir()
        (folder / "out").write_text("out")
        (folder / "sub" / "ö ut").write_text("in a subfolder")
        return self.values


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "01-step"


def test_step_is_done_once(folder):
    work = Work({"n": 1, "text": "ä", "list": [1, 2], "none": None})
    first, second = run_step(folder, {"a": 1}, work), run_step(folder, {"a": 1}, work)
    assert work.calls == 1
    assert (first.reused, second.reused) == (False, True)
    assert first.values == second.values == work.values
    assert (second.name, second.seconds) == ("01-step", first.seconds)
    assert json.loads((folder / "config.json").read_text()) == {"a": 1}


@pytest.mark.parametrize("inputs", [{"a": 2}, {"a": "1"}, {"a": 1, "b": None}, {}])
def test_other_inputs_run_it_again_in_a_clean_folder(folder, inputs):
    run_step(folder, {"a": 1}, Work())
    work = Work()
    assert not run_step(folder, inputs, work).reused
    assert (work.calls, work.found) == (1, [])


def test_order_of_inputs_does_not_matter(folder):
    run_step(folder, {"a": 1, "b": 2}, Work())
    assert run_step(folder, {"b": 2, "a": 1}, Work()).reused


@pytest.mark.parametrize("name", ["out", "sub/ö ut", "config.json"])
@pytest.mark.parametrize("damage", ["changed", "cut", "missing", "folder"])
def test_output_that_is_not_what_it_was_runs_it_again(folder, name, damage):
    run_step(folder, {}, Work())
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(content[:-1] if damage == "cut" else b"x" + content[1:])
    work = Work()
    assert not run_step(folder, {}, work).reused
    assert work.found == []
    assert run_step(folder, {}, work).reused


def test_touched_output_is_still_the_same(folder):
    run_step(folder, {}, Work())
    os.utime(folder / "out", (0, 0))
    assert run_step(folder, {}, Work()).reused


def result_with(folder, **changes):
    values = json.loads((folder / RESULT).read_text())
    return json.dumps({key: value for key, value in (values | changes).items() if value != "gone"}).encode()


@pytest.mark.parametrize(
    "change",
    [
        *({"seconds": "gone"}, {"values": "gone"}, {"files": "gone"}, {"key": "gone"}, {"files": []}, {"files": 3}),
        *({"values": 3}, {"seconds": None}, {"files": {"out": 3}}, {"files": {"../../../x": "0"}}),
    ],
)
def test_damaged_result_runs_it_again(folder, change):
    run_step(folder, {}, Work())
    (folder / RESULT).write_bytes(result_with(folder, **change))
    assert not run_step(folder, {}, Work()).reused


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"3", b"\xff", b'"key"'])
def test_result_that_is_no_result_runs_it_again(folder, content):
    run_step(folder, {}, Work())
    (folder / RESULT).write_bytes(content)
    assert not run_step(folder, {}, Work()).reused


def test_failed_work_is_not_done_and_leaves_what_keeps_says(folder):
    def fail(folder):
        (folder / "checkpoint").write_text("3")
        (folder / "half").write_text("half")
        (folder / "checkpoints").mkdir()
        raise ToolFailed("no")

    with pytest.raises(ToolFailed):
        run_step(folder, {}, fail)
    assert not (folder / RESULT).exists()
    work = Work()
    assert not run_step(folder, {}, work, keeps=lambda path: path.name.startswith("checkpoint")).reused
    assert work.found == ["checkpoint"]  # a kept name is a file


@pytest.mark.parametrize("moment", ["work", "hash", "result"])
def test_killed_step_is_never_done(folder, package_env, moment):
    ended = subprocess.run([sys.executable, "-c", KILLED, str(folder), moment], env=package_env, timeout=600)
    assert ended.returncode == -9
    assert (folder / "half").exists() and not (folder / RESULT).exists()
    work = Work()
    assert not run_step(folder, {"a": 1}, work, keeps=lambda path: path.name == "checkpoint").reused
    assert work.found == ["checkpoint"]
    assert run_step(folder, {"a": 1}, work).reused


def test_old_result_is_gone_before_the_work_begins(folder):
    run_step(folder, {"a": 1}, Work())

    def fail(folder):
        assert not (folder / RESULT).exists()
        raise ToolFailed("no")

    with pytest.raises(ToolFailed):
        run_step(folder, {"a": 2}, fail)
    assert not run_step(folder, {"a": 1}, Work()).reused


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        run_step(tmp_path / "file" / "01-step", {}, Work())


def test_full_disk_during_the_work_is_one_line(folder):
    def full(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "inputs.npy"))

    with pytest.raises(DataError, match=r"cannot write .*inputs\.npy: No space left on device") as caught:
        run_step(folder, {}, full)
    assert len(str(caught.value).splitlines()) == 1
