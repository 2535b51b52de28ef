import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PILImage

from gansdk.media import resizing
from gansdk.media.image import Image
from gansdk.media.resizing import resize, resize_alpha


def weights(before, after):
    """The matrix of an antialiased bicubic resize (a = −0.5) along one side, from the kernel's definition."""
    scale = before / after
    wide = max(scale, 1)
    centres = (np.arange(after) + 0.5) * scale - 0.5
    x = np.abs(np.arange(before)[None] - centres[:, None]) / wide
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    kernel = np.where(x < 1, near, np.where(x < 2, far, 0))
    return kernel / kernel.sum(1, keepdims=True)


def reference(pixels, width, height):
    numbers = np.einsum("yr,rcn->ycn", weights(pixels.shape[0], height), pixels.astype(float))
    numbers = np.einsum("xc,ycn->yxn", weights(pixels.shape[1], width), numbers)
    return np.clip(np.rint(numbers), 0, np.iinfo(pixels.dtype).max)


def noise(shape, dtype, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


sides = st.integers(1, 40)


@settings(deadline=None)
@given(sides, sides, sides, sides, st.sampled_from([1, 3]), st.sampled_from([np.uint8, np.uint16]))
def test_any_size_agrees_with_the_kernels_definition(before_w, before_h, width, height, channels, dtype):
    image = Image(noise((before_h, before_w, channels), dtype))
    result = resize(image, width, height).pixels
    assert result.dtype == dtype
    assert np.abs(result - reference(image.pixels, width, height)).max() <= 1


@pytest.mark.parametrize("size", [(50, 31), (200, 173), (100, 7), (37, 120)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_bands_do_not_show(monkeypatch, size, dtype, channels):
    image = Image.from_array(noise((90, 100, channels), dtype))
    whole = np.asarray(resize(image, *size))
    monkeypatch.setattr(resizing, "_NUMBERS", 700)
    assert len(list(resizing._bands(image.pixels.shape, *size))) > 5
    assert np.abs(np.asarray(resize(image, *size)).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(33, 21), (160, 90)])
def test_what_is_opaque_stays_opaque_exactly(dtype, size):
    peak = np.iinfo(dtype).max
    image = Image(noise((60, 80, 3), dtype), np.full((60, 80), peak, dtype))
    result = resize(image, *size)
    assert (result.alpha == peak).all()
    assert np.array_equal(result.pixels, resize(Image(image.pixels), *size).pixels)
    alpha = image.alpha.copy()
    alpha[:, :40] = 0
    half = resize(image.replace(alpha=alpha), *size).alpha
    beyond = round(size[0] / 2) + 5
    assert (half[:, beyond:] == peak).all()
    assert (half[:, : size[0] - beyond] == 0).all()
    assert (resize_alpha(alpha, *size)[:, beyond:] == peak).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(20, 14), (90, 70)])
def test_hidden_colours_do_not_reach_visible_ones(dtype, size):
    peak = np.iinfo(dtype).max
    pixels = np.full((30, 40, 3), peak // 4, dtype)
    alpha = np.zeros((30, 40), dtype)
    alpha[8:22, 10:30] = peak
    pixels[alpha == 0] = peak
    result = resize(Image(pixels, alpha), *size)
    shown = result.alpha > peak // 20
    assert shown.any()
    assert np.abs(result.pixels[shown].astype(int) - peak // 4).max() <= 1 + peak // 4000


def test_alpha_on_its_own():
    alpha = noise((30, 40), np.uint8)
    assert np.array_equal(resize_alpha(alpha, 80, 60), resize(Image(alpha[:, :, None]), 80, 60).pixels[:, :, 0])
    assert resize_alpha(alpha, 40, 30) is alpha
    assert (resize_alpha(np.full((3, 4), 77, np.uint16), 9, 9) == 77).all()


def test_the_same_size_is_the_same_image_and_the_rest_travels():
    image = Image(noise((3, 4, 3), np.uint8), icc=b"i", exif=b"e", name="n")
    assert resize(image, 4, 3) is image
    other = resize(image, 8, 6)
    assert (other.icc, other.exif, other.name, other.width, other.height) == (b"i", b"e", "n", 8, 6)


# --- hard edges of alpha ----------------------------------------------------------------------------------------


def outline(kind, size, finer):
    """How much of each pixel a shape covers, by counting ``finer``² points in it; the shape is 96 pixels wide."""
    at = (np.arange(size * finer) + 0.5) * 96 / (size * finer)
    x, y = at[None, :], at[:, None]
    if kind == "disc":
        inside = (x - 47.7) ** 2 + (y - 45.1) ** 2 < 33.4**2
    elif kind == "slope":
        inside = y > 40 + 0.21 * x
    else:
        inside = (np.abs(x - 20 - 0.3 * y) < 0.6) | (np.abs(y - 70) < 0.6)  # lines of about a pixel
    return 255 * inside.reshape(size, finer, size, finer).mean((1, 3))


def distance(kind, alpha):
    return np.sqrt(np.mean((alpha - outline(kind, alpha.shape[0], 8)) ** 2))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize(("kind", "most"), [("disc", 0.9), ("slope", 0.9), ("lines", 1.06)])
def test_hard_edges_of_alpha_come_out_smooth(kind, most, factor, dtype):
    hard = np.where(outline(kind, 96, 16) >= 127.5, 255, 0).astype(np.uint8)
    kernel = np.asarray(
        PILImage.fromarray(hard.astype(np.float32)).resize((96 * factor,) * 2, PILImage.Resampling.BICUBIC)
    )
    scale = np.iinfo(dtype).max // 255
    ours = resize_alpha(hard.astype(dtype) * dtype(scale), 96 * factor, 96 * factor) / scale
    assert distance(kind, ours) < most * distance(kind, kernel.clip(0, 255))
    assert ours[hard.repeat(factor, 0).repeat(factor, 1) == 255].min() > 50  # nothing is gone
    assert {0, 255} <= set(np.unique(ours))


def test_hard_edges_in_bands_are_those_of_the_whole(monkeypatch):
    hard = np.where(np.random.default_rng(3).random((90, 70)) < 0.7, 255, 0).astype(np.uint8)
    hard[20:60, 10:50] = 255
    whole = resize_alpha(hard, 210, 270)
    monkeypatch.setattr(resizing, "_NUMBERS", 2000)
    assert np.array_equal(resize_alpha(hard, 210, 270), whole)


def test_soft_edges_and_smaller_masks_go_by_the_kernel_alone():
    soft = np.zeros((20, 20), np.uint8)
    soft[5:15, 5:15], soft[5, 5] = 255, 254
    for alpha, size in ((soft, 40), (np.where(soft > 0, 255, 0).astype(np.uint8), 10)):
        expected = PILImage.fromarray(alpha.astype(np.float32)).resize((size, size), PILImage.Resampling.BICUBIC)
        assert np.abs(resize_alpha(alpha, size, size) - np.asarray(expected).clip(0, 255)).max() <= 0.51
