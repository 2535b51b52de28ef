"""The directories of tags that TIFF files and EXIF data consist of, and the pages of TIFF files.

A directory can declare far more than its file holds: 400 entries that all point at the same 60 kB are 24 MB for a
parser that collects them. So the declared sizes are added up before Pillow reads any values.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal

from gansdk.media.decoders import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value, by its type."""

_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}

_POINTERS = (330, 34665, 34853, 40965)
"""Tags that point at further directories: SubIFDs, EXIF, GPS, interoperability."""

_FACTOR, _ALLOWANCE = 2, 4096
"""A directory may declare this many times the bytes of its block, and so many more: some makers let values overlap."""

_SHARED = 2**22
"""Bytes that the pages of a file may declare together beyond that, for example a profile that all of them share."""

_OVERDRAWN = "declares far more in its directories than it holds"

_MOST, _MOST_ENTRIES = 10_000, 500_000
"""How many directories, and entries in all of them, are examined; no file of reasonable size has more."""


@dataclass(frozen=True)
class TagEntry:
    """What a directory declares under a tag: a type, a count of values, and where these are."""

    type: int
    count: int
    inline: bytes
    offset: int | None

    @property
    def size(self) -> int:
        """Bytes of all its values."""
        return self.count * _SIZES.get(self.type, 0)


@dataclass(frozen=True)
class Directory:
    """One directory.

    Attributes:
        offset: Where it is in its block.
        entries: By tag; the first of several.
        declared: Bytes that all its entries point at, together.
        next: Where the next directory is; 0 for none.
    """

    offset: int
    entries: Mapping[int, TagEntry]
    declared: int
    next: int


