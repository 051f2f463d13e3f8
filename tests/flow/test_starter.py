"""What ``init`` lays down, and that it is whole or absent."""

import errno
import os

import pytest
from conftest import ROOT

from xnorflow import api
from xnorflow.base.errors import DataError
from xnorflow.cli.main import main
from xnorflow.flow import starter
from xnorflow.flow.config_file import load_config


def test_configurations_that_were_laid_down_find_their_networks(tmp_path):
    files = api.init(tmp_path / "a" / "new")
    assert all(path.is_file() for path in files)
    for path in (tmp_path / "a/new/hls_configs").glob("*.yaml"):
        assert load_config(path).network_file.is_file()
    assert len(list((tmp_path / "a/new/keras_models").glob("*.h5"))) == len(list(ROOT.glob("keras_models/*.h5")))
    assert sorted(path.name for path in (tmp_path / "a/new").iterdir()) == ["hls_configs", "keras_models"]


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path, monkeypatch):
    """The shell may stand in it."""
    before = tmp_path.stat().st_ino
    monkeypatch.chdir(tmp_path)
    assert main(["init", "."]) == 0
    assert tmp_path.stat().st_ino == before and (tmp_path / "keras_models/digits.h5").is_file()


def test_a_folder_that_holds_something_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine").write_text("x")
    assert main(["init", str(tmp_path)]) == 2
    line = f"xnorflow: error: {tmp_path} is not empty: it holds mine; name a new or an empty folder\n"
    assert capsys.readouterr().err == line
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_and_a_nameless_folder_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="a file stands where a folder should be"):
        api.init(tmp_path / "file")
    with pytest.raises(DataError, match="init must be given the name of a folder, got ''"):
        api.init("")


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(("method", "after"), [("write_bytes", 20), ("rename", 1)])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, there, method, after):
    folder, done, work = tmp_path / "new", [], getattr(starter.Path, method)
    if there:
        folder.mkdir()

    def full(path, *arguments):
        if len(done) == after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done.append(1)
        return work(path, *arguments)

    monkeypatch.setattr(starter.Path, method, full)
    with pytest.raises(DataError, match=r"cannot write .*: No space left on device; free some space"):
        api.init(folder)
    assert len(done) == after
    assert list(folder.iterdir()) == [] if there else not folder.exists()


def test_an_installation_without_the_files_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(starter.resources, "files", lambda name: tmp_path / "site" / "xnorflow")
    with pytest.raises(DataError, match=r"networks that come along are not in .*; install xnorflow again"):
        api.init(tmp_path / "new")
    assert not (tmp_path / "new").exists()
