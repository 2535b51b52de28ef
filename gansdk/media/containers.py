"""The parts of a file that its decoder skips, read from the container: PNG chunks, JPEG segments, HEIF boxes.

Damage raises nothing here: iteration ends where the file stops making sense, and the decoder reports why.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_LONGEST = 2**24
"""Bytes of a chunk or box that are read; none that matters here is longer."""

_MOST_PARTS = 100_000


@dataclass(frozen=True)
class Chunk:
    """A chunk of a PNG file other than its pixels.

    Attributes:
        name: Four letters; the first one is lower case if the image can be decoded without it.
        start: Where it begins, with its length.
        length: Bytes of its content.
        content: These bytes; empty if there are too many.
        is_whole: Whether its checksum is right, as far as it was read.
    """

    name: bytes
    start: int
    length: int
    content: bytes
    is_whole: bool


def png_chunks(file: IO[bytes]) -> Iterator[Chunk]:
    """The chunks of a PNG file except those of pixels."""
    start = 8
    for _ in range(_MOST_PARTS):
        file.seek(start)
        head = file.read(8)
        if len(head) < 8 or not head[4:].isalpha():
            return
        length, name = int.from_bytes(head[:4]), head[4:]
        if name not in {b"IDAT", b"fdAT"}:
            content = file.read(length) if length <= _LONGEST else b""
            checksum = file.read(4) if length <= _LONGEST else b""
            is_whole = len(checksum) < 4 or int.from_bytes(checksum) == zlib.crc32(name + content)
            yield Chunk(name, start, length, content, is_whole)
        if name == b"IEND":
            return
        start += 12 + length


def without(content: bytes, chunks: list[Chunk]) -> bytes:
    """A PNG file without some of its chunks."""
    kept, end = [], 0
    for chunk in chunks:
        kept.append(content[end : chunk.start])
        end = chunk.start + 12 + chunk.length
    return b"".join([*kept, content[end:]])


@dataclass(frozen=True)
class Segment:
    """A segment of a JPEG file's header: its marker, where its content begins, and that."""

    marker: int
    start: int
    content: bytes


def jpeg_segments(file: IO[bytes]) -> Iterator[Segment]:
    """The segments of a JPEG file before its first scan."""
    file.seek(2)
    for _ in range(_MOST_PARTS):
        if file.read(1) != b"\xff":
            return
        marker = file.read(1)
        while marker == b"\xff":
            marker = file.read(1)
        size = file.read(2)
        if marker == b"\xda" or len(size) < 2 or int.from_bytes(size) < 2:
            return
        start = file.tell()
        yield Segment(marker[0], start, file.read(int.from_bytes(size) - 2))


_MOST_SCANS, _FEW_SCANS = 500, 32
_MOST_WORK = 2_000_000_000
"""Pixels times scans: about two seconds. A large photo with the ten scans of a progressive file stays below."""

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_END, _SCAN = 0xD9, 0xDA


def jpeg_fault(file: IO[bytes], pixels: int) -> str:
    """What would make a JPEG decoder work for too long; empty if nothing does.

    Each scan may return to the same pixels, so that a small file can take hours within any limit on pixels.

    Args:
        file: Seekable.
        pixels: Of the image.
    """
    file.seek(0)
    content = file.read()
    most = min(_MOST_SCANS, max(_FEW_SCANS, _MOST_WORK // max(pixels, 1)))
    scans, start = 0, 2
    while scans <= most and (marker := _MARKER.search(content, start)):
        code = content[marker.start() + 1]
        if code == _END:  # of the first image; a preview or a gain map may follow
            break
        scans += code == _SCAN
        start = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2])
    return f"is drawn in more than {most} scans" if scans > most else ""


@dataclass(frozen=True)
class HeifItem:
    """An item of an AVIF or HEIC file: its kind, its properties, and the start and length of its bytes."""

    kind: bytes
    properties: tuple[tuple[bytes, bytes], ...]
    place: tuple[int, int] | None


@dataclass(frozen=True)
class HeifItems:
    """What the index of an AVIF or HEIC file lists, by number, and which item is the image."""

    by_number: dict[int, HeifItem]
    primary: int | None


def heif_indexes(file: IO[bytes]) -> list[HeifItems]:
    """The indexes of an AVIF or HEIC file: that of its items, then those of its tracks."""
    indexes = []
    for content in _meta_boxes(file):
        meta = _boxes(content[4:])
        try:
            kinds = _item_kinds(meta.get(b"iinf", b""))
            properties = _item_properties(_boxes(meta.get(b"iprp", b"")))
            places = _item_places(meta.get(b"iloc", b""))
            chosen = meta.get(b"pitm", b"")
            primary = _Cursor(chosen, 4).take(2 if chosen[0] == 0 else 4) if chosen else None
        except EOFError:  # damaged
            indexes.append(HeifItems({}, None))
            continue
        numbers = {*kinds, *properties}
        items = {n: HeifItem(kinds.get(n, b""), tuple(properties.get(n, ())), places.get(n)) for n in numbers}
        indexes.append(HeifItems(items, primary))
    return indexes


