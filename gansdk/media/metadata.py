"""What an image says about itself: EXIF, XMP and IPTC data, texts and print resolution.

It is kept as far as it stays true of other pixels: orientation, sizes and thumbnails are removed.
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

from PIL import Image as PILImage
from PIL.ExifTags import IFD, Base

from gansdk.media.decoders import captured_warnings
from gansdk.media.tiff import is_overdrawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


IPTC_TAG, XMP_TAG = 33723, 700
"""Their tags in a TIFF file."""

XMP_TEXT, IPTC_TEXT = "XML:com.adobe.xmp", "Raw profile type iptc"
"""The keys of PNG texts that hold them; the second is ImageMagick's, which ExifTool reads too."""

_PHOTOSHOP_TAG, _IPTC_RESOURCE = 34377, 0x0404

_LONGEST_XMP = 2**19
"""Bytes; the parsed tree takes a few hundred times as many."""

_STALE = {
    "http://ns.adobe.com/tiff/1.0/": frozenset(
        {"Orientation", "ImageWidth", "ImageLength", "BitsPerSample", "SamplesPerPixel", "Compression"}
        | {"PhotometricInterpretation", "PlanarConfiguration", "YCbCrSubSampling", "YCbCrPositioning"}
    ),
    "http://ns.adobe.com/exif/1.0/": frozenset({"PixelXDimension", "PixelYDimension"}),
    "http://ns.adobe.com/xap/1.0/": frozenset({"Thumbnails"}),
}
"""Properties of XMP that are not true of other pixels."""

_STALE_NAMESPACES = re.compile(
    r"http://ns\.adobe\.com/(hdr-gain-map|xmp/note)/|http://ns\.apple\.com/(HDRGainMap|pixeldatainfo)/"
    r"|http://ns\.google\.com/photos/(1\.0/(camera|container|depthmap|image|audio)|dd/)"
)
"""Namespaces about gain maps, depth maps and films in the same file, which are left out."""

_WRAPPERS = frozenset({"x:xmpmeta", "rdf:RDF", "rdf:Description", "xmlns", "x:xmptk", "rdf:about"})
"""Elements and attributes that carry no information of their own."""


def resolution(image: PILImage.Image) -> tuple[float, float] | None:
    """Pixels per inch, across and down, as the file format states them, apart from EXIF data."""
    info = image.info
    stated = info.get("dpi")
    if getattr(image, "format", None) in {"JPEG", "MPO"}:  # Pillow puts 72 into "dpi" if EXIF data has none
        per_inch = {1: 1.0, 2: 2.54}.get(info.get("jfif_unit", 0))
        stated = [number * per_inch for number in info["jfif_density"]] if per_inch else None
    try:
        across, down = (float(number) for number in stated or ())
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    is_possible = all(math.isfinite(number) and 0.01 < number < 1e6 for number in (across, down))
    return (across, down) if is_possible else None


def texts(image: PILImage.Image) -> dict[str, str]:
    """Texts by key, as PNG has them; a comment of JPEG or GIF is called ``Comment``."""
    comment = image.info.get("comment")
    if isinstance(comment, bytes) and comment.strip(b"\0 \r\n"):
        comment = comment.rstrip(b"\0")
        try:
            return {"Comment": comment.decode()}
        except UnicodeDecodeError:
            return {"Comment": comment.decode("latin-1")}
    if getattr(image, "format", None) != "PNG":
        return {}
    found: Mapping[str, str] = getattr(image, "text", {})
    return {key: text for key, text in found.items() if not re.match(r"XML:com\.adobe|Raw profile type|Thumb::", key)}


def iptc(image: PILImage.Image) -> bytes | None:
    """IPTC data, from wherever the format keeps it."""
    tags: Any = getattr(image, "tag", None)
    # Bytes, not Pillow's values, as some writers declare them to be integers.
    stored: Mapping[int, bytes] = tags.tagdata if tags is not None else {}
    if IPTC_TAG in stored:
        return stored[IPTC_TAG] if stored[IPTC_TAG].startswith(b"\x1c") else None
    resources = image.info.get("photoshop")
    if not isinstance(resources, dict):
        block = stored.get(_PHOTOSHOP_TAG) or raw_profile(image, "iptc") or raw_profile(image, "8bim") or b""
        resources = dict(_resources(block))
    found = resources.get(_IPTC_RESOURCE)
    return found if isinstance(found, bytes) and found else None


