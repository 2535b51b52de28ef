import io

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sample_pictures import SRGB, exif_with

from gansdk.errors import OutputError
from gansdk.media import tiff
from gansdk.media.exif import cleaned, without_prefix
from gansdk.media.picture import Picture
from gansdk.media.tiff import write_tiff


def written(picture, **options):
    buffer = io.BytesIO()
    write_tiff(picture, buffer, **options)
    return buffer.getvalue()


def picture(shape, dtype, seed=0):
    numbers = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    return Picture.from_array(numbers)


def swapped():
    """EXIF data in the other byte order."""
    exif = Image.Exif()
    exif.endian = "<"
    exif[0x010F] = "Another maker"
    return exif.tobytes()


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 4),
    st.sampled_from([np.uint8, np.uint16]),
    st.sampled_from([None, exif_with(1), swapped()]),
)
def test_another_reader_gives_the_same_numbers(width, height, channels, dtype, exif):
    source = picture((height, width, channels), dtype).replace(exif=exif)
    with tifffile.TiffFile(io.BytesIO(written(source))) as file:
        page = file.pages.first
        assert page.photometric.name == ("MINISBLACK" if channels < 3 else "RGB")
        assert len(page.extrasamples) == (channels in {2, 4})
        assert np.array_equal(page.asarray().reshape(height, width, channels), np.asarray(source))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pillow_reads_the_same_numbers(channels):
    source = picture((70, 90, channels), np.uint8)
    with Image.open(io.BytesIO(written(source))) as opened:
        assert np.array_equal(np.asarray(opened).reshape(70, 90, channels), np.asarray(source))


def test_several_strips(monkeypatch):
    monkeypatch.setattr(tiff, "_STRIP", 1000)
    source = picture((70, 91, 3), np.uint16)
    with tifffile.TiffFile(io.BytesIO(written(source))) as file:
        assert len(file.pages.first.dataoffsets) == 70
        assert np.array_equal(file.pages.first.asarray(), source.pixels)


@pytest.mark.parametrize("exif", [exif_with(1), swapped()], ids=["big", "little"])
def test_metadata_stands_among_the_tags(exif):
    source = picture((5, 6, 3), np.uint8).replace(icc=SRGB, exif=cleaned(exif))
    content = written(source, software="gansdk 1")
    assert content.startswith(without_prefix(exif)[:4])
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.info["icc_profile"] == SRGB
        assert opened.tag_v2[0x0131] == "gansdk 1"
        found = opened.getexif()
        assert "aker" in found[0x010F]
        if exif == exif_with(1):
            assert found.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"


def test_what_tiff_cannot_address_is_refused(monkeypatch):
    class Far(io.BytesIO):
        def tell(self):
            return super().tell() + 2**32 - 2**24

    with pytest.raises(OutputError, match="too large for a TIFF"):
        write_tiff(picture((5, 6, 3), np.uint8), Far())
