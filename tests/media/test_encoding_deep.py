"""Colours of 16 bits, against two other libraries: pypng (in Python alone) and tifffile."""

import io
import struct
import subprocess
import sys

import numpy as np
import png
import pytest
import pyvips
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PILImage
from PIL import ImageOps
from sample_images import (
    SIZE,
    SRGB,
    attempt,
    camera_exif,
    chunk,
    encoded,
    exif_with,
    pil_image,
    quietly,
    raw_png,
    read,
    refused,
)

from gansdk.media.encoding import write_png, write_tiff
from gansdk.media.image import Image, to_8_bits
from gansdk.options import ImageWriting


def numbers(channels, size=SIZE, seed=2):
    return np.random.default_rng(seed).integers(0, 65536, (size[1], size[0], channels), np.uint16)


def as_png(array, *, interlace=False, **options):
    height, width, channels = array.shape
    buffer = io.BytesIO()
    writer = png.Writer(
        width, height, greyscale=channels < 3, alpha=channels % 2 == 0, bitdepth=16, interlace=interlace, **options
    )
    writer.write(buffer, array.reshape(height, -1))
    return buffer.getvalue()


def from_png(content):
    width, height, rows, about = png.Reader(bytes=content).read()
    assert about["bitdepth"] == 16
    return np.vstack(list(rows)).astype(np.uint16).reshape(height, width, -1)


def as_tiff(array, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, photometric="rgb", **options)
    return buffer.getvalue()


# --- in ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interlace", [False, True], ids=["plain", "interlaced"])
@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("size", [SIZE, (1, 1), (1, 9), (9, 1), (8, 8)])
def test_every_number_of_a_png_file(size, channels, interlace):
    array = numbers(channels, size)
    image = quietly(as_png(array, interlace=interlace))
    assert image.bits == 16
    assert np.array_equal(np.asarray(image), array)
    assert (image.alpha is not None) == (channels % 2 == 0)
    assert image.pixels.flags["C_CONTIGUOUS"]


def test_every_number_of_a_tiff_file():
    array = numbers(3)
    planes = np.moveaxis(array, 2, 0)
    contents = [
        as_tiff(array, byteorder=order, compression=compression, predictor=compression is not None, bigtiff=is_big)
        for order in "<>"
        for compression in (None, "zlib")
        for is_big in (False, True)
        if not (is_big and order == ">")  # Pillow finds nothing in those
    ]
    contents += [
        as_tiff(array, tile=(16, 16)),
        as_tiff(planes, planarconfig="separate"),
        as_tiff(array, rowsperstrip=3),
    ]
    raw = pyvips.Image.new_from_memory(array.data, *SIZE, 3, "ushort").copy(interpretation="rgb16")
    contents.append(raw.tiffsave_buffer(compression="lzw", predictor="horizontal"))
    for content in contents:
        assert np.array_equal(quietly(content).pixels, array)
    with_alpha = numbers(4)
    assert np.array_equal(np.asarray(quietly(as_tiff(with_alpha, extrasamples=["unassalpha"]))), with_alpha)


def test_colours_that_tiff_stores_multiplied_by_alpha():
    colours, alpha = numbers(3), numbers(1, seed=3)
    alpha[0, :2] = [[0], [65535]]
    stored = np.round(colours * (alpha / 65535)).astype(np.uint16)
    image = quietly(as_tiff(np.dstack([stored, alpha]), extrasamples=["assocalpha"]))
    assert np.array_equal(image.alpha, alpha[:, :, 0])
    error = np.abs(image.pixels.astype(float) - colours)
    assert (error <= 1 + 65535 / np.maximum(alpha, 1))[alpha[:, :, 0] > 0].all()


def test_a_channel_of_tiff_that_means_nothing_is_left_out():
    array = numbers(4)
    image = quietly(as_tiff(array, extrasamples=["unspecified"]))
    assert image.alpha is None
    assert np.array_equal(image.pixels, array[:, :, :3])


