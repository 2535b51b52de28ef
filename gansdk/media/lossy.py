"""JPEG and WebP files, through Pillow."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from gansdk.media.colour import to_srgb

if TYPE_CHECKING:
    from PIL import Image

    from gansdk.media.picture import Picture

_OPTIMISED = 24_000_000
"""Pixels up to which a JPEG's codes are fitted to it: that makes the file a few per cent smaller, and holds all
coefficients in memory, 6 bytes a pixel in full colour."""

_QUICK_FROM = 24_000_000
"""Pixels from which lossless WebP is packed with little search."""


def write_jpeg(picture: Picture, file: IO[bytes], quality: int, exif: bytes | None) -> None:
    """Writes a baseline JPEG; colours are stored at full resolution from quality 90 up.

    Args:
        picture: Of 8 bits, without alpha.
        file: Takes the bytes in order.
        quality: 1 to 100.
        exif: At most 65,533 bytes.
    """
    _image(picture).save(
        _sink(file),
        "JPEG",
        quality=quality,
        subsampling=0 if quality >= 90 else 2,
        optimize=picture.width * picture.height <= _OPTIMISED,
        **_metadata(picture.icc, exif),
    )


def write_webp(picture: Picture, file: IO[bytes], quality: int, exif: bytes | None) -> None:
    """Writes a WebP file; at quality 100 every number is kept, those under transparent pixels too.

    WebP has no grey: such a picture is stored as RGB, in sRGB if it had a profile for grey.

    Args:
        picture: Of 8 bits, at most 16,383 pixels a side.
        file: Takes the bytes in order.
        quality: 1 to 100.
        exif: EXIF data.
    """
    image, icc = _image(picture), picture.icc
    if icc is not None and picture.pixels.shape[2] == 1:
        image, icc = _grey_to_srgb(image, icc), None
    is_quick = picture.width * picture.height > _QUICK_FROM
    image.save(
        _sink(file),
        "WEBP",
        quality=(20 if is_quick else 75) if quality == 100 else quality,  # where lossless, how hard to search
        lossless=quality == 100,
        exact=quality == 100,
        method=0 if is_quick and quality == 100 else 4,
        **_metadata(icc, exif),
    )


def _grey_to_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    grey = image.getchannel("L") if image.mode == "LA" else image
    colours = to_srgb(grey, icc, lambda _text: None)
    if image.mode == "LA":
        colours.putalpha(image.getchannel("A"))
    return colours


def _image(picture: Picture) -> Image.Image:
    return picture.replace(exif=None, icc=None).to_image()


def _metadata(icc: bytes | None, exif: bytes | None) -> dict[str, Any]:
    return {key: value for key, value in (("icc_profile", icc), ("exif", exif)) if value is not None}


def _sink(file: IO[bytes]) -> Any:
    return _Sink(file)


class _Sink:
    """Hides that a file has a descriptor: Pillow would write to it in C and lose why a write failed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, content: bytes) -> int:
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()