def raw_profile(image: PILImage.Image, kind: str) -> bytes | None:
    """The bytes that ImageMagick puts into a PNG text as hexadecimal digits; None if missing or damaged."""
    text = image.info.get(f"Raw profile type {kind}")
    if not isinstance(text, str | bytes):
        return None
    lines = (text if isinstance(text, str) else text.decode("latin-1")).split("\n")[3:]
    try:
        return bytes.fromhex("".join(lines))
    except ValueError:
        return None


def _resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """The numbered resources of a Photoshop block."""
    start = 0
    while block[start : start + 4] == b"8BIM" and start + 12 <= len(block):
        number = int.from_bytes(block[start + 4 : start + 6])
        after_name = start + 6 + (block[start + 6] + 2) // 2 * 2
        size = int.from_bytes(block[after_name : after_name + 4])
        yield number, block[after_name + 4 : after_name + 4 + size]
        start = after_name + 4 + size + size % 2


def photoshop_block(data: bytes) -> bytes:
    """IPTC data as JPEG files and PNG texts wrap it."""
    return b"8BIM" + struct.pack(">HHI", _IPTC_RESOURCE, 0, len(data)) + data + bytes(len(data) % 2)


def raw_profile_text(kind: str, data: bytes) -> str:
    """Bytes as ImageMagick puts them into a PNG text."""
    digits = data.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"\n{kind}\n{len(data):8}\n{lines}\n"


def xmp_packet(image: PILImage.Image) -> bytes | None:
    """An image's XMP data as it is."""
    for key in ("xmp", XMP_TEXT):
        packet = image.info.get(key)
        if isinstance(packet, str):
            packet = packet.encode()
        if isinstance(packet, bytes) and packet.strip(b"\0 \r\n"):
            return packet
    return raw_profile(image, "xmp")


def xmp_orientation(packet: bytes) -> int | None:
    """Which of the eight orientations it declares, if any."""
    found = re.search(rb'tiff:Orientation(?:\s*=\s*["\']|>\s*)([1-8])\b', packet)
    return int(found[1]) if found else None


def cleaned_xmp(packet: bytes, doubt: Callable[[str], None]) -> bytes | None:
    """An XMP packet without what is not true of other pixels; None if nothing is left or it cannot be read.

    Args:
        packet: XMP data of a file.
        doubt: Called if it is damaged; may raise.
    """
    try:
        if len(packet) > _LONGEST_XMP or re.search(rb"\0[^\0]|<!(DOCTYPE|ENTITY)", packet):  # no XMP has these
            raise ValueError
        root = minidom.parseString(packet.strip(b"\0 \r\n\t")).documentElement  # noqa: S318 - it declares no entities
        text = root.toxml() if root is not None and _strip(root) else ""
    except (ExpatError, RecursionError, ValueError, LookupError):
        doubt("its XMP data is damaged or too long and is left out")
        return None
    if not text:
        return None
    start = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    return f'{start}\n{text}\n<?xpacket end="w"?>'.encode()


def _strip(element: minidom.Element) -> bool:
    """Removes what is stale from a tree; returns whether any information is left."""
    is_informative = False
    for name, attribute in list(element.attributes.items()) if element.attributes else ():
        node = element.getAttributeNode(name)
        if node is not None and _is_stale(node.namespaceURI, node.localName):
            element.removeAttribute(name)
        elif name.split(":")[0] != "xmlns" and name not in _WRAPPERS and attribute:
            is_informative = True
    for child in list(element.childNodes):
        if child.nodeType != child.ELEMENT_NODE:
            continue
        if _is_stale(child.namespaceURI, child.localName):
            element.removeChild(child)
        else:
            is_informative |= _strip(child) or child.nodeName not in _WRAPPERS
    return is_informative


def _is_stale(namespace: str | None, name: str | None) -> bool:
    return namespace is not None and (name in _STALE.get(namespace, ()) or bool(_STALE_NAMESPACES.match(namespace)))


