"""A folder into a folder: what is made, what is kept, what is written down."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from PIL import Image as PILImage
from works import MEASURE, STUMBLING, Log, spec

from gansdk.errors import InputError, OutputError, OutputExistsError, UsageError
from gansdk.jobs.executors import Local
from gansdk.jobs.folders import FolderJob
from gansdk.jobs.reports import NAME
from gansdk.jobs.run import run_folder
from gansdk.models.pipelines import Pipeline
from gansdk.options import ImageReading, ImageWriting, LoadOptions, RecordWriting
from gansdk.tasks.superres import SuperresOptions

STATE = {NAME, ".gansdk-map.lock"}


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out"


def job(photos, target, *, resumes=False, **changes):
    return FolderJob(spec(**changes), photos, target, resumes)


def never():
    raise AssertionError("a model was loaded although nothing was left to do")


def lines(target):
    read = [json.loads(line) for line in (target / NAME).read_bytes().splitlines()]
    return {line["input"]: line for line in read}


def names(target):
    return {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()} - STATE


def counts(summary):
    return summary.done, summary.kept, summary.skipped, summary.failed


def test_every_image_has_a_result_and_a_line(photos, target, local):
    (photos / "sub").mkdir()
    (photos / "a.png").rename(photos / "sub" / "a.png")
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:60])
    (photos / "readme.txt").write_text("words")
    summary = run_folder(job(photos, target), local, log := Log())
    assert counts(summary) == (2, 0, 0, 1)
    assert summary.exit_code == 1
    assert names(target) == {"c.png", "sub/a.png"}
    assert [name for name, _ in log.done_items] == ["c.png", "sub/a.png"]
    assert (log.count, log.found_all.others) == (3, ["readme.txt"])
    said = lines(target)
    assert list(said) == ["b.png", "c.png", "sub/a.png"]
    assert said["b.png"]["error"]["kind"] == "input"
    assert said["sub/a.png"]["output"] == "sub/a.png"
    assert not (target / ".gansdk-map.begun").exists()


def test_nothing_is_done_twice_and_nothing_loaded_for_nothing(photos, target, local):
    run_folder(job(photos, target), local, Log())
    before = {path: path.stat().st_mtime_ns for path in target.glob("*.png")}
    summary = run_folder(job(photos, target, resumes=True), Local(never), log := Log())
    assert (counts(summary), summary.exit_code) == ((0, 3, 0, 0), 0)
    assert log.kept_items == ["a.png", "b.png", "c.png"]
    assert {path: path.stat().st_mtime_ns for path in target.glob("*.png")} == before


@pytest.mark.parametrize(
    ("change", "made"),
    [
        ({"call": SuperresOptions(tile=64)}, []),
        ({"reading": ImageReading(strict=True), "load": LoadOptions(threads=1)}, []),
        ({"call": SuperresOptions(scale=3)}, ["a.png", "b.png", "c.png"]),
        ({"writing": ImageWriting(metadata="strip")}, ["a.png", "b.png", "c.png"]),
    ],
)
def test_only_what_an_option_shapes_is_made_anew(photos, target, local, change, made):
    run_folder(job(photos, target), local, Log())
    run_folder(job(photos, target, resumes=True, **change), local, log := Log())
    assert [name for name, _ in log.done_items] == made
    assert counts(run_folder(job(photos, target, resumes=True, **change), Local(never), Log())) == (0, 3, 0, 0)


def test_another_format_stands_beside_and_the_report_follows(photos, target, local):
    run_folder(job(photos, target), local, Log())
    run_folder(job(photos, target, resumes=True, writing=ImageWriting(format="webp")), local, Log())
    assert lines(target)["a.png"]["output"] == "a.webp"


def test_a_changed_input_a_lost_and_a_new_one(photos, target, local):
    run_folder(job(photos, target), local, Log())
    PILImage.new("RGB", (20, 5)).save(photos / "a.png")
    (target / "b.png").unlink()
    PILImage.new("RGB", (4, 4)).save(photos / "d.png")
    run_folder(job(photos, target, resumes=True), local, log := Log())
    assert [name for name, _ in log.done_items] == ["a.png", "b.png", "d.png"]
    with PILImage.open(target / "a.png") as opened:
        assert opened.size == (40, 10)


def test_a_changed_result_is_somebodys_work(photos, target, local):
    run_folder(job(photos, target), local, Log())
    (target / "a.png").write_bytes(b"retouched")
    summary = run_folder(job(photos, target, resumes=True), Local(never), log := Log())
    assert counts(summary) == (0, 2, 0, 1)
    assert isinstance(log.failed_items[0][1], OutputExistsError)
    assert (target / "a.png").read_bytes() == b"retouched"
    skipping = ImageWriting(on_exists="skip")
    assert counts(run_folder(job(photos, target, resumes=True, writing=skipping), Local(never), Log())) == (0, 2, 1, 0)
    replacing = ImageWriting(on_exists="overwrite")
    assert counts(run_folder(job(photos, target, resumes=True, writing=replacing), local, Log())) == (1, 2, 0, 0)


def test_failed_items_are_tried_again(photos, target, local):
    content = (photos / "b.png").read_bytes()
    (photos / "b.png").write_bytes(content[:60])
    run_folder(job(photos, target), local, Log())
    assert counts(run_folder(job(photos, target, resumes=True), local, Log())) == (0, 2, 0, 1)
    (photos / "b.png").write_bytes(content)
    assert counts(run_folder(job(photos, target, resumes=True), local, Log())) == (1, 2, 0, 0)
    assert set(lines(target)) == {"a.png", "b.png", "c.png"}
    assert "error" not in lines(target)["b.png"]


def test_an_earlier_run_is_seen_before_each_result_is_an_error(photos, target, local):
    run_folder(job(photos, target), local, Log())
    with pytest.raises(OutputExistsError, match="go on with --continue"):
        run_folder(job(photos, target), Local(never), Log())
    for rule, expected in (("skip", (0, 0, 3, 0)), ("overwrite", (3, 0, 0, 0)), ("rename", (3, 0, 0, 0))):
        wanted = job(photos, target, writing=ImageWriting(on_exists=rule))
        assert counts(run_folder(wanted, local, Log())) == expected
    assert names(target) == {f"{name}{number}.png" for name in "abc" for number in ("", "-2")}
    assert counts(run_folder(job(photos, target, resumes=True), Local(never), Log())) == (0, 3, 0, 0)


def test_somebodys_file_in_the_way_fails_that_item(photos, target, local):
    target.mkdir()
    (target / "b.png").write_bytes(b"somebody's")
    (target / "c.png").mkdir()
    assert counts(run_folder(job(photos, target), local, Log())) == (1, 0, 0, 2)
    assert (target / "b.png").read_bytes() == b"somebody's"


def test_a_file_where_a_folder_shall_be(photos, target, local):
    (photos / "sub").mkdir()
    (photos / "a.png").rename(photos / "sub" / "a.png")
    target.mkdir()
    (target / "sub").write_text("a file")
    summary = run_folder(job(photos, target), local, log := Log())
    assert counts(summary) == (2, 0, 0, 1)
    assert "is a file, not a folder" in str(log.failed_items[0][1])


def test_collisions_leave_nothing_behind(photos, target):
    PILImage.new("RGB", (4, 4)).save(photos / "a.jpg")
    with pytest.raises(UsageError, match=r"a\.jpg and a\.png would both"):
        run_folder(job(photos, target), Local(never), Log())
    assert not target.exists()


def test_a_folder_without_images(tmp_path, target):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no images"):
        run_folder(job(tmp_path / "empty", target), Local(never), Log())
    assert not target.exists()


def test_results_within_the_inputs_are_no_inputs(photos, local):
    target = photos / "large"
    run_folder(job(photos, target), local, Log())
    assert counts(run_folder(job(photos, target, resumes=True), Local(never), Log())) == (0, 3, 0, 0)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this user may write anywhere")
def test_a_target_that_cannot_be_written_to(photos, target):
    target.mkdir(0o500)
    with pytest.raises(OutputError):
        run_folder(job(photos, target), Local(never), Log())


def test_ctrl_c_keeps_the_account(photos, target, resolved):
    stumbling = Local(lambda: Pipeline(STUMBLING, resolved, LoadOptions(device="cpu")))
    PILImage.new("RGB", (15, 4)).save(photos / "b.png")
    with pytest.raises(KeyboardInterrupt):
        run_folder(job(photos, target, task=STUMBLING), stumbling, Log())
    assert names(target) == {"a.png"} == set(lines(target))
    PILImage.new("RGB", (16, 4)).save(photos / "b.png")
    assert counts(run_folder(job(photos, target, task=STUMBLING, resumes=True), stumbling, Log())) == (2, 1, 0, 0)


def test_what_a_killed_run_left_half_written_is_removed(photos, target, local):
    run_folder(job(photos, target), local, Log())
    for name in (".a.png.0123abcd.part", ".x.png.0123abcd.part", ".a.png.part"):
        (target / name).write_bytes(b"half")
    run_folder(job(photos, target, resumes=True), Local(never), Log())
    assert (target / ".a.png.0123abcd.part").exists()  # somebody may be at it
    (target / ".gansdk-map.begun").touch()
    run_folder(job(photos, target, resumes=True), Local(never), Log())
    assert {path.name for path in target.glob(".*.part")} == {".x.png.0123abcd.part", ".a.png.part"}


def test_records_are_gathered_with_names_relative_to_the_folder(photos, target, measuring):
    (photos / "sub").mkdir()
    (photos / "a.png").rename(photos / "sub" / "a.png")
    (photos / "b.png").write_text("words")
    summary = run_folder(job(photos, target, task=MEASURE), measuring, log := Log())
    assert counts(summary) == (2, 0, 0, 1)
    gathered = target / "measure.jsonl"
    wanted = [{"input": "c.png", "width": 12}, {"input": "sub/a.png", "width": 12}]
    assert [json.loads(line) for line in gathered.read_text().splitlines()] == wanted
    assert log.done_items[0] == ("c.png", gathered)
    PILImage.fromarray(np.zeros((4, 9, 3), np.uint8)).save(photos / "b.png")
    assert counts(run_folder(job(photos, target, task=MEASURE, resumes=True), measuring, Log())) == (1, 2, 0, 0)
    wanted.insert(0, {"input": "b.png", "width": 9})
    assert [json.loads(line) for line in gathered.read_text().splitlines()] == wanted


def test_somebodys_file_of_records_is_not_replaced(photos, target, measuring):
    target.mkdir()
    (target / "measure.jsonl").write_text("somebody's")
    for resumes in (False, True):
        with pytest.raises(OutputExistsError, match=r"measure\.jsonl exists already"):
            run_folder(job(photos, target, task=MEASURE, resumes=resumes), Local(never), Log())
    renaming = RecordWriting(on_exists="rename")
    run_folder(job(photos, target, task=MEASURE, writing=renaming), measuring, Log())
    assert (target / "measure.jsonl").read_text() == "somebody's"
    assert len((target / "measure-2.jsonl").read_text().splitlines()) == 3


def forged(target, **said):
    """Says of a report's first line something else, as a stranger's would."""
    first, *others = (target / NAME).read_text().splitlines()
    (target / NAME).write_text("\n".join([json.dumps({**json.loads(first), **said}), *others]) + "\n")


@pytest.mark.parametrize("output", ["../diary.png", "sub/../../diary.png", "{absolute}", "diary.png"])
def test_a_report_leads_to_no_file_outside_of_its_folder(photos, target, local, tmp_path, output):
    """By its lines, or by a link that came with it: other options would make each result anew."""
    run_folder(job(photos, target), local, Log())
    diary = tmp_path / "diary.png"
    diary.write_bytes(b"mine")
    (target / "sub").mkdir()
    (target / "diary.png").symlink_to(diary)
    forged(target, output=output.format(absolute=diary), bytes=4)
    changed = job(photos, target, resumes=True, writing=ImageWriting(quality=50))
    summary = run_folder(changed, local, log := Log())
    assert diary.read_bytes() == b"mine"
    assert counts(summary) == (2, 0, 0, 1)  # its own place is taken by what no line vouches for
    assert (log.failed_items[0][0], log.failed_items[0][1].kind) == ("a.png", "output-exists")


@pytest.mark.parametrize("name", [NAME, ".gansdk-map.lock", ".gansdk-map.begun"])
def test_a_link_in_place_of_the_report_is_refused(photos, target, tmp_path, name):
    diary = tmp_path / "diary"
    diary.write_bytes(b"mine")
    target.mkdir()
    (target / name).symlink_to(diary)
    with pytest.raises(OutputError, match="is a link, or no file at all"):
        run_folder(job(photos, target, resumes=True), Local(never), Log())
    assert diary.read_bytes() == b"mine"


@pytest.mark.parametrize("said", [{"output": 3}, {"record": [1]}, {"output": ["a"]}])
def test_a_line_of_wrong_types_does_not_count(photos, target, local, said):
    run_folder(job(photos, target), local, Log())
    forged(target, **said)
    summary = run_folder(job(photos, target, resumes=True), Local(never), log := Log())
    assert counts(summary) == (0, 2, 0, 1)
    assert log.failed_items[0][1].kind == "output-exists"


def test_a_folder_that_is_a_link_within_the_results_is_the_users_way_to_another_disk(photos, target, local, tmp_path):
    (photos / "sub").mkdir()
    (photos / "a.png").rename(photos / "sub" / "a.png")
    (tmp_path / "disk").mkdir()
    target.mkdir()
    (target / "sub").symlink_to(tmp_path / "disk")
    assert counts(run_folder(job(photos, target), local, Log())) == (3, 0, 0, 0)
    assert (tmp_path / "disk" / "a.png").is_file()
    assert counts(run_folder(job(photos, target, resumes=True), Local(never), Log())) == (0, 3, 0, 0)


def test_one_name_that_is_too_long_fails_alone(photos, target, local):
    (photos / "a.png").rename(photos / ("z" * 254))
    (photos / "b.png").rename(photos / ("界" * 83 + ".png"))
    summary = run_folder(job(photos, target), local, log := Log())
    assert counts(summary) == (2, 0, 0, 1)
    assert "File name too long" in str(log.failed_items[0][1])
    assert names(target) == {"c.png", "界" * 83 + ".png"}


def test_what_the_format_cannot_hold_fails_before_a_model_is_loaded(photos, target):
    for name in ("a.png", "b.png", "c.png"):
        PILImage.new("RGB", (8400, 4)).save(photos / name)
    summary = run_folder(job(photos, target, writing=ImageWriting(format="webp")), Local(never), Log())
    assert counts(summary) == (0, 0, 0, 3)
