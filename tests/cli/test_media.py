"""Tasks of several media through ``run``, ``map`` and Python: masks, and texts, which are a plugin's own medium."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import painter
import pytest
import tiny
from dists import write_distribution
from PIL import Image as PILImage

from gansdk import Image, Mask
from gansdk.errors import InputError, OptionError, WrongResultError
from gansdk.models.pipelines import Pipeline
from gansdk.models.resolved import ResolvedModel
from gansdk.options import LoadOptions


@pytest.fixture
def painting(with_kinds, tmp_path):
    """The command with the plugin of tasks, in a folder with two photos, a mask and two texts."""
    write_distribution(tmp_path / "painter", "gansdk-plugin-painter", None, module="painter", version="1.0")
    for name, width in (("in/a.jpg", 16), ("in/b.png", 16)):
        (with_kinds.cwd / "in").mkdir(exist_ok=True)
        PILImage.new("RGB", (width, 8), (200, 100, 50)).save(with_kinds.cwd / name)
    write_mask(with_kinds.cwd / "mask.png")
    (with_kinds.cwd / "letters").mkdir()
    (with_kinds.cwd / "letters" / "one.txt").write_text("dear\n")
    (with_kinds.cwd / "letters" / "two.txt").write_text("friend\n")
    return dataclasses.replace(with_kinds, path=(tmp_path / "painter", *with_kinds.path))


def holes(width=16, height=8, columns=4):
    return np.arange(width)[None, :].repeat(height, 0) < columns


def write_mask(path, **size):
    path.parent.mkdir(exist_ok=True)
    PILImage.fromarray(holes(**size).astype(np.uint8) * 255).save(path)


def black(path):
    """How many pixels of an image are black."""
    return int((np.asarray(PILImage.open(path)) == 0).all(axis=2).sum())


def test_one_call_gives_each_output_that_an_ending_asks_for(painting):
    done = painting("run", "fill", "in/b.png", "mask.png", "-o", "x.png", "-o", "x.npz", "-o", "x.jsonl")
    assert done.code == 0, done.err
    assert "fill with builtin:tiny-x2" in done.err
    assert black(painting.cwd / "x.png") == 4 * 8
    assert np.load(painting.cwd / "x.npz")["mask"].shape == (1, 1, 8, 16)
    assert json.loads((painting.cwd / "x.jsonl").read_text()) == {"input": "in/b.png", "holes": 32, "caption": None}
    assert "x.png, x.npz, x.jsonl" in done.err


def test_two_paths_for_one_output_are_refused(painting):
    done = painting("run", "fill", "in/b.png", "mask.png", "-o", "x.png", "-o", "y.jpg")
    assert done.code == 2
    assert "y.jpg and another output would both hold the image of fill" in done.error


def test_one_mask_is_held_for_all_or_paired_by_name(painting):
    done = painting("run", "fill", "in/a.jpg", "in/b.png", "--mask", "mask.png", "--caption", "letters/one.txt")
    assert done.code == 0, done.err
    assert done.err.count("caption: dear") == 2
    assert black(painting.cwd / "in" / "a-fill.png") == black(painting.cwd / "in" / "b-fill.png") == 32
    done = painting("map", "fill", "in", "held", "--mask", "mask.png")
    assert done.code == 0
    assert "map writes one output of fill, image; --format asks for another" in done.err
    assert black(painting.cwd / "held" / "a.png") == 32
    write_mask(painting.cwd / "masks" / "a.png", columns=2)
    done = painting("map", "fill", "in", "paired", "--mask", "masks/", "--json")
    assert done.code == 1
    by_input = {record["input"]: record for record in done.records}
    assert black(painting.cwd / "paired" / "a.png") == 16
    assert by_input["in/b.png"]["error"]["message"] == "there is no file masks/b.png"
    done = painting("map", "fill", "in", "lacking")
    assert done.code == 2
    assert "fill takes a mask with each file; give --mask a file for all of them" in done.error


def test_a_result_is_made_anew_where_its_mask_or_its_plugin_changed(painting, tmp_path):
    assert painting("map", "fill", "in", "out", "--mask", "mask.png").code == 0
    lines = [json.loads(line) for line in (painting.cwd / "out" / "gansdk-map.jsonl").read_text().splitlines()]
    assert {line["task"] for line in lines} == {"fill of gansdk-plugin-painter 1.0"}
    again = painting("map", "fill", "in", "out", "--mask", "mask.png", "--continue")
    assert "0 done, 2 whole already" in again.err
    write_mask(painting.cwd / "mask.png", columns=6)
    again = painting("map", "fill", "in", "out", "--mask", "mask.png", "--continue")
    assert "2 done (2 of them anew: 2 since their inputs changed)" in again.err
    write_distribution(tmp_path / "newer", "gansdk-plugin-painter", None, module="painter", version="1.1")
    newer = dataclasses.replace(painting, path=(tmp_path / "newer", *painting.path[1:]))
    again = newer("map", "fill", "in", "out", "--mask", "mask.png", "--continue")
    assert "2 done (2 of them anew: 2 since the task changed)" in again.err


def test_a_medium_of_a_plugin_goes_everywhere(painting):
    done = painting("run", "shout", "letters/one.txt", "-o", "-")
    assert (done.code, done.out) == (0, "DEAR\n"), done.err
    assert painting("run", "shout", "-", "-o", "x.txt", stdin="ä\n".encode("latin-1")).code == 1
    assert (
        painting("run", "shout", "-", "-o", "x.txt", "--encoding", "latin-1", stdin="ä\n".encode("latin-1")).code == 0
    )
    assert (painting.cwd / "x.txt").read_text() == "Ä\n"
    done = painting("map", "shout", "letters", "loud", "--json")
    assert [record["output"] for record in done.records] == ["loud/one.txt", "loud/two.txt"]
    assert (painting.cwd / "loud" / "two.txt").read_text() == "FRIEND\n"
    assert painting("run", "shout", "letters/one.txt", "-o", "x.png").code == 2


def test_a_result_of_another_type_ends_its_item_in_one_line(painting):
    done = painting("run", "wrong", "letters/one.txt", "letters/two.txt")
    assert done.code == 1
    said = "wrong gave int as its output 'text', which is a text; tell the author of the task's plugin"
    assert done.err.count(said) == 2
    assert "Traceback" not in done.err


@pytest.fixture
def fill(tmp_path):
    tiny.write(tmp_path / "model")
    return Pipeline(painter.FILL, ResolvedModel.at(tmp_path / "model", tiny.METHOD), LoadOptions(device="cpu"))


def photo(width=16, height=8):
    return np.full((height, width, 3), 200, np.uint8)


def test_python_takes_a_mask_as_a_path_an_image_an_array_or_a_tensor(fill, tmp_path):
    write_mask(tmp_path / "mask.png")
    grey = holes().astype(np.uint8) * 255
    wanted = holes()
    mask = Mask(wanted)
    for given in (
        tmp_path / "mask.png",
        PILImage.fromarray(grey),
        Image.from_array(grey),
        wanted,
        grey,
        wanted.astype(np.float32),
        mask,
        mask.to_tensor()[0],
    ):
        image = fill(photo(), mask=given)["image"]
        assert np.array_equal((image.pixels == 0).all(axis=2), wanted)
    first, second = fill([photo(), photo()], mask=mask)
    assert first["report"] == second["report"] == {"holes": 32, "caption": None}
    assert fill(photo(), mask, caption=b"hello")["report"]["caption"] == "hello"


def test_alpha_polarity_and_threshold(fill):
    alpha = np.dstack([photo(), np.where(holes(), 0, 255).astype(np.uint8)])
    count = lambda given, **options: fill(photo(), mask=given, **options)["report"]["holes"]  # noqa: E731
    assert count(alpha) == 32
    assert count(alpha, mask_invert=True) == 128 - 32
    soft = np.where(holes(), 100, 20).astype(np.uint8)
    assert count(soft, mask_threshold=0.3) == 32
    with pytest.raises(InputError, match="is of one value and has no hole"):
        count(soft)
    with pytest.raises(InputError, match="has no alpha"):
        count(soft, mask_from="alpha")
    with pytest.raises(InputError, match="is a hole everywhere"):
        count(np.ones((8, 16), bool))


def test_a_mask_of_another_size_or_in_colours_is_refused(fill):
    large = Mask(holes(32, 16, 1), "large.png")
    with pytest.raises(InputError, match=r"large\.png has 32×16 pixels, the given array 16×8; .*mask_resize"):
        fill(photo(), mask=large)
    assert fill(photo(), mask=large, mask_resize=True)["report"]["holes"] == 8
    coloured = photo()
    coloured[:, :8] = (255, 0, 0)
    with pytest.raises(InputError, match="has colours"):
        fill(photo(), mask=coloured)


def test_slots_are_given_once_and_all_that_are_needed(fill):
    with pytest.raises(OptionError, match="fill takes photo, mask, caption; 1 given"):
        fill(photo())
    with pytest.raises(OptionError, match="mask is given twice"):
        fill(photo(), holes(), mask=holes())


def test_python_says_of_a_result_of_another_type_what_was_declared(tmp_path):
    tiny.write(tmp_path / "model")
    resolved = ResolvedModel.at(tmp_path / "model", tiny.METHOD)
    with pytest.raises(WrongResultError, match="wrong gave int as its output 'text', which is a text"):
        Pipeline(painter.WRONG, resolved, LoadOptions(device="cpu"))(b"abc")
