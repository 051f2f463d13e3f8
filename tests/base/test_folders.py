"""Folders that are emptied show first that they are ours, and links are not followed."""

import pytest

from xnorflow.base.errors import DataError
from xnorflow.base.files.folders import MARKER, claim, discard, empty
from xnorflow.flow.step import run_step


@pytest.fixture
def theirs(tmp_path):
    """A folder of somebody else's."""
    folder = tmp_path / "theirs"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/thesis.tex").write_text("three years")
    return folder


def whole(folder):
    return (folder / "deep/thesis.tex").read_text() == "three years"


def refused(folder, words):
    """A step must not begin in ``folder``."""
    with pytest.raises(DataError, match=words) as caught:
        run_step(folder, {"a": 1}, lambda folder: pytest.fail("the step began"))
    assert len(str(caught.value).splitlines()) == 1 and str(folder) in str(caught.value)
    assert "move it away, or name another --project" in str(caught.value)


@pytest.mark.parametrize("target", ["theirs", "nothing"])
def test_a_link_as_a_step_s_folder_is_refused(theirs, target):
    link = theirs.parent / "03-convert"
    link.symlink_to(theirs.parent / target)
    refused(link, "is a link")
    assert whole(theirs) and link.is_symlink()


def test_a_link_to_a_step_of_ours_is_refused_as_well(tmp_path):
    run_step(tmp_path / "real", {"a": 2}, lambda folder: {"n": int((folder / "out").write_text("kept"))})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    refused(tmp_path / "link", "is a link")
    assert (tmp_path / "real/out").read_text() == "kept"


def test_a_file_in_a_step_s_place_is_refused(tmp_path):
    (tmp_path / "step").write_text("mine")
    refused(tmp_path / "step", "is no folder")
    assert (tmp_path / "step").read_text() == "mine"


def test_somebody_else_s_folder_is_refused(theirs):
    refused(theirs, "holds deep, not xnorflow's")
    # as a network on a hub has it: no hash of ours in it
    (theirs / "config.json").write_text('{"model_type": "bert", "key": "value"}')
    refused(theirs, "not xnorflow's")
    assert whole(theirs)


def test_links_in_a_folder_are_deleted_and_not_followed(theirs):
    folder = theirs.parent / "step"
    claim(folder)
    (folder / "link").symlink_to(theirs)
    (folder / "dangling").symlink_to(theirs.parent / "nothing")
    empty(folder)
    assert [path.name for path in folder.iterdir()] == [MARKER] and whole(theirs)


def test_a_link_is_discarded_and_not_what_it_leads_to(theirs):
    link = theirs.parent / "link"
    link.symlink_to(theirs)
    discard(link)
    assert whole(theirs) and not link.is_symlink()
    discard(theirs)
    assert not theirs.exists()
    discard(theirs)


def test_the_project_itself_may_be_a_link(tmp_path):
    (tmp_path / "large disk").mkdir()
    (tmp_path / "project").symlink_to(tmp_path / "large disk")
    assert run_step(tmp_path / "project/01-train", {}, lambda folder: {"n": 1}).values == {"n": 1}


@pytest.mark.parametrize("name", ["config.json", "result.json"])
def test_a_step_of_before_there_was_a_marker_is_ours(tmp_path, name):
    folder = tmp_path / "01-train"
    folder.mkdir()
    (folder / name).write_text(f'{{"data": "{"0a" * 32}"}}')
    (folder / "old").write_text("half")
    assert run_step(folder, {}, lambda folder: {"n": 1}).values == {"n": 1}
    assert not (folder / "old").exists()


def test_a_run_killed_while_it_marked_its_folder_is_taken_up(tmp_path):
    folder = tmp_path / "01-train"
    folder.mkdir()
    (folder / f".{MARKER}.abc.part").write_text("")
    claim(folder)
    empty(folder)
    assert [path.name for path in folder.iterdir()] == [MARKER]
