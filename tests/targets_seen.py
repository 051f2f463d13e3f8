"""Where writing cannot go, and what a place looks like."""

import os
import socket

import pytest

BAD = {
    "folder": ("folder", "Is a directory; name a file"),
    "root": ("/", "name a file"),
    "dot": (".", "Is a directory; name a file"),
    "under a file": ("file/a", "a file stands where a folder should be"),
    "deep under a file": ("file/a/b/c", "a file stands where a folder should be"),
    "long name": ("ö" * 200, "choose a shorter name"),
    "long name in a new folder": ("new/" + "x" * 256, "choose a shorter name"),
    "long folder": ("x" * 256 + "/a", "choose a shorter name"),
    "long path": ("x/" * 3000 + "a", "choose a shorter name"),
    "null": ("a\0b", r"a\x00b: embedded null byte"),
    "loop": ("loop", "Too many levels of symbolic links"),
    "link into a file": ("stray", "a file stands where a folder should be"),
    "socket": ("socket", "it is a disk or a socket; name a file"),
    "pipe without a reader": ("pipe", "nobody reads from it"),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with one of each kind of thing in it, where relative names are looked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    os.mkfifo(tmp_path / "pipe")
    for name, target in (("loop", "loop"), ("stray", "file/a"), ("link", "file"), ("fresh", "folder/new")):
        (tmp_path / name).symlink_to(target)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    return tmp_path


def seen(folder):
    return sorted((str(path), path.lstat().st_mode, path.lstat().st_ino) for path in folder.rglob("*"))
