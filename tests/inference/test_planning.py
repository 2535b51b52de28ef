"""What a job will do: names of outputs, and what is in the way."""

from __future__ import annotations

import pytest
from PIL import Image

from gansdk.errors import UsageError
from gansdk.inference.planning import Job, find_obstacles, plan
from gansdk.options import PictureReading, PictureWriting
from gansdk.tasks.superres import SUPERRES, SuperresOptions


def job(*inputs, output=None, writing=None, task=SUPERRES):
    return Job(task, tuple(map(str, inputs)), output, SuperresOptions(), PictureReading(), writing or PictureWriting())


def outputs(items):
    return [str(item.output) for item in items]


def test_outputs_stand_beside_their_inputs_or_in_the_folder(tmp_path):
    (tmp_path / "out").mkdir()
    assert outputs(plan(job("x/a.jpg"))) == ["x/a-superres.png"]
    assert outputs(plan(job("x/a.jpg", "-", output="o/"))) == ["o/a-superres.png", "o/stdin-superres.png"]
    assert outputs(plan(job("a.jpg", output=str(tmp_path / "out")))) == [str(tmp_path / "out" / "a-superres.png")]
    assert outputs(plan(job("a.jpg", output="b.webp"))) == ["b.webp"]
    assert outputs(plan(job("a.b.jpg", writing=PictureWriting(format="jpg")))) == ["a.b-superres.jpg"]
    assert plan(job("a.jpg", output="-"))[0].output is None


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (job(), "superres takes PHOTO for each result; none given"),
        (job("a.jpg", "a.png"), r"a\.jpg and a\.png would both be written to a-superres\.png"),
        (job("a.jpg", "b.jpg", output="-"), "2 results cannot go to -"),
        (job("a.jpg", "b.jpg", output="x.png"), r"2 results cannot go to x\.png"),
        (job("-", "-"), "standard input can be read only once"),
        (job("a.jpg", "a-superres.png"), "an input too"),
        (job("a.jpg", output="x.gif"), "gif"),
    ],
)
def test_what_the_command_line_alone_shows_to_be_wrong(wanted, message):
    with pytest.raises(UsageError, match=message):
        plan(wanted)


def test_obstacles_are_found_for_all_items_and_only_those_fail(tmp_path):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (3, 2)).save(tmp_path / name)
    (tmp_path / "b-superres.png").write_text("there")
    wanted = job(tmp_path / "a.png", tmp_path / "b.png", tmp_path / "absent.png")
    ready, skipped, failed = find_obstacles(wanted, plan(wanted))
    assert [item.name for item in ready] == [str(tmp_path / "a.png")]
    assert not skipped
    assert [type(error).__name__ for _, error in failed] == ["OutputExistsError", "InputError"]
