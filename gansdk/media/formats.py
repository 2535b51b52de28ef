"""The formats of image files: those that are read, by their first bytes, and those that are written, by name."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

from gansdk.errors import OptionError, as_typed, option
from gansdk.options import named_values

if TYPE_CHECKING:
    from pathlib import Path

    from gansdk.options import Options, Writing

    Group = TypeVar("Group", bound=Writing)


HEAD = 4096
"""How many first bytes :func:`identify` needs."""


@dataclass(frozen=True)
class Kind:
    """A file format that is read.

    Attributes:
        name: As people write it.
        endings: Of file names; the first is the usual one.
        decoder: Module and class of the one decoder that may open it.
    """

    name: str
    endings: tuple[str, ...]
    decoder: tuple[str, str]


PNG = Kind("PNG", (".png", ".apng"), ("PIL.PngImagePlugin", "PngImageFile"))
# Phones write MPO for a photo with a depth map or a brightness map behind it. The JPEG decoder gives the photo.
JPEG = Kind("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), ("PIL.JpegImagePlugin", "JpegImageFile"))
WEBP = Kind("WebP", (".webp",), ("PIL.WebPImagePlugin", "WebPImageFile"))
TIFF = Kind("TIFF", (".tif", ".tiff"), ("PIL.TiffImagePlugin", "TiffImageFile"))
GIF = Kind("GIF", (".gif",), ("PIL.GifImagePlugin", "GifImageFile"))
BMP = Kind("BMP", (".bmp", ".dib"), ("PIL.BmpImagePlugin", "BmpImageFile"))
PPM = Kind("PPM", (".ppm", ".pgm", ".pbm", ".pnm"), ("PIL.PpmImagePlugin", "PpmImageFile"))
AVIF = Kind("AVIF", (".avif", ".avifs"), ("PIL.AvifImagePlugin", "AvifImageFile"))
HEIF = Kind("HEIC", (".heic", ".heif", ".heics", ".heifs", ".hif"), ("pillow_heif", "HeifImageFile"))

KINDS = (PNG, JPEG, WEBP, TIFF, GIF, BMP, PPM, AVIF, HEIF)

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
)
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_SHARED_BRANDS = frozenset({b"mif1", b"msf1", b"miaf"})


def identify(head: bytes) -> Kind | None:
    """The format of a file that begins with ``head``; None if it is not among those that are read."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[:2] == b"BM" and head[14:18] in {bytes([n, 0, 0, 0]) for n in (12, 16, 40, 52, 56, 64, 108, 124)}:
        return BMP
    if re.match(rb"P[1-6][\s#]", head):
        return PPM
    return _identify_isobmff(head) if head[4:8] == b"ftyp" else None


def _identify_isobmff(head: bytes) -> Kind | None:
    """AVIF and HEIC are one container; the brands tell them apart."""
    length = min(int.from_bytes(head[:4]), len(head))
    brands = [head[8:12], *(head[start : start + 4] for start in range(16, length, 4))]
    has_avif_brand = not {b"avif", b"avis"}.isdisjoint(brands)
    if brands[0] in {b"avif", b"avis"} or (brands[0] in _SHARED_BRANDS and has_avif_brand):
        return AVIF
    return HEIF if brands[0] in _HEIF_BRANDS | _SHARED_BRANDS else None


def kind_by_ending(ending: str) -> Kind | None:
    """The kind that a file name claims; None if it claims none that is read."""
    return next((kind for kind in KINDS if ending.lower() in kind.endings), None)


def declared_size(kind: Kind, head: bytes) -> tuple[int, int] | None:
    """Width and height from a fixed place in the header, if it has one, before a decoder allocates anything."""
    try:
        if kind is PNG and head[12:16] == b"IHDR":
            return struct.unpack(">II", head[16:24])
        if kind is GIF:
            return struct.unpack("<HH", head[6:10])
        if kind is WEBP:
            return _webp_size(head)
    except struct.error:  # the file ends within its header, which its decoder reports
        pass
    return None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    chunk = head[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if chunk == b"VP8L":
        packed = int.from_bytes(head[21:25], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def declared_bits(kind: Kind, head: bytes) -> int:
    """Bits per channel, if a fixed place in the header says so; otherwise 8."""
    if kind is PNG and len(head) > 24:
        return head[24]
    if kind is PPM:
        return 16 if _ppm_peak(head) > 255 else 8
    if kind is AVIF:
        found = head.find(b"av1C")
        return 10 if found >= 0 and len(head) > found + 6 and head[found + 6] & 0x40 else 8
    return 8


def _ppm_peak(head: bytes) -> int:
    """The largest value that a PPM or PGM file declares; 1 for bitmaps."""
    words = re.sub(rb"#[^\r\n]*", b"", head).split(maxsplit=4)
    if len(words) < 4 or words[0] in {b"P1", b"P4"}:
        return 1
    return int(words[3]) if words[3].isdigit() and len(words[3]) < 10 else 1


_ENDINGS = {"jpg": (".jpg", ".jpeg"), "tiff": (".tif", ".tiff"), "jsonl": (".jsonl", ".json")}
"""Those of formats with more than one."""


def format_by_ending(group: type[Options]) -> dict[str, str]:
    """The formats of a group of options, by the endings of file names."""
    names = named_values(group.model_fields["format"].annotation)
    return {ending: name for name in names for ending in _ENDINGS.get(name, (f".{name}",))}


def with_format_of(file: object, options: Group) -> Group:
    """The options with the format that a file object's name ends in, unless they have one."""
    name = getattr(file, "name", None)
    if options.format is not None or not isinstance(name, str):
        return options
    named = format_by_ending(type(options)).get(PurePath(name).suffix.lower())
    return options if named is None else options.model_copy(update={"format": named})


def file_format(path: Path | None, options: Writing) -> str:
    """The format of an output: that of the options, else that of its name's ending, else the first of its group.

    Raises:
        OptionError: If the ending is unknown and no format is given, or if it contradicts the given one.
    """
    known = format_by_ending(type(options))
    named = known.get(path.suffix.lower()) if path is not None else None
    if options.format is not None:
        if path is not None and named is not None and named != options.format:
            what = f"{path.name} ends in {path.suffix}, but {option('format')} is {options.format}"
            raise OptionError(what, hint="change one of them")
        return options.format
    if path is None or not path.suffix:
        return next(iter(known.values()))
    if named is None:
        formats = tuple(dict.fromkeys(known.values()))
        choice = as_typed(f"--format {'|'.join(formats)}", option("format", *formats))
        hint = f"end it in {', '.join(known)}, or give {choice}"
        raise OptionError(f"{path.name} does not end in a format that can be written", hint=hint)
    return named
