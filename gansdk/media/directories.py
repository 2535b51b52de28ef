"""Directories of tags, of which TIFF files and EXIF data are made, read without their values.

What a directory declares can be far more than the file that it stands in: 400 entries that all point at the same 60 kB
are 24 MB for whoever collects them. So it is added up before Pillow walks it.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value, by its type."""

_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}

_INSIDE = (330, 34665, 34853, 40965)
"""Tags that point at further directories: SubIFDs, EXIF, GPS, interoperability."""

_FACTOR, _ALLOWANCE = 2, 4096
"""A directory may declare this many times the bytes of its block, and so many more: some makers let values overlap."""

_SHARED = 2**22
"""Bytes that the pages of a file may declare together beyond that: a profile that all of them share, say."""

_OVERDRAWN = "declares far more in its directories than it holds"

_MOST, _MOST_ENTRIES = 10_000, 500_000
"""Directories, and entries in all of them together, that are looked at; no file of reasonable size has more."""


@dataclass(frozen=True)
class TagEntry:
    """What a directory declares under a tag: a type, how many values, and their bytes where they stand in it."""

    type: int
    count: int
    inline: bytes
    place: int | None

    @property
    def size(self) -> int:
        """Bytes of all its values."""
        return self.count * _SIZES.get(self.type, 0)


@dataclass(frozen=True)
class Directory:
    """One directory.

    Attributes:
        place: Where it stands in its block.
        entries: By tag; the first of several.
        declared: Bytes that all its entries point at, together.
        next: Where the next one stands; 0 for none.
    """

    place: int
    entries: Mapping[int, TagEntry]
    declared: int
    next: int


class Block:
    """A TIFF file, or EXIF data, as directories.

    Args:
        file: Seekable; read only where directories and short values are.
        start: Where its header begins.
        length: Bytes from there; offsets count from ``start``.
    """

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        self._file = file
        self._start = start
        self.length = length
        head = self._read(0, 16)
        self.order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
        self._order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        version = struct.unpack(f"{self._order}H", head[2:4])[0] if self._order and len(head) >= 8 else 0
        self.is_big = version == 43
        self.is_sound = version in {42, 43}
        self.first = self._whole(head[8:16] if self.is_big else head[4:8]) if self.is_sound else 0
        self._left = _MOST_ENTRIES

    def chain(self) -> Iterator[Directory]:
        """The directories that follow one another from the first, each once."""
        seen: set[int] = set()
        at = self.first
        while at and at not in seen and len(seen) < _MOST:
            seen.add(at)
            directory = self.directory(at)
            if directory is None:
                return
            yield directory
            at = directory.next

    def directory(self, at: int) -> Directory | None:
        """The directory at a place; None if there is none."""
        width, step = (8, 20) if self.is_big else (2, 12)
        head = self._read(at, width)
        if len(head) < width:
            return None
        count = min(self._whole(head), 65_535)
        self._left -= count
        if self._left < 0:
            return None
        table = self._read(at + width, count * step + (8 if self.is_big else 4))
        entries: dict[int, TagEntry] = {}
        declared = 0
        for n in range(min(count, len(table) // step)):
            tag, entry = self._entry(table[n * step : (n + 1) * step])
            declared += entry.size if entry.place is not None else 0
            entries.setdefault(tag, entry)
        rest = table[count * step :]
        return Directory(at, entries, declared, self._whole(rest) if len(rest) == (8 if self.is_big else 4) else 0)

    def values(self, directory: Directory, tag: int, most: int = 64) -> tuple[int, ...]:
        """The whole numbers under a tag, at most so many; none where there are no such."""
        entry = directory.entries.get(tag)
        if entry is None or entry.type not in _NUMBERS:
            return ()
        count = min(entry.count, most)
        size = count * _SIZES[entry.type]
        content = self._read(entry.place, size) if entry.place is not None else entry.inline[:size]
        if len(content) < size:
            return ()
        return struct.unpack(f"{self._order}{count}{_NUMBERS[entry.type]}", content)

    def head_for(self, at: int) -> bytes:
        """The header of a block whose first directory stands at another place."""
        return self._read(0, 8 if self.is_big else 4) + at.to_bytes(8 if self.is_big else 4, self.order)

    def fault(self) -> str:
        """What makes the block too long a way for a decoder; empty where nothing does."""
        limit = _FACTOR * self.length + _ALLOWANCE
        seen: set[int] = set()
        declared = 0
        for page, directory in enumerate(self.chain(), 1):
            if page == _MOST and directory.next:
                return f"has more than {_MOST} pages"
            declared += directory.declared
            waiting = [directory]
            while waiting and len(seen) < _MOST:
                one = waiting.pop()
                if one.declared > limit or declared > limit + _SHARED:
                    return _OVERDRAWN
                for at in (at for tag in _INSIDE for at in self.values(one, tag)):
                    inner = self.directory(at) if at not in seen else None
                    seen.add(at)
                    waiting += [inner] if inner is not None else []
        return _OVERDRAWN if self._left < 0 else ""

    def _entry(self, row: bytes) -> tuple[int, TagEntry]:
        tag, kind, count = struct.unpack(
            f"{self._order}{'HHQ' if self.is_big else 'HHI'}", row[: 12 if self.is_big else 8]
        )
        inline = row[12:] if self.is_big else row[8:]
        is_inline = count * _SIZES.get(kind, 0) <= len(inline)
        return tag, TagEntry(kind, count, inline, None if is_inline else self._whole(inline))

    def _whole(self, content: bytes) -> int:
        return int.from_bytes(content, self.order)

    def _read(self, at: int, size: int) -> bytes:
        if not 0 <= at <= self.length:
            return b""
        self._file.seek(self._start + at)
        return self._file.read(min(size, self.length - at))


def is_overdrawn(block: bytes) -> bool:
    r"""Whether EXIF data declares more than it holds, with ``Exif\0\0`` before it or without."""
    content = block[6:] if block.startswith(b"Exif\0\0") else block
    return bool(Block(io.BytesIO(content), 0, len(content)).fault())
