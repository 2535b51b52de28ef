"""Images to files, whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from gansdk.errors import InputError, OutputError, OutputExistsError, option
from gansdk.files import cannot_write, stands, whole_file
from gansdk.media.formats import file_format

if TYPE_CHECKING:
    from collections.abc import Callable

    from gansdk.media.image import Image
    from gansdk.options import AnyImageWriting


_LONGEST = {"jpg": 65_500, "webp": 16_383, "gif": 65_535}  # libjpeg's limit is a little below the format's own

_MOST_TIFF = 2**32 - 2**24
"""Bytes of pixels that a TIFF file can address for sure, however badly they pack."""

_MOST_EXIF, _MOST_XMP, _MOST_IPTC, _MOST_COMMENT = 65_533, 65_504, 65_500, 65_533
"""Bytes of each that fit into one segment of a JPEG file."""


def has_limit(format: str) -> bool:  # noqa: A002
    """Whether a format ends at a longest side that results come to."""
    return format in _LONGEST


def check_size(format: str, width: int, height: int, name: str = "") -> None:  # noqa: A002
    """Finds that an image is longer than a format allows.

    Args:
        format: As :func:`~gansdk.media.formats.file_format` gives it.
        width: In pixels.
        height: In pixels.
        name: What messages call the image.

    Raises:
        OutputError: With the size, and the formats that hold it.
    """
    longest = _LONGEST.get(format)
    if longest is None or max(width, height) <= longest:
        return
    others = ["png", "tiff", *(one for one, most in _LONGEST.items() if one == "jpg" and max(width, height) <= most)]
    what = f"{width}×{height} pixels are too many for {format}, which ends at {longest} a side"
    raise OutputError(f"{name}: {what}" if name else what, hint=f"write {', '.join(others[:-1])} or {others[-1]}")


def check_fits(
    image: Image,
    format: str,  # noqa: A002
    options: AnyImageWriting,
    size: tuple[int, int] | None = None,
) -> None:
    """Finds what a format cannot hold, before any work is done for it.

    Args:
        image: As read; a result has alpha where its input had it.
        format: As :func:`~gansdk.media.formats.file_format` gives it.
        options: How it will be written.
        size: Width and height of the result, if known; the image's own if not.

    Raises:
        InputError: If the image is transparent, the format is not, and no background is given.
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
    """Writes an image, so that it stands there whole or not at all.

    Args:
        image: What to write.
        target: A path, or a binary stream.
        options: Format, quality, metadata, background, and what to do where ``path`` exists.
        note: Takes what the format lost, a line each.
        provenance: What made it, recorded as the file's software; not with ``metadata="strip"``.

    Returns:
        Where it stands: ``target`` or, with ``on_exists="rename"``, a free name; None for a stream, and where
        something stood there already and ``on_exists`` is ``skip``.

    Raises:
        OptionError: If the name ends as no format does.
        InputError: If it is transparent, the format is not, and no background is given.
        OutputExistsError: If something stands there, also if it came while this was written.
        OutputError: If it cannot be written there.
        BrokenPipeError: If nobody reads the stream any more.
    """
    path = Path(target) if isinstance(target, str | os.PathLike) else None
    encoding = file_format(path, options)
    check_fits(image, encoding, options)
    software = provenance if options.metadata == "keep" else None
    encoded = _Encoded(_prepared(image, encoding, options, note), encoding, options.quality, software)
    if path is not None:
        return put(path, options.on_exists, encoded.write)
    send(cast("IO[bytes]", target), encoded.write, image.name)
    return None


@dataclass(frozen=True)
class _Encoded:
    """An image on its way out, as its format can hold it."""

    image: Image
    format: str
    quality: int
    software: str | None

    def write(self, file: IO[bytes]) -> None:
        """Into an empty, seekable file."""
        from gansdk.media.encoding import write_jpeg, write_png, write_tiff, write_webp

        if self.format == "png":
            write_png(self.image, file, self.software)
        elif self.format == "tiff":
            write_tiff(self._signed(), file)
        elif self.format == "webp":
            write_webp(self._signed(), file, self.quality)
        else:
            signed = self._signed()
            is_too_long = len(signed.exif or b"") > _MOST_EXIF  # what the camera said goes first
            write_jpeg(self.image if is_too_long else signed, file, self.quality)

    def _signed(self) -> Image:
        """With the software among its EXIF data."""
        from gansdk.media.metadata import with_software

        if self.software is None:
            return self.image
        return self.image.replace(exif=with_software(self.image.exif, self.software))


def _prepared(image: Image, encoding: str, options: AnyImageWriting, note: Callable[[str], None]) -> Image:
    """The image as its format can hold it."""
    from gansdk.media.encoding import can_hold
    from gansdk.media.image import to_8_bits
    from gansdk.media.resizing import flatten

    if options.metadata == "keep":
        image = _with_fitting_metadata(image, encoding, note)
    else:
        image = image.replace(exif=None, xmp=None, iptc=None, text={})
    if options.background is not None or encoding == "jpg":
        image = flatten(image, options.background or "white")  # without a background it is opaque: alpha only goes
    if not can_hold(encoding, image.pixels.shape[2], image.bits, has_alpha=image.alpha is not None):
        note(f"{image.name}: {encoding} holds 8 bits per channel here; the result's 16 are rounded")
        alpha = None if image.alpha is None else to_8_bits(image.alpha)
        image = image.replace(pixels=to_8_bits(image.pixels), alpha=alpha)
    return image


