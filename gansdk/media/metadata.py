"""What an image says about itself besides EXIF data: XMP, IPTC, texts and print resolution."""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

from PIL import Image as PILImage
from PIL.ExifTags import IFD, Base

from gansdk.media.captured_warnings import heard
from gansdk.media.directories import is_overdrawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


IPTC_TAG, XMP_TAG = 33723, 700
"""Where a TIFF file has them."""

XMP_TEXT, IPTC_TEXT = "XML:com.adobe.xmp", "Raw profile type iptc"
"""The keys of PNG texts that hold them; the second is ImageMagick's, and ExifTool reads it."""

_PHOTOSHOP_TAG, _IPTC_RESOURCE = 34377, 0x0404

_LONGEST_XMP = 2**19
"""Bytes; a tree of them takes a few hundred times as many."""

_STALE = {
    "http://ns.adobe.com/tiff/1.0/": frozenset(
        {"Orientation", "ImageWidth", "ImageLength", "BitsPerSample", "SamplesPerPixel", "Compression"}
        | {"PhotometricInterpretation", "PlanarConfiguration", "YCbCrSubSampling", "YCbCrPositioning"}
    ),
    "http://ns.adobe.com/exif/1.0/": frozenset({"PixelXDimension", "PixelYDimension"}),
    "http://ns.adobe.com/xap/1.0/": frozenset({"Thumbnails"}),
}
"""Properties of XMP that are untrue of other pixels."""

_OF_OTHER_PARTS = re.compile(
    r"http://ns\.adobe\.com/(hdr-gain-map|xmp/note)/|http://ns\.apple\.com/(HDRGainMap|pixeldatainfo)/"
    r"|http://ns\.google\.com/photos/(1\.0/(camera|container|depthmap|image|audio)|dd/)"
)
"""Namespaces that tell of gain maps, depth maps and films in the same file, which are left out."""

_FRAME = frozenset({"x:xmpmeta", "rdf:RDF", "rdf:Description", "xmlns", "x:xmptk", "rdf:about"})


def resolution(image: PILImage.Image) -> tuple[float, float] | None:
    """Pixels per inch, across and down, as the file's own format states them; EXIF data has its own."""
    info = image.info
    stated = info.get("dpi")
    if getattr(image, "format", None) in {"JPEG", "MPO"}:  # Pillow puts 72 there where EXIF data says nothing
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
        return {"Comment": _decoded(comment)}
    if getattr(image, "format", None) != "PNG":
        return {}
    found: Mapping[str, str] = getattr(image, "text", {})
    return {key: text for key, text in found.items() if not re.match(r"XML:com\.adobe|Raw profile type|Thumb::", key)}


def _decoded(content: bytes) -> str:
    try:
        return content.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return content.rstrip(b"\0").decode("latin-1")


def iptc(image: PILImage.Image) -> bytes | None:
    """IPTC data, wherever the format has it."""
    tags: Any = getattr(image, "tag", None)
    stored: Mapping[int, bytes] = tags.tagdata if tags is not None else {}  # some writers call its bytes numbers
    if IPTC_TAG in stored:
        return stored[IPTC_TAG] if stored[IPTC_TAG].startswith(b"\x1c") else None
    resources = image.info.get("photoshop")
    if not isinstance(resources, dict):
        block = stored.get(_PHOTOSHOP_TAG) or raw_profile(image, "iptc") or raw_profile(image, "8bim") or b""
        resources = dict(_resources(block))
    found = resources.get(_IPTC_RESOURCE)
    return found if isinstance(found, bytes) and found else None


def raw_profile(image: PILImage.Image, kind: str) -> bytes | None:
    """What ImageMagick puts into a PNG text as hexadecimal digits; None if there is none or it is damaged."""
    text = image.info.get(f"Raw profile type {kind}")
    if not isinstance(text, str | bytes):
        return None
    lines = (text if isinstance(text, str) else text.decode("latin-1")).split("\n")[3:]
    try:
        return bytes.fromhex("".join(lines))
    except ValueError:
        return None