def test_the_page_that_was_asked_for():
    first, second = numbers(3), numbers(3, (5, 6), 9)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(first, photometric="rgb")
        file.write(second, photometric="rgb")
    content = buffer.getvalue()
    refused(content, "has 2 pages")
    assert np.array_equal(quietly(content, frame=0).pixels, first)
    assert np.array_equal(quietly(content, frame=1).pixels, second)


def test_one_transparent_colour_is_compared_in_all_its_bits():
    array = np.array([[[0x1234, 5, 6], [0x1235, 5, 6], [0x1234, 5, 6]]], np.uint16)
    image = quietly(as_png(array, transparent=(0x1234, 5, 6)))
    assert np.array_equal(image.pixels, array)
    assert image.alpha.tolist() == [[0, 65535, 0]]


def test_a_gamma_is_passed_over_as_in_8_bits():
    array = numbers(3)
    assert np.array_equal(quietly(as_png(array, gamma=0.45455)).pixels, array)


def test_animated_files_are_read_in_8_bits_with_a_note():
    rows = [row.tobytes() for row in numbers(3).astype(">u2")]
    count = chunk(b"acTL", struct.pack(">II", 1, 0))
    shown = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, *SIZE, 0, 0, 1, 1, 0, 0))
    two = chunk(b"acTL", struct.pack(">II", 2, 0))
    assert quietly(raw_png(*SIZE, 16, 2, rows, count, shown)).bits == 16
    image, notes = read(raw_png(*SIZE, 16, 2, rows, two, shown), frame=0)
    assert image.bits == 8
    assert "16 bits per channel are read as 8" in notes[0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_they_are_set_upright_with_their_alpha(kind, orientation):
    array = numbers(4)
    if kind == "PNG":
        block = exif_with(orientation).removeprefix(b"Exif\0\0")
        plain = as_png(array)
        content = plain[:-12] + chunk(b"eXIf", block) + plain[-12:]  # behind the pixels, as some programs do
    else:
        tags = [(274, "H", 1, orientation, True), (271, "s", 0, b"Maker", True)]
        content = as_tiff(array, extrasamples=["unassalpha"], extratags=tags)
    places = np.asarray(ImageOps.exif_transpose(numbered(orientation)))
    image = quietly(content)
    assert np.array_equal(np.asarray(image), array.reshape(-1, 4)[places])
    exif = PILImage.Exif()
    exif.load(image.exif)
    assert (exif.get(0x0112, 1), exif[0x010F]) == (1, "Maker")


def numbered(orientation):
    """An image whose pixels say which they are."""
    indices = PILImage.fromarray(np.arange(SIZE[0] * SIZE[1], dtype=np.int32).reshape(SIZE[1], SIZE[0]))
    indices.getexif()[0x0112] = orientation
    return indices


def test_a_profile_is_kept_where_it_fits():
    assert quietly(as_tiff(numbers(3), iccprofile=SRGB)).icc == SRGB
    image, notes = read(as_tiff(numbers(3), iccprofile=SRGB[:16] + b"GRAY" + SRGB[20:]))
    assert image.icc is None
    assert "is for grey pixels" in notes[0]


# --- limits and damage ------------------------------------------------------------------------------------------


def test_the_limit_of_pixels_holds_before_memory_is_taken():
    array = numbers(3)
    for content in (as_png(array), as_tiff(array)):
        refused(content, "23×14 pixels, more than 300", max_pixels=300)
    code = (
        "import resource, sys; from gansdk.media.reading import read_image; from gansdk.options import *;"
        "import PIL.Image, PIL.PngImagePlugin, PIL.TiffImagePlugin, gansdk.media.conversion, pyvips\n"
        "from gansdk.errors import InputError\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "try: read_image(sys.stdin.buffer, ImageReading(), print)\n"
        "except InputError as error: print(error)"
    )
    claims = bytearray(as_tiff(np.zeros((4, 4, 3), np.uint16)))
    with tifffile.TiffFile(io.BytesIO(bytes(claims))) as file:
        for tag in (256, 257):
            place = file.pages.first.tags[tag].valueoffset
            claims[place : place + 2] = struct.pack("<H", 60000)
    for bomb in (raw_png(60000, 60000, 16, 2, [b"\0" * 10]), bytes(claims)):
        done = subprocess.run([sys.executable, "-c", code], input=bomb, capture_output=True, check=True)
        assert "60000×60000 pixels" in done.stdout.decode()
        assert done.stderr == b""


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"bigtiff": True}])
def test_cut_files_are_refused(options):
    array = numbers(3, (40, 30))
    for content in (as_png(array), as_tiff(array, **options)):
        for end in range(60, len(content) - 20, 97):
            assert not isinstance(attempt(content[:end]), Image)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_are_one_line_or_a_image(capfd, data):
    array = numbers(4, (9, 7))
    whole = data.draw(st.sampled_from([as_png(array), as_tiff(array), as_tiff(array, compression="zlib")]))
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert attempt(bytes(content)) is not None
    assert tuple(capfd.readouterr()) == ("", "")  # of the process, below Python's own streams


