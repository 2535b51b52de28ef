"""Colours of 16 bits, for which Pillow has no mode, and frames of GIF: their numbers by libvips, all else by Pillow.

Pillow opens such files, knows their size and metadata and finds them damaged, but gives their numbers in 8 bits. So it
stays the reader of all that is not a number, and the limits hold here as for any image. libvips takes untrusted files
for a living (it is behind many a web server), says what is wrong as an error and nothing on stderr, and streams what it
writes; tifffile writes the tags of a TIFF file, which libvips leaves out.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gansdk.errors import OutputError
from gansdk.media import formats
from gansdk.media.metadata import IPTC_TAG, XMP_TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from PIL import Image as PILImage

    from gansdk.media.image import Image


_HEADER = 33
"""Bytes of a PNG file's signature and its first chunk."""

_KEPT = {"RGB": 3, "RGBX": 3, "RGBA": 4}
"""How many channels are kept of a TIFF image that Pillow opens in this mode."""

_OFFSETS, _COUNTS = (273, 324), (279, 325)  # of strips, of tiles


_PARTS = {34665: "ExifTag", 34853: "GPSTag"}
"""Directories beside the main one, which tifffile writes only where they are named in words."""


_BINARY = frozenset({XMP_TAG, IPTC_TAG})


_RESOLUTION = (282, 283, 296)  # across, down, unit


class TruncatedError(ValueError):
    """A file that ends before its pixels do."""


def is_deep(image: PILImage.Image, kind: formats.Kind, head: bytes) -> bool:
    """Whether an opened image has colours, or grey and alpha, of 16 bits that can be read as such.

    Animated PNG files are none: Pillow puts their frames together, in 8 bits.
    """
    if kind is formats.PNG:
        return formats.declared_bits(kind, head) == 16 and head[25] != 0 and getattr(image, "n_frames", 1) == 1
    tags: Any = getattr(image, "tag_v2", {})
    return kind is formats.TIFF and image.mode in _KEPT and set(tags.get(258, ())) == {16}


def read_frame(image: PILImage.Image, file: IO[bytes], frame: int) -> NDArray[np.uint8]:
    """A frame of a GIF file as it is seen: upon those before it, each disposed of as it says.

    Pillow leaves a colour where a frame is to vanish and nothing is transparent.

    Args:
        image: As Pillow opened it.
        file: The same file.
        frame: Which one.

    Returns:
        uint8 [H, W, 1 to 4]; the last channel is opacity where their count is even, and some pixel is not opaque.

    Raises:
        pyvips.Error: If it is damaged.
    """
    import pyvips

    file.seek(0)
    opened = pyvips.Image.gifload_buffer(file.read(), page=frame, access="sequential", fail_on="error")
    if (opened.width, opened.height) != image.size or opened.format != "uchar":
        raise ValueError("its headers contradict each other")
    numbers = np.frombuffer(opened.write_to_memory(), np.uint8).reshape(opened.height, opened.width, opened.bands)
    is_opaque = opened.bands % 2 == 0 and bool((numbers[:, :, -1] == 255).all())
    return numbers[:, :, :-1] if is_opaque else numbers


def read_numbers(image: PILImage.Image, kind: formats.Kind, file: IO[bytes]) -> NDArray[np.uint16]:
    """The numbers of a deep image.

    Args:
        image: As Pillow opened it.
        kind: PNG or TIFF, whose first page is taken.
        file: The same file.

    Returns:
        uint16 [H, W, 2 to 4] as they lie in the file, not turned; the last channel is opacity where their count is
        even, and colours are not multiplied by it.

    Raises:
        TruncatedError: If the file ends before its pixels.
        pyvips.Error: If it is damaged otherwise.
    """
    import pyvips

    file.seek(0)
    content = file.read()
    if kind is formats.TIFF:
        _check_length(image, len(content))
        opened = pyvips.Image.tiffload_buffer(content, access="sequential", fail_on="error")
        kept = _KEPT[image.mode]
    else:
        opened = pyvips.Image.pngload_buffer(content, access="sequential", fail_on="error")
        kept = opened.bands  # with one for opacity where the file names a colour that is transparent
    if sorted((opened.width, opened.height)) != sorted(image.size) or opened.format != "ushort" or opened.bands < kept:
        raise ValueError("its headers contradict each other")
    numbers = np.frombuffer(opened.write_to_memory(), np.uint16).reshape(opened.height, opened.width, opened.bands)
    return numbers[:, :, :kept]


def _check_length(image: Any, length: int) -> None:
    """Refuses what is cut short: of a TIFF file libvips fills up some of what is missing."""
    for offsets, counts in zip(_OFFSETS, _COUNTS, strict=True):
        places = zip(image.tag_v2.get(offsets, ()), image.tag_v2.get(counts, ()), strict=False)
        if any(start + count > length for start, count in places):
            raise TruncatedError("it ends before its pixels do")