class Block:
    """A TIFF file, or EXIF data, as directories.

    Args:
        file: Seekable; only directories and short values are read.
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
        version = int.from_bytes(head[2:4], self.order) if self._order and len(head) >= 8 else 0
        self.is_big = version == 43
        self.first = 0
        if version in {42, 43}:
            self.first = int.from_bytes(head[8:16] if self.is_big else head[4:8], self.order)
        self._entries_left = _MOST_ENTRIES

    def chain(self) -> Iterator[Directory]:
        """The directories that follow one another from the first, each once."""
        seen: set[int] = set()
        offset = self.first
        while offset and offset not in seen and len(seen) < _MOST:
            seen.add(offset)
            directory = self.directory(offset)
            if directory is None:
                return
            yield directory
            offset = directory.next

    def directory(self, offset: int) -> Directory | None:
        """The directory at an offset; None if there is none."""
        width, step, pointer = (8, 20, 8) if self.is_big else (2, 12, 4)
        head = self._read(offset, width)
        if len(head) < width:
            return None
        count = min(int.from_bytes(head, self.order), 65_535)
        self._entries_left -= count
        if self._entries_left < 0:
            return None
        table = self._read(offset + width, count * step + pointer)
        entries: dict[int, TagEntry] = {}
        declared = 0
        for start in range(0, min(count, len(table) // step) * step, step):
            tag, kind, values = struct.unpack_from(f"{self._order}{'HHQ' if self.is_big else 'HHI'}", table, start)
            inline = table[start + step - pointer : start + step]
            is_inline = values * _SIZES.get(kind, 0) <= pointer
            entry = TagEntry(kind, values, inline, None if is_inline else int.from_bytes(inline, self.order))
            declared += 0 if is_inline else entry.size
            entries.setdefault(tag, entry)
        rest = table[count * step :]
        return Directory(offset, entries, declared, int.from_bytes(rest, self.order) if len(rest) == pointer else 0)

    def values(self, directory: Directory, tag: int, most: int = 64) -> tuple[int, ...]:
        """The integers under a tag, at most so many; empty if there are none."""
        entry = directory.entries.get(tag)
        if entry is None or entry.type not in _INTEGERS:
            return ()
        count = min(entry.count, most)
        size = count * _SIZES[entry.type]
        content = self._read(entry.offset, size) if entry.offset is not None else entry.inline[:size]
        if len(content) < size:
            return ()
        return struct.unpack(f"{self._order}{count}{_INTEGERS[entry.type]}", content)

    def first_value(self, directory: Directory, tag: int, default: int) -> int:
        """The first integer under a tag."""
        return next(iter(self.values(directory, tag)), default)

    def header_for(self, offset: int) -> bytes:
        """The header of a block whose first directory is at another offset."""
        width = 8 if self.is_big else 4
        return self._read(0, width) + offset.to_bytes(width, self.order)

    def fault(self) -> str:
        """What would make a decoder work for too long; empty if nothing does."""
        limit = _FACTOR * self.length + _ALLOWANCE
        seen: set[int] = set()
        declared = 0
        for page, directory in enumerate(self.chain(), 1):
            if page == _MOST and directory.next:
                return f"has more than {_MOST} pages"
            declared += directory.declared
            waiting = [directory]
            while waiting and len(seen) < _MOST:
                current = waiting.pop()
                if current.declared > limit or declared > limit + _SHARED:
                    return _OVERDRAWN
                for offset in (offset for tag in _POINTERS for offset in self.values(current, tag)):
                    inner = self.directory(offset) if offset not in seen else None
                    seen.add(offset)
                    waiting += [inner] if inner is not None else []
        return _OVERDRAWN if self._entries_left < 0 else ""

    def _read(self, offset: int, size: int) -> bytes:
        if not 0 <= offset <= self.length:
            return b""
        self._file.seek(self._start + offset)
        return self._file.read(min(size, self.length - offset))


def is_overdrawn(block: bytes) -> bool:
    r"""Whether EXIF data, with ``Exif\0\0`` before it or without, declares far more than it holds."""
    content = block[6:] if block.startswith(b"Exif\0\0") else block
    return bool(Block(io.BytesIO(content), 0, len(content)).fault())


_SUBFILE, _OLD_SUBFILE, _SUB_IFDS = 254, 255, 330
_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _EXTRA, _FORMAT = 258, 259, 262, 277, 338, 339

_MOST_SAMPLES = 6

_COMPRESSIONS = {
    6: "old JPEG", 32809: "ThunderScan", 34661: "JBIG", 34676: "SGI log", 34677: "SGI log", 34712: "JPEG 2000",
    34887: "LERC", 34892: "lossy JPEG", 34925: "LZMA", 50000: "Zstd", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}  # fmt: skip
"""Those that not every decoder has."""

_COMMON_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})

_COLOURS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "Lab", 32803: "raw camera data"}
_NUMBERS = {2: "signed numbers", 3: "floating-point numbers", 5: "complex numbers", 6: "complex numbers"}


@dataclass(frozen=True)
class Page:
    """A page of a TIFF file: an image with its own size, colours and compression."""

    block: Block
    directory: Directory

    @property
    def is_secondary(self) -> bool:
        """Whether it is a reduced copy or a mask of another image."""
        bits = self.block.first_value(self.directory, _SUBFILE, 0)
        return bool(bits & 0b101) or 2 in self.block.values(self.directory, _OLD_SUBFILE)

    @property
    def is_preview(self) -> bool:
        """Whether it is a reduced copy of an image that is not a page, as in a camera's raw file."""
        return self.is_secondary and bool(self.block.values(self.directory, _SUB_IFDS))

    @property
    def is_uncommon(self) -> bool:
        """Whether a decoder may be unable to read it; Pillow takes big-endian BigTIFF files for damaged."""
        compression = self.block.first_value(self.directory, _COMPRESSION, 1)
        return compression not in _COMMON_COMPRESSIONS or (self.block.is_big and self.block.order == "big")

    @property
    def description(self) -> str:
        """What it is, in a few words, as "16-bit RGB with Zstd compression"."""
        bits = max(self.block.values(self.directory, _BITS), default=1)
        photometric = self.block.first_value(self.directory, _PHOTOMETRIC, -1)
        text = f"{bits}-bit {_COLOURS.get(photometric, f'colours of kind {photometric}')}"
        if {1, 2} & set(self.block.values(self.directory, _EXTRA)):
            text += " with alpha"
        compression = self.block.first_value(self.directory, _COMPRESSION, 1)
        if compression not in _COMMON_COMPRESSIONS:
            text += f" with {_COMPRESSIONS.get(compression, f'unknown ({compression})')} compression"
        return f"{text} in a big-endian BigTIFF file" if self.block.is_big and self.block.order == "big" else text

    def check_numbers(self) -> None:
        """Refuses signed, floating-point and complex numbers, and more channels than an image has.

        Raises:
            UnsupportedError: With what it holds.
        """
        samples = max(self.block.values(self.directory, _SAMPLES), default=1)
        if samples > _MOST_SAMPLES:
            raise UnsupportedError(f"holds {samples} channels, whose colours are not stated")
        for kind in self.block.values(self.directory, _FORMAT):
            if kind in _NUMBERS:
                raise UnsupportedError(f"holds {_NUMBERS[kind]}, whose range is not stated")


def pages(block: Block) -> list[Page]:
    """The pages that can be chosen: without reduced copies and masks, unless there is nothing else."""
    every = [Page(block, directory) for directory in block.chain()]
    return [page for page in every if not page.is_secondary] or every


class PageFile:
    """A TIFF file that begins with one of its pages, so that no decoder fails at those before it."""

    def __init__(self, file: IO[bytes], page: Page) -> None:
        self._file = file
        self._header = page.block.header_for(page.directory.offset)
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int | None = -1) -> bytes:
        """As files do, with another header."""
        start = self._file.tell()
        content = self._file.read(-1 if size is None else size)
        header = self._header[start : start + len(content)]
        return header + content[len(header) :]

    def close(self) -> None:
        """Leaves the file open, which belongs to the caller."""
