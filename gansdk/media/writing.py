"""Images to files, whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from PIL.ExifTags import Base

from gansdk.errors import InputError, OutputError, OutputExistsError, option
from gansdk.files import cannot_write, stands, whole_file
from gansdk.media import encoding, metadata
from gansdk.media.formats import file_format
from gansdk.media.image import to_8_bits
from gansdk.media.resizing import flatten

if TYPE_CHECKING:
    from collections.abc import Callable

    from gansdk.media.image import Image
    from gansdk.options import AnyImageWriting


_LONGEST = {"jpg": 65_500, "webp": 16_383, "gif": 65_535}
"""Pixels a side; libjpeg's limit is a little below that of the format."""

_MOST_TIFF = 2**32 - 2**24
"""Bytes of pixels that a TIFF file can address for certain, however badly they compress."""

_MOST_EXIF, _MOST_XMP, _MOST_IPTC, _MOST_COMMENT = 65_533, 65_504, 65_500, 65_533
"""Bytes of each that fit into one segment of a JPEG file."""


def has_limit(format: str) -> bool:  # noqa: A002
    """Whether a format limits the longest side so much that results reach the limit."""
    return format in _LONGEST


def check_size(format: str, width: int, height: int, name: str = "") -> None:  # noqa: A002
    """Refuses an image that is longer than a format allows.

    Args:
        format: As :func:`~gansdk.media.formats.file_format` gives it.
        width: In pixels.
        height: In pixels.
        name: What messages call the image.

    Raises:
        OutputError: With the size, and the formats that can hold it.
    """
    longest = _LONGEST.get(format)
    if longest is None or max(width, height) <= longest:
        return
    others = ["png", "tiff", *(["jpg"] if max(width, height) <= _LONGEST["jpg"] else [])]
    what = f"{width}×{height} pixels are too many for {format}, which ends at {longest} a side"
    raise OutputError(f"{name}: {what}" if name else what, hint=f"write {', '.join(others[:-1])} or {others[-1]}")


def check_fits(
    image: Image,
    format: str,  # noqa: A002
    options: AnyImageWriting,
    size: tuple[int, int] | None = None,
) -> None:
    """Refuses what a format cannot hold, before any work is done for it.

    Args:
        image: The input; a result has alpha if its input had it.
        format: As :func:`~gansdk.media.formats.file_format` gives it.
        options: How it will be written.
        size: Width and height of the result, if known; those of the image if not.

    Raises:
        InputError: If the image is transparent, the format cannot be, and no background is given.
        OutputError: If the result is longer or larger than the format allows.
    """
    if format == "jpg" and options.background is None and not image.is_opaque:
        what = f"{image.name} is transparent and jpg cannot be"
        raise InputError(what, hint=f"give {option('background', 'white')} or another colour, or write png")
    width, height = size or (image.width, image.height)
    check_size(format, width, height, image.name)
    channels = image.pixels.shape[2] + (image.alpha is not None)
    if format == "tiff" and width * height * channels * image.bits // 8 > _MOST_TIFF:
        raise OutputError(f"{image.name}: {width}×{height} pixels are too many for tiff", hint="write png")


def write_image(
    image: Image,
    target: str | os.PathLike[str] | IO[bytes],
    options: AnyImageWriting,
    note: Callable[[str], None],
    *,
    provenance: str | None = None,
) -> Path | None:
    """Writes an image, whole or not at all.

    Args:
        image: What to write.
        target: A path, or a binary stream.
        options: Format, quality, metadata, background, and what to do if the file exists.
        note: Takes what the format lost, a line each.
        provenance: What made it, recorded as the file's software; not with ``metadata="strip"``.

    Returns:
        Where it is: ``target`` or, with ``on_exists="rename"``, a free name. None for a stream, and if the file existed
        and ``on_exists`` is ``skip``.

    Raises:
        OptionError: If the ending of the name is not that of a format.
        InputError: If it is transparent, the format cannot be, and no background is given.
        OutputExistsError: If the file exists, even if it appeared during writing.
        OutputError: If it cannot be written there.
        BrokenPipeError: If the stream has no reader any more.
    """
    path = Path(target) if isinstance(target, str | os.PathLike) else None
    chosen = file_format(path, options)
    check_fits(image, chosen, options)
    image = _prepared(image, chosen, options, note)
    software = provenance if options.metadata == "keep" else None
    write: Callable[[IO[bytes]], None]
    if chosen == "png":
        write = partial(encoding.write_png, image, software=software)
    else:
        if software is not None:
            exif = metadata.with_tags(image.exif, {Base.Software: software})
            if chosen != "jpg" or len(exif) <= _MOST_EXIF:  # what the camera said is more important
                image = image.replace(exif=exif)
        if chosen == "tiff":
            write = partial(encoding.write_tiff, image)
        else:
            encode = encoding.write_webp if chosen == "webp" else encoding.write_jpeg
            write = partial(encode, image, quality=options.quality)
    if path is not None:
        return put(path, options.on_exists, write)
    send(cast("IO[bytes]", target), write, image.name)
    return None


