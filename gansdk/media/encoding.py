"""Images as PNG, TIFF, JPEG, WebP and GIF files: by Pillow, and in 16-bit colours, for which it has no mode, by others.

libvips writes 16-bit PNG files, and streams them. tifffile writes 16-bit TIFF files with all tags, which libvips omits.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import numpy as np

from gansdk.errors import OutputError, option
from gansdk.media import metadata
from gansdk.media.colour import to_srgb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from PIL import Image as PILImage

    from gansdk.media.image import Image


_QUICK_FROM = 24_000_000
"""Pixels from which WebP is packed with less search: 48 megapixels at quality 92 take 1.3 s instead of 13 s."""

_PREDICTOR = 317


def can_hold(format: str, channels: int, bits: int, *, has_alpha: bool) -> bool:  # noqa: A002
    """Whether a format can be written with these pixels; all formats can with 8 bits.

    Args:
        format: ``png``, ``jpg``, ``webp`` or ``tiff``.
        channels: 1 or 3.
        bits: Per channel: 8 or 16. TIFF files of 16-bit grey with alpha are not written: hardly any program opens them.
        has_alpha: Whether there is alpha besides the colours.
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
    if not _is_deep(image):
        _bare(image).save(cast("Any", _Sink(file)), "PNG", **options)
        return
    # Pillow writes the metadata around one pixel of the image, and its chunks go into what libvips writes.
    alpha = None if image.alpha is None else image.alpha[:1, :1]
    sample = io.BytesIO()
    _bare(image.replace(pixels=image.pixels[:1, :1], alpha=alpha)).save(sample, "PNG", **options)
    png = sample.getvalue()
    _write_deep_png(image, file, png[_PNG_HEADER : png.index(b"IDAT") - 4])


def write_tiff(image: Image, file: IO[bytes]) -> None:
    """Writes a deflated TIFF file with all its EXIF data except rare tags of the main directory.

    Differences between neighbours are packed: 48 megapixels like a photograph take 9.8 s and 67 MB, the numbers
    themselves 3.4 s and 100 MB.

    Args:
        image: Such that the format can hold it; below 4 GiB.
        file: Empty, seekable and readable.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    exif = metadata.descriptive(metadata.loaded_exif(image.exif or b""))
    directories = {int(tag): exif[tag] for tag in metadata.SUB_DIRECTORIES if tag in exif}
    # Neither library writes the sub-directories as they are: they are appended below.
    values: dict[int, Any] = {tag: 0 if tag in directories else exif[tag] for tag in exif}
    if image.dpi is not None:
        values |= metadata.resolution_tags(image.dpi)
    values |= {tag: data for tag, data in ((metadata.XMP_TAG, image.xmp), (metadata.IPTC_TAG, image.iptc)) if data}
    if _is_deep(image):
        _write_deep_tiff(image, file, values)
    else:
        tags = ImageFileDirectory_v2()
        for tag, value in {**values, _PREDICTOR: 2}.items():
            tags[tag] = value
        profile = _given(icc_profile=image.icc)
        _bare(image).save(cast("Any", _Sink(file)), "TIFF", compression="tiff_adobe_deflate", tiffinfo=tags, **profile)
    _append_directories(file, directories)


def _append_directories(file: IO[bytes], directories: Mapping[int, Mapping[int, Any]]) -> None:
    """Appends directories to a TIFF file, and points the entries of its main directory at them."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    file.seek(0)
    head = file.read(8)
    order = "<" if head.startswith(b"II") else ">"
    (main,) = struct.unpack(order + "I", head[4:])
    file.seek(main)
    (count,) = struct.unpack(order + "H", file.read(2))
    entries = file.read(12 * count)
    for n in range(count):
        (tag,) = struct.unpack_from(order + "H", entries, 12 * n)
        if tag not in directories:
            continue
        directory = ImageFileDirectory_v2(head, group=tag)
        for inner, value in directories[tag].items():
            directory[inner] = value
        end = file.seek(0, io.SEEK_END)
        offset = end + end % 2
        file.write(bytes(end % 2) + directory.tobytes(offset))
        file.seek(main + 2 + 12 * n + 8)
        file.write(struct.pack(order + "I", offset))
    file.seek(0, io.SEEK_END)


