"""Images brought to what a network takes, by one rule."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as PILImage

from gansdk.errors import InputError
from gansdk.media.image import Image
from gansdk.media.resizing import fit
from gansdk.model.facts import ImageSpec as Taken


def image(height: int, width: int, channels: int, dtype=np.uint8) -> Image:
    numbers = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (height, width, channels), dtype=dtype)
    return Image.from_array(numbers, name="x.png")


def test_what_fits_already_stays_without_a_word():
    notes: list[str] = []
    given = image(28, 28, 1, np.uint16)
    fitted = fit(given, Taken(width=28, height=28, channels=1), notes.append, strict=True)
    np.testing.assert_array_equal(fitted.pixels, given.pixels)
    assert notes == []


def test_colours_become_grey_as_pillow_makes_them():
    given = image(20, 20, 3)
    fitted = fit(given, Taken(width=20, height=20, channels=1), lambda _: None)
    expected = np.asarray(given.to_pil().convert("L"))
    np.testing.assert_allclose(fitted.pixels[:, :, 0].astype(int), expected, atol=1)


def test_grey_becomes_three_equal_channels():
    given = image(9, 9, 1)
    fitted = fit(given, Taken(width=9, height=9, channels=3), lambda _: None)
    np.testing.assert_array_equal(fitted.pixels, np.repeat(given.pixels, 3, axis=2))


@pytest.mark.parametrize(("height", "width"), [(60, 30), (30, 60), (7, 3), (50, 50)])
def test_it_is_resized_to_fit_inside_and_its_edges_are_repeated(height, width):
    notes: list[str] = []
    given = image(height, width, 1)
    fitted = fit(given, Taken(width=20, height=20, channels=1), notes.append).pixels[:, :, 0]
    scale = 20 / max(height, width)
    inner = (round(width * scale), round(height * scale))
    resized = np.asarray(
        PILImage.fromarray(given.pixels[:, :, 0].astype(np.float32)).resize(inner, PILImage.Resampling.BICUBIC)
    )
    left, top = (20 - inner[0]) // 2, (20 - inner[1]) // 2
    middle = fitted[top : top + inner[1], left : left + inner[0]]
    np.testing.assert_allclose(middle, resized.clip(0, 255).round(), atol=1)
    expected = np.pad(middle, ((top, 20 - inner[1] - top), (left, 20 - inner[0] - left)), mode="edge")
    np.testing.assert_array_equal(fitted, expected)
    beside = "" if height == width else ", its edges repeated around it"
    assert notes == [f"x.png: fitted from {width}×{height} into 20×20{beside}"]


def test_what_is_transparent_is_put_on_white():
    notes: list[str] = []
    clear = Image(np.zeros((5, 5, 1), np.uint8), alpha=np.zeros((5, 5), np.uint8), name="x.png")
    fitted = fit(clear, Taken(width=5, height=5, channels=1), notes.append)
    assert (fitted.pixels == 255).all()
    assert fitted.alpha is None
    assert notes[-1] == "x.png: put on white"


EMPTY = "x.png: all of one colour, so what is read off it means nothing"


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 9)])
def test_a_image_of_one_colour_is_said_to_be_empty(colour):
    pixels = np.full((28, 28, 3), colour, np.uint8)
    notes: list[str] = []
    fit(Image(pixels, name="x.png"), Taken(width=28, height=28, channels=3), notes.append, strict=True)
    assert notes == [EMPTY]
    pixels[27, 27, 0] ^= 1
    fit(Image(pixels, name="x.png"), Taken(width=28, height=28, channels=3), notes.append, strict=True)
    assert notes == [EMPTY]


def test_a_shape_in_the_alpha_alone_is_no_empty_image():
    alpha = np.zeros((5, 5), np.uint8)
    notes: list[str] = []
    for row in (2, slice(None)):
        black = Image(np.zeros((5, 5, 1), np.uint8), alpha=alpha.copy(), name="x.png")
        black.alpha[row] = 255
        fit(black, Taken(width=5, height=5, channels=1), notes.append)
    assert notes == ["x.png: put on white", EMPTY]


def test_strict_refuses_any_change_and_says_what_is_taken():
    with pytest.raises(InputError, match=r"the model takes 20×10 pixels, RGB; it is 10×20, grey"):
        fit(image(20, 10, 1), Taken(width=20, height=10, channels=3), lambda _: None, strict=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_ink_on_paper_becomes_light_on_dark_where_that_is_known(dtype):
    top = np.iinfo(dtype).max
    paper = np.full((28, 28, 1), top, dtype)
    paper[10:18, 10:18] = 0
    notes = []
    dark, unknown = Taken(width=28, height=28, channels=1, background="dark"), Taken(width=28, height=28, channels=1)
    np.testing.assert_array_equal(fit(Image(paper), dark, notes.append).pixels, top - paper)
    assert "inverted, to be on a dark background" in notes[0]
    np.testing.assert_array_equal(fit(Image(top - paper), dark, notes.append, strict=True).pixels, top - paper)
    np.testing.assert_array_equal(fit(Image(paper), unknown, notes.append, strict=True).pixels, paper)
    with pytest.raises(InputError, match="grey, on a dark background; it is 28×28, grey, on a light background"):
        fit(Image(paper), dark, notes.append, strict=True)


def test_what_is_transparent_counts_as_paper():
    alpha = np.zeros((8, 8), np.uint8)
    alpha[3:5, 3:5] = 255
    drawn = Image(np.zeros((8, 8, 1), np.uint8), alpha=alpha)
    fitted = fit(drawn, Taken(width=8, height=8, channels=1, background="dark"), lambda _: None).pixels
    assert (fitted[0, 0, 0], fitted[3, 3, 0]) == (0, 255)


@pytest.mark.parametrize("paper", [255, 240, 200, 140])
def test_paper_that_is_not_quite_white_leaves_no_grey(paper):
    drawn = np.full((10, 10, 1), paper, np.uint8)
    drawn[4:6, 4:6] = 0
    fitted = fit(Image(drawn), Taken(width=10, height=10, channels=1, background="dark"), lambda _: None).pixels
    assert fitted[0, 0, 0] == 0
    assert fitted[4, 4, 0] == 255
    back = fit(Image(255 - drawn), Taken(width=10, height=10, channels=1, background="light"), lambda _: None).pixels
    np.testing.assert_array_equal(back, 255 - fitted)