def _prepared(image: Image, format: str, options: AnyImageWriting, note: Callable[[str], None]) -> Image:  # noqa: A002
    """The image as its format can hold it; what is lost is noted."""
    if options.metadata == "keep":
        image = _with_fitting_metadata(image, format, note)
    else:
        image = image.replace(exif=None, xmp=None, iptc=None, text={})
    if options.background is not None or format == "jpg":
        image = flatten(image, options.background or "white")  # without a background it is opaque
    if not encoding.can_hold(format, image.pixels.shape[2], image.bits, has_alpha=image.alpha is not None):
        note(f"{image.name}: {format} holds 8 bits per channel here; the result's 16 are rounded")
        alpha = None if image.alpha is None else to_8_bits(image.alpha)
        image = image.replace(pixels=to_8_bits(image.pixels), alpha=alpha)
    return image


def _with_fitting_metadata(image: Image, format: str, note: Callable[[str], None]) -> Image:  # noqa: A002
    changes: dict[str, Any] = {}
    lost: list[str] = []
    if image.exif is not None:  # cleaned again, as the caller may have made it
        exif, _ = metadata.cleaned_exif(image.exif, lambda text: note(f"{image.name}: {text}"))
        if format == "jpg" and len(exif or b"") > _MOST_EXIF:
            note(f"{image.name}: its EXIF data is too long for jpg and is left out")
            exif = None
        changes["exif"] = exif
    if image.dpi is not None and format == "webp":  # which has no other place for it
        changes["exif"] = metadata.with_tags(changes.get("exif"), metadata.resolution_tags(image.dpi))
    if image.xmp is not None and format == "jpg" and len(image.xmp) > _MOST_XMP:
        lost.append("XMP data")
        changes["xmp"] = None
    if image.iptc is not None and (format == "webp" or (format == "jpg" and len(image.iptc) > _MOST_IPTC)):
        lost.append("IPTC data")
        changes["iptc"] = None
    if image.text and format != "png":
        comment = image.text.get("Comment", "")
        is_kept = format == "jpg" and 0 < len(comment.encode()) <= _MOST_COMMENT
        changes["text"] = {"Comment": comment} if is_kept else {}
        others = [key for key in image.text if key not in changes["text"]]
        lost += [f"texts ({', '.join(others)})"] if others else []
    for what in lost:
        note(f"{image.name}: {format} cannot hold its {what}; left out")
    return image.replace(**changes)


def free_name(path: Path) -> Path:
    """``path``, or the first of ``name-2.png``, ``name-3.png`` … that does not exist.

    Raises:
        OutputError: If no file can have such a name.
    """
    free, number = path, 1
    try:
        while free.exists():
            number += 1
            free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    except OSError as error:
        raise cannot_write(free, error) from error
    return free


def put(path: Path, on_exists: str, write: Callable[[IO[bytes]], None]) -> Path | None:
    """Writes a file, whole or not at all.

    Args:
        path: Where.
        on_exists: ``error``, ``skip``, ``overwrite`` or ``rename``, if the file exists.
        write: Fills an empty, seekable file.

    Returns:
        Where it is: ``path`` or, with ``rename``, a free name; None if the file existed and stays.

    Raises:
        OutputExistsError: If the file exists, even if it appeared during writing.
        OutputError: If it cannot be written there.
    """
    place = free_name(path) if on_exists == "rename" else path
    try:
        if on_exists in {"skip", "error"} and stands(place):
            raise OutputExistsError(str(place))
        with whole_file(place, replace=on_exists == "overwrite") as file:
            write(file)
    except OutputExistsError:
        if on_exists == "skip":
            return None
        if on_exists == "rename":  # the name was taken meanwhile
            return put(path, on_exists, write)
        hint = f"use {option('on_exists', 'overwrite', 'skip', 'rename')}"
        raise OutputExistsError(f"{place} exists already", hint=hint) from None
    return place


def send(stream: IO[bytes], write: Callable[[IO[bytes]], None], name: str) -> None:
    """Writes to a stream, by way of a temporary file: its reader gets nothing rather than a part.

    Args:
        stream: Where.
        write: Fills an empty, seekable file.
        name: What messages call it.

    Raises:
        OutputError: If it cannot be written there.
        BrokenPipeError: If the stream has no reader any more.
    """
    try:
        with tempfile.TemporaryFile() as file:
            write(file)
            file.seek(0)
            _copy(file, stream, name)
    except BrokenPipeError:
        raise  # the reader has enough; the command line handles it
    except OSError as error:
        what = "to standard output" if stream is getattr(sys.stdout, "buffer", None) else name
        raise OutputError(f"cannot write {what}: {error.strerror or error}") from error


def _copy(file: IO[bytes], stream: IO[bytes], name: str) -> None:
    try:
        shutil.copyfileobj(file, stream, 2**20)
        if hasattr(stream, "flush"):  # which not every object with a write method has
            stream.flush()
    except (TypeError, ValueError) as error:  # a text stream, one for reading, or a closed one
        hint = "give a file that is open for writing in binary mode"
        raise OutputError(f"cannot write {name}: {error}", hint=hint) from error
