"""``traverse``: one code swept while all else stays."""

from __future__ import annotations

import numpy as np
import pytest
import sketch

from gansdk import Code, Direction, Facts, LatentGeneratorFacts, LatentSource, write_directions
from gansdk.errors import OptionError
from gansdk.options import validate
from gansdk.tasks.generate import GENERATE
from gansdk.tasks.traverse import TRAVERSE, TraverseOptions, check, count, extent, unsupported_reason


@pytest.fixture
def traverse(sketched):
    return sketched(TRAVERSE)


def test_a_latent_that_cannot_be_drawn_does_not_fit():
    coded = LatentGeneratorFacts(source=LatentSource(variables=(Code(name="z", n=2),)), output=sketch.IMAGE)
    assert unsupported_reason(sketch.FACTS) is None
    assert unsupported_reason(Facts()) == "it has no generator"
    assert unsupported_reason(Facts(generator=coded)) == "its latent has a part without a distribution to draw it from"


def test_a_category_goes_through_all_its_values_in_each_sample(traverse, sketched):
    gallery = traverse(code="class", rows=4, seed=3)
    assert (gallery.rows, gallery.columns) == (4, 3)
    assert gallery.arrays["class"].tolist() == [0, 1, 2] * 4
    assert gallery.column_labels == ["zero", "one", "two"]
    drawn = sketched(GENERATE)(n=4, seed=3, set={"class": 1})
    np.testing.assert_array_equal(gallery.pixels[1::3], drawn.pixels)


def test_numbers_go_from_start_to_stop_and_nothing_else_moves(traverse):
    gallery = traverse(code="style.1", start=-1, stop=3, steps=5, rows=2)
    np.testing.assert_allclose(gallery.arrays["style"][:, 1], [-1, 0, 1, 2, 3] * 2)
    for name, still in (("noise", gallery.arrays["noise"]), ("style", gallery.arrays["style"][:, :1])):
        assert (still[:5] == still[0]).all(), name
        assert (still[5:] == still[5]).all(), name
        assert (still[0] != still[5]).any(), name
    assert gallery.column_labels == ["-1", "0", "1", "2", "3"]
    assert gallery.corner == "style.1"


@pytest.mark.parametrize(("code", "low", "high"), [("style.0", -1, 1), ("noise.2", -2, 2)])
def test_a_sweep_stays_by_itself_where_the_model_was_trained(traverse, code, low, high):
    gallery = traverse(code=code, rows=1)
    name, index = code.split(".")
    swept = gallery.arrays[name][:, int(index)]
    np.testing.assert_allclose(swept, np.linspace(low, high, 11), atol=1e-6)


def test_two_codes_leave_no_rows_to_choose(traverse):
    with pytest.raises(OptionError, match="rows are the values of the first of two codes"):
        traverse(code="class,style.0", rows=2)


