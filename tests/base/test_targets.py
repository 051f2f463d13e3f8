"""What may be written to, by every door that writes: one line, or the whole; links and devices stay."""

import errno
import os
import shutil
import stat
import subprocess
import sys
import threading

import pytest
from targets_seen import BAD, seen

from xnorflow.base.errors import DataError
from xnorflow.base.files import atomic as files
from xnorflow.base.files.atomic import atomic_path, check_target, folder_lock, write_error, write_json, write_text
from xnorflow.fitting.calibration import write_calibration


def through_path(path):
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"new")


DOORS = {
    "check": check_target,
    "text": lambda path: write_text(path, "new"),
    "json": lambda path: write_json(path, 1),
    "path": through_path,
    "calibration": lambda path: write_calibration({}, path),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("door", DOORS)
def test_bad_targets_are_one_line_and_nothing_is_made(place, door, name):
    path, words = BAD[name]
    if (door, name) == ("check", "pipe without a reader"):
        pytest.skip("a reader may still come")
    before = seen(place)
    with pytest.raises(DataError) as caught:
        DOORS[door](files.Path(path))
    assert words in str(caught.value) and str(caught.value).startswith("cannot write")
    assert "free some space" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert seen(place) == before and (place / "file").read_text() == "old"


@pytest.mark.parametrize("name", ["", "folder/", "new/"])
def test_a_name_of_no_file_is_refused(place, name):
    with pytest.raises(DataError, match="name a file"):
        check_target(name)


@pytest.mark.parametrize("name", ["file", "new/a", "link", "fresh", "x" * 255, "pipe", "/dev/null"])
def test_a_check_touches_nothing(place, name):
    before = seen(place)
    check_target(name)
    assert seen(place) == before and (place / "file").read_text() == "old"


@pytest.mark.parametrize("name", ["x" * 255, "ö" * 127, "new/" + "x" * 255, "a\nb"])
def test_every_name_that_a_file_can_have_is_written(place, name):
    write_text(place / name, "new")
    assert (place / name).read_text() == "new"


def test_a_link_stays_and_its_file_is_replaced(place):
    for name, target in (("link", "file"), ("fresh", "folder/new")):
        write_text(place / name, "new")
        assert (place / name).is_symlink() and (place / target).read_text() == "new"
    assert [path.name for path in (place / "folder").iterdir()] == ["new"]


def test_devices_are_written_to_and_stay():
    write_text(files.Path("/dev/null"), "gone")
    with pytest.raises(DataError, match=r"^cannot write /dev/full: No space left on device; free some space"):
        write_text(files.Path("/dev/full"), "x")
    for device in ("/dev/null", "/dev/full"):
        assert stat.S_ISCHR(os.lstat(device).st_mode)


def test_a_pipe_with_a_reader_gets_all_of_it(place):
    got = []
    reader = threading.Thread(target=lambda: got.append((place / "pipe").read_bytes()))
    text = "x" * 1_000_000
    # the reader is there once it has opened its end
    holder = os.open(place / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    reader.start()
    write_text(place / "pipe", text)
    reader.join()
    os.close(holder)
    assert got == [text.encode()] and stat.S_ISFIFO((place / "pipe").stat().st_mode)


WRITE = """
import sys
from pathlib import Path
from xnorflow.base.files.atomic import write_text
write_text(Path(sys.argv[1]), "new")
"""


@pytest.mark.parametrize("name", ["/dev/stdout", "/proc/self/fd/1", "log"])
def test_where_standard_output_goes_is_added_to(place, package_env, name):
    (place / "log").write_text("kept ")
    with (place / "log").open("a") as stream:
        subprocess.run([sys.executable, "-c", WRITE, name], stdout=stream, env=package_env, check=True, timeout=600)
    assert (place / "log").read_text() == "kept new"


def test_a_failure_half_way_leaves_a_pipe_without_a_byte(place):
    holder = os.open(place / "pipe", os.O_RDONLY | os.O_NONBLOCK)

    def half():
        with atomic_path(place / "pipe") as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert os.read(holder, 10) == b""
    os.close(holder)


# --- what a failure says


def test_a_copy_that_fails_names_its_target(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "source").write_text("x" * 100)
    says = "No space left on device; free some space"
    with monkeypatch.context() as patch:
        patch.setattr(shutil.os, "sendfile", full)
        with pytest.raises(DataError, match=rf"^cannot write \S*/target: {says}"), files.writing(tmp_path):
            shutil.copyfile(tmp_path / "source", tmp_path / "target")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "source").write_text("x")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "source").symlink_to("/dev/full")
    # each file's source, target and words: of the first of them
    with pytest.raises(DataError, match=rf"^cannot write \S*copy/source: {says}"), files.writing(tmp_path):
        shutil.copytree(tmp_path / "tree", tmp_path / "copy", dirs_exist_ok=True)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EDQUOT, "Quota"), "cannot write a: Quota; free some space or choose another place"),
        (OSError(errno.EROFS, "Ro"), "cannot write a: Ro; choose a folder that can be written"),
        (OSError(errno.EACCES, "No"), "cannot write a: No; choose a folder that you may write to"),
        (OSError(errno.EIO, "Io", "b", None, "c"), "cannot write c: Io; choose another place"),
        (OSError("odd"), "cannot write a: odd; choose another place"),
        (ValueError("null\nbyte"), r"cannot write a: null\nbyte; choose another place"),
        (shutil.Error([("b", "c", "odd words"), ("d", "e", "f")]), "cannot write c: odd words; choose another place"),
        (shutil.SameFileError("same"), "cannot write a: same; choose another place"),
    ],
)
def test_each_hindrance_has_its_own_advice(error, says):
    assert str(write_error(files.Path("a"), error)) == says


@pytest.mark.parametrize(("read_only", "words"), [(True, "can be written"), (False, "you may write to")])
def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch, read_only, words):
    # root may write anywhere, so the system's answers are put in its mouth
    flags = os.ST_RDONLY if read_only else 0
    monkeypatch.setattr(files.os, "access", lambda *arguments: False)
    monkeypatch.setattr(files.os, "statvfs", lambda path: type("Answer", (), {"f_flag": flags}))
    with pytest.raises(DataError, match=f"choose a folder that {words}"):
        check_target(tmp_path / "new" / "a")
    assert list(tmp_path.iterdir()) == []


# --- locks


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder", "socket"])
def test_a_lock_that_is_somebodys_is_refused_and_left_alone(place, kind):
    project = place / "project"
    project.mkdir()
    lock = project / ".lock"
    if kind in ("link", "dangling"):
        lock.symlink_to(place / {"link": "file", "dangling": "none"}[kind])
    elif kind == "pipe":
        os.mkfifo(lock)
    elif kind == "folder":
        lock.mkdir()
    else:
        (place / "socket").rename(lock)
    before = seen(place)
    with pytest.raises(DataError) as caught, folder_lock(project):
        pass
    assert str(caught.value).isprintable()
    assert seen(place) == before and (place / "file").read_text() == "old"


def test_a_lock_keeps_its_content(tmp_path):
    (tmp_path / ".lock").write_text("somebody's")
    with folder_lock(tmp_path):
        pass
    assert (tmp_path / ".lock").read_text() == "somebody's"


@pytest.mark.parametrize("name", ["x" * 256, "a\0b", "a\nb", "a\x1b[31m/p", "a\udcff", "file/p", "file", "loop"])
def test_a_project_that_no_folder_can_be_is_one_line(place, name):
    before = seen(place)
    with pytest.raises(DataError, match="cannot write") as caught, folder_lock(place / name):
        pass
    assert str(caught.value).isprintable() and seen(place) == before