def write_jpeg(image: Image, file: IO[bytes], quality: int) -> None:
    """Writes a baseline JPEG; colours are stored at full resolution from quality 90 up.

    Codes are not fitted to the image (``optimize``), which would save a few per cent: Pillow then guesses how long
    the file will be and fails where noise makes it longer.

    Args:
        image: Of 8 bits, without alpha, with at most 65,533 bytes of EXIF data.
        file: Takes the bytes in order.
        quality: 1 to 100.
    """
    said = _given(icc_profile=image.icc, exif=image.exif, xmp=image.xmp, dpi=image.dpi)
    said |= _given(comment=image.text.get("Comment", "").encode() or None)
    if image.iptc is not None:
        block = b"Photoshop 3.0\0" + metadata.photoshop_block(image.iptc)
        said["extra"] = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    _bare(image).save(cast("Any", _Sink(file)), "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2, **said)


def write_webp(image: Image, file: IO[bytes], quality: int) -> None:
    """Writes a WebP file; at quality 100 every number is kept, including those under transparent pixels.

    WebP has no grey: such an image is stored as RGB, in sRGB if it had a profile for grey.

    Args:
        image: Of 8 bits, at most 16,383 pixels a side.
        file: Takes the bytes in order.
        quality: 1 to 100.

    Raises:
        OutputError: If the format cannot hold it. Besides the longest side, there is a limit that depends on what
            the image shows, reached between 50 and 100 megapixels at high quality.
    """
    pil_image, icc = _bare(image), image.icc
    if icc is not None and image.pixels.shape[2] == 1:
        colours = to_srgb(pil_image.getchannel("L"), icc, lambda _text: None)
        if image.alpha is not None:
            colours.putalpha(pil_image.getchannel("A"))
        pil_image, icc = colours, None
    is_quick = image.width * image.height > _QUICK_FROM
    is_lossless = quality == 100
    try:
        pil_image.save(
            cast("Any", _Sink(file)),
            "WEBP",
            quality=(20 if is_quick else 75) if is_lossless else quality,  # of lossless files, how hard to search
            lossless=is_lossless,
            exact=is_lossless,
            method=(0 if is_lossless else 2) if is_quick else 4,
            **_given(icc_profile=icc, exif=image.exif, xmp=image.xmp),
        )
    except ValueError as error:  # which only holds the encoder's error number
        what = f"{image.name}: webp cannot hold {image.width}×{image.height} pixels at quality {quality}"
        raise OutputError(what, hint=f"lower {option('quality')}, or write png") from error


def write_animation(
    frames: Sequence[Image], file: IO[bytes], encoding: Literal["gif", "webp"], frames_per_second: float
) -> None:
    """Writes an animation that runs forwards and backwards in a loop, so that it never jumps.

    Args:
        frames: All of one size, 8 bits.
        file: Empty, seekable.
        encoding: WebP is written without loss; GIF has 256 colours.
        frames_per_second: How fast; GIF rounds to hundredths of a second.
    """
    forwards = [frame.to_pil() for frame in frames]
    shown = [*forwards, *forwards[-2:0:-1]]
    options = {"lossless": True, "method": 4} if encoding == "webp" else {"optimize": False, "disposal": 2}
    duration = round(1000 / frames_per_second)
    shown[0].save(file, encoding.upper(), save_all=True, append_images=shown[1:], loop=0, duration=duration, **options)


def _is_deep(image: Image) -> bool:
    """Whether Pillow has no mode for its numbers."""
    return image.bits == 16 and (image.pixels.shape[2] > 1 or image.alpha is not None)


def _bare(image: Image) -> PILImage.Image:
    """A Pillow image without metadata, which its encoders would add."""
    return image.replace(exif=None, icc=None, xmp=None, dpi=None).to_pil()


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


class _Sink:
    """Hides that a file has a descriptor: Pillow would write to it in C and lose why a write failed."""

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write
        self.flush = file.flush


_PNG_HEADER = 33
"""Bytes of a PNG file's signature and its first chunk."""


class _Spliced:
    """Passes a PNG file on, with our chunks in place of those that its encoder puts before the pixels."""

    def __init__(self, file: IO[bytes], chunks: bytes) -> None:
        self._file = file
        self._chunks = chunks
        self._head: bytes | None = b""

    def write(self, part: bytes) -> None:
        if self._head is not None:
            self._head += part
            if b"IDAT" not in self._head:
                return
            part = self._head[:_PNG_HEADER] + self._chunks + self._head[self._head.index(b"IDAT") - 4 :]
            self._head = None
        self._file.write(part)


def _write_deep_png(image: Image, file: IO[bytes], chunks: bytes) -> None:
    """Writes a PNG file of 16 bits per channel, with ``chunks`` between the header and the pixels.

    One filter and a medium search: 12 megapixels like a photograph take 1.1 s and 57 MB, all filters 1.7 s for 0.5 %
    less.
    """
    import pyvips

    vips_image = _to_vips(image.pixels)
    if image.alpha is not None:
        vips_image = vips_image.bandjoin(_to_vips(image.alpha[:, :, None]))
    vips_image = vips_image.copy(interpretation="grey16" if image.pixels.shape[2] == 1 else "rgb16")
    spliced, raised = _Spliced(file, chunks), []

    def on_write(part: Any) -> int:
        try:
            spliced.write(bytes(part))
        except BaseException as error:  # noqa: BLE001 - Ctrl-C too; nothing passes through C, so it is raised below
            raised.append(error)
            return -1
        return len(part)

    target = pyvips.TargetCustom()
    target.on_write(on_write)
    try:
        vips_image.pngsave_target(target, compression=6, filter="sub", keep="none")
    except pyvips.Error as error:
        if not raised:
            reason = " ".join(str(error).split())[:120]
            raise OutputError(f"{image.name} cannot be encoded ({reason})") from error
    if raised:
        raise raised[0]


def _to_vips(numbers: NDArray[Any]) -> Any:
    """An array [H, W, C] for libvips, without a copy if it is contiguous."""
    import pyvips

    height, width, channels = numbers.shape
    return pyvips.Image.new_from_memory(np.ascontiguousarray(numbers).data, width, height, channels, "ushort")


_SUB_DIRECTORY_NAMES = {34665: "ExifTag", 34853: "GPSTag"}
"""Directories that tifffile writes only if they are named."""

_RESOLUTION = (282, 283, 296)  # across, down, unit


def _write_deep_tiff(image: Image, file: IO[bytes], tags: Mapping[int, Any]) -> None:
    """Writes a deflated TIFF file of RGB in 16 bits, differences between neighbours packed.

    12 megapixels like a photograph take 1.5 s and 58 MB, at zlib's usual level 2.7 s for 1 % less.

    Args:
        image: RGB of 16 bits; below 4 GiB.
        file: Empty and seekable.
        tags: Values of the main directory besides those of the layout, as Pillow has them.
    """
    import tifffile

    resolution: dict[str, Any] = {}
    across, down, unit = (tags.get(tag) for tag in _RESOLUTION)
    if across is not None and down is not None and 0 < float(across) < 2**32 and 0 < float(down) < 2**32:
        unit = unit if unit in {1, 2, 3} else 2
        resolution = {"resolution": (float(across), float(down)), "resolutionunit": unit}
    tifffile.imwrite(
        file,
        np.asarray(image),
        bigtiff=False,
        photometric="rgb",
        extrasamples=[] if image.alpha is None else ["unassalpha"],
        planarconfig="contig",
        rowsperstrip=max(1, 2**19 // image.pixels[0].nbytes),
        compression="zlib",
        compressionargs={"level": 1},
        predictor=True,
        iccprofile=image.icc,
        metadata=None,
        software=False,
        **resolution,
        extratags=[_extratag(tag, value) for tag, value in tags.items() if tag not in _RESOLUTION],
    )


def _extratag(tag: int, value: Any) -> tuple[int | str, str | int, int, Any, bool]:
    """A tag as tifffile takes it: code, type, count, value, and whether it is in the first page only."""
    if tag in {metadata.XMP_TAG, metadata.IPTC_TAG}:
        return tag, "B" if tag == metadata.XMP_TAG else 7, len(value), value, True
    if isinstance(value, str | bytes):
        return tag, "s", 0, value if isinstance(value, bytes) else value.encode("latin-1", "replace"), True
    return _SUB_DIRECTORY_NAMES.get(tag, tag), "I", 1, int(value), True
