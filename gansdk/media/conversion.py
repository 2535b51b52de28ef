"""From Pillow's many modes to the four kinds of pixels that an image has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.media import colour, metadata
from gansdk.media.colour import profile as colour_profile
from gansdk.media.colour import profile_space, to_srgb
from gansdk.media.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PIL import Image as PILImage

    from gansdk.media.colour import Colour
    from gansdk.media.image import Pixels


class UnreadableModeError(ValueError):
    """Pixels whose meaning nobody states; the text says what they are."""


@dataclass(frozen=True)
class Samples:
    """What a file's header says about its numbers, which Pillow's mode does not.

    Attributes:
        bits: Per channel.
        is_inverted: Whether 0 is white.
        is_grey: Whether it holds grey, also where Pillow gives RGB.
    """

    bits: int = 8
    is_inverted: bool = False
    is_grey: bool = False


def to_arrays(
    image: PILImage.Image, samples: Samples, icc: bytes | None, doubt: Callable[[str], None]
) -> tuple[Pixels, Pixels | None]:
    """The colours [H, W, 1 or 3] of a loaded image and its alpha [H, W], if it has any.

    Args:
        image: Loaded; of any mode.
        samples: See :class:`Samples`.
        icc: Its profile; used where the colour model changes.
        doubt: Told what is lost or guessed.

    Raises:
        UnreadableModeError: If the mode's numbers have no known range.
    """
    if samples.bits > 8 and image.mode not in {"I", "F"} and not image.mode.startswith("I;16"):
        doubt(f"{samples.bits} bits per channel are read as 8")
    if image.mode.startswith("I;16") or (image.mode == "I" and samples.bits == 16):
        return _deep_grey(image, samples)
    if image.mode in {"I", "F"}:
        what = "32-bit whole numbers" if image.mode == "I" else "floating-point numbers"
        raise UnreadableModeError(f"{what}, whose range nobody states")
    if image.mode in {"CMYK", "LAB"}:
        return np.array(to_srgb(image, icc, doubt)), None
    if image.mode in {"1", "L", "RGB"}:
        numbers = np.array(image.convert("L") if image.mode == "1" else image)
        return _keyed(numbers.reshape(image.height, image.width, -1), image, samples)
    pixels, alpha = _with_alpha(image)
    return (pixels[:, :, :1].copy() if samples.is_grey else pixels), alpha


def _with_alpha(image: PILImage.Image) -> tuple[Pixels, Pixels | None]:
    if image.mode in {"RGBX", "YCbCr", "HSV"} or (image.mode == "P" and not image.has_transparency_data):
        return np.array(image.convert("RGB")), None
    spread = {"LA": "LA", "La": "LA", "P": "RGBA", "PA": "RGBA", "RGBA": "RGBA", "RGBa": "RGBA"}.get(image.mode)
    if spread is None:
        raise UnreadableModeError(f"pixels of the kind {image.mode}")
    return parted(np.array(image if image.mode == spread else image.convert(spread)))


def parted(numbers: NDArray[Any]) -> tuple[Pixels, Pixels | None]:
    """Colours and alpha of numbers [H, W, 1 to 4]; where their count is even, the last channel is opacity."""
    if numbers.shape[2] % 2:
        return np.ascontiguousarray(numbers), None
    return np.ascontiguousarray(numbers[:, :, :-1]), np.ascontiguousarray(numbers[:, :, -1])


def _deep_grey(image: PILImage.Image, samples: Samples) -> tuple[Pixels, Pixels | None]:
    grey: Pixels = np.asarray(image).astype(np.uint16)
    if samples.bits == 12:  # to the full range, as 0 … 4095 to 0 … 65535
        grey = np.bitwise_or(grey << 4, grey >> 8, dtype=np.uint16)
    if samples.is_inverted:
        grey = ~grey
    return _keyed(grey[:, :, None], image, samples)


def _keyed(pixels: Any, image: PILImage.Image, samples: Samples) -> tuple[Pixels, Pixels | None]:
    """Alpha where the file names one colour that is transparent (tRNS of a PNG)."""
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


def turn(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """An array [H, W, …] set upright from one of the eight EXIF orientations."""
    if orientation in {5, 6, 7, 8}:
        array = array.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        array = array[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        array = array[::-1]
    return np.ascontiguousarray(array)


def normalise(
    image: PILImage.Image,
    samples: Samples,
    name: str,
    doubt: Callable[[str], None],
    *,
    numbers: NDArray[np.uint16] | NDArray[np.uint8] | None = None,
    colour: Colour | None = None,
) -> Image:
    """Makes an image of a loaded image.

    Args:
        image: Loaded, of any mode and format, or of none.
        samples: What the file's header says about its numbers.
        name: What messages call it.
        doubt: Told what is lost or guessed; may raise.
        numbers: Its numbers [H, W, 1 to 4], as they lie in the file, where Pillow gives others. Such an image need not
            be loaded.
        colour: What the file states about colour; goes before a profile.

    Raises:
        UnreadableModeError: If the pixels have no known range.
    """
    tags: Any = getattr(image, "tag_v2", None)
    if tags is not None:
        is_inverted = tags.get(262) == 0 and image.mode.startswith("I;16")  # Pillow inverts the others itself
        # Its 32-bit numbers, and signed ones, have no range that anybody states.
        samples = Samples(32 if image.mode == "I" else max(tags.get(258, (1,)), default=8), is_inverted)
    icc = image.info.get("icc_profile") or None
    pixels, alpha = to_arrays(image, samples, icc, doubt) if numbers is None else parted(numbers)
    packet = metadata.xmp_packet(image)
    if tags is None:
        block, orientation = _metadata(image, packet, doubt)
    else:  # Pillow sets TIFF images upright when it loads them
        block, orientation = _from_tags(image, doubt), 1 if numbers is None else tags.get(274, 1)
    if orientation != 1:
        pixels = turn(pixels, orientation)
        alpha = None if alpha is None else turn(alpha, orientation)
    if colour is None and icc is None and tags is not None:
        colour = _tagged_colour(tags)
    if colour is not None and colour.hdr:
        doubt(f"it is HDR ({colour.hdr}); its brightness is read as that of a usual screen, so it will look flat")
    if colour is not None and image.mode not in {"CMYK", "LAB"}:
        icc = None if colour.is_srgb else colour_profile(colour, pixels.shape[2])
    elif icc is not None:
        icc = _fitting(icc, image.mode, pixels.shape[2], doubt)
    return Image(
        pixels,
        alpha,
        exif=block,
        icc=icc,
        xmp=metadata.cleaned_xmp(packet, doubt) if packet else None,
        iptc=metadata.iptc(image),
        text=metadata.texts(image),
        dpi=metadata.resolution(image),
        name=name,
    )


def _fitting(icc: bytes, mode: str, channels: int, doubt: Callable[[str], None]) -> bytes | None:
    if mode in {"CMYK", "LAB"}:
        return None  # converted to sRGB
    space = profile_space(icc)
    if space == ("grey" if channels == 1 else "RGB"):
        return icc
    doubt(f"its colour profile is {'damaged' if space is None else f'for {space} pixels'} and is left out")
    return None


def _tagged_colour(tags: Any) -> Colour | None:
    """Primaries and white among the tags of a TIFF file."""
    numbers = [float(number) for tag in (318, 319) for number in tags.get(tag, ())]
    if len(numbers) != 8:
        return None
    wx, wy, rx, ry, gx, gy, bx, by = numbers
    return colour.of_gamma((wx, wy, rx, ry, gx, gy, bx, by), None)


def _metadata(image: PILImage.Image, packet: bytes | None, doubt: Callable[[str], None]) -> tuple[bytes | None, int]:
    """The cleaned EXIF data and the orientation, which XMP may tell where EXIF does not."""
    block, orientation = metadata.cleaned(_raw_exif(image), doubt)
    return block, orientation or (metadata.xmp_orientation(packet) if packet else None) or 1


def _raw_exif(image: PILImage.Image) -> bytes:
    block = image.info.get("exif")
    if isinstance(block, bytes):
        return block
    is_text = "Raw profile type exif" in image.info
    return metadata.raw_profile(image, "exif") or (b"damaged" if is_text else b"")


def _from_tags(image: PILImage.Image, doubt: Callable[[str], None]) -> bytes | None:
    """EXIF data of a TIFF file, whose tags stand among those of its layout."""
    try:
        block = metadata.descriptive(image.getexif()).tobytes()
    except Exception:  # noqa: BLE001 - Pillow's parser raises whatever damaged bytes make it stumble over
        block = b"damaged"
    return metadata.cleaned(block, doubt)[0]
