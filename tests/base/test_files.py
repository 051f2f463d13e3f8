import errno
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from xnorflow.base.errors import DataError, XnorflowError
from xnorflow.base.files import atomic as files
from xnorflow.base.files.atomic import atomic_open, folder_lock, sha256_file, write_json, write_text
from xnorflow.base.files.plain import read_json

HOLD = """
import sys, time
from pathlib import Path
from xnorflow.base.files.atomic import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def start_holder(package_env, folder, seconds):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=package_env,
    )


def parts(folder):
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


# --- whole or absent


def test_writes_and_replaces_whole_files(tmp_path):
    path = tmp_path / "deep" / "er" / "a ö.json"
    write_json(path, {"ä": 1})
    assert json.loads(path.read_text(encoding="utf-8")) == {"ä": 1}
    assert "ä" in path.read_text(encoding="utf-8")
    write_text(path, "second")
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


def test_a_name_with_stray_bytes_can_be_read_back(tmp_path):
    write_json(tmp_path / "a", {"name": "ä\udcff"})
    assert read_json(tmp_path / "a") == {"name": "ä?"}


def test_rights_are_those_of_the_umask(tmp_path):
    mask = os.umask(0o027)
    try:
        write_text(tmp_path / "a", "x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_interrupted_write_leaves_the_old_file(tmp_path, interruption):
    path = tmp_path / "a"
    write_text(path, "old")

    def half():
        with atomic_open(path) as stream:
            stream.write(b"half of")
            raise interruption

    with pytest.raises(interruption):
        half()
    assert path.read_text() == "old"
    assert parts(tmp_path) == []


def test_killed_write_leaves_the_old_file(tmp_path, package_env):
    path = tmp_path / "a"
    write_text(path, "old")
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom xnorflow.base.files.atomic import atomic_open\n"
        "with atomic_open(Path(sys.argv[1])) as s:\n    s.write(b'x' * 100000); s.flush(); os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path)], env=package_env, timeout=600)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / "a"
    write_text(path, "old")

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((files.os, "fsync") if call == "fsync" else (files.Path, "replace")), full)
    with pytest.raises(DataError) as caught:
        write_text(path, "new")
    assert str(caught.value) == (
        f"cannot write {path}: No space left on device; free some space or choose another place"
    )
    assert path.read_text() == "old"
    assert parts(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_device_is_noticed_when_the_buffer_goes_out(tmp_path, monkeypatch):
    def on_full_disk(**_):
        (tmp_path / "n").symlink_to("/dev/full")
        return os.open("/dev/full", os.O_WRONLY), str(tmp_path / "n")

    monkeypatch.setattr(files.tempfile, "mkstemp", on_full_disk)
    with pytest.raises(DataError, match="No space left on device"):
        write_text(tmp_path / "a", "x" * 100_000)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*file/a: .*a file stands where a folder should be") as caught:
        write_text(tmp_path / "file" / "a", "x")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataError, match="Permission denied"):
            write_text(tmp_path / "a", "x")
        with pytest.raises(DataError, match="Permission denied"), folder_lock(tmp_path):
            pass
    finally:
        tmp_path.chmod(0o700)


# --- reading


def test_sha256_of_a_file_larger_than_a_block(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"\0" * (1 << 21))
    # printf and sha256sum say so: head -c 2097152 /dev/zero | sha256sum
    assert sha256_file(path) == "5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee"


# --- locks


def test_second_process_says_so_and_waits(tmp_path, package_env):
    with folder_lock(tmp_path):
        second = start_holder(package_env, tmp_path, 0)
        assert second.stderr.readline() == f"xnorflow: another run holds {tmp_path}; waiting for it to end\n"
        assert second.poll() is None
    out, _ = second.communicate(timeout=600)
    assert (out, second.returncode) == ("held\n", 0)


def test_killed_holder_releases(tmp_path, package_env, capfd):
    first = start_holder(package_env, tmp_path, 600)
    assert first.stdout.readline() == "held\n"
    first.kill()
    first.communicate(timeout=600)
    with folder_lock(tmp_path):
        pass
    assert capfd.readouterr().err == ""


def test_free_lock_says_nothing_and_can_be_taken_again(tmp_path, capfd):
    for _ in range(2):
        with folder_lock(tmp_path / "new" / "folder"):
            assert (tmp_path / "new" / "folder").is_dir()
    assert capfd.readouterr().err == ""


def test_lock_under_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"), folder_lock(tmp_path / "file" / "project"):
        pass


def test_file_system_without_locks(tmp_path, monkeypatch):
    def none(*arguments):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(files.fcntl, "flock", none)
    with pytest.raises(XnorflowError, match=r"cannot lock .*use a local file system"), folder_lock(tmp_path):
        pass
