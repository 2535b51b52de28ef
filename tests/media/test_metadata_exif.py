import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PILImage
from PIL.ExifTags import IFD
from sample_images import camera_exif

from gansdk.media.encoding import write_tiff
from gansdk.media.image import Image
from gansdk.media.metadata import cleaned_exif, with_tags


def parsed(exif):
    result = PILImage.Exif()
    result.load(exif)
    return result


def quietly_cleaned(block):
    doubts = []
    result = cleaned_exif(block, doubts.append)
    assert doubts == []
    return result


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_stale_goes_and_the_rest_stays(order, orientation):
    before = camera_exif(order, orientation)
    assert 0x0201 in parsed(before).get_ifd(IFD.IFD1)
    after, found = quietly_cleaned(before)
    assert found == orientation
    exif = parsed(after)
    assert exif.endian == order
    assert set(exif) == set(parsed(before)) - {0x0100, 0x0101, 0x02BC}
    assert (exif[0x0112], exif[0x010F], exif[0x0131]) == (1, "Maker of cameras", "Firmware 1.0")
    assert set(exif.get_ifd(0x8769)) == set(parsed(before).get_ifd(0x8769)) - {0xA002, 0xA003}
    assert exif.get_ifd(0x8769)[0x927C] == b"private\0note" * 9
    assert exif.get_ifd(0x8825) == parsed(before).get_ifd(0x8825)
    assert exif.get_ifd(IFD.IFD1) == {}
    assert b"\xff\xd8\xff" not in after
    assert "Jürgen".encode() in after
    assert quietly_cleaned(after) == (after, 1)
    assert quietly_cleaned(after.removeprefix(b"Exif\0\0")) == (after, 1)


def test_no_orientation_or_a_meaningless_one():
    assert quietly_cleaned(camera_exif(orientation=9))[1] is None
    assert quietly_cleaned(with_tags(None, {0x0131: "x"}))[1] is None


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", PILImage.Exif().tobytes()])
def test_nothing_is_no_damage(block):
    assert quietly_cleaned(block) == (None, None)


@pytest.mark.parametrize("order", "<>")
def test_software_is_set_and_the_rest_stays(order):
    block, _ = quietly_cleaned(camera_exif(order))
    exif = parsed(with_tags(block, {0x0131: "gansdk 1"}))
    assert exif[0x0131] == "gansdk 1"
    assert exif[0x010F] == "Maker of cameras"
    assert exif.get_ifd(0x8769)[0x927C] == b"private\0note" * 9
    assert exif.get_ifd(0x8825) == parsed(block).get_ifd(0x8825)
    assert dict(parsed(with_tags(None, {0x0131: "gansdk 1"}))) == {0x0131: "gansdk 1"}


@pytest.mark.parametrize(
    "damaged", [b"Exif\0\0II*\0", b"rubbish", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"II+\0\0\0\0\0"]
)
def test_damage_is_said(damaged):
    doubts = []
    assert cleaned_exif(damaged, doubts.append) == (None, None)
    assert doubts == ["its EXIF data is damaged and is left out"]


def test_what_can_be_read_of_damaged_data_is_kept():
    block = camera_exif()
    doubts = []
    kept, orientation = cleaned_exif(block[: block.index(b"private")], doubts.append)
    assert doubts == ["its EXIF data is damaged and is left out in part"]
    assert (orientation, parsed(kept)[0x010F]) == (6, "Maker of cameras")


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(6, 700), st.integers(0, 255)), max_size=6), st.integers(0, 600))
def test_damaged_bytes_give_data_that_can_be_written_or_none(changes, cut):
    data = bytearray(camera_exif())
    for place, value in changes:
        data[place] = value
    kept, orientation = cleaned_exif(bytes(data[: len(data) - cut]), lambda text: None)
    assert orientation in {None, *range(1, 9)}
    if kept is None:
        return
    assert quietly_cleaned(kept)[0] is not None
    buffer = io.BytesIO()
    write_tiff(Image(np.zeros((2, 3, 3), np.uint8), exif=with_tags(kept, {0x0131: "gansdk 1"})), buffer)
    with PILImage.open(buffer) as opened:
        opened.load()
        assert opened.getexif()[0x0131] == "gansdk 1"
