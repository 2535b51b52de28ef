"""The pages of a TIFF file, each for itself: which of them are images of their own, and whether one can be read."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

from gansdk.media.modes import UnreadableModeError

if TYPE_CHECKING:
    from gansdk.media.directories import Block, Directory

_SAMPLES, _MOST_SAMPLES = 277, 6
_BITS, _COMPRESSION, _PHOTOMETRIC, _EXTRA, _FORMAT = 258, 259, 262, 338, 339
_NEW_KIND, _OLD_KIND, _INSIDE = 254, 255, 330

_COMPRESSIONS = {
    6: "old JPEG", 32809: "ThunderScan", 34661: "JBIG", 34676: "SGI log", 34677: "SGI log", 34712: "JPEG 2000",
    34887: "LERC", 34892: "lossy JPEG", 34925: "LZMA", 50000: "Zstd", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}  # fmt: skip
"""Those that not every decoder has."""

_USUAL = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})

_COLOURS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "Lab", 32803: "raw camera data"}
_NUMBERS = {2: "signed numbers", 3: "floating-point numbers", 5: "complex numbers", 6: "complex numbers"}


def choosable(block: Block) -> list[Directory]:
    """The pages that are no reduced copy or mask of another one; all of them where none is more than that."""
    every = list(block.chain())
    return [page for page in every if not _is_beside(block, page)] or every


def is_reduced(block: Block, page: Directory) -> bool:
    """Whether a page is a reduced copy of an image that is no page, as in a camera's raw file."""
    return _is_beside(block, page) and bool(block.values(page, _INSIDE))


def _is_beside(block: Block, page: Directory) -> bool:
    bits = next(iter(block.values(page, _NEW_KIND)), 0)
    return bool(bits & 0b101) or 2 in block.values(page, _OLD_KIND)


def check_numbers(block: Block, page: Directory) -> None:
    """Refuses what is no image for the eye.

    Raises:
        UnreadableModeError: If its numbers are signed, floating-point or complex, or there are too many a pixel.
    """
    samples = max(block.values(page, _SAMPLES), default=1)
    if samples > _MOST_SAMPLES:
        raise UnreadableModeError(f"{samples} channels, whose colours nobody states")
    for kind in block.values(page, _FORMAT):
        if kind in _NUMBERS:
            raise UnreadableModeError(f"{_NUMBERS[kind]}, whose range nobody states")


def description(block: Block, page: Directory) -> str:
    """What a page is, in a few words, as "16-bit RGB with Zstd compression"."""
    bits = max(block.values(page, _BITS), default=1)
    colour = next(iter(block.values(page, _PHOTOMETRIC)), -1)
    extra = " with alpha" if {1, 2} & set(block.values(page, _EXTRA)) else ""
    number = _compression(block, page)
    packed = f" with {_COMPRESSIONS.get(number, f'unknown ({number})')} compression" if number not in _USUAL else ""
    order = " in a big-endian BigTIFF file" if _is_big_endian_bigtiff(block) else ""
    return f"{bits}-bit {_COLOURS.get(colour, f'colours of kind {colour}')}{extra}{packed}{order}"


def is_uncommon(block: Block, page: Directory) -> bool:
    """Whether its decoder may lack what it takes to unpack a page."""
    return _compression(block, page) not in _USUAL or _is_big_endian_bigtiff(block)


def _compression(block: Block, page: Directory) -> int:
    return next(iter(block.values(page, _COMPRESSION)), 1)


def _is_big_endian_bigtiff(block: Block) -> bool:
    """What Pillow takes for damaged."""
    return block.is_big and block.order == "big"


class PageFile:
    """A TIFF file that begins with one of its pages, so that no decoder stumbles over those before it."""

    def __init__(self, file: IO[bytes], block: Block, page: Directory) -> None:
        self._file = file
        self._head = block.head_for(page.place)

    def read(self, size: int | None = -1) -> bytes:
        """As files do."""
        at = self._file.tell()
        content = self._file.read(-1 if size is None else size)
        if at >= len(self._head):
            return content
        return (self._head[at : at + len(content)] + content[len(self._head) - at :]) if content else content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As files do."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As files do."""
        return self._file.tell()

    def close(self) -> None:
        """Leaves the file open: whoever gave it closes it."""
