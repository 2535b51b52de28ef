"""JPEG and WebP files, through Pillow."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from gansdk.errors import OutputError
from gansdk.media.colour import to_srgb

if TYPE_CHECKING:
    from PIL import Image

    from gansdk.media.picture import Picture

_QUICK_FROM = 24_000_000
"""Pixels from which WebP is packed with less search: 48 megapixels at quality 92 take 1.3 s instead of 13 s."""


def write_jpeg(picture: Picture, file: IO[bytes], quality: int, exif: bytes | None) -> None:
    """Writes a baseline JPEG; colours are stored at full resolution from quality 90 up.

    Codes are not fitted to the picture (``optimize``), which would save a few per cent: Pillow then guesses how long
    the file will be and fails where noise makes it longer.

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

    Raises:
        OutputError: If the format cannot hold it. Besides the longest side, there is a limit that depends on what
            the picture shows, reached between 50 and 100 megapixels at high quality.
    """
    image, icc = _image(picture), picture.icc
    if icc is not None and picture.pixels.shape[2] == 1:
        image, icc = _grey_to_srgb(image, icc), None
    is_quick = picture.width * picture.height > _QUICK_FROM
    is_lossless = quality == 100
    try:
        image.save(
            _sink(file),
            "WEBP",
            quality=(20 if is_quick else 75) if is_lossless else quality,  # where lossless, how hard to search
            lossless=is_lossless,
            exact=is_lossless,
            method=(0 if is_lossless else 2) if is_quick else 4,
            **_metadata(icc, exif),
        )
    except ValueError as error:  # what the encoder says is a number
        what = f"{picture.name}: webp cannot hold {picture.width}×{picture.height} pixels at quality {quality}"
        raise OutputError(what, hint="lower --quality, or write png") from error


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
