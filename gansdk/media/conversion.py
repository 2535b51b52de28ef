"""Decoded images in Pillow's many modes to :class:`~gansdk.Image`: upright, 8 or 16 bits, grey or RGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.media import colour, metadata
from gansdk.media.colour import profile_space, to_srgb
from gansdk.media.decoders import UnsupportedError
from gansdk.media.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PIL import Image as PILImage

    from gansdk.media.colour import Colour
    from gansdk.media.image import Pixels


@dataclass(frozen=True)
class Samples:
    """What a file's header says about its numbers and Pillow's mode does not.

    Attributes:
        bits: Per channel.
        is_inverted: Whether 0 is white.
        is_grey: Whether it holds grey, even if Pillow gives RGB.
    """

    bits: int = 8
    is_inverted: bool = False
    is_grey: bool = False


def normalise(
    image: PILImage.Image,
    samples: Samples,
    name: str,
    doubt: Callable[[str], None],
    *,
    numbers: Pixels | None = None,
    stated: Colour | None = None,
) -> Image:
    """Converts a decoded image.

    Args:
        image: Of any mode, loaded unless ``numbers`` are given.
        samples: What the file's header says about its numbers.
        name: What messages call it.
        doubt: Called with what is lost or guessed; may raise.
        numbers: Its pixels [H, W, 1 to 4] as they are in the file, if Pillow has others.
        stated: What the file states about colour; takes precedence over a profile.

    Raises:
        UnsupportedError: If the range of the numbers is unknown.
    """
    tags: Any = getattr(image, "tag_v2", None)
    if tags is not None:
        is_inverted = tags.get(262) == 0 and image.mode.startswith("I;16")  # Pillow inverts the others itself
        # The range of its 32-bit numbers, and of signed ones, is not stated.
        samples = Samples(32 if image.mode == "I" else max(tags.get(258, (1,)), default=8), is_inverted)
    icc = image.info.get("icc_profile") or None
    pixels, alpha = _to_pixels(image, samples, icc, doubt) if numbers is None else _split(numbers)
    packet = metadata.xmp_packet(image)
    if tags is None:
        block = image.info.get("exif")
        if not isinstance(block, bytes):
            is_text = "Raw profile type exif" in image.info
            block = metadata.raw_profile(image, "exif") or (b"damaged" if is_text else b"")
        exif, orientation = metadata.cleaned_exif(block, doubt)
        orientation = orientation or (metadata.xmp_orientation(packet) if packet else None) or 1
    else:  # Pillow sets TIFF images upright when it loads them
        exif, orientation = _tiff_exif(image, doubt), 1 if numbers is None else tags.get(274, 1)
    if orientation != 1:
        pixels = _upright(pixels, orientation)
        alpha = None if alpha is None else _upright(alpha, orientation)
    if stated is None and icc is None and tags is not None:  # white and primaries among the tags
        primaries = tuple(float(number) for tag in (318, 319) for number in tags.get(tag, ()))
        stated = colour.of_gamma(primaries, None) if len(primaries) == 8 else None
    if stated is not None and stated.hdr:
        doubt(f"it is HDR ({stated.hdr}); its brightness is read as that of a usual screen, so it will look flat")
    if image.mode in {"CMYK", "LAB"}:  # converted to sRGB
        icc = None
    elif stated is not None:
        icc = None if stated.is_srgb else colour.profile(stated, pixels.shape[2])
    elif icc is not None and profile_space(icc) != ("grey" if pixels.shape[2] == 1 else "RGB"):
        space = profile_space(icc)
        doubt(f"its colour profile is {'damaged' if space is None else f'for {space} pixels'} and is left out")
        icc = None
    return Image(
        pixels,
        alpha,
        exif=exif,
        icc=icc,
        xmp=metadata.cleaned_xmp(packet, doubt) if packet else None,
        iptc=metadata.iptc(image),
        text=metadata.texts(image),
        dpi=metadata.resolution(image),
        name=name,
    )


def _to_pixels(
    image: PILImage.Image, samples: Samples, icc: bytes | None, doubt: Callable[[str], None]
) -> tuple[Pixels, Pixels | None]:
    """The colours [H, W, 1 or 3] of a loaded image and its alpha [H, W], if it has any."""
    mode = image.mode
    if samples.bits > 8 and mode not in {"I", "F"} and not mode.startswith("I;16"):
        doubt(f"{samples.bits} bits per channel are read as 8")
    if mode.startswith("I;16") or (mode == "I" and samples.bits == 16):
        grey: Pixels = np.asarray(image).astype(np.uint16)
        if samples.bits == 12:  # to the full range, as 0 … 4095 to 0 … 65535
            grey = np.bitwise_or(grey << 4, grey >> 8, dtype=np.uint16)
        return _with_key(~grey[:, :, None] if samples.is_inverted else grey[:, :, None], image, samples)
    if mode in {"I", "F"}:
        what = "32-bit integers" if mode == "I" else "floating-point numbers"
        raise UnsupportedError(f"holds {what}, whose range is not stated")
    if mode in {"CMYK", "LAB"}:
        return np.array(to_srgb(image, icc, doubt)), None
    if mode in {"1", "L", "RGB"}:
        numbers = np.array(image.convert("L") if mode == "1" else image)
        return _with_key(numbers.reshape(image.height, image.width, -1), image, samples)
    if mode in {"RGBX", "YCbCr", "HSV"} or (mode == "P" and not image.has_transparency_data):
        pixels, alpha = np.array(image.convert("RGB")), None
    elif mode in {"LA", "La", "P", "PA", "RGBA", "RGBa"}:
        target = "LA" if mode in {"LA", "La"} else "RGBA"
        pixels, alpha = _split(np.array(image if mode == target else image.convert(target)))
    else:
        raise UnsupportedError(f"holds pixels of the kind {mode}")
    return (pixels[:, :, :1].copy() if samples.is_grey else pixels), alpha


def _split(numbers: NDArray[Any]) -> tuple[Pixels, Pixels | None]:
    """Colours and alpha of numbers [H, W, 1 to 4]; if their count is even, the last channel is opacity."""
    if numbers.shape[2] % 2:
        return np.ascontiguousarray(numbers), None
    return np.ascontiguousarray(numbers[:, :, :-1]), np.ascontiguousarray(numbers[:, :, -1])


def _with_key(pixels: Any, image: PILImage.Image, samples: Samples) -> tuple[Pixels, Pixels | None]:
    """Pixels with alpha if the file names one colour that is transparent (tRNS of a PNG)."""
    key = image.info.get("transparency")
    if key is None or isinstance(key, bytes):
        return pixels, None
    wanted = np.atleast_1d(np.asarray(key, np.int64))
    if image.mode == "1":
        wanted = (wanted > 0) * 255  # older versions of Pillow give 1
    if image.mode == "L" and samples.bits < 8:
        wanted = wanted * (255 // (2**samples.bits - 1))
    if image.mode == "RGB" and samples.bits == 16:
        wanted = wanted >> 8
    if wanted.shape != (pixels.shape[2],):
        return pixels, None
    peak = np.iinfo(pixels.dtype).max
    alpha: NDArray[Any] = np.where((pixels == wanted).all(-1), 0, peak).astype(pixels.dtype)
    return pixels, alpha


def _upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """An array [H, W, …] set upright from one of the eight EXIF orientations."""
    if orientation in {5, 6, 7, 8}:
        array = array.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        array = array[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        array = array[::-1]
    return np.ascontiguousarray(array)


def _tiff_exif(image: PILImage.Image, doubt: Callable[[str], None]) -> bytes | None:
    """EXIF data of a TIFF file, whose tags are among those of its layout."""
    try:
        block = metadata.descriptive(image.getexif()).tobytes()
    except Exception:  # noqa: BLE001 - Pillow's parser raises anything for damaged bytes
        block = b"damaged"
    return metadata.cleaned_exif(block, doubt)[0]
