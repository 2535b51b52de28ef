import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sample_pictures import SRGB, exif_with

from gansdk.media import png
from gansdk.media.picture import Picture
from gansdk.media.png import write_png


def written(picture, **options):
    buffer = io.BytesIO()
    write_png(picture, buffer, **options)
    return buffer.getvalue()


def chunks(content):
    """Names and contents, lengths and checksums verified."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, found = 8, []
    while at < len(content):
        length = int.from_bytes(content[at : at + 4])
        name, inner = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert zlib.crc32(name + inner) == int.from_bytes(content[at + 8 + length : at + 12 + length])
        found.append((name, inner))
        at += 12 + length
    return found


def decoded(content):
    """The numbers of a file without interlacing, by the text of the standard, one byte after the other."""
    parts = chunks(content)
    header = parts[0][1]
    width, height, bits, colour_type = int.from_bytes(header[:4]), int.from_bytes(header[4:8]), header[8], header[9]
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    pixel = channels * bits // 8
    data = zlib.decompress(b"".join(inner for name, inner in parts if name == b"IDAT"))
    stride = width * pixel
    assert len(data) == height * (stride + 1)
    rows, above = [], bytearray(stride)
    for y in range(height):
        kind, raw = data[y * (stride + 1)], data[y * (stride + 1) + 1 : (y + 1) * (stride + 1)]
        row = bytearray(stride)
        for x in range(stride):
            a, c = (row[x - pixel], above[x - pixel]) if x >= pixel else (0, 0)
            b = above[x]
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            row[x] = (raw[x] + [0, a, b, (a + b) // 2, nearest][kind]) % 256
        rows.append(bytes(row))
        above = row
    return np.frombuffer(b"".join(rows), ">u2" if bits == 16 else np.uint8).reshape(height, width, channels)


def picture(shape, dtype, seed=0, smooth=False):
    random = np.random.default_rng(seed)
    numbers = random.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    return Picture.from_array(np.cumsum(numbers // 50, 1, dtype=dtype) if smooth else numbers)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(1, 4),
    st.sampled_from([np.uint8, np.uint16]),
    st.booleans(),
    st.integers(0, 99),
)
def test_any_picture_comes_back_by_the_books_decoder(width, height, channels, dtype, smooth, seed):
    source = picture((height, width, channels), dtype, seed, smooth)
    assert np.array_equal(decoded(written(source)), np.asarray(source))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pillow_reads_the_same_numbers(channels):
    source = picture((70, 90, channels), np.uint8, smooth=True)
    with Image.open(io.BytesIO(written(source))) as opened:
        assert np.array_equal(np.asarray(opened).reshape(70, 90, channels), np.asarray(source))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_bands_and_many_chunks(monkeypatch, dtype):
    source = picture((150, 300, 3), dtype)
    whole = written(source)
    monkeypatch.setattr(png, "_BAND", 5000)
    banded = written(source)
    assert sum(name == b"IDAT" for name, _ in chunks(banded)) > 1
    for content in (whole, banded):
        assert np.array_equal(decoded(content), source.pixels)


def test_drawings_and_photographs_are_packed_differently():
    glyphs = np.random.default_rng(1).integers(0, 2, (16, 8, 1)).repeat(3, 2) * 255
    drawing = np.tile(glyphs, (12, 40, 1)).astype(np.uint8)
    rows, columns = np.mgrid[0:200, 0:300]
    grain = np.random.default_rng(0).integers(0, 3, (200, 300))
    photo = (100 + 60 * np.sin(rows / 30) + 60 * np.cos(columns / 40) + grain).astype(np.uint8)
    assert png._choose(Picture.from_array(drawing)) == "up"
    assert png._choose(Picture.from_array(photo)) == "paeth"
    for source in (drawing, photo):
        buffer = io.BytesIO()
        Image.fromarray(source).save(buffer, "PNG", compress_level=1)
        assert len(written(Picture.from_array(source))) < 1.1 * len(buffer.getvalue())


def test_metadata_stands_in_its_chunks():
    source = picture((3, 4, 3), np.uint16).replace(icc=SRGB, exif=exif_with(1))
    content = written(source, software="gansdk 1 · x")
    names = [name for name, _ in chunks(content)]
    assert names == [b"IHDR", b"iCCP", b"tEXt", b"eXIf", b"IDAT", b"IEND"]
    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        assert opened.info["icc_profile"] == SRGB
        assert opened.info["exif"] == exif_with(1)
        assert opened.info["Software"] == "gansdk 1 · x"
