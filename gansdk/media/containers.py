"""What the parts of a file say that its decoder passes over, read in its place: chunks, segments, boxes.

Nothing here raises for what is damaged: a walk ends where the file stops making sense, and the decoder says why.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_LONGEST = 2**24
"""Bytes of a chunk or box that are looked at; none that matters here is longer."""

_MOST_PARTS = 100_000


@dataclass(frozen=True)
class Chunk:
    """A chunk of a PNG file beside its pixels.

    Attributes:
        name: Four letters; the first one small where a reader may pass over it.
        start: Where it begins, with its length.
        length: Bytes of its content.
        content: These bytes; empty where they are too many to be looked at.
        is_whole: Whether its checksum is right, as far as it was looked at.
    """

    name: bytes
    start: int
    length: int
    content: bytes
    is_whole: bool

    @property
    def is_ancillary(self) -> bool:
        """Whether an image can be decoded without it."""
        return bool(self.name[0] & 0x20)


_EXIF_ITEM = re.compile(rb"(infe[\2\3]...(?:..|....)..)Exif", re.DOTALL)


def png_chunks(file: IO[bytes]) -> Iterator[Chunk]:
    """The chunks of a PNG file without those of pixels, whose contents are not read."""
    at = 8
    for _ in range(_MOST_PARTS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or not head[4:].isalpha():
            return
        length, name = int.from_bytes(head[:4]), head[4:]
        if name not in {b"IDAT", b"fdAT"}:
            content = file.read(length) if length <= _LONGEST else b""
            checksum = file.read(4) if length <= _LONGEST else b""
            is_whole = len(checksum) < 4 or int.from_bytes(checksum) == zlib.crc32(name + content)
            yield Chunk(name, at, length, content, is_whole)
        if name == b"IEND":
            return
        at += 12 + length


def without(content: bytes, chunks: list[Chunk]) -> bytes:
    """A PNG file without some of its chunks."""
    kept, at = [], 0
    for chunk in chunks:
        kept.append(content[at : chunk.start])
        at = chunk.start + 12 + chunk.length
    return b"".join([*kept, content[at:]])


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
        content = file.read(int.from_bytes(size) - 2)
        yield Segment(marker[0], start, content)


_MOST_SCANS, _FEW_SCANS = 500, 32
_MOST_WORK = 2_000_000_000
"""Pixels times scans: about two seconds. A large photo with the ten scans of a progressive file stays below."""

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_END, _SCAN = 0xD9, 0xDA


def jpeg_fault(file: IO[bytes], pixels: int) -> str:
    """What makes a JPEG file too long a way for its decoder; empty where nothing does.

    It may come back to the same pixels any number of times, so that a small file takes hours. No limit on pixels helps.

    Args:
        file: The file, seekable.
        pixels: Of the image.
    """
    file.seek(0)
    content = file.read()
    most = min(_MOST_SCANS, max(_FEW_SCANS, _MOST_WORK // max(pixels, 1)))
    scans, at = 0, 2
    while scans <= most and (marker := _MARKER.search(content, at)):
        code = content[marker.start() + 1]
        if code == _END:  # of the first image; a preview or a gain map may follow
            break
        scans += code == _SCAN
        at = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2])
    return f"is drawn in more than {most} scans" if scans > most else ""


@dataclass(frozen=True)
class HeifItem:
    """An item of an AVIF or HEIC file: its kind, its properties, where its bytes lie."""

    kind: bytes
    properties: tuple[tuple[bytes, bytes], ...]
    place: tuple[int, int] | None


@dataclass(frozen=True)
class HeifItems:
    """What the index of an AVIF or HEIC file lists, by number, and which of it is the image."""

    by_number: dict[int, HeifItem]
    primary: int | None

    @property
    def image(self) -> HeifItem | None:
        """The item that is shown."""
        return self.by_number.get(self.primary) if self.primary is not None else None


def boxes(content: bytes) -> dict[bytes, bytes]:
    """The boxes in a box of ISO base media, by name; of several of one name the first."""
    found: dict[bytes, bytes] = {}
    for name, start, end in _each_box(content):
        found.setdefault(name, content[start:end])
    return found


def _each_box(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    for _ in range(_MOST_PARTS):
        if at + 8 > len(content):
            return
        size, name, header = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8], 8
        if size == 1:
            size, header = int.from_bytes(content[at + 8 : at + 16]), 16
        end = len(content) if size == 0 else at + size
        if end < at + header:
            return
        yield name, at + header, min(end, len(content))
        at = end


def without_exif(content: bytes) -> bytes:
    """An AVIF or HEIC file whose items of EXIF data are called something else."""
    return _EXIF_ITEM.sub(rb"\1free", content)


def indexes(file: IO[bytes]) -> list[HeifItems]:
    """The indexes of an AVIF or HEIC file: that of its items, then those of its tracks."""
    found = []
    for content in _metas(file):
        try:
            found.append(_index(boxes(content[4:])))
        except IndexError:  # damaged
            found.append(HeifItems({}, None))
    return found


def _index(meta: dict[bytes, bytes]) -> HeifItems:
    kinds = _kinds(meta.get(b"iinf", b""))
    properties = _properties(boxes(meta.get(b"iprp", b"")))
    places = _places(meta.get(b"iloc", b""))
    chosen = meta.get(b"pitm", b"")
    primary = _number(chosen, 4, 2 if chosen[0] == 0 else 4) if chosen else None
    listed = {
        n: HeifItem(kinds.get(n, b""), tuple(properties.get(n, ())), places.get(n)) for n in {*kinds, *properties}
    }
    return HeifItems(listed, primary)


def _metas(file: IO[bytes]) -> Iterator[bytes]:
    """The contents of a file's boxes ``meta``."""
    at = 0
    for _ in range(64):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        size, header = int.from_bytes(head[:4]), 8
        if size == 1:
            size, header = int.from_bytes(head[8:16]), 16
        if size < header:
            return
        if head[4:8] in {b"meta", b"moov"}:
            file.seek(at + header)
            content = file.read(min(size - header, _LONGEST))
            if head[4:8] == b"meta":
                yield content
            else:
                yield from (
                    boxes(content[a:b]).get(b"meta", b"") for name, a, b in _each_box(content) if name == b"trak"
                )
        at += size


