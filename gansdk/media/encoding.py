"""Images as PNG, TIFF, JPEG and WebP files, through Pillow where it has a mode for them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import IO, TYPE_CHECKING, Any, Literal

from gansdk.errors import OutputError, option
from gansdk.media import deep, metadata
from gansdk.media.colour import to_srgb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image as PILImage

    from gansdk.media.image import Image


_QUICK_FROM = 24_000_000
"""Pixels from which WebP is packed with less search: 48 megapixels at quality 92 take 1.3 s instead of 13 s."""

_PREDICTOR = 317


def can_hold(format: str, channels: int, bits: int, *, has_alpha: bool) -> bool:  # noqa: A002
    """Whether a format can be written with these pixels; with 8 bits each of them can.

    Args:
        format: ``png``, ``jpg``, ``webp`` or ``tiff``.
        channels: 1 or 3.
        bits: Per channel: 8 or 16. TIFF files of the latter are left out for grey with alpha: hardly any program
            opens them.
        has_alpha: Whether there is alpha beside the colours.
    """
    return bits == 8 or format == "png" or (format == "tiff" and not (channels == 1 and has_alpha))


def write_png(image: Image, file: IO[bytes], software: str | None = None) -> None:
    """Writes a PNG file.

    Only runs are searched for, at the lowest level. Of 48 megapixels like a photograph this makes 58 MB in 3.4 s;
    the usual search makes 71 MB in 3.7 s at level 1 and 60 MB in 24 s at level 6. Of text and lines it makes 24 MB
    in 1.1 s, the usual search 23 MB in 1.3 s.

    Args:
        image: Such that the format can hold it.
        file: Takes the bytes in order.
        software: What made the file.
    """
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    for key, value in {**image.text, **({"Software": software} if software else {})}.items():
        text.add_text(key, value)
    if image.xmp is not None:
        text.add_itxt(metadata.XMP_TEXT, image.xmp.decode())
    if image.iptc is not None:
        block = metadata.raw_profile_text("iptc", metadata.photoshop_block(image.iptc))
        text.add_text(metadata.IPTC_TEXT, block, zip=True)
    options: dict[str, Any] = {"compress_level": 1, "compress_type": zlib.Z_RLE, "pnginfo": text}
    options |= _given(icc_profile=image.icc, exif=image.exif, dpi=image.dpi)
    if _is_deep(image):
        like_it = io.BytesIO()  # with the same metadata
        _image(_corner(image)).save(like_it, "PNG", **options)
        deep.write_png(image, file, deep.metadata_chunks(like_it.getvalue()))
        return
    _image(image).save(_sink(file), "PNG", **options)


def write_tiff(image: Image, file: IO[bytes]) -> None:
    """Writes a deflated TIFF file; of its EXIF data all but rare tags of the main directory.

    Differences between neighbours are packed: 48 megapixels like a photograph take 9.8 s and 67 MB, the numbers
    themselves 3.4 s and 100 MB.

    Args:
        image: Such that the format can hold it; below 4 GiB.
        file: Empty, seekable and readable.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    said = metadata.descriptive(metadata.loaded(image.exif or b""))
    parts = {int(part): said[part] for part in metadata.PARTS if part in said}
    # No directory is packed beside the main one: each is put behind below.
    values: dict[int, Any] = {tag: 0 if tag in parts else said[tag] for tag in said}
    if image.dpi is not None:
        values |= {282: image.dpi[0], 283: image.dpi[1], 296: 2}
    if image.xmp is not None:
        values[metadata.XMP_TAG] = image.xmp
    if image.iptc is not None:
        values[metadata.IPTC_TAG] = image.iptc
    if _is_deep(image):
        deep.write_tiff(image, file, values)
    else:
        tags = ImageFileDirectory_v2()
        for tag, value in {**values, _PREDICTOR: 2}.items():
            tags[tag] = value
        given = _given(icc_profile=image.icc)
        _image(image).save(_sink(file), "TIFF", compression="tiff_adobe_deflate", tiffinfo=tags, **given)
    _put_behind(file, parts)


