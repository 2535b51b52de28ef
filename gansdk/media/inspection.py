"""What a file says beside its pixels that no decoder passes on, and what a decoder must not see of it.

It is looked at before a decoder opens the file: some of them walk EXIF data at once, and refuse a whole image for a
chunk that they could pass over.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING

from gansdk.media import colour, containers, directories, formats
from gansdk.media.conversion import UnreadableModeError

if TYPE_CHECKING:
    from gansdk.media.colour import Colour
    from gansdk.media.containers import Chunk, HeifItem
    from gansdk.media.directories import Block, Directory


_PROFILE, _EXIF = b"ICC_PROFILE\0", b"Exif\0\0"
_XMP, _EXTENDED_XMP = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_GAIN_MAP_ISO = b"urn:iso:std:iso:ts:21496:-1"

_OVERDRAWN = "its EXIF data declares far more than it holds and is left out"
_GAIN_MAP = "its gain map, which makes it brighter on HDR screens, is left out"

_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"cICP": 4, b"tRNS": 1}
"""Bytes that a PNG chunk of a kind has at least."""

_COLOUR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})

_TEXTS = 2**20
"""Bytes that one compressed text of a PNG file may unpack to, which is Pillow's limit too."""


class UnsupportedError(ValueError):
    """A file that is whole, of a variant that cannot be read here; the text says which."""


@dataclass
class Inspection:
    """What was found.

    Attributes:
        file: What the decoder shall read: the file itself, or one without what it must not see.
        has_profile: Whether it has a colour profile, or a part of one.
        colour: What is stated about colour otherwise; it goes before the profile.
        losses: What cannot be kept or trusted, a line each; refused where the user is strict.
        notes: What else was left out.
    """

    file: IO[bytes]
    has_profile: bool = False
    colour: Colour | None = None
    losses: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def inspect(kind: formats.Kind, file: IO[bytes]) -> Inspection:
    """Looks at a file before its decoder does.

    Args:
        kind: What it is.
        file: Seekable; where it stands afterwards is open.

    Raises:
        UnsupportedError: If it is of a variant that nothing here can read.
    """
    found = Inspection(file)
    look = {formats.PNG: _png, formats.JPEG: _jpeg, formats.AVIF: _items, formats.HEIF: _items, formats.BMP: _bmp}.get(
        kind
    )
    if look is not None:
        look(found)
    return found


def _png(found: Inspection) -> None:
    bad: list[Chunk] = []
    said: dict[bytes, bytes] = {}
    for chunk in containers.png_chunks(found.file):
        if chunk.name == b"CgBI":
            raise UnsupportedError("PNG in Apple's own variant for iPhones (CgBI)")
        if chunk.is_ancillary and not _is_sound(chunk):
            bad.append(replace(chunk, content=b""))  # places are enough
        elif chunk.name in _COLOUR_CHUNKS:
            said.setdefault(chunk.name, chunk.content[:32])
    if bad:
        names = ", ".join(dict.fromkeys(chunk.name.decode() for chunk in bad[:100]))
        found.losses.append(f"damaged chunks beside its pixels are left out ({names})")
        found.file = io.BytesIO(containers.without(_whole(found.file), bad))
    found.has_profile = b"iCCP" in said
    if b"cICP" in said:
        found.colour = colour.of_codes(*said[b"cICP"][:2])
    if found.colour is None and not {b"iCCP", b"sRGB"} & set(said) and {b"gAMA", b"cHRM"} & set(said):
        found.colour = _gamma(found, said.get(b"gAMA"), said.get(b"cHRM"))


def _is_sound(chunk: Chunk) -> bool:
    """Whether a chunk beside the pixels is what Pillow makes no fuss about."""
    if not chunk.is_whole or chunk.length < _LENGTHS.get(chunk.name, 0):
        return False
    if chunk.name in {b"iCCP", b"zTXt"}:
        _, _, rest = chunk.content.partition(b"\0")
        return rest[:1] == b"\0" and _unpacks(rest[1:])
    if chunk.name == b"iTXt":
        _, _, rest = chunk.content.partition(b"\0")
        parts = rest[2:].split(b"\0", 2)
        return rest[:1] != b"\1" or (len(parts) == 3 and _unpacks(parts[2]))
    return True


def _unpacks(content: bytes) -> bool:
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(content, _TEXTS)
    except zlib.error:
        return False
    return unpacking.eof


def _gamma(found: Inspection, gamma: bytes | None, primaries: bytes | None) -> Colour | None:
    chosen = None
    if primaries is not None:
        wx, wy, rx, ry, gx, gy, bx, by = (number / 100_000 for number in struct.unpack(">8I", primaries[:32]))
        chosen = (wx, wy, rx, ry, gx, gy, bx, by)
    stated = colour.of_gamma(chosen, int.from_bytes(gamma[:4]) / 100_000 if gamma is not None else None)
    if stated is None:
        found.losses.append("what it says about colour (gAMA, cHRM) is impossible and is left out")
    return stated