def _number(content: bytes, at: int, size: int) -> int:
    if at + size > len(content):
        raise IndexError
    return int.from_bytes(content[at : at + size])


def _kinds(content: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for name, start, end in _each_box(content[6 if content[:1] == b"\0" else 8 :]):
        entry = content[6 if content[:1] == b"\0" else 8 :][start:end]
        if name == b"infe" and entry[:1] in {b"\2", b"\3"}:
            width = 2 if entry[0] == 2 else 4
            found[_number(entry, 4, width)] = entry[6 + width : 10 + width]
    return found


def _properties(content: dict[bytes, bytes]) -> dict[int, list[tuple[bytes, bytes]]]:
    container = content.get(b"ipco", b"")
    listed = [(name, container[start:end]) for name, start, end in _each_box(container)]
    table = content.get(b"ipma", b"")
    found: dict[int, list[tuple[bytes, bytes]]] = {}
    if not table:
        return found
    wide_items, wide_entries = table[0] >= 1, table[3] & 1
    at = 8
    for _ in range(min(_number(table, 4, 4), _MOST_PARTS)):
        item = _number(table, at, 4 if wide_items else 2)
        at += 4 if wide_items else 2
        count = _number(table, at, 1)
        at += 1
        for _ in range(count):
            index = _number(table, at, 2) & 0x7FFF if wide_entries else _number(table, at, 1) & 0x7F
            at += 2 if wide_entries else 1
            if 0 < index <= len(listed):
                found.setdefault(item, []).append(listed[index - 1])
    return found


def _places(content: bytes) -> dict[int, tuple[int, int]]:
    """Start and length of the items that lie in one piece, counted from the start of the file."""
    found: dict[int, tuple[int, int]] = {}
    if len(content) < 8:
        return found
    version = content[0]
    offset, length = content[4] >> 4, content[4] & 15
    base, index = content[5] >> 4, content[5] & 15 if version else 0
    wide = version == 2
    at = 10 if wide else 8
    for _ in range(min(_number(content, 6, 4 if wide else 2), _MOST_PARTS)):
        item = _number(content, at, 4 if wide else 2)
        at += 4 if wide else 2
        method = _number(content, at, 2) & 15 if version else 0
        at += (2 if version else 0) + 2
        start = _number(content, at, base)
        at += base
        extents = _number(content, at, 2)
        at += 2
        if extents == 1 and method == 0:
            where = start + _number(content, at + index, offset)
            found[item] = where, _number(content, at + index + offset, length)
        at += extents * (index + offset + length)
    return found
