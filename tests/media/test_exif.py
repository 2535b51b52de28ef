import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gansdk.media.exif import PREFIX, DamagedExifError, cleaned, directory, orientation, with_software, without_prefix


def block(order="<", orientation=6, thumbnail=True):
    """EXIF data with everything that goes stale, and a maker's note whose pointer counts from the block's start."""
    exif = Image.Exif()
    exif.endian = order
    exif[0x0112] = orientation
    exif[0x010F] = "Maker of cameras"
    exif[0x0131] = "Firmware 1.0"
    exif[0x0100], exif[0x0101] = 4000, 3000
    part = exif.get_ifd(0x8769)
    part[0xA002], part[0xA003], part[0x9003] = 4000, 3000, "2024:05:06 07:08:09"
    part[0x927C] = b"private note"
    exif.get_ifd(0x8825)[0x0001] = "N"
    data = bytearray(without_prefix(exif.tobytes()))
    if thumbnail:
        count = struct.unpack_from(order + "H", data, 8)[0]
        buffer = io.BytesIO()
        Image.new("RGB", (16, 12), "red").save(buffer, "JPEG")
        small = buffer.getvalue()
        data += bytes(len(data) % 2)
        at = len(data)
        struct.pack_into(order + "I", data, 8 + 2 + 12 * count, at)
        rows = struct.pack(order + "H", 2)
        rows += struct.pack(order + "HHII", 0x0201, 4, 1, at + 2 + 24 + 4)
        rows += struct.pack(order + "HHII", 0x0202, 4, 1, len(small))
        data += rows + bytes(4) + small
    return PREFIX + bytes(data)


def parsed(exif):
    result = Image.Exif()
    result.load(exif)
    return result


@pytest.mark.parametrize("order", "<>")
def test_what_is_stale_goes_and_the_rest_stays_where_it_was(order):
    before = block(order)
    assert b"\xff\xd8\xff" in before
    after = cleaned(before)
    exif = parsed(after)
    assert exif[0x0112] == 1
    assert exif[0x010F] == "Maker of cameras"
    assert 0x0100 not in exif
    assert 0x0101 not in exif
    part = exif.get_ifd(0x8769)
    assert part[0x9003] == "2024:05:06 07:08:09"
    assert part[0x927C] == b"private note"
    assert 0xA002 not in part
    assert exif.get_ifd(0x8825)[0x0001] == "N"
    assert exif.get_ifd(1) == {}
    assert b"\xff\xd8\xff" not in after
    assert after.index(b"private note") == before.index(b"private note")
    assert cleaned(after) == after


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(1, 9))
def test_orientations(order, value):
    assert orientation(block(order, value)) == value


def test_no_orientation_or_a_meaningless_one():
    assert orientation(block(orientation=9)) is None
    assert orientation(with_software(None, "x")) is None


@pytest.mark.parametrize("order", "<>")
def test_software_is_set_and_the_rest_stays(order):
    exif = parsed(with_software(cleaned(block(order)), "gansdk 1"))
    assert exif[0x0131] == "gansdk 1"
    assert exif[0x010F] == "Maker of cameras"
    assert exif.get_ifd(0x8769)[0x927C] == b"private note"
    assert dict(parsed(with_software(None, "gansdk 1"))) == {0x0131: "gansdk 1"}


@pytest.mark.parametrize(
    "damaged", [b"", b"Exif\0\0", b"Exif\0\0II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_damage_is_said(damaged):
    for call in (orientation, cleaned):
        with pytest.raises(DamagedExifError):
            call(damaged)


@given(st.lists(st.tuples(st.integers(6, 400), st.integers(0, 255)), max_size=6), st.integers(0, 400))
def test_damaged_bytes_give_readable_data_or_the_one_error(changes, cut):
    data = bytearray(block())
    for place, value in changes:
        if place < len(data):
            data[place] = value
    try:
        after = cleaned(bytes(data[: len(data) - cut]))
        directory(without_prefix(after))
        assert orientation(after) in {1, None}
    except DamagedExifError:
        pass