def _jpeg(found: Inspection) -> None:
    exif: list[containers.Segment] = []
    has_gain_map = has_images_behind = False
    for segment in containers.jpeg_segments(found.file):
        marker, content = segment.marker, segment.content
        if marker == 0xE1 and content.startswith(_EXIF):
            exif.append(segment)
        elif marker == 0xE1 and content.startswith(_EXTENDED_XMP):
            _once(found.notes, "its extended XMP data is left out")
        elif marker == 0xE2 and content.startswith(_PROFILE):
            found.has_profile = True
        elif marker == 0xE2 and content.startswith(b"MPF\0"):
            has_images_behind = True
        has_gain_map |= marker == 0xE1 and content.startswith(_XMP) and b"hdrgm:Version" in content
        has_gain_map |= marker == 0xE2 and content.startswith(_GAIN_MAP_ISO)
    if has_gain_map or (has_images_behind and _names_gain_map(found.file)):
        found.notes.append(_GAIN_MAP)
    block = b"".join(segment.content[len(_EXIF) :] for segment in exif)
    if directories.is_overdrawn(block):
        found.losses.append(_OVERDRAWN)
        patched = bytearray(_whole(found.file))
        for segment in exif:
            patched[segment.start : segment.start + len(_EXIF)] = bytes(len(_EXIF))
        found.file = io.BytesIO(patched)
    elif not found.has_profile:
        found.colour = _exif_colour(block)


def _names_gain_map(file: IO[bytes]) -> bool:
    """Whether an image behind the first one calls itself a gain map, in its XMP data, as those of iPhones do."""
    file.seek(0)
    before = b""
    while part := file.read(2**22):
        if b":aux:hdrgainmap" in before + part:
            return True
        before = part[-64:]
    return False


def _exif_colour(block: bytes) -> Colour | None:
    """Adobe RGB, which cameras state without a profile (DCF 2.0)."""
    content = directories.Block(io.BytesIO(block), 0, len(block))
    found = next(content.chain(), None)
    for pointer in (34665, 40965):
        places = content.values(found, pointer) if found is not None else ()
        found = content.directory(places[0]) if places else None
    says_r03 = found is not None and 1 in found.entries and found.entries[1].inline[:3] == b"R03"
    return colour.ADOBE_RGB if says_r03 else None


def _items(found: Inspection) -> None:
    for index in containers.indexes(found.file):
        if index.image is not None and found.colour is None:
            _coded(found, index.image)
        for item in index.by_number.values():
            if item.kind == b"tmap" or any(name == b"auxC" and b"gainmap" in said for name, said in item.properties):
                _once(found.notes, _GAIN_MAP)
            if item.kind == b"Exif" and (item.place is None or _is_overdrawn(found.file, *item.place)):
                _once(found.losses, _OVERDRAWN)
    if _OVERDRAWN in found.losses:
        found.file = io.BytesIO(containers.without_exif(_whole(found.file)))


def _coded(found: Inspection, image: HeifItem) -> None:
    codes = [content for name, content in image.properties if name == b"colr"]
    is_profiled = any(content[:4] in {b"prof", b"rICC"} for content in codes)
    for content in codes:
        if content[:4] == b"nclx" and len(content) >= 10:
            stated = colour.of_codes(*struct.unpack(">HH", content[4:8]))
            if stated is None:
                found.losses.append("what it says about colour is unknown here and is left out")
            elif stated.hdr or not is_profiled:
                found.colour = stated


def _is_overdrawn(file: IO[bytes], start: int, length: int) -> bool:
    """Whether an item is EXIF data of that kind; before its header are its offset and often a word."""
    file.seek(start)
    content = file.read(min(length, 2**24))
    return any(directories.is_overdrawn(content[at:]) for at in (4, 4 + int.from_bytes(content[:4])))


def _bmp(found: Inspection) -> None:
    """Colour in the fourth version of the header, a profile in the fifth."""
    found.file.seek(14)
    head = found.file.read(124)
    if int.from_bytes(head[:4], "little") < 108 or len(head) < 108:
        return
    if head[56:60] in {b"DEBM", b"KNIL"}:  # MBED and LINK, turned round
        found.losses.append("its colour profile is left out")
    elif head[56:60] == bytes(4) and any(head[60:96]):
        found.losses.append("its colours are calibrated; they are read as sRGB")


def _once(lines: list[str], line: str) -> None:
    if line not in lines:
        lines.append(line)


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


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
    """Refuses what is not an image for the eye.

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