def write_png(image: Image, file: IO[bytes], chunks: bytes) -> None:
    """Writes a PNG file of 16 bits per channel.

    One filter and a middling search: 12 megapixels like a photograph take 1.1 s and 57 MB, all filters 1.7 s for 0.5 %
    less.

    Args:
        image: Of 16 bits.
        file: Takes the bytes in order.
        chunks: What stands between the header and the pixels.

    Raises:
        OutputError: If the encoder refuses.
    """
    vips_image, spliced = _image(image), _Spliced(file, chunks)
    _save(image, spliced.write, lambda to: vips_image.pngsave_target(to, compression=6, filter="sub", keep="none"))


def metadata_chunks(png: bytes) -> bytes:
    """What stands between header and pixels of a PNG file."""
    return png[_HEADER : png.index(b"IDAT") - 4]


class _Spliced:
    """Passes a PNG file on, with chunks of ours for those that its encoder puts before the pixels."""

    def __init__(self, file: IO[bytes], chunks: bytes) -> None:
        self._file = file
        self._chunks = chunks
        self._head: bytes | None = b""

    def write(self, part: bytes) -> None:
        if self._head is not None:
            self._head += part
            if b"IDAT" not in self._head:
                return
            part = self._head[:_HEADER] + self._chunks + self._head[self._head.index(b"IDAT") - 4 :]
            self._head = None
        self._file.write(part)


def _save(image: Image, write: Callable[[bytes], object], save: Callable[[Any], object]) -> None:
    """Lets libvips write to a function, and raises what that raises: nothing passes through C by default."""
    import pyvips

    raised: list[BaseException] = []

    def on_write(part: Any) -> int:
        try:
            write(bytes(part))
        except BaseException as error:  # noqa: BLE001 - Ctrl-C too; it is raised again below
            raised.append(error)
            return -1
        return len(part)

    target = pyvips.TargetCustom()
    target.on_write(on_write)
    try:
        save(target)
    except pyvips.Error as error:
        if not raised:
            said = " ".join(str(error).split())[:120]
            raise OutputError(f"{image.name} cannot be encoded ({said})") from error
    if raised:
        raise raised[0]


def _image(image: Image) -> Any:
    """The image for libvips, its numbers where they are."""
    vips_image = _plane(image.pixels)
    if image.alpha is not None:
        vips_image = vips_image.bandjoin(_plane(image.alpha[:, :, None]))
    return vips_image.copy(interpretation="grey16" if image.pixels.shape[2] == 1 else "rgb16")


def _plane(numbers: NDArray[Any]) -> Any:
    import pyvips

    height, width, channels = numbers.shape
    return pyvips.Image.new_from_memory(np.ascontiguousarray(numbers).data, width, height, channels, "ushort")


def write_tiff(image: Image, file: IO[bytes], tags: Mapping[int, Any]) -> None:
    """Writes a deflated TIFF file of 16 bits per channel, differences between neighbours packed.

    12 megapixels like a photograph take 1.5 s and 58 MB, at zlib's usual level 2.7 s for 1 % less.

    Args:
        image: RGB of 16 bits; below 4 GiB.
        file: Empty and seekable.
        tags: Values of the main directory beside those of the layout, as Pillow spells them.
    """
    import tifffile

    extra = [] if image.alpha is None else ["unassalpha"]
    tifffile.imwrite(
        file,
        np.asarray(image),
        bigtiff=False,
        photometric="rgb",
        extrasamples=extra,
        planarconfig="contig",
        rowsperstrip=max(1, 2**19 // image.pixels[0].nbytes),
        compression="zlib",
        compressionargs={"level": 1},
        predictor=True,
        iccprofile=image.icc,
        metadata=None,
        software=False,
        **_resolution(tags),
        extratags=[_extratag(tag, value) for tag, value in tags.items() if tag not in _RESOLUTION],
    )


def _resolution(tags: Mapping[int, Any]) -> dict[str, Any]:
    across, down, unit = (tags.get(tag) for tag in _RESOLUTION)
    if across is None or down is None or not 0 < float(across) < 2**32 or not 0 < float(down) < 2**32:
        return {}
    return {"resolution": (float(across), float(down)), "resolutionunit": unit if unit in {1, 2, 3} else 2}


def _extratag(tag: int, value: Any) -> tuple[int | str, str | int, int, Any, bool]:
    if tag in _PARTS:
        return _PARTS[tag], "I", 1, int(value), True
    if tag in _BINARY:
        return tag, "B" if tag == XMP_TAG else 7, len(value), value, True
    if isinstance(value, str | bytes):
        content = value if isinstance(value, bytes) else value.encode("latin-1", "replace")
        return tag, "s", 0, content, True
    return tag, "I", 1, int(value), True
