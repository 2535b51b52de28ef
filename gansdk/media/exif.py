"""EXIF data, changed in place.

An EXIF block is a small TIFF file: directories of twelve-byte entries that point into the block. Makers keep private
notes in it whose pointers count from its start, so a block that is taken apart and built anew breaks them. Here
entries are changed or dropped where they stand, and new ones go to the end; everything else keeps its place.
See the EXIF standard (CIPA DC-008) and TIFF 6.0, section 2.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace

PREFIX = b"Exif\0\0"

ORIENTATION = 0x0112
SOFTWARE = 0x0131
_EXIF_DIRECTORY = 0x8769
_THUMBNAIL, _THUMBNAIL_LENGTH = 0x0201, 0x0202

LAYOUT = frozenset(
    {0xFE, 0x100, 0x101, 0x102, 0x103, 0x106, 0x10A, 0x111, 0x115, 0x116, 0x117, 0x11C, 0x13D, 0x140, 0x142, 0x143}
    | {0x144, 0x145, 0x14A, 0x152, 0x153, _THUMBNAIL, _THUMBNAIL_LENGTH, 0x211, 0x212, 0x213, 0x214}
)
"""Tags that say how a file's own pixels lie in it: never true of another file."""

_STALE = LAYOUT | {0x2BC, 0x8649, 0x8773}  # XMP and Photoshop blocks repeat sizes, orientation and thumbnails; ICC
_STALE_IN_EXIF = frozenset({0xA002, 0xA003})  # PixelXDimension, PixelYDimension

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


class DamagedExifError(ValueError):
    """The block does not have the form of EXIF data."""


@dataclass(frozen=True)
class Entry:
    """One entry of a directory.

    Attributes:
        tag: What it says.
        type: Of its values, as TIFF numbers them.
        count: How many values.
        value: Their bytes; or, where ``is_pointer``, the four bytes that stand in the entry.
        is_pointer: Whether ``value`` is left as it stands.
    """

    tag: int
    type: int
    count: int
    value: bytes
    is_pointer: bool = False


def ascii_entry(tag: int, text: str) -> Entry:
    """A text, closed by a zero byte as TIFF wants it."""
    value = text.encode("ascii", "replace") + b"\0"
    return Entry(tag, 2, len(value), value)


def numbers_entry(tag: int, numbers: list[int], endian: str, *, short: bool = False) -> Entry:
    """Whole numbers of 16 (``short``) or 32 bits."""
    packed = struct.pack(f"{endian}{len(numbers)}{'H' if short else 'I'}", *numbers)
    return Entry(tag, 3 if short else 4, len(numbers), packed)


def without_prefix(exif: bytes) -> bytes:
    """The bare TIFF block."""
    return re.sub(b"^(Exif\0\0)+", b"", exif)


def byte_order(block: bytes | bytearray) -> str:
    """``<`` or ``>``, as the block declares.

    Raises:
        DamagedExifError: If it declares neither.
    """
    endian = {b"II": "<", b"MM": ">"}.get(bytes(block[:2]))
    if endian is None or len(block) < 8 or struct.unpack(endian + "H", block[2:4])[0] != 42:
        raise DamagedExifError("no TIFF header")
    return endian


def directory(block: bytes | bytearray) -> list[Entry]:
    """The entries of the block's main directory, values as pointers.

    Raises:
        DamagedExifError: If it reaches beyond the block.
    """
    endian = byte_order(block)
    return _read(block, _first(block, endian), endian)[0]


def orientation(exif: bytes) -> int | None:
    """Which of the eight orientations is declared; None where none is.

    Raises:
        DamagedExifError: If the main directory cannot be read.
    """
    block = without_prefix(exif)
    endian = byte_order(block)
    for entry in directory(block):
        if entry.tag == ORIENTATION and entry.type == 3:
            value = int(struct.unpack(endian + "H", entry.value[:2])[0])
            return value if 1 <= value <= 8 else None
    return None


