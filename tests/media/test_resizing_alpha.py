import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PILImage

from gansdk.media.image import Image
from gansdk.media.resizing import bleed, flatten


def disc(dtype=np.uint8, size=(61, 47)):
    """A grey disc on nothing, with garbage under the nothing."""
    peak = np.iinfo(dtype).max
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    alpha = np.where(np.hypot(rows - 20, columns - 25) < 12, peak, 0).astype(dtype)
    pixels = np.where(alpha[:, :, None] > 0, peak // 2, 0).astype(dtype).repeat(3, 2)
    pixels[alpha == 0] = [peak, 0, peak]
    return Image(pixels, alpha)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_hidden_pixels_take_visible_colours_and_nothing_else_changes(dtype):
    before = disc(dtype)
    after = bleed(before)
    assert np.array_equal(after.alpha, before.alpha)
    assert (after.pixels == np.iinfo(dtype).max // 2).all()
    assert after.pixels.dtype == dtype
    assert (before.pixels[before.alpha == 0] != after.pixels[before.alpha == 0]).any()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_visible_colours_stay_and_hidden_ones_stay_within_them(width, height, seed):
    random = np.random.default_rng(seed)
    alpha = (random.integers(0, 256, (height, width)) * (random.random((height, width)) < 0.2)).astype(np.uint8)
    before = Image(random.integers(0, 256, (height, width, 3), np.uint8), alpha)
    after = bleed(before)
    shown = alpha > 0
    assert np.array_equal(after.pixels[shown], before.pixels[shown])
    if shown.any():
        for channel in range(3):
            visible = before.pixels[shown][:, channel]
            assert after.pixels[:, :, channel].min() >= visible.min()
            assert after.pixels[:, :, channel].max() <= visible.max()


def test_a_hidden_pixel_takes_the_block_around_it():
    pixels = np.zeros((2, 4, 1), np.uint8)
    alpha = np.array([[255, 0, 0, 51], [0, 0, 0, 255]], np.uint8)
    pixels[:, :, 0] = [[10, 99, 99, 20], [99, 99, 99, 80]]
    after = bleed(Image(pixels, alpha)).pixels[:, :, 0]
    assert after.tolist() == [[10, 10, 70, 20], [10, 10, 70, 80]]  # 70 = (20 · 51 + 80 · 255) / 306


def test_without_hidden_pixels_nothing_is_done():
    opaque = Image(np.zeros((2, 2, 3), np.uint8))
    assert bleed(opaque) is opaque
    faint = opaque.replace(alpha=np.full((2, 2), 1, np.uint8))
    assert bleed(faint) is faint
    hidden = opaque.replace(alpha=np.zeros((2, 2), np.uint8))
    assert bleed(hidden).pixels.max() == 0


@pytest.mark.parametrize("colour", ["white", "#ffcc00", "black", "rgb(1,2,3)"])
@pytest.mark.parametrize("channels", [1, 3])
def test_flattening_agrees_with_pillow(colour, channels):
    random = np.random.default_rng(0)
    image = Image(
        random.integers(0, 256, (20, 30, channels), np.uint8), random.integers(0, 256, (20, 30), np.uint8), icc=b"x"
    )
    flat = flatten(image, colour)
    behind = PILImage.new("RGBA", (30, 20), colour)
    expected = np.asarray(PILImage.alpha_composite(behind, image.to_pil().convert("RGBA")).convert("RGB")).astype(int)
    assert np.abs(flat.pixels.astype(int) - expected).max() <= 1
    assert flat.alpha is None
    is_grey = channels == 1 and colour in {"white", "black"}
    assert flat.pixels.shape[2] == (1 if is_grey else 3)
    assert flat.icc == (image.icc if flat.pixels.shape[2] == channels else None)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_flattening_is_exact_at_both_ends(dtype):
    peak = int(np.iinfo(dtype).max)
    pixels = np.array([[[5, 6, 7], [5, 6, 7], [0, 0, 0]]], dtype)
    image = Image(pixels, np.array([[peak, 0, peak // 3]], dtype))
    flat = flatten(image, "#ff0080").pixels[0].tolist()
    scale = peak // 255
    assert flat[0] == [5, 6, 7]
    assert flat[1] == [peak, 0, 128 * scale]
    assert flat[2] == [round(peak * 2 / 3), 0, round(128 * scale * 2 / 3)]
    opaque = image.replace(alpha=np.full((1, 3), peak, dtype))
    assert flatten(opaque, "red").pixels is pixels
    assert flatten(flatten(opaque, "red"), "red").alpha is None
