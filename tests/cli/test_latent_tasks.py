"""``generate`` and ``traverse`` through the installed command, for a plugin that brings networks and nothing else."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sketch
from dists import write_distribution
from PIL import Image as PILImage

import gansdk

if TYPE_CHECKING:
    from command import Gansdk

SUPPORT = Path(sketch.__file__).parent


@pytest.fixture
def with_sketch(tmp_path, gansdk) -> Gansdk:
    """The command with a plugin of a decoder and an encoder, and a model of it in ./model."""
    write_distribution(tmp_path / "plugin", "gansdk-plugin-sketch", None, module="sketch")
    sketch.write(gansdk.cwd / "model")
    return dataclasses.replace(gansdk, path=(tmp_path / "plugin", SUPPORT))


def test_a_grid_arrays_and_single_files_of_the_same_samples(with_sketch):
    for output in ("grid.png", "kept.npz", "many/"):
        done = with_sketch("run", "generate", "-m", "./model", "-n", "5", "--set", "class=two", "-o", output)
        assert (done.code, done.out) == (0, "")
    with np.load(with_sketch.cwd / "kept.npz") as kept:
        assert kept["class"].tolist() == [2] * 5
        pixels = kept["pixels"]
    assert sorted(path.name for path in (with_sketch.cwd / "many").iterdir()) == [f"00000{at}.png" for at in range(5)]
    with PILImage.open(with_sketch.cwd / "many" / "000003.png") as image:
        np.testing.assert_array_equal(np.asarray(image), pixels[3, :, :, 0])
        assert "gansdk" in image.info["Software"]
    with PILImage.open(with_sketch.cwd / "grid.png") as image:
        assert image.width > 3 * 56


def test_kept_latents_make_the_same_bytes_again(with_sketch):
    for line in (("-n", "4", "--seed", "3", "-o", "a.npz"), ("--latents", "a.npz", "-o", "b.npz")):
        assert with_sketch("run", "generate", "-m", "./model", *line).code == 0
    assert (with_sketch.cwd / "a.npz").read_bytes() == (with_sketch.cwd / "b.npz").read_bytes()


def test_without_an_output_the_grid_is_called_like_the_task(with_sketch):
    done = with_sketch("run", "generate", "-m", "./model", "--json")
    assert [record["output"] for record in done.records] == ["generate.png"]
    assert "exists already" in with_sketch("run", "generate", "-m", "./model").error


def test_a_folder_that_holds_some_of_them_is_left_alone(with_sketch):
    (with_sketch.cwd / "many").mkdir()
    (with_sketch.cwd / "many" / "000002.png").write_text("mine")
    done = with_sketch("run", "generate", "-m", "./model", "-n", "4", "-o", "many/")
    assert done.code == 1
    assert "000002.png exists already" in done.err
    assert [path.name for path in (with_sketch.cwd / "many").iterdir()] == ["000002.png"]


def test_a_sweep_is_a_grid_or_an_animation(with_sketch):
    for output in ("sweep.png", "sweep.webp", "sweep.gif"):
        done = with_sketch("run", "traverse", "-m", "./model", "--code", "style.0", "--rows", "2", "-o", output)
        assert (done.code, done.out) == (0, "")
    with PILImage.open(with_sketch.cwd / "sweep.webp") as image:
        assert image.n_frames == 2 * 11 - 2
    assert with_sketch("run", "traverse", "-m", "./model", "--code", "class", "-o", "c.png").code == 0


def test_a_format_is_as_good_as_an_ending(with_sketch):
    sweep = ("run", "traverse", "-m", "./model", "--code", "style.0", "--rows", "2")
    assert with_sketch(*sweep, "-o", "ended.gif").code == 0
    (with_sketch.cwd / "out").mkdir()
    for given, written in ((("-o", "out/"), "out/traverse.gif"), ((), "traverse.gif"), (("-o", "plain"), "plain")):
        assert with_sketch(*sweep, "--format", "gif", *given).code == 0
        assert (with_sketch.cwd / written).read_bytes() == (with_sketch.cwd / "ended.gif").read_bytes()
    assert with_sketch("run", "generate", "-m", "./model", "-n", "3", "--format", "npz").code == 0
    with np.load(with_sketch.cwd / "generate.npz") as kept:
        assert len(kept["pixels"]) == 3
    refused = with_sketch(*sweep, "--format", "gif", "-o", "x.png")
    assert (refused.code, "x.png ends in .png, but --format is gif" in refused.err) == (2, True)
    assert "png|jpg|webp|tiff|gif|npz" in with_sketch("run", "traverse", "--help").out


def test_a_code_held_far_from_all_training_is_noted_once(with_sketch):
    (with_sketch.cwd / "many").mkdir()
    note = "style.0=50 lies outside -2 to 2, the range in which its meaning is known; the model was trained on -1 to 1"
    far = ("-m", "./model", "--set", "style.0=50")
    for line in (("generate", "-n", "300", "-o", "many/"), ("traverse", "--code", "class", "-o", "c.png")):
        done = with_sketch("run", *line, *far)
        assert (done.code, done.err.splitlines().count(note)) == (0, 1)
        assert ("300 images done in " in done.err) == (line[0] == "generate")
    assert "style" not in with_sketch("run", "generate", "-m", "./model", "--set", "style.0=-2").err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("generate", "--set", "clas=1"), "there is no code 'clas'; this model has"),
        (("generate", "--set", "class=7"), "class takes one of zero (0), one (1), two (2)"),
        (("generate", "--set", "class=1", "--set", "class=2"), "--set names 'class' twice"),
        (("generate", "-n", "0"), "-n '0' is not one of 1..1000000"),
        (("generate", "-n", "0", "-o", "many/"), "-n '0' is not one of 1..1000000"),
        (
            ("generate", "-n", "1000000", "-o", "x.png"),
            "1000000 images of 8×10 are too many for one grid, which holds",
        ),
        (("generate", "-o", "x.gif"), "does not end in a format"),
        (("traverse",), "--code is required"),
        (("traverse", "--code", "style"), "name one, as style.0"),
        (("generate", "photo.jpg"), "unexpected extra argument(s) (photo.jpg)"),
    ],
)
def test_what_is_wrong_with_the_call_is_said_in_one_line(with_sketch, line, said):
    done = with_sketch("run", line[0], "-m", "./model", *line[1:])
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert not list(with_sketch.cwd.glob("*.*"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("generate", "--set", "clas=1"), "there is no code 'clas'"),
        (("generate", "--set", "class=twoo"), "class takes one of zero (0), one (1), two (2); did you mean two?"),
        (("traverse", "--code", "clas"), "did you mean class?"),
        (("traverse", "--code", "style.0", "--set", "style.0=1"), "style.0 cannot be swept and held"),
        (("encode", "photo.png", "--variable", "stile"), "there is no variable 'stile'; did you mean style?"),
        (
            ("traverse", "--code", "style.0", "--steps", "1000", "--rows", "1000"),
            "1000000 images of 8×10 are too many for one grid, which holds 16070; "
            "write arrays with -o FILE.npz, or ask for fewer",
        ),
        (
            ("encode", "photo.png", "-o", "read.csv"),
            "read.csv does not end in a format that can be written; "
            "end it in .jsonl, .json, .npz, or give --format jsonl|npz",
        ),
        (
            ("encode", "photo.png", "-o", "read.npz", "--format", "jsonl"),
            "read.npz ends in .npz, but --format is jsonl",
        ),
        (("generate", "-n", "20000"), "write single files with -o FOLDER/, or ask for fewer"),
        (
            ("generate", "-n", "500", "--columns", "500", "-o", "x.webp"),
            "pixels are too many for webp, which ends at 16383 a side; write png, tiff or jpg, or ask for fewer",
        ),
    ],
)
def test_what_the_facts_show_to_be_wrong_is_said_before_weights_are_read(with_sketch, line, said):
    PILImage.new("L", (8, 10)).save(with_sketch.cwd / "photo.png")
    (with_sketch.cwd / "model" / "model.safetensors").write_bytes(b"no weights")
    done = with_sketch("run", line[0], "-m", "./model", *line[1:])
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    if "--variable" in line:
        (with_sketch.cwd / "folder").mkdir()
        done = with_sketch("map", "encode", "folder", "out", "-m", "./model", *line[2:])
        assert (done.code, said in done.err) == (2, True)


def test_a_sweep_too_large_for_a_grid_can_be_had_as_arrays(with_sketch):
    line = ("traverse", "-m", "./model", "--code", "style.0", "--steps", "170", "--rows", "100")
    assert with_sketch("run", *line).code == 2
    assert with_sketch("run", *line, "-o", "swept.npz").code == 0
    with np.load(with_sketch.cwd / "swept.npz") as kept:
        assert len(kept["pixels"]) == 17_000


def test_a_stored_direction_is_swept_by_its_name(with_sketch):
    smile = gansdk.Direction(name="smile", unit="of a standard deviation", sweep=(-1, 2))
    kept = with_sketch("run", "generate", "-m", "./model", "-n", "1", "-o", "before.npz")
    gansdk.write_directions(with_sketch.cwd / "model", [smile], {"smile": {"style": [0.0, 2.0]}})
    done = with_sketch("run", "traverse", "-m", "./model", "--code", "smile", "--steps", "4", "-o", "smile.npz")
    assert (kept.code, done.code, done.out) == (0, 0, "")
    with np.load(with_sketch.cwd / "smile.npz") as moved, np.load(with_sketch.cwd / "before.npz") as drawn:
        np.testing.assert_allclose(moved["style"][:4, 1], drawn["style"][0, 1] + [-2, 0, 2, 4], atol=1e-6)
    again = with_sketch("run", "generate", "-m", "./model", "--latents", "before.npz", "-o", "after.npz")
    assert again.code == 0
    assert (with_sketch.cwd / "before.npz").read_bytes() == (with_sketch.cwd / "after.npz").read_bytes()
    shown = with_sketch("models", "show", "./model").out
    assert "generator.directions: smile (-1 to 2, steps of a standard deviation)" in shown
    unknown = with_sketch("run", "traverse", "-m", "./model", "--code", "age")
    assert (unknown.code, unknown.out) == (2, "")
    assert "there is no code 'age'; this model has noise.0 to noise.3, class (0 to 2)" in unknown.err
    assert "and the direction smile" in unknown.err
    (with_sketch.cwd / "model" / "directions.safetensors").unlink()
    broken = with_sketch("run", "traverse", "-m", "./model", "--code", "smile")
    assert (broken.code, broken.out) == (1, "")
    assert broken.err.endswith("gansdk: model lacks directions.safetensors; get the model again\n")


def test_a_model_without_a_latent_is_refused_with_the_reason(with_kinds, model):
    done = with_kinds("run", "traverse", "-m", "./model", "--code", "class")
    assert done.code == 2
    assert "cannot do traverse: its generator does not start from a latent" in done.error


def test_a_latent_of_another_model_is_refused(with_sketch):
    sketch.write(with_sketch.cwd / "other", seed=1)
    assert with_sketch("run", "generate", "-m", "./model", "-o", "kept.npz").code == 0
    done = with_sketch("run", "generate", "-m", "./other", "--latents", "kept.npz", "-o", "x.png")
    assert done.code == 2
    assert "latents of another generator" in done.err


@pytest.fixture
def digits(with_sketch):
    """A folder of three images in two folders, and one that is none."""
    folder = with_sketch.cwd / "digits"
    (folder / "more").mkdir(parents=True)
    for at, name in enumerate(("a.png", "b.png", "more/c.png")):
        pixels = np.random.default_rng(at).integers(0, 256, (10, 8), dtype=np.uint8)
        PILImage.fromarray(pixels).save(folder / name)
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def test_images_are_read_as_lines_of_json_or_arrays(with_sketch, digits):
    inputs = ("digits/a.png", "digits/b.png", "digits/more/c.png")
    done = with_sketch("run", "encode", "-m", "./model", *inputs)
    assert done.code == 0
    assert [record["input"] for record in done.records] == list(inputs)
    assert done.records[0]["class"]["label"] in {"zero", "one", "two"}
    assert all(list(record) == ["input", "class", "style"] for record in done.records)
    assert re.search(r"digits/a\.png: class (zero|one|two)( or \w+)*: \.\d\d", done.err)
    (asked,) = with_sketch("run", "encode", "-m", "./model", inputs[0], "--variable", "features", "--json").records
    assert len(asked["features"]) == 5
    assert with_sketch("run", "encode", "-m", "./model", *inputs, "-o", "read.npz").code == 0
    with np.load(with_sketch.cwd / "read.npz") as kept:
        assert kept["input"].tolist() == list(inputs)
        assert kept["features"].shape == (3, 5)
        expected = [record["class"]["probabilities"] for record in done.records]
        np.testing.assert_array_equal(kept["class.probabilities"], np.array(expected, np.float32))


def test_a_broken_image_does_not_stop_the_batch_that_it_is_in(with_sketch, digits):
    done = with_sketch("run", "encode", "-m", "./model", "digits/a.png", "digits/broken.png", "digits/b.png", "--json")
    assert done.code == 1
    assert [("error" in record, record["input"]) for record in done.records] == [
        (False, "digits/a.png"),
        (True, "digits/broken.png"),
        (False, "digits/b.png"),
    ]


@pytest.mark.parametrize("kind", ["jsonl", "npz"])
def test_a_folder_is_read_into_one_file(with_sketch, digits, kind):
    done = with_sketch("map", "encode", "digits", "out", "-m", "./model", "--format", kind, "--batch", "2")
    assert done.code == 1  # of the broken one
    path = with_sketch.cwd / "out" / f"encode.{kind}"
    if kind == "npz":
        with np.load(path) as kept:
            names = kept["input"].tolist()
    else:
        names = [json.loads(line)["input"] for line in path.read_text().splitlines()]
    assert names == ["a.png", "b.png", "more/c.png"]


def test_another_size_is_noted_and_strictly_refused(with_sketch):
    PILImage.new("RGB", (30, 30), "white").save(with_sketch.cwd / "large.png")
    done = with_sketch("run", "encode", "-m", "./model", "large.png")
    assert "large.png: made grey, fitted from 30×30 into 8×10, its edges repeated around it" in done.err
    done = with_sketch("run", "encode", "-m", "./model", "large.png", "--strict")
    assert (done.code, done.out) == (1, "")
    assert "the model takes 8×10 pixels, grey" in done.err


def test_an_empty_image_is_read_and_said_to_be_empty(with_sketch):
    PILImage.new("L", (8, 10), 77).save(with_sketch.cwd / "blank.png")
    done = with_sketch("run", "encode", "-m", "./model", "blank.png", "--json")
    assert (done.code, len(done.records)) == (0, 1)
    assert "blank.png: all of one colour, so what is read off it means nothing" in done.err


def test_a_models_codes_are_shown_in_words(with_sketch):
    words = with_sketch("models", "show", "./model").out
    assert "generator.source.variables: noise (4 noise), class (zero, one, two), style (2 continuous)" in words
    assert "encoder.variables: class (zero, one, two), style (2 continuous), features (5 features)" in words
