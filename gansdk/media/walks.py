"""Ways through a file that a decoder would walk however long they are, measured before it sets out.

A JPEG file may come back to the same pixels any number of times, a TIFF file may have any number of pages, and its
directories may name the same bytes again and again: then a small file takes hours. No limit on pixels helps there.
"""

from __future__ import annotations

import re
import struct
from typing import IO

from gansdk.media import kinds

_MOST_SCANS = 500
_FEW_SCANS = 32
_MOST_WORK = 2_000_000_000
"""Pixels times scans: about two seconds. A large photo with the ten scans of a progressive file stays below."""

MOST_PAGES = 10_000
"""Of a TIFF file: Pillow looks for a page by walking to it, and compares with all that it passed."""

_SLACK = 2**22
"""Bytes that directories may name more than once: a profile that all pages share, say."""

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_END, _SCAN = 0xD9, 0xDA

_VALUE_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
"""Of the types of a TIFF file, by number."""


def check(kind: kinds.Kind, file: IO[bytes], pixels: int) -> str:
    """What makes a file too long a way for a decoder; empty where nothing does, or where the decoder says it better.

    Args:
        kind: What it is.
        file: The file, seekable.
        pixels: Of the picture, as far as that is known.
    """
    file.seek(0)
    if kind is kinds.JPEG:
        most = min(_MOST_SCANS, max(_FEW_SCANS, _MOST_WORK // max(pixels, 1)))
        return f"is drawn in more than {most} scans" if _scans(file.read(), most) > most else ""
    if kind is kinds.TIFF:
        try:
            return _pages(file)
        except struct.error:  # it ends within a directory
            return ""
    return ""


def _scans(content: bytes, most: int) -> int:
    """How many scans the first image of a JPEG file has; counting ends after ``most``."""
    found, at = 0, 2
    while found <= most and (marker := _MARKER.search(content, at)):
        code = content[marker.start() + 1]
        if code == _END:
            break
        found += code == _SCAN
        at = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2])
    return found


def _pages(file: IO[bytes]) -> str:
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    forms = ("Q", "HHQQ", "Q") if is_big else ("H", "HHII", "I")
    count_form, entry_form, offset_form = (order + form for form in forms)
    (at,) = struct.unpack_from(offset_form, head, 8 if is_big else 4)
    seen: set[int] = set()
    named = 0
    while at and at not in seen:
        seen.add(at)
        if len(seen) > MOST_PAGES:
            return f"has more than {MOST_PAGES} pages"
        file.seek(min(at, size))
        (count,) = struct.unpack(count_form, file.read(struct.calcsize(count_form)))
        entries = file.read(count * struct.calcsize(entry_form))
        named += len(entries) + sum(
            _VALUE_SIZES[form] * values if form < len(_VALUE_SIZES) else 0
            for _, form, values, _ in struct.iter_unpack(entry_form, entries)
        )
        if named > 2 * size + _SLACK:
            return "names more bytes in its directories than it has"
        (at,) = struct.unpack(offset_form, file.read(struct.calcsize(offset_form)))
    return ""
