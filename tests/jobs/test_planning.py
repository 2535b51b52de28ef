"""What a job will do: names of outputs, and what is in the way."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import pytest
from PIL import Image as PILImage
from works import UNREAD, spec

from gansdk.errors import UsageError
from gansdk.jobs.plan import Item, Job, check_collisions, find_obstacles, plan
from gansdk.options import ImageWriting, LoadOptions


def job(*inputs, output=None, writing=None):
    return Job(spec(writing=writing), tuple(map(str, inputs)), (output,))


def outputs(items):
    return [str(item.output) for item in items]


def test_outputs_stand_beside_their_inputs_or_in_the_folder(tmp_path):
    (tmp_path / "out").mkdir()
    assert outputs(plan(job("x/a.jpg"))) == ["x/a-superres.png"]
    assert outputs(plan(job("x/a.jpg", "-", output="o/"))) == ["o/a-superres.png", "o/stdin-superres.png"]
    assert outputs(plan(job("a.jpg", output=str(tmp_path / "out")))) == [str(tmp_path / "out" / "a-superres.png")]
    assert outputs(plan(job("a.jpg", output="b.webp"))) == ["b.webp"]
    assert outputs(plan(job("a.b.jpg", writing=ImageWriting(format="jpg")))) == ["a.b-superres.jpg"]
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
        PILImage.new("RGB", (3, 2)).save(tmp_path / name)
    (tmp_path / "b-superres.png").write_text("there")
    wanted = job(tmp_path / "a.png", tmp_path / "b.png", tmp_path / "absent.png")
    ready, skipped, failed = find_obstacles(wanted, plan(wanted))
    assert [item.name for item in ready] == [str(tmp_path / "a.png")]
    assert not skipped
    assert [type(error).__name__ for _, error in failed] == ["OutputExistsError", "InputError"]


def test_all_collisions_are_named():
    items = [
        Item((name,), Path(f"out/{name[0]}.png")) for name in ("a.jpg", "a.png", "b.png", "c.gif", "c.bmp", "c.tif")
    ]
    with pytest.raises(UsageError) as caught:
        check_collisions(items)
    assert caught.value.message == (
        "a.jpg and a.png would both be written to a.png; c.gif, c.bmp and c.tif would all be written to c.png"
    )
    check_collisions([Item((name,), Path(name)) for name in ("A.png", "a.png")])
    with pytest.raises(UsageError, match=r"A\.png and a\.png"):
        check_collisions([Item((name,), Path(name)) for name in ("A.png", "a.png")], str.casefold)


def test_work_and_items_can_be_sent_elsewhere():
    wanted = spec(writing=ImageWriting(format="webp"))
    assert pickle.loads(pickle.dumps(wanted)) == wanted
    (item,) = plan(job("x/a.jpg"))
    assert pickle.loads(pickle.dumps(item)) == item


@pytest.mark.parametrize(
    ("ref", "network_interpolation", "expected"),
    [
        ("./model", None, "(tiny 000000000000)"),
        ("builtin:tiny-x2", None, "(builtin:tiny-x2)"),
        ("builtin:tiny-x2", 0.25, "(builtin:tiny-x2, network_interpolation 0.25)"),
    ],
)
def test_a_result_says_what_made_it(ref, network_interpolation, expected):
    model = dataclasses.replace(UNREAD, ref=ref)
    made = spec(model=model, load=LoadOptions(network_interpolation=network_interpolation)).provenance
    assert made.endswith(expected)
