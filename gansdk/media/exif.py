"""EXIF data, through Pillow: taken apart, made true of other pixels, and built anew.

A maker's private notes keep their bytes but not their place, so pointers inside them that count from the start of
the data lead nowhere afterwards; Pillow offers no other way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.ExifTags import IFD, Base

from gansdk.media.directories import is_overdrawn
from gansdk.media.hearing import heard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PARTS = (IFD.Exif, IFD.GPSInfo)
"""The directories beside the main one that are kept; the thumbnail's is not."""

_LAYOUT = frozenset(
    {0xFE, 0x100, 0x101, 0x102, 0x103, 0x106, 0x10A, 0x111, 0x115, 0x116, 0x117, 0x11C, 0x13D, 0x140, 0x142, 0x143}
    | {0x144, 0x145, 0x14A, 0x152, 0x153, 0x201, 0x202, 0x211, 0x212, 0x213, 0x214}
)
_STALE = _LAYOUT | {0x2BC, 0x8649, 0x8773}  # XMP and Photoshop blocks repeat sizes, orientation and thumbnails; ICC
_STALE_IN_PARTS = frozenset({Base.ExifImageWidth, Base.ExifImageHeight})

_DESCRIPTIVE = frozenset({270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 33432})
"""Tags of a TIFF file that say something about the picture and not about the file: maker, date, artist …"""


def cleaned(block: bytes, doubt: Callable[[str], None]) -> tuple[bytes | None, int | None]:
    r"""What stays true once the pixels are turned or resized: the orientation becomes 1, thumbnail and sizes go.

    Args:
        block: EXIF data, with ``Exif\0\0`` before it or without.
        doubt: Told if something is damaged; may raise.

    Returns:
        EXIF data, None if nothing is left; and which of the eight orientations was declared, None if none was.
    """
    kept, orientation, is_damaged = None, None, False
    if is_overdrawn(block):
        doubt("its EXIF data declares far more than it holds and is left out")
        return None, None
    try:
        with heard() as warned:
            exif = loaded(block)
            orientation = exif.get(Base.Orientation)
            target = _selected(exif, set(exif) - _STALE)
            if Base.Orientation in target:
                target[Base.Orientation] = 1
            kept = target.tobytes() if len(target) else None
        is_damaged = bool(warned)
    except Exception:  # noqa: BLE001 - Pillow's parser raises whatever damaged bytes make it stumble over
        is_damaged = True
    if is_damaged:
        doubt(f"its EXIF data is damaged and is left out{' in part' if kept else ''}")
    return kept, orientation if orientation in range(1, 9) else None


def with_software(block: bytes | None, text: str) -> bytes:
    """Clean EXIF data, or none, with ``text`` as the software that made the file."""
    exif = loaded(block or b"")
    target = _selected(exif, set(exif))
    target[Base.Software] = text
    return target.tobytes()


def with_resolution(block: bytes | None, dpi: tuple[float, float]) -> bytes:
    """Clean EXIF data, or none, with a print resolution in pixels per inch."""
    exif = loaded(block or b"")
    target = _selected(exif, set(exif))
    target[Base.XResolution], target[Base.YResolution], target[Base.ResolutionUnit] = dpi[0], dpi[1], 2
    return target.tobytes()


def descriptive(exif: Image.Exif) -> Image.Exif:
    """What may stand among the tags of a TIFF file: nothing about the file's layout. Parts are dictionaries."""
    return _selected(exif, set(exif) & _DESCRIPTIVE)


def loaded(block: bytes) -> Image.Exif:
    """EXIF data for Pillow, whose parser warns and raises where it is damaged."""
    exif = Image.Exif()
    exif.load(block)
    return exif


def _selected(source: Image.Exif, tags: Iterable[int]) -> Image.Exif:
    target = Image.Exif()
    target.endian = source.endian
    for tag in set(tags) - set(PARTS):
        target[tag] = _spelled(source[tag])
    for part in PARTS:
        found = source.get_ifd(part)
        values = {tag: _spelled(value) for tag, value in found.items() if tag not in _STALE_IN_PARTS}
        if IFD.Interop in values:
            values[IFD.Interop] = source.get_ifd(IFD.Interop)
        if values:
            target[part] = values
    return target


def _spelled(value: Any) -> Any:
    """Texts beyond ASCII as the bytes they were: Pillow reads them as Latin-1 and would write question marks."""
    return value.encode("latin-1", "replace") if isinstance(value, str) and not value.isascii() else value