@pytest.mark.parametrize("codes", ["class, style.0", ["class", "style.0"], ("class", "style.0")])
def test_two_codes_are_rows_and_columns_of_one_sample(traverse, codes):
    gallery = traverse(code=codes, steps=3)
    assert (gallery.rows, gallery.columns) == (3, 3)
    assert gallery.arrays["class"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    np.testing.assert_allclose(gallery.arrays["style"][:, 0], [-1, 0, 1] * 3)
    assert len(np.unique(gallery.arrays["noise"], axis=0)) == 1
    assert (gallery.row_labels, gallery.column_labels) == (["zero", "one", "two"], ["-1", "0", "1"])


def test_another_code_is_held(traverse):
    gallery = traverse(code="style.0", set={"class": "two", "style.1": 0.5})
    assert (gallery.arrays["class"] == 2).all()
    assert (gallery.arrays["style"][:, 1] == 0.5).all()


SMILE = Direction(name="smile", unit="of a standard deviation", sweep=(-1, 2))
TILT = Direction(name="tilt", unit="of ten degrees")
VECTORS = {"smile": {"noise": [1.0, 0, 0, -1], "style": [0.5, 0]}, "tilt": {"style": [0, 1.0]}}


@pytest.fixture
def directed(traverse, sketched):
    """The same model with two directions."""
    write_directions(traverse.resolved.folder, [SMILE, TILT], VECTORS)
    return sketched(TRAVERSE)


def test_a_direction_moves_each_sample_from_where_it_was_drawn(directed, sketched):
    gallery = directed(code="smile", steps=4, rows=2, seed=3)
    drawn = sketched(GENERATE)(n=2, seed=3).arrays
    for name, vector in VECTORS["smile"].items():
        far = np.array([-1, 0, 1, 2] * 2)[:, None] * np.array(vector)
        np.testing.assert_allclose(gallery.arrays[name], drawn[name].repeat(4, 0) + far, atol=1e-6)
    assert gallery.arrays["class"].tolist() == drawn["class"].repeat(4).tolist()
    assert (gallery.column_labels, gallery.corner) == (["-1", "0", "1", "2"], "smile")
    chosen = directed(code="smile", start=0, stop=0.5, steps=2, rows=1)
    assert chosen.column_labels == ["0", "0.5"]


def test_the_middle_of_a_direction_is_the_sample_itself(directed, sketched):
    gallery = directed(code="tilt", rows=3)
    drawn = sketched(GENERATE)(n=3)
    np.testing.assert_array_equal(gallery.pixels[5::11], drawn.pixels)  # of 11 steps from -3 to 3, as facts say


def test_two_directions_add_up(directed, sketched):
    gallery = directed(code="smile,tilt", start=-1, stop=1, steps=3)
    drawn = sketched(GENERATE)(n=1).arrays["style"]
    rows, columns = np.repeat([-1, 0, 1], 3)[:, None], np.tile([-1, 0, 1], 3)[:, None]
    expected = drawn + rows * np.array([0.5, 0]) + columns * np.array([0, 1.0])
    np.testing.assert_allclose(gallery.arrays["style"], expected, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [{"code": "class", "rows": 4}, {"code": "style.1", "steps": 7}, {"code": "smile, class", "steps": 4}],
)
def test_how_many_images_there_will_be_is_known_from_the_facts(directed, options):
    facts = directed.resolved.config.facts
    assert count(facts, validate(TraverseOptions, options)) == len(directed(**options))


def test_without_vectors_a_direction_is_held_against_all_but_what_it_moves(directed):
    facts = directed.resolved.config.facts
    check(facts, validate(TraverseOptions, {"code": "smile,style.1"}))
    with pytest.raises(OptionError, match=r"^smile cannot be swept and held, or swept twice"):
        check(facts, validate(TraverseOptions, {"code": "smile,smile"}))


def test_a_direction_goes_with_a_code_that_it_does_not_move(directed):
    gallery = directed(code="class,smile", steps=3)
    assert gallery.arrays["class"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    held = directed(code="tilt", steps=3, rows=1, set={"noise": "0,0,0,0"})
    assert (held.arrays["noise"] == 0).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"code": "smil"}, "did you mean smile"),
        ({"code": "age"}, r"style\.0 to style\.1, and the directions smile, tilt; name one of them"),
        ({"code": "smile.0"}, "there is no code 'smile.0'"),
        ({"code": "smile,smile"}, "smile, which moves noise, style, cannot be swept and held, or swept twice"),
        ({"code": "style.1,smile"}, "smile, which moves noise, style, cannot be"),
        ({"code": "smile,style.1"}, r"style\.1 cannot be swept and held, or swept twice"),
        ({"code": "tilt", "set": {"style.0": 1}}, "tilt, which moves style, cannot be swept and held"),
    ],
)
def test_wrong_directions_are_refused(directed, options, said):
    with pytest.raises(OptionError, match=said):
        directed(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "code is required"),
        ({"code": "tilt"}, "there is no code 'tilt'"),
        ({"code": "style.2"}, r"there is no code 'style\.2'; .*; did you mean style\.0\?$"),
        ({"code": "styl"}, r"there is no code 'styl'; .*; did you mean style\.0\?$"),
        ({"code": "style"}, r"code style is 2 numbers; name one, as style\.0"),
        ({"code": "class", "start": 1}, "class has no start and no stop"),
        ({"code": "a,b,c"}, "neither one code nor two"),
        ({"code": ","}, "neither one code nor two"),
        ({"code": "class,class"}, "class cannot be swept and held, or swept twice"),
        ({"code": "style.0", "set": {"style": "1,2"}}, r"style\.0 cannot be swept and held"),
        ({"code": "style.0", "start": float("inf")}, "start 'inf' is not a finite number"),
        ({"code": "style.0", "steps": 1}, "steps '1' is not one of"),
    ],
)
def test_wrong_options_are_refused(traverse, options, said):
    with pytest.raises(OptionError, match=said):
        traverse(**options)


@pytest.mark.parametrize("call", [{"code": "style.0", "rows": 3}, {"code": "class,style.1", "steps": 13}])
def test_how_large_its_images_will_be_is_known_before(traverse, call):
    options, gallery = TraverseOptions(**call), traverse(**call)
    grid, frames = gallery.grid(), gallery.frames()
    assert extent(sketch.FACTS, options, "image", None) == (grid.width, grid.height)
    wide, high = extent(sketch.FACTS, options, "animation", None)
    assert (wide, high) == (max(frame.width for frame in frames), frames[0].height)