def cleaned(exif: bytes) -> bytes:
    """Without what is no longer true once the pixels are turned or resized.

    The orientation becomes 1; thumbnail, pixel sizes and the layout of the old file go.

    Raises:
        DamagedExifError: If a directory cannot be read.
    """
    block = bytearray(without_prefix(exif))
    endian = byte_order(block)
    first = _first(block, endian)
    entries, following = _read(block, first, endian)
    upright = struct.pack(endian + "HH", 1, 0)
    entries = [replace(one, value=upright) if one.tag == ORIENTATION and one.type == 3 else one for one in entries]
    _rewrite(block, first, [one for one in entries if one.tag not in _STALE], endian)
    for entry in entries:
        if entry.tag == _EXIF_DIRECTORY:
            (at,) = struct.unpack(endian + "I", entry.value)
            inner, _ = _read(block, at, endian)
            _rewrite(block, at, [one for one in inner if one.tag not in _STALE_IN_EXIF], endian)
    if following:
        _drop_thumbnail(block, following, endian)
    directory(block)  # a block whose parts overlap may have lost its own directory
    return PREFIX + bytes(block)


def with_software(exif: bytes | None, text: str) -> bytes:
    """With ``text`` as the software that made the file.

    Raises:
        DamagedExifError: If the main directory cannot be read.
    """
    block = bytearray(without_prefix(exif) if exif else b"MM\0*\0\0\0\0")
    endian = byte_order(block)
    entries = [entry for entry in directory(block) if entry.tag != SOFTWARE] if exif else []
    block += bytes(len(block) % 2)
    struct.pack_into(endian + "I", block, 4, len(block))
    return PREFIX + bytes(block) + lay_out([*entries, ascii_entry(SOFTWARE, text)], len(block), endian)


def lay_out(entries: list[Entry], at: int, endian: str) -> bytes:
    """A directory with its values behind it, for the place ``at`` of a block."""
    ordered = sorted(entries, key=lambda entry: entry.tag)
    behind = at + 2 + 12 * len(ordered) + 4
    rows, values = [], bytearray()
    for entry in ordered:
        shown = entry.value
        if not entry.is_pointer and len(shown) > 4:
            shown = struct.pack(endian + "I", behind + len(values))
            values += entry.value + bytes(len(entry.value) % 2)
        rows.append(struct.pack(endian + "HHI", entry.tag, entry.type, entry.count) + shown.ljust(4, b"\0"))
    return struct.pack(endian + "H", len(ordered)) + b"".join(rows) + bytes(4) + bytes(values)


def _first(block: bytes | bytearray, endian: str) -> int:
    return int(struct.unpack_from(endian + "I", block, 4)[0])


def _read(block: bytes | bytearray, at: int, endian: str) -> tuple[list[Entry], int]:
    """The entries of the directory at ``at`` and where the next one is (0: nowhere)."""
    try:
        (count,) = struct.unpack_from(endian + "H", block, at)
        rows = [struct.unpack_from(endian + "HHI4s", block, at + 2 + 12 * n) for n in range(count)]
        end = at + 2 + 12 * count
        # Some cameras leave the closing pointer out where nothing follows.
        following = struct.unpack_from(endian + "I", block, end)[0] if len(block) >= end + 4 else 0
    except struct.error:
        raise DamagedExifError("a directory reaches beyond the data") from None
    return [Entry(tag, kind, n, value, is_pointer=True) for tag, kind, n, value in rows], int(following)


def _rewrite(block: bytearray, at: int, entries: list[Entry], endian: str) -> None:
    """Puts as many or fewer entries where a directory stands, nothing following it, zeros behind."""
    (count,) = struct.unpack_from(endian + "H", block, at)
    new = lay_out(entries, at, endian)
    end = min(at + 2 + 12 * count + 4, len(block))
    block[at:end] = new.ljust(end - at, b"\0")[: end - at]


def _drop_thumbnail(block: bytearray, at: int, endian: str) -> None:
    try:
        entries, _ = _read(block, at, endian)
    except DamagedExifError:
        return  # nothing points there any more
    numbers = {entry.tag: struct.unpack(endian + "I", entry.value)[0] for entry in entries if entry.type == 4}
    start, length = numbers.get(_THUMBNAIL, 0), numbers.get(_THUMBNAIL_LENGTH, 0)
    regions = [(start, start + length), (at, at + 2 + 12 * len(entries) + 4)]
    regions += [
        (place, place + width)
        for entry in entries
        if (width := _WIDTHS.get(entry.type, 1) * entry.count) > 4
        for place in struct.unpack(endian + "I", entry.value)
    ]
    for low, high in sorted(regions, reverse=True):
        if low < 8 or high <= low or low >= len(block):
            continue
        if high >= len(block):
            del block[low:]
        else:
            block[low:high] = bytes(high - low)