def _resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """The numbered parts of a Photoshop block."""
    at = 0
    while block[at : at + 4] == b"8BIM" and at + 12 <= len(block):
        number = int.from_bytes(block[at + 4 : at + 6])
        named = at + 6 + (block[at + 6] + 2) // 2 * 2
        size = int.from_bytes(block[named : named + 4])
        yield number, block[named + 4 : named + 4 + size]
        at = named + 4 + size + size % 2


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
    """Which of the eight orientations it declares."""
    found = re.search(rb'tiff:Orientation(?:\s*=\s*["\']|>\s*)([1-8])\b', packet)
    return int(found[1]) if found else None


def cleaned_xmp(packet: bytes, doubt: Callable[[str], None]) -> bytes | None:
    """What stays true of other pixels: sizes, orientation, thumbnails and what tells of other parts of the file go.

    Args:
        packet: XMP data as a file has it.
        doubt: Told if it is damaged; may raise.

    Returns:
        A packet; None if nothing is left or it cannot be read.
    """
    try:
        text = _without_stale(packet)
    except (ExpatError, RecursionError, ValueError, LookupError):
        doubt("its XMP data is damaged or too long and is left out")
        return None
    if not text:
        return None
    start = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    return f'{start}\n{text}\n<?xpacket end="w"?>'.encode()


def _without_stale(packet: bytes) -> str:
    if len(packet) > _LONGEST_XMP or re.search(rb"\0[^\0]|<!(DOCTYPE|ENTITY)", packet):  # as no XMP has
        raise ValueError("no XMP")
    root = minidom.parseString(packet.strip(b"\0 \r\n\t")).documentElement  # noqa: S318 - it declares no entities
    return root.toxml() if root is not None and _strip(root) else ""


def _strip(element: minidom.Element) -> bool:
    """Takes what is stale out of a tree; whether anything is left that says something."""
    says = False
    for name, attribute in list(element.attributes.items()) if element.attributes else ():
        node = element.getAttributeNode(name)
        if node is not None and _is_stale(node.namespaceURI, node.localName):
            element.removeAttribute(name)
        elif name.split(":")[0] != "xmlns" and name not in _FRAME and attribute:
            says = True
    for child in list(element.childNodes):
        if child.nodeType != child.ELEMENT_NODE:
            continue
        if _is_stale(child.namespaceURI, child.localName):
            element.removeChild(child)
        else:
            says |= _strip(child) or child.nodeName not in _FRAME
    return says


def _is_stale(namespace: str | None, name: str | None) -> bool:
    return namespace is not None and (name in _STALE.get(namespace, ()) or bool(_OF_OTHER_PARTS.match(namespace)))


PARTS = (IFD.Exif, IFD.GPSInfo)
"""The directories beside the main one that are kept; the thumbnail's is not."""

_LAYOUT = frozenset(
    {0xFE, 0x100, 0x101, 0x102, 0x103, 0x106, 0x10A, 0x111, 0x115, 0x116, 0x117, 0x11C, 0x13D, 0x140, 0x142, 0x143}
    | {0x144, 0x145, 0x14A, 0x152, 0x153, 0x201, 0x202, 0x211, 0x212, 0x213, 0x214}
)
_STALE_EXIF = _LAYOUT | {
    0x2BC,
    0x8649,
    0x8773,
}  # XMP and Photoshop blocks repeat sizes, orientation and thumbnails; ICC
_STALE_IN_PARTS = frozenset({Base.ExifImageWidth, Base.ExifImageHeight})

_DESCRIPTIVE = frozenset({270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 33432})
"""Tags of a TIFF file that say something about the image and not about the file: maker, date, artist …"""


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
            target = _selected(exif, set(exif) - _STALE_EXIF)
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


def descriptive(exif: PILImage.Exif) -> PILImage.Exif:
    """What may stand among the tags of a TIFF file: nothing about the file's layout. Parts are dictionaries."""
    return _selected(exif, set(exif) & _DESCRIPTIVE)


def loaded(block: bytes) -> PILImage.Exif:
    """EXIF data for Pillow, whose parser warns and raises where it is damaged."""
    exif = PILImage.Exif()
    exif.load(block)
    return exif


def _selected(source: PILImage.Exif, tags: Iterable[int]) -> PILImage.Exif:
    target = PILImage.Exif()
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
