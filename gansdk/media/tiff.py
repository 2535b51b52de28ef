"""TIFF files of 8 and 16 bits, deflated, grey or RGB, with alpha or without; written band by band.

Pillow writes no 16-bit colours. A file begins with the EXIF block as it is, so that its pointers stay true, and ends
with the one directory that holds both the layout and the block's own entries. See TIFF 6.0, sections 2, 8 and 14
(horizontal differencing), and Adobe's supplement 2 on deflate.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gansdk.errors import OutputError
from gansdk.media import exif

if TYPE_CHECKING:
    from gansdk.media.picture import Picture

_STRIP = 2**18
"""Bytes of a strip before it is packed."""

_LEVEL = 3

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS = 256, 257, 258, 259, 262, 273
_SAMPLES, _ROWS, _COUNTS, _PLANAR, _PREDICTOR, _EXTRA, _ICC = 277, 278, 279, 284, 317, 338, 34675


def write_tiff(picture: Picture, file: IO[bytes], software: str | None = None) -> None:
    """Writes a picture, its profile and its EXIF data.

    Args:
        picture: Of any kind.
        file: Empty and seekable.
        software: What made the file.

    Raises:
        OutputError: If the file would be longer than the 4 GiB that TIFF can address.
    """
    block = exif.without_prefix(picture.exif) if picture.exif else b"II*\0\0\0\0\0"
    endian = exif.byte_order(block)
    entries = [one for one in exif.directory(block) if one.tag not in exif.LAYOUT] if picture.exif else []
    file.write(block + bytes(len(block) % 2))
    channels = picture.pixels.shape[2] + (picture.alpha is not None)
    rows = max(1, _STRIP // (picture.width * channels * picture.bits // 8))
    offsets, counts = [], []
    for top in range(0, picture.height, rows):
        strip = zlib.compress(_strip(picture, slice(top, top + rows), endian), _LEVEL)
        offsets.append(file.tell())
        counts.append(len(strip))
        if offsets[-1] + len(strip) > 2**32 - 2**24:
            raise OutputError(f"{picture.name} is too large for a TIFF file", hint="write png")
        file.write(strip + bytes(len(strip) % 2))
    entries = [one for one in entries if software is None or one.tag != exif.SOFTWARE]
    entries += _layout(picture, channels, rows, endian)
    entries += [
        exif.numbers_entry(_OFFSETS, offsets, endian),
        exif.numbers_entry(_COUNTS, counts, endian),
        *([exif.ascii_entry(exif.SOFTWARE, software)] if software else []),
    ]
    at = file.tell()
    file.write(exif.lay_out(entries, at, endian))
    file.seek(4)
    file.write(struct.pack(endian + "I", at))
    file.seek(0, 2)


def _layout(picture: Picture, channels: int, rows: int, endian: str) -> list[exif.Entry]:
    def short(tag: int, *numbers: int) -> exif.Entry:
        return exif.numbers_entry(tag, list(numbers), endian, short=True)

    entries = [
        exif.numbers_entry(_WIDTH, [picture.width], endian),
        exif.numbers_entry(_HEIGHT, [picture.height], endian),
        short(_BITS, *[picture.bits] * channels),
        short(_COMPRESSION, 8),  # deflate
        short(_PHOTOMETRIC, 1 if picture.pixels.shape[2] == 1 else 2),  # 0 is black; RGB
        short(_SAMPLES, channels),
        exif.numbers_entry(_ROWS, [rows], endian),
        short(_PLANAR, 1),
        short(_PREDICTOR, 2),
    ]
    if picture.alpha is not None:
        entries.append(short(_EXTRA, 2))  # alpha that the colours are not multiplied by
    if picture.icc:
        entries.append(exif.Entry(_ICC, 7, len(picture.icc), picture.icc))
    return entries


def _strip(picture: Picture, rows: slice, endian: str) -> bytes:
    """Rows as differences from the pixel to the left, in the file's byte order."""
    part: Any = picture.pixels[rows]
    if picture.alpha is not None:
        part = np.dstack([part, picture.alpha[rows]])
    differences = part.copy()
    differences[:, 1:] -= part[:, :-1]
    packed: bytes = differences.astype(part.dtype.newbyteorder(endian), copy=False).tobytes()
    return packed
