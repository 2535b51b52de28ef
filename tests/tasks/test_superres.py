"""superres on every kind of image, and the sizes that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as PILImage

from gansdk import Facts, Image, ImageGeneratorFacts, ImageOutput, ImageSource, Model
from gansdk.errors import InputError
from gansdk.models.context import Context
from gansdk.options import split
from gansdk.tasks.superres import SuperresOptions, run, unsupported_reason

FACTS = Facts(generator=ImageGeneratorFacts(source=ImageSource(), output=ImageOutput(scale=4), receptive_field=0))


class Repeating:
    """Enlarges by repeating pixels, so that every expected value is known."""

    def generate(self, source):
        return source["image"].repeat_interleave(4, 2).repeat_interleave(4, 3)


def sharpen(image, **options):
    (call,) = split([SuperresOptions], options)
    return run(Model(FACTS, generator=Repeating()), {"photo": image}, call, Context())


def array(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(2)
    return random.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype=dtype, endpoint=True)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_kind_and_bits_stay(channels, dtype):
    pixels = array(5, 7, channels, dtype)
    result = sharpen(Image.from_array(pixels))
    assert result.pixels.dtype == dtype
    assert np.array_equal(result.pixels, pixels.repeat(4, 0).repeat(4, 1))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (400, 240)),
        ({"scale": 2}, (200, 120)),
        ({"scale": 1.5}, (150, 90)),
        ({"scale": 6}, (600, 360)),
        ({"longest": 333}, (333, 200)),
        ({"size": "90x90"}, (90, 90)),
        ({"scale": 0.001}, (1, 1)),
    ],
)
def test_sizes(options, expected):
    result = sharpen(Image.from_array(array(60, 100)), **options)
    assert (result.width, result.height) == expected


def test_a_smaller_size_is_an_antialiased_resize_of_the_networks_result():
    pixels = array(20, 30)
    result = sharpen(Image.from_array(pixels), scale=1).pixels.astype(int)
    assert np.abs(result - pixels).mean() < 30  # aliasing would keep it exact, blur far away
    flat = np.full((20, 30, 3), 77, np.uint8)
    assert np.array_equal(sharpen(Image.from_array(flat), scale=2).pixels, np.full((40, 60, 3), 77, np.uint8))


def test_what_is_opaque_stays_exactly_opaque():
    alpha = np.full((9, 9), 255, np.uint8)
    image = Image.from_array(array(9, 9)).replace(alpha=alpha)
    for scale in (4, 2, 3.3):
        assert (sharpen(image, scale=scale).alpha == 255).all()


def test_colours_that_nobody_sees_leave_no_rim():
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[..., 1] = 255  # garish green under what is transparent
    pixels[10:30, 10:30] = (200, 30, 30)
    alpha = np.zeros((40, 40), np.uint8)
    alpha[10:30, 10:30] = 255
    result = sharpen(Image.from_array(pixels).replace(alpha=alpha), scale=3)
    seen = result.alpha > 0
    assert seen.any()
    assert result.pixels[seen][:, 1].max() <= 34  # none of the green


def test_a_transparent_image_keeps_its_shape():
    alpha = np.zeros((20, 20), np.uint8)
    alpha[:, :10] = 255
    result = sharpen(Image.from_array(array(20, 20)).replace(alpha=alpha))
    assert (result.alpha[:, :36] == 255).all()
    assert (result.alpha[:, 44:] == 0).all()


def test_results_that_would_be_too_large_are_refused_with_the_option_that_allows_them():
    image = Image.from_array(array(50, 50))
    with pytest.raises(InputError, match=r"200×200, more than 39999 pixels.*max_output_pixels=40000"):
        sharpen(image, max_output_pixels=39_999)
    sharpen(image, max_output_pixels=40_000)
    with pytest.raises(InputError, match="200×200"):  # what the network makes on the way counts too
        sharpen(image, max_output_pixels=39_999, scale=0.5)


def test_images_of_other_kinds_go_through():
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"):
        result = sharpen(Image.from_pil(PILImage.new(mode, (6, 4))))
        assert (result.width, result.height) == (24, 16)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(), "it has no generator"),
        (FACTS, None),
        (
            Facts(generator=ImageGeneratorFacts(source=ImageSource(), output=ImageOutput(scale=1), receptive_field=1)),
            "its generator gives no larger image",
        ),
    ],
)
def test_which_models_fit(facts, reason):
    assert unsupported_reason(facts) == reason
