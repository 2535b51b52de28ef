"""Small images in many formats, and readers of ours for tests."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as PILImage
from PIL import ImageCms
from PIL.TiffImagePlugin import IFDRational

from gansdk.errors import InputError
from gansdk.media.reading import read_image
from gansdk.options import ImageReading

SIZE = (23, 14)


def read(source, **options):
    """An image and the notes that came with it."""
    notes = []
    return read_image(source, ImageReading(**options), notes.append), notes


def quietly(source, **options):
    image, notes = read(source, **options)
    assert notes == []
    return image


def scene(channels=3, seed=0):
    """Smooth colours with some noise: compresses like an image and has no two equal edges."""
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    planes = [(rows * 9 + columns * (5 + n) + 40 * n) % 256 for n in range(channels)]
    noise = np.random.default_rng(seed).integers(0, 8, (SIZE[1], SIZE[0], channels))
    return np.clip(np.dstack(planes) + noise, 0, 255).astype(np.uint8)


def pil_image(mode, seed=0):
    if mode in {"1", "L", "LA", "RGB", "RGBA", "CMYK"}:
        channels = {"1": 1, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
        numbers = scene(channels, seed)
        if mode == "1":
            return PILImage.fromarray(numbers[:, :, 0]).convert("1")
        return PILImage.frombytes(mode, SIZE, numbers.tobytes())
    if mode == "P":
        return pil_image("RGB").quantize(50)
    if mode == "La":
        return pil_image("LA").convert("La")
    return pil_image("RGBA").convert(mode)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def raw_png(width, height, bits, colour_type, rows, *between):
    """A PNG written by the book, unfiltered, for what Pillow cannot write."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(between) + data + chunk(b"IEND", b"")


def deep(dark=False):
    numbers = np.random.default_rng(1).integers(0, 200 if dark else 65536, (SIZE[1], SIZE[0]))
    return numbers.astype(np.uint16)


def exif_with(orientation):
    exif = PILImage.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    return exif.tobytes()


def camera_exif(order="<", orientation=6):
    """EXIF data as cameras write it, with all that goes stale: sizes, a thumbnail, an XMP block."""
    exif = PILImage.Exif()
    exif.endian = order
    exif[0x0112] = orientation
    exif[0x010F], exif[0x0110], exif[0x0131] = "Maker of cameras", "Model 5", "Firmware 1.0"
    exif[0x013B] = "Jürgen".encode()
    exif[0x0100], exif[0x0101], exif[0x02BC] = 4000, 3000, b"<x:xmpmeta/>"
    variable = exif.get_ifd(0x8769)
    variable[0xA002], variable[0xA003], variable[0x9003] = 4000, 3000, "2024:05:06 07:08:09"
    variable[0x829A], variable[0x9204] = IFDRational(1, 250), IFDRational(-3, 2)
    variable[0xA432] = (IFDRational(24), IFDRational(70), IFDRational(28, 10), IFDRational(0, 0))  # an unknown aperture
    variable[0x927C], variable[0x9286] = b"private\0note" * 9, b"ASCII\0\0\0a comment"
    variable[0xA005] = {1: "R98"}
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (IFDRational(52), IFDRational(31), IFDRational(49, 4))
    return with_thumbnail(exif.tobytes().removeprefix(b"Exif\0\0"), order)


def with_thumbnail(block, order):
    """EXIF data with a second directory, which Pillow does not write."""
    data = bytearray(block) + bytes(len(block) % 2)
    small = encoded(PILImage.new("RGB", (16, 12), "red"), "JPEG")
    at = len(data)
    struct.pack_into(order + "I", data, 8 + 2 + 12 * struct.unpack_from(order + "H", data, 8)[0], at)
    rows = struct.pack(order + "H", 2)
    rows += struct.pack(order + "HHII", 0x0201, 4, 1, at + 2 + 24 + 4)
    rows += struct.pack(order + "HHII", 0x0202, 4, 1, len(small))
    return b"Exif\0\0" + bytes(data) + rows + bytes(4) + small


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def refused(source, match, **options):
    """The one-line error that reading gives."""
    with pytest.raises(InputError, match=match) as caught:
        read(source, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def attempt(source, **options):
    """An image, or the one-line error that reading gives."""
    try:
        return read(source, **options)[0]
    except InputError as error:
        return None if "\n" in str(error) else error


def greedy_exif(order="<", kind=1, *, inside=None):
    """EXIF data of 65 kB whose 400 entries all point at the same 60 kB: 24 MB for whoever collects them.

    Args:
        order: ``<`` or ``>``.
        kind: Of the values: 1 for bytes, 5 for fractions.
        inside: The tag of a directory in which the entries stand; the main one if not given.
    """
    count = 60_000 // {1: 1, 5: 8}[kind]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    if inside is not None:
        head += struct.pack(order + "HHHIII", 1, inside, 4, 1, 26, 0)
    at = len(head) + 2 + 400 * 12 + 4
    rows = b"".join(struct.pack(order + "HHII", 0x9100 + n, kind, count, at) for n in range(400))
    return b"Exif\0\0" + head + struct.pack(order + "H", 400) + rows + bytes(4) + b"A" * 60_000
