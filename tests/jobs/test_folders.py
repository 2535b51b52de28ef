"""What is in a folder, and where the results go."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest
from PIL import Image as PILImage
from works import MEASURE, spec

from gansdk.errors import InputError, OutputError, UsageError
from gansdk.jobs import folders
from gansdk.jobs.folders import FolderJob, check, mirrored, search
from gansdk.media.stills import IMAGE
from gansdk.options import ImageWriting
from gansdk.plugins.declarations import Slot


@pytest.fixture
def tree(tmp_path):
    """A folder of images under all sorts of names, and other things."""
    source = tmp_path / "in"
    (source / "sub" / "deeper").mkdir(parents=True)
    (source / ".hidden").mkdir()
    for name in ("a.png", "sub/b.JPG", "sub/deeper/c", "sub/ü ñ 漢.webp", "d.2024", ".e.png", ".hidden/f.png"):
        PILImage.new("RGB", (3, 2)).save(source / name, "PNG")
    (source / "notes.txt").write_text("words")
    (source / "claims.jpg").write_text("words")
    (source / "empty.png").write_bytes(b"")
    return source


def outputs(source, target, **options):
    job = FolderJob(spec(writing=ImageWriting(**options)), source, target)
    return {
        item.label: item.output.relative_to(target).as_posix() for item in mirrored(job, search(source, target, IMAGE))
    }


def test_content_decides_and_the_tree_is_mirrored(tree):
    assert outputs(tree, tree.parent / "out") == {
        "a.png": "a.png",
        "claims.jpg": "claims.png",  # somebody meant it to be an image
        "d.2024": "d.2024.png",
        "empty.png": "empty.png",
        "sub/b.JPG": "sub/b.png",
        "sub/deeper/c": "sub/deeper/c.png",
        "sub/ü ñ 漢.webp": "sub/ü ñ 漢.png",
    }
    assert outputs(tree, tree.parent / "out", format="jpg")["a.png"] == "a.jpg"
    found = search(tree, tree.parent / "out", IMAGE)
    assert (found.others, found.links, found.closed) == (["notes.txt"], [], [])
    status = (tree / "a.png").stat()
    assert found.stamps["a.png"] == (status.st_size, status.st_mtime_ns)


def test_the_folder_of_the_results_is_left_out_where_it_lies_within(tree):
    target = tree / "sub" / "out"
    target.mkdir()
    PILImage.new("RGB", (3, 2)).save(target / "old.png")
    found = search(tree, target, IMAGE)
    assert found.left_out
    assert "sub/out/old.png" not in found.stamps
    assert "sub/out/old.png" in search(tree, tree.parent / "out", IMAGE).stamps


def test_links_to_files_are_followed_and_those_to_folders_are_not(tree):
    (tree / "loop").symlink_to(tree)
    (tree / "sub" / "up").symlink_to("..")
    (tree / "g.png").symlink_to(tree / "a.png")
    (tree / "broken.png").symlink_to(tree / "absent.png")
    found = search(tree, tree.parent / "out", IMAGE)
    assert found.links == ["loop", "sub/up"]
    assert "g.png" in found.stamps
    assert "broken.png" in found.others
    linked = tree.parent / "linked"
    linked.symlink_to(tree)
    assert search(linked, tree.parent / "out", IMAGE).stamps.keys() == found.stamps.keys()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
def test_what_is_no_file_is_not_opened(tree):
    os.mkfifo(tree / "pipe.png")  # opening it would wait for ever
    assert "pipe.png" in search(tree, tree.parent / "out", IMAGE).others


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_names_that_are_no_text(tree):
    name = os.fsencode(tree) + b"/caf\xe9.png"
    Path(os.fsdecode(name)).write_bytes((tree / "a.png").read_bytes())
    assert outputs(tree, tree.parent / "out")["caf\udce9.png"] == "caf\udce9.png"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to this user")
def test_a_folder_that_cannot_be_read_is_told_of(tree):
    (tree / "sub").chmod(0)
    try:
        ((name, error),) = search(tree, tree.parent / "out", IMAGE).closed
    finally:
        (tree / "sub").chmod(0o700)
    assert (name, type(error)) == ("sub", InputError)


def test_all_collisions_are_found(tree):
    for name in ("a.jpg", "a.gif", "sub/b.png"):
        PILImage.new("RGB", (3, 2)).save(tree / name)
    with pytest.raises(UsageError) as caught:
        outputs(tree, tree.parent / "out")
    assert caught.value.message == (
        "a.gif, a.jpg and a.png would all be written to a.png; sub/b.JPG and sub/b.png would both be written to b.png"
    )


def test_names_that_a_file_system_takes_as_the_same_collide(tree, monkeypatch):
    for name in ("Eagle.png", "eagle.jpg", "\u00e9.png", "e\u0301.jpg"):
        PILImage.new("RGB", (3, 2)).save(tree / name)
    assert len(outputs(tree, tree.parent / "out")) == 11
    monkeypatch.setattr(folders, "_tells_case_apart", lambda _target: False)
    with pytest.raises(UsageError) as caught:
        outputs(tree, tree.parent / "out")
    assert "Eagle.png and eagle.jpg would both" in caught.value.message
    assert caught.value.message.count("would both") == 2


def test_whether_case_counts_is_seen_in_what_is_there(tmp_path, monkeypatch):
    assert folders._tells_case_apart(tmp_path / "not" / "there")
    (tmp_path / "Abc").write_text("")
    assert folders._tells_case_apart(tmp_path)
    (tmp_path / "aBC").write_text("")  # both, and two files
    assert folders._tells_case_apart(tmp_path)
    (tmp_path / "Abc").unlink()
    (tmp_path / "Abc").hardlink_to(tmp_path / "aBC")  # as good as one file under both names
    assert not folders._tells_case_apart(tmp_path)


def test_results_never_come_to_stand_on_inputs(tmp_path):
    source = tmp_path / "in"
    (source / "in").mkdir(parents=True)
    for name in ("a.png", "in/a.png"):
        PILImage.new("RGB", (3, 2)).save(source / name)
    with pytest.raises(UsageError, match=r"in/a\.png would be written over .*in/a\.png, an input too"):
        outputs(source, tmp_path)
    assert outputs(source, tmp_path, format="webp") == {"a.png": "a.webp", "in/a.png": "in/a.webp"}


def test_what_is_wrong_with_the_call(tree, tmp_path):
    def job(source, target, **more):
        return FolderJob(spec(**more), source, target)

    for source, target, error, message in (
        (tree, tree, UsageError, "would stand among their inputs"),
        (tree, tree / "sub" / "..", UsageError, "would stand among their inputs"),
        (tmp_path / "absent", tmp_path / "out", InputError, "there is no folder"),
        (tree / "a.png", tmp_path / "out", InputError, "is a file"),
        (tree, tree / "notes.txt", OutputError, "is a file, not a folder"),
    ):
        with pytest.raises(error, match=message):
            check(job(source, target))
    check(job(tree, tmp_path / "out", task=MEASURE))
    pair = dataclasses.replace(MEASURE, slots=(*MEASURE.slots, Slot("mask", "mask")))
    with pytest.raises(UsageError, match="measure takes a mask with each file; give mask a file"):
        check(job(tree, tmp_path / "out", task=pair))
    for slots in ((), (Slot("image", "photos", many=True),), (Slot("image", "style", optional=True),)):
        with pytest.raises(UsageError, match="map gives each file to the task"):
            check(job(tree, tmp_path / "out", task=dataclasses.replace(MEASURE, slots=slots)))