def test_no_decoder_speaks_of_a_damaged_profile(capfd):
    rows = [row.tobytes() for row in numbers(3).astype(">u2")]
    read(raw_png(*SIZE, 16, 2, rows, chunk(b"iCCP", b"x\0\0rubbish")))
    unsorted = bytearray(as_tiff(numbers(3)))
    (start,) = struct.unpack("<I", unsorted[4:8])
    first, second = start + 2, start + 14
    unsorted[first:second], unsorted[second : second + 12] = unsorted[second : second + 12], unsorted[first:second]
    assert np.array_equal(read(bytes(unsorted))[0].pixels, numbers(3))
    assert tuple(capfd.readouterr()) == ("", "")


# --- out --------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([2, 3, 4]))
def test_other_readers_give_the_same_numbers(width, height, channels):
    array = numbers(channels, (width, height))
    source = Image.from_array(array).replace(exif=exif_with(1))
    buffer = io.BytesIO()
    write_png(source, buffer)
    assert np.array_equal(from_png(buffer.getvalue()), array)
    if channels == 2:
        return
    buffer = io.BytesIO()
    write_tiff(source, buffer)
    buffer.seek(0)
    with tifffile.TiffFile(buffer) as file:
        page = file.pages.first
        assert page.photometric.name == "RGB"
        assert [extra.name for extra in page.extrasamples] == (["UNASSALPHA"] if channels == 4 else [])
        assert np.array_equal(page.asarray(), array)


@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_what_a_camera_said_stands_there_as_in_8_bits(tmp_path, ending):
    photo = quietly(encoded(pil_image("RGB"), "JPEG", exif=camera_exif(orientation=6)))
    photo = photo.replace(icc=SRGB)
    deep = photo.replace(pixels=photo.pixels.astype(np.uint16) * 257)
    said = {}
    for name, source in (("deep", deep), ("shallow", photo)):
        path = source.save(tmp_path / f"{name}.{ending}")
        back = quietly(path)
        assert back.bits == (16 if name == "deep" else 8)
        assert back.icc == SRGB
        with PILImage.open(path) as opened:
            exif = opened.getexif()
            parts = [dict(exif.get_ifd(part)) for part in (0x8769, 0x8825, 0xA005)]
            parts[0].pop(0xA005)  # where the next part stands
            main = {tag: exif.get(tag) for tag in (271, 272, 305, 306, 315, 33432)}
            said[name] = (str([main, *parts]), set(opened.info) - {"dpi", "resolution"})  # one number is none: text
    assert said["deep"] == said["shallow"]


def test_a_resolution_is_kept(tmp_path):
    exif = PILImage.Exif()
    exif[282], exif[283], exif[296] = 300.0, 150.0, 3
    path = Image(numbers(3), exif=exif.tobytes()).save(tmp_path / "x.tiff")
    with tifffile.TiffFile(path) as file:
        assert (file.pages.first.resolution, file.pages.first.resolutionunit.name) == ((300.0, 150.0), "CENTIMETER")