SUB_DIRECTORIES = (IFD.Exif, IFD.GPSInfo)
"""The directories of EXIF data that are kept besides the main one; that of the thumbnail is not."""

_LAYOUT = frozenset(
    {0xFE, 0x100, 0x101, 0x102, 0x103, 0x106, 0x10A, 0x111, 0x115, 0x116, 0x117, 0x11C, 0x13D, 0x140, 0x142, 0x143}
    | {0x144, 0x145, 0x14A, 0x152, 0x153, 0x201, 0x202, 0x211, 0x212, 0x213, 0x214}
)
_REPEATED = frozenset({0x2BC, 0x8649, 0x8773})
"""XMP and Photoshop blocks, which repeat sizes, orientation and thumbnails, and the ICC profile."""

_STALE_IN_SUB_DIRECTORIES = frozenset({Base.ExifImageWidth, Base.ExifImageHeight})

_DESCRIPTIVE = frozenset({270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 33432})
"""Tags of a TIFF file that describe the image and not the file: maker, date, artist …"""


def cleaned_exif(block: bytes, doubt: Callable[[str], None]) -> tuple[bytes | None, int | None]:
    r"""EXIF data that stays true once the pixels are turned or resized, and the orientation that it declared.

    Args:
        block: EXIF data, with ``Exif\0\0`` before it or without.
        doubt: Called if something is damaged; may raise.

    Returns:
        EXIF data of orientation 1, None if nothing is left; and which of the eight orientations was declared, if any.
    """
    kept, orientation, is_damaged = None, None, False
    if is_overdrawn(block):
        doubt("its EXIF data declares far more than it holds and is left out")
        return None, None
    try:
        with captured_warnings() as warned:
            exif = loaded_exif(block)
            orientation = exif.get(Base.Orientation)
            target = _selected(exif, set(exif) - _LAYOUT - _REPEATED)
            if Base.Orientation in target:
                target[Base.Orientation] = 1
            kept = target.tobytes() if len(target) else None
        is_damaged = bool(warned)
    except Exception:  # noqa: BLE001 - Pillow's parser raises anything for damaged bytes
        is_damaged = True
    if is_damaged:
        doubt(f"its EXIF data is damaged and is left out{' in part' if kept else ''}")
    return kept, orientation if orientation in range(1, 9) else None


def with_tags(block: bytes | None, tags: Mapping[int, Any]) -> bytes:
    """Cleaned EXIF data, or none, with further values by tag of its main directory."""
    exif = loaded_exif(block or b"")
    target = _selected(exif, set(exif))
    for tag, value in tags.items():
        target[tag] = value
    return target.tobytes()


def resolution_tags(dpi: tuple[float, float]) -> dict[int, Any]:
    """A print resolution in pixels per inch, as tags of EXIF data and TIFF files."""
    return {Base.XResolution: dpi[0], Base.YResolution: dpi[1], Base.ResolutionUnit: 2}


def descriptive(exif: PILImage.Exif) -> PILImage.Exif:
    """What may be among the tags of a TIFF file: nothing about its layout. Sub-directories are dictionaries."""
    return _selected(exif, set(exif) & _DESCRIPTIVE)


def loaded_exif(block: bytes) -> PILImage.Exif:
    """EXIF data parsed by Pillow, which warns and raises if it is damaged."""
    exif = PILImage.Exif()
    exif.load(block)
    return exif


def _selected(source: PILImage.Exif, tags: Iterable[int]) -> PILImage.Exif:
    target = PILImage.Exif()
    target.endian = source.endian
    for tag in set(tags) - set(SUB_DIRECTORIES):
        target[tag] = _bytes_of(source[tag])
    for directory in SUB_DIRECTORIES:
        found = source.get_ifd(directory)
        values = {tag: _bytes_of(value) for tag, value in found.items() if tag not in _STALE_IN_SUB_DIRECTORIES}
        if IFD.Interop in values:
            values[IFD.Interop] = source.get_ifd(IFD.Interop)
        if values:
            target[directory] = values
    return target


def _bytes_of(value: Any) -> Any:
    """Texts beyond ASCII as the bytes they were: Pillow reads them as Latin-1 and would write question marks."""
    return value.encode("latin-1", "replace") if isinstance(value, str) and not value.isascii() else value