def _put_behind(file: IO[bytes], parts: Mapping[int, Mapping[int, Any]]) -> None:
    """Appends directories to a TIFF file and points the entries there that its main directory holds for them."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    file.seek(0)
    head = file.read(8)
    endian = "<" if head.startswith(b"II") else ">"
    (main,) = struct.unpack(endian + "I", head[4:])
    file.seek(main)
    (count,) = struct.unpack(endian + "H", file.read(2))
    entries = file.read(12 * count)
    for n in range(count):
        (tag,) = struct.unpack_from(endian + "H", entries, 12 * n)
        if tag not in parts:
            continue
        directory = ImageFileDirectory_v2(head, group=tag)
        for inner, value in parts[tag].items():
            directory[inner] = value
        end = file.seek(0, 2)
        place = end + end % 2
        file.write(bytes(end % 2) + directory.tobytes(place))
        file.seek(main + 2 + 12 * n + 8)
        file.write(struct.pack(endian + "I", place))
    file.seek(0, 2)


def write_jpeg(image: Image, file: IO[bytes], quality: int) -> None:
    """Writes a baseline JPEG; colours are stored at full resolution from quality 90 up.

    Codes are not fitted to the image (``optimize``), which would save a few per cent: Pillow then guesses how long
    the file will be and fails where noise makes it longer.

    Args:
        image: Of 8 bits, without alpha, with at most 65,533 bytes of EXIF data.
        file: Takes the bytes in order.
        quality: 1 to 100.
    """
    subsampling = 0 if quality >= 90 else 2
    said = _given(icc_profile=image.icc, exif=image.exif, xmp=image.xmp, dpi=image.dpi)
    said |= _given(comment=image.text.get("Comment", "").encode() or None)
    if image.iptc is not None:
        block = b"Photoshop 3.0\0" + metadata.photoshop_block(image.iptc)
        said["extra"] = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    _image(image).save(_sink(file), "JPEG", quality=quality, subsampling=subsampling, **said)


def write_webp(image: Image, file: IO[bytes], quality: int) -> None:
    """Writes a WebP file; at quality 100 every number is kept, those under transparent pixels too.

    WebP has no grey: such an image is stored as RGB, in sRGB if it had a profile for grey.

    Args:
        image: Of 8 bits, at most 16,383 pixels a side.
        file: Takes the bytes in order.
        quality: 1 to 100.

    Raises:
        OutputError: If the format cannot hold it. Besides the longest side, there is a limit that depends on what
            the image shows, reached between 50 and 100 megapixels at high quality.
    """
    pil_image = _image(image)
    if image.icc is not None and image.pixels.shape[2] == 1:
        pil_image, image = _grey_to_srgb(pil_image, image.icc), image.replace(icc=None)
    is_quick = image.width * image.height > _QUICK_FROM
    is_lossless = quality == 100
    try:
        pil_image.save(
            _sink(file),
            "WEBP",
            quality=(20 if is_quick else 75) if is_lossless else quality,  # where lossless, how hard to search
            lossless=is_lossless,
            exact=is_lossless,
            method=(0 if is_lossless else 2) if is_quick else 4,
            **_given(icc_profile=image.icc, exif=image.exif, xmp=image.xmp),
        )
    except ValueError as error:  # what the encoder says is a number
        what = f"{image.name}: webp cannot hold {image.width}×{image.height} pixels at quality {quality}"
        raise OutputError(what, hint=f"lower {option('quality')}, or write png") from error


def _grey_to_srgb(image: PILImage.Image, icc: bytes) -> PILImage.Image:
    grey = image.getchannel("L") if image.mode == "LA" else image
    colours = to_srgb(grey, icc, lambda _text: None)
    if image.mode == "LA":
        colours.putalpha(image.getchannel("A"))
    return colours


def _is_deep(image: Image) -> bool:
    """Whether Pillow has no mode for its numbers."""
    return image.bits == 16 and (image.pixels.shape[2] > 1 or image.alpha is not None)


def _corner(image: Image) -> Image:
    alpha = None if image.alpha is None else image.alpha[:1, :1]
    return image.replace(pixels=image.pixels[:1, :1], alpha=alpha)


def _image(image: Image) -> PILImage.Image:
    return image.replace(exif=None, icc=None, xmp=None, dpi=None).to_image()


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


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


def write_animation(
    frames: Sequence[Image],
    file: IO[bytes],
    encoding: Literal["gif", "webp"],
    frames_per_second: float,
) -> None:
    """Writes an animation that goes to and fro without end, so that it never jumps.

    Args:
        frames: All of one size, 8 bits; shown in their order, then back.
        file: Empty, seekable.
        encoding: WebP is written without loss; GIF has 256 colours.
        frames_per_second: How fast; GIF rounds to hundredths of a second.
    """
    there = [frame.to_image() for frame in frames]
    shown = [*there, *there[-2:0:-1]]
    lossless = {"lossless": True, "method": 4} if encoding == "webp" else {"optimize": False, "disposal": 2}
    duration = round(1000 / frames_per_second)
    shown[0].save(file, encoding.upper(), save_all=True, append_images=shown[1:], loop=0, duration=duration, **lossless)
