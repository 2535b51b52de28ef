"""What a file says outside its pixels that no decoder passes on, and what a decoder must not see of it.

A file is inspected before a decoder opens it: some decoders parse EXIF data at once, and refuse a whole image for a
chunk that they could skip.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING

from gansdk.media import colour, containers, formats, tiff
from gansdk.media.decoders import UnsupportedError

if TYPE_CHECKING:
    from gansdk.media.colour import Colour
    from gansdk.media.containers import Chunk, HeifItem, Segment


_PROFILE, _EXIF = b"ICC_PROFILE\0", b"Exif\0\0"
_XMP, _EXTENDED_XMP = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_GAIN_MAP_ISO = b"urn:iso:std:iso:ts:21496:-1"

_OVERDRAWN = "its EXIF data declares far more than it holds and is left out"
_GAIN_MAP = "its gain map, which makes it brighter on HDR screens, is left out"

_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"cICP": 4, b"tRNS": 1}
"""Bytes that a PNG chunk of a kind has at least."""

_COLOUR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})

_LONGEST_TEXT = 2**20
"""Bytes that one compressed text of a PNG file may unpack to, which is Pillow's limit too."""


@dataclass
class Inspection:
    """What was found.

    Attributes:
        file: What the decoder reads: the file itself, or a copy without what it must not see.
        has_profile: Whether there is a colour profile, or a part of one.
        colour: What is stated about colour otherwise; it takes precedence over the profile.
        losses: What cannot be kept or trusted, a line each; refused if the user is strict.
        notes: What else was left out.
    """

    file: IO[bytes]
    has_profile: bool = False
    colour: Colour | None = None
    losses: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def content(self) -> bytes:
        """All bytes of the file."""
        self.file.seek(0)
        return self.file.read()


def inspect(kind: formats.Kind, file: IO[bytes]) -> Inspection:
    """Examines a file before its decoder does.

    Args:
        kind: What it is.
        file: Seekable; its position afterwards is undefined.

    Raises:
        UnsupportedError: If it is of a variant that cannot be read.
    """
    found = Inspection(file)
    if kind is formats.PNG:
        _inspect_png(found)
    elif kind is formats.JPEG:
        _inspect_jpeg(found)
    elif kind in {formats.AVIF, formats.HEIF}:
        _inspect_heif(found)
    elif kind is formats.BMP:
        _inspect_bmp(found)
    found.losses, found.notes = list(dict.fromkeys(found.losses)), list(dict.fromkeys(found.notes))
    return found


def _inspect_png(found: Inspection) -> None:
    bad: list[Chunk] = []
    stated: dict[bytes, bytes] = {}
    for chunk in containers.png_chunks(found.file):
        if chunk.name == b"CgBI":
            what = "is PNG in Apple's own variant for iPhones (CgBI), which is not supported"
            raise UnsupportedError(what, hint="save it as plain PNG or JPEG")
        if chunk.name[:1].islower() and not _is_sound(chunk):
            bad.append(replace(chunk, content=b""))  # only its place is needed
        elif chunk.name in _COLOUR_CHUNKS:
            stated.setdefault(chunk.name, chunk.content[:32])
    if bad:
        names = ", ".join(dict.fromkeys(chunk.name.decode() for chunk in bad[:100]))
        found.losses.append(f"damaged chunks beside its pixels are left out ({names})")
        found.file = io.BytesIO(containers.without(found.content(), bad))
    found.has_profile = b"iCCP" in stated
    if b"cICP" in stated:
        found.colour = colour.of_codes(*stated[b"cICP"][:2])
    if found.colour is None and not {b"iCCP", b"sRGB"} & set(stated) and {b"gAMA", b"cHRM"} & set(stated):
        gamma, primaries = None, None
        if b"gAMA" in stated:
            gamma = int.from_bytes(stated[b"gAMA"][:4]) / 100_000
        if b"cHRM" in stated:
            primaries = tuple(number / 100_000 for number in struct.unpack(">8I", stated[b"cHRM"]))
        found.colour = colour.of_gamma(primaries, gamma)
        if found.colour is None:
            found.losses.append("what it says about colour (gAMA, cHRM) is impossible and is left out")


