import io

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PILImage
from sample_images import SRGB, exif_with, quietly

from gansdk.media.encoding import can_hold, write_png, write_tiff
from gansdk.media.image import Image

HELD = [(1, np.uint8), (2, np.uint8), (3, np.uint8), (4, np.uint8), (1, np.uint16)]


def noise(shape, dtype, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(HELD), st.sampled_from([None, exif_with(1)]))
def test_other_readers_give_the_same_numbers(width, height, kind, exif):
    channels, dtype = kind
    numbers = noise((height, width, channels), dtype)
    source = Image.from_array(numbers).replace(exif=exif)
    buffer = io.BytesIO()
    write_tiff(source, buffer)
    buffer.seek(0)
    with tifffile.TiffFile(buffer) as file:
        page = file.pages.first
        assert page.photometric.name == ("MINISBLACK" if channels < 3 else "RGB")
        assert [extra.name for extra in page.extrasamples] == (["UNASSALPHA"] if channels in {2, 4} else [])
        assert page.compression.name == "ADOBE_DEFLATE"
        assert np.array_equal(page.asarray().reshape(numbers.shape), numbers)
    buffer = io.BytesIO()
    write_png(source, buffer)
    with PILImage.open(buffer) as opened:
        assert np.array_equal(np.asarray(opened).reshape(numbers.shape), numbers)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_said_to_be_held_is_held(channels, dtype):
    source = Image.from_array(noise((5, 6, channels), dtype))
    for name, write in (("png", write_png), ("tiff", write_tiff)):
        is_held = can_hold(name, source.pixels.shape[2], source.bits, has_alpha=source.alpha is not None)
        assert is_held == ((name, channels, dtype) != ("tiff", 2, np.uint16))
        if is_held:
            buffer = io.BytesIO()
            write(source, buffer)
            assert np.array_equal(np.asarray(quietly(buffer.getvalue())), np.asarray(source))
    for name in ("jpg", "webp"):
        assert can_hold(name, 3, source.bits, has_alpha=False) == (dtype == np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_smooth_images_are_packed_well(dtype, channels):
    rows, columns = np.mgrid[0:200, 0:300]
    plane = ((rows + columns) * (np.iinfo(dtype).max // 500)).astype(dtype)
    source = Image.from_array(np.dstack([plane] * channels))
    for write in (write_png, write_tiff):
        buffer = io.BytesIO()
        write(source, buffer)
        assert len(buffer.getvalue()) < source.pixels.nbytes / 4


def test_software_and_profile_of_png():
    source = Image(np.zeros((3, 4, 3), np.uint8), icc=SRGB, exif=exif_with(1))
    buffer = io.BytesIO()
    write_png(source, buffer, "gansdk 1 · ö 漢")
    with PILImage.open(buffer) as opened:
        opened.load()
        assert opened.text == {"Software": "gansdk 1 · ö 漢"}
        assert (opened.info["icc_profile"], opened.info["exif"]) == (SRGB, exif_with(1))


def test_parts_of_exif_data_stand_at_even_places_behind_the_pixels():
    for width in range(1, 6):
        buffer = io.BytesIO()
        write_tiff(Image(noise((1, width, 1), np.uint8), exif=exif_with(1)), buffer)
        with PILImage.open(buffer) as opened:
            assert opened.tag_v2[0x8769] % 2 == 0
            assert opened.getexif().get_ifd(0x8769) == {0x9003: "2024:05:06 07:08:09"}