def _with_fitting_metadata(image: Image, encoding: str, note: Callable[[str], None]) -> Image:
    """The image with what its format can hold of what it says about itself; the rest is noted."""
    from gansdk.media.metadata import with_resolution

    changes: dict[str, Any] = {}
    lost: list[str] = []
    if image.exif is not None:
        changes["exif"] = _fitting_exif(image, encoding, note)
    if image.dpi is not None and encoding == "webp":  # which has no other place for it
        changes["exif"] = with_resolution(changes.get("exif"), image.dpi)
    if image.xmp is not None and encoding == "jpg" and len(image.xmp) > _MOST_XMP:
        lost.append("XMP data")
        changes["xmp"] = None
    if image.iptc is not None and (encoding == "webp" or (encoding == "jpg" and len(image.iptc) > _MOST_IPTC)):
        lost.append("IPTC data")
        changes["iptc"] = None
    if image.text and encoding != "png":
        comment = image.text.get("Comment", "")
        is_kept = encoding == "jpg" and 0 < len(comment.encode()) <= _MOST_COMMENT
        changes["text"] = {"Comment": comment} if is_kept else {}
        others = [key for key in image.text if key not in changes["text"]]
        lost += [f"texts ({', '.join(others)})"] if others else []
    for what in lost:
        note(f"{image.name}: {encoding} cannot hold its {what}; left out")
    return image.replace(**changes)


def _fitting_exif(image: Image, encoding: str, note: Callable[[str], None]) -> bytes | None:
    """EXIF data that is true of the result, also where the caller made it; None if it cannot be written."""
    from gansdk.media.metadata import cleaned

    block, _ = cleaned(image.exif or b"", lambda text: note(f"{image.name}: {text}"))
    if encoding == "jpg" and len(block or b"") > _MOST_EXIF:
        note(f"{image.name}: its EXIF data is too long for jpg and is left out")
        return None
    return block


def free_name(path: Path) -> Path:
    """``path``, or the first of ``name-2.png``, ``name-3.png`` … that does not exist.

    Raises:
        OutputError: If no file can be called so.
    """
    place, number = path, 1
    try:
        while place.exists():
            number += 1
            place = path.with_name(f"{path.stem}-{number}{path.suffix}")
    except OSError as error:
        raise cannot_write(place, error) from error
    return place


def put(path: Path, on_exists: str, write: Callable[[IO[bytes]], None]) -> Path | None:
    """Writes a file.

    Args:
        path: Where.
        on_exists: ``error``, ``skip``, ``overwrite`` or ``rename``, where something stands there.
        write: Fills an empty, seekable file.

    Returns:
        Where it stands: ``path`` or, with ``rename``, a free name; None where something stood there and stays.

    Raises:
        OutputExistsError: If something stands there, also if it came while this was written.
        OutputError: If it cannot be written there.
    """
    place = free_name(path) if on_exists == "rename" else path
    if stands(place) and on_exists in {"skip", "error"}:
        if on_exists == "skip":
            return None
        raise _exists(place)
    try:
        with whole_file(place, replace=on_exists == "overwrite") as file:
            write(file)
    except OutputExistsError:  # it came while this was written
        if on_exists == "skip":
            return None
        if on_exists == "rename":
            return put(path, on_exists, write)
        raise _exists(place) from None
    return place


def _exists(path: Path) -> OutputExistsError:
    return OutputExistsError(f"{path} exists already", hint=f"use {option('on_exists', 'overwrite', 'skip', 'rename')}")


def send(stream: IO[bytes], write: Callable[[IO[bytes]], None], name: str) -> None:
    """Writes to a stream, into a temporary file first: whoever reads it gets nothing rather than a part.

    Args:
        stream: Where.
        write: Fills an empty, seekable file.
        name: What messages call it.

    Raises:
        OutputError: If it cannot be written there.
        BrokenPipeError: If nobody reads the stream any more.
    """
    try:
        with tempfile.TemporaryFile() as file:
            write(file)
            file.seek(0)
            _copy(file, stream, name)
    except BrokenPipeError:
        raise  # whoever reads has seen enough; the command line knows what to do
    except OSError as error:
        what = "to standard output" if stream is getattr(sys.stdout, "buffer", None) else name
        raise OutputError(f"cannot write {what}: {error.strerror or error}") from error


def _copy(file: IO[bytes], stream: IO[bytes], name: str) -> None:
    try:
        shutil.copyfileobj(file, stream, 2**20)
        if hasattr(stream, "flush"):  # not all that can be written to have it
            stream.flush()
    except (TypeError, ValueError) as error:  # a stream of text, one to read from, or a closed one
        hint = "give a file that is open for writing in binary mode"
        raise OutputError(f"cannot write {name}: {error}", hint=hint) from error