def _is_sound(chunk: Chunk) -> bool:
    """Whether Pillow reads a chunk without an error."""
    if not chunk.is_whole or chunk.length < _LENGTHS.get(chunk.name, 0):
        return False
    _, _, rest = chunk.content.partition(b"\0")
    if chunk.name in {b"iCCP", b"zTXt"}:
        return rest[:1] == b"\0" and _unpacks(rest[1:])
    if chunk.name == b"iTXt" and rest[:1] == b"\1":
        parts = rest[2:].split(b"\0", 2)
        return len(parts) == 3 and _unpacks(parts[2])
    return True


def _unpacks(content: bytes) -> bool:
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(content, _LONGEST_TEXT)
    except zlib.error:
        return False
    return unpacking.eof


def _inspect_jpeg(found: Inspection) -> None:
    exif: list[Segment] = []
    has_gain_map = has_images_behind = False
    for segment in containers.jpeg_segments(found.file):
        content = segment.content
        if segment.marker == 0xE1 and content.startswith(_EXIF):
            exif.append(segment)
        elif segment.marker == 0xE1 and content.startswith(_EXTENDED_XMP):
            found.notes.append("its extended XMP data is left out")
        elif segment.marker == 0xE1 and content.startswith(_XMP):
            has_gain_map |= b"hdrgm:Version" in content
        elif segment.marker == 0xE2:
            found.has_profile |= content.startswith(_PROFILE)
            has_images_behind |= content.startswith(b"MPF\0")
            has_gain_map |= content.startswith(_GAIN_MAP_ISO)
    if has_gain_map or (has_images_behind and _names_gain_map(found.file)):
        found.notes.append(_GAIN_MAP)
    block = b"".join(segment.content[len(_EXIF) :] for segment in exif)
    if tiff.is_overdrawn(block):
        found.losses.append(_OVERDRAWN)
        patched = bytearray(found.content())
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
    content = tiff.Block(io.BytesIO(block), 0, len(block))
    found = next(content.chain(), None)
    for pointer in (34665, 40965):
        places = content.values(found, pointer) if found is not None else ()
        found = content.directory(places[0]) if places else None
    says_r03 = found is not None and 1 in found.entries and found.entries[1].inline[:3] == b"R03"
    return colour.ADOBE_RGB if says_r03 else None


def _inspect_heif(found: Inspection) -> None:
    for index in containers.heif_indexes(found.file):
        image = index.by_number.get(index.primary) if index.primary is not None else None
        if image is not None and found.colour is None:
            _read_heif_colour(found, image)
        for item in index.by_number.values():
            if item.kind == b"tmap" or any(name == b"auxC" and b"gainmap" in said for name, said in item.properties):
                found.notes.append(_GAIN_MAP)
            if item.kind == b"Exif" and (item.place is None or _is_overdrawn(found.file, *item.place)):
                found.losses.append(_OVERDRAWN)
    if _OVERDRAWN in found.losses:
        found.file = io.BytesIO(containers.without_exif(found.content()))


def _read_heif_colour(found: Inspection, image: HeifItem) -> None:
    statements = [content for name, content in image.properties if name == b"colr"]
    has_profile = any(content[:4] in {b"prof", b"rICC"} for content in statements)
    for content in statements:
        if content[:4] == b"nclx" and len(content) >= 10:
            stated = colour.of_codes(*struct.unpack(">HH", content[4:8]))
            if stated is None:
                found.losses.append("what it says about colour is unknown here and is left out")
            elif stated.hdr or not has_profile:
                found.colour = stated


def _is_overdrawn(file: IO[bytes], start: int, length: int) -> bool:
    """Whether an item is overdrawn EXIF data; its offset, and often a word, come before its header."""
    file.seek(start)
    content = file.read(min(length, 2**24))
    return any(tiff.is_overdrawn(content[at:]) for at in (4, 4 + int.from_bytes(content[:4])))


def _inspect_bmp(found: Inspection) -> None:
    """Finds colour in the fourth version of the header, and a profile in the fifth."""
    found.file.seek(14)
    head = found.file.read(124)
    if int.from_bytes(head[:4], "little") < 108 or len(head) < 108:
        return
    if head[56:60] in {b"DEBM", b"KNIL"}:  # MBED and LINK, reversed
        found.losses.append("its colour profile is left out")
    elif head[56:60] == bytes(4) and any(head[60:96]):
        found.losses.append("its colours are calibrated; they are read as sRGB")