_EXIF_ITEM = re.compile(rb"(infe[\2\3]...(?:..|....)..)Exif", re.DOTALL)


def without_exif(content: bytes) -> bytes:
    """An AVIF or HEIC file whose items of EXIF data have another name, so that decoders ignore them."""
    return _EXIF_ITEM.sub(rb"\1free", content)


def _meta_boxes(file: IO[bytes]) -> Iterator[bytes]:
    """The contents of the boxes ``meta`` of a file and its tracks."""
    start = 0
    for _ in range(64):
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:
            return
        size, header = int.from_bytes(head[:4]), 8
        if size == 1:
            size, header = int.from_bytes(head[8:16]), 16
        if size < header:
            return
        if head[4:8] in {b"meta", b"moov"}:
            file.seek(start + header)
            content = file.read(min(size - header, _LONGEST))
            if head[4:8] == b"meta":
                yield content
            else:
                yield from (_boxes(box).get(b"meta", b"") for name, box in _each_box(content) if name == b"trak")
        start += size


def _each_box(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes in a box of ISO base media: name and content of each."""
    start = 0
    for _ in range(_MOST_PARTS):
        if start + 8 > len(content):
            return
        size, name, header = int.from_bytes(content[start : start + 4]), content[start + 4 : start + 8], 8
        if size == 1:
            size, header = int.from_bytes(content[start + 8 : start + 16]), 16
        end = len(content) if size == 0 else start + size
        if end < start + header:
            return
        yield name, content[start + header : end]
        start = end


def _boxes(content: bytes) -> dict[bytes, bytes]:
    """The boxes in a box by name; the first of several with one name."""
    found: dict[bytes, bytes] = {}
    for name, box in _each_box(content):
        found.setdefault(name, box)
    return found


class _Cursor:
    """Integers of any width, one after another."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content = content
        self.at = at

    def take(self, size: int) -> int:
        if self.at + size > len(self._content):
            raise EOFError
        self.at += size
        return int.from_bytes(self._content[self.at - size : self.at])


def _item_kinds(content: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for name, entry in _each_box(content[6 if content[:1] == b"\0" else 8 :]):
        if name == b"infe" and entry[:1] in {b"\2", b"\3"}:
            cursor = _Cursor(entry, 4)
            number = cursor.take(2 if entry[0] == 2 else 4)
            found[number] = entry[cursor.at + 2 : cursor.at + 6]
    return found


def _item_properties(content: dict[bytes, bytes]) -> dict[int, list[tuple[bytes, bytes]]]:
    listed = list(_each_box(content.get(b"ipco", b"")))
    table = content.get(b"ipma", b"")
    found: dict[int, list[tuple[bytes, bytes]]] = {}
    if len(table) < 4:
        return found
    has_wide_items, has_wide_entries = table[0] >= 1, bool(table[3] & 1)
    cursor = _Cursor(table, 4)
    for _ in range(min(cursor.take(4), _MOST_PARTS)):
        item = cursor.take(4 if has_wide_items else 2)
        for _ in range(cursor.take(1)):
            index = cursor.take(2) & 0x7FFF if has_wide_entries else cursor.take(1) & 0x7F
            if 0 < index <= len(listed):
                found.setdefault(item, []).append(listed[index - 1])
    return found


def _item_places(content: bytes) -> dict[int, tuple[int, int]]:
    """Start and length of the items that lie in one piece, counted from the start of the file."""
    found: dict[int, tuple[int, int]] = {}
    if len(content) < 8:
        return found
    version = content[0]
    offset_size, length_size = content[4] >> 4, content[4] & 15
    base_size, index_size = content[5] >> 4, content[5] & 15 if version else 0
    number_size = 4 if version == 2 else 2
    cursor = _Cursor(content, 6)
    for _ in range(min(cursor.take(number_size), _MOST_PARTS)):
        item = cursor.take(number_size)
        method = cursor.take(2) & 15 if version else 0
        cursor.take(2)  # which file it is in
        start = cursor.take(base_size)
        extents = cursor.take(2)
        if extents == 1 and method == 0:
            cursor.take(index_size)
            start += cursor.take(offset_size)
            found[item] = start, cursor.take(length_size)
        else:
            cursor.at += extents * (index_size + offset_size + length_size)
    return found