def test_software_of_png_stands_before_the_pixels(tmp_path):
    from gansdk.media.writing import write_image

    path = tmp_path / "x.png"
    write_image(Image(numbers(3)), path, ImageWriting(), print, provenance="gansdk 1 ref")
    with PILImage.open(path) as opened:
        assert opened.info == {"Software": "gansdk 1 ref"}
    kinds = [kind for kind, _ in png.Reader(bytes=path.read_bytes()).chunks()]
    assert kinds[:2] == [b"IHDR", b"tEXt"]
    assert kinds[-1] == b"IEND"


def test_jpg_and_webp_round_with_a_note(tmp_path):
    from gansdk.media.writing import write_image

    array = numbers(3, (40, 30))
    for ending in ("webp", "jpg"):
        notes = []
        path = write_image(Image(array), tmp_path / f"x.{ending}", ImageWriting(quality=100), notes.append)
        assert notes == [f"image: {ending} holds 8 bits per channel here; the result's 16 are rounded"]
    assert np.array_equal(quietly(tmp_path / "x.webp").pixels, to_8_bits(array))
    assert path.stat().st_size > 0


def test_what_a_write_raises_comes_through_the_encoder():
    class Full(io.RawIOBase):
        def write(self, _content):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_png(Image(numbers(3)), Full())

    class Interrupting(io.RawIOBase):
        def write(self, _content):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_png(Image(numbers(3)), Interrupting())


# --- frames of GIF ----------------------------------------------------------------------------------------------

PALETTE = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 9, 9)], np.uint8)


def gif(frames, size=(12, 10)):
    """A GIF file by the book: a palette for all, an area of one colour a frame, disposed of as it says."""
    content = b"GIF89a" + struct.pack("<HHBBB", *size, 0xF1, 0, 0) + PALETTE.tobytes()
    for at, ((left, top, width, height), colour, disposal) in enumerate(frames):
        content += b"!\xf9\4" + bytes([disposal << 2 | (at > 0), 0, 0, 3, 0])  # 3 is transparent but in the first
        codes = [code for n in range(width * height) for code in ((4, colour) if n % 2 == 0 else (colour,))]
        bits = "".join(reversed([f"{code:03b}" for code in [*codes, 5]]))  # a clear code before each pair: no table
        packed = int(bits, 2).to_bytes((len(bits) + 7) // 8, "little")
        content += b"," + struct.pack("<HHHHB", left, top, width, height, 0) + b"\2"
        content += b"".join(
            bytes([len(part)]) + part for part in (packed[n : n + 255] for n in range(0, len(packed), 255))
        )
        content += b"\0"
    return content + b";"


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_frames_of_gif_stand_upon_what_those_before_them_left(disposal):
    whole, area, corner = (0, 0, 12, 10), (3, 4, 5, 4), (0, 0, 2, 2)
    content = gif([(whole, 0, 1), (area, 1, disposal), (corner, 2, 1)])
    expected = np.zeros((10, 12), np.uint8)
    expected[4:8, 3:8] = {0: 1, 1: 1, 2: 3, 3: 0}[disposal]  # left there, taken to be transparent, or as before
    expected[:2, :2] = 2
    image = quietly(content, frame=2)
    hidden = expected == 3
    assert np.array_equal(image.pixels[~hidden], PALETTE[expected][~hidden])
    assert (image.alpha is not None) == (disposal == 2)
    assert image.alpha is None or np.array_equal(image.alpha == 0, hidden)
    assert np.array_equal(quietly(content, frame=0).pixels, PALETTE[np.zeros((10, 12), int)])


def test_transparent_areas_of_a_gif_frame_show_what_is_below():
    content = gif([((0, 0, 12, 10), 0, 1), ((2, 2, 4, 4), 3, 1)])
    assert np.array_equal(quietly(content, frame=1).pixels, PALETTE[np.zeros((10, 12), int)])
