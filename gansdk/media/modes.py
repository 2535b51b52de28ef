"""From Pillow's many modes to the four kinds of pixels that a picture has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.media.colour import to_srgb

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PIL import Image

    from gansdk.media.picture import Pixels


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
    image: Image.Image, samples: Samples, icc: bytes | None, doubt: Callable[[str], None]
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


def _with_alpha(image: Image.Image) -> tuple[Pixels, Pixels | None]:
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


def _deep_grey(image: Image.Image, samples: Samples) -> tuple[Pixels, Pixels | None]:
    grey: Pixels = np.asarray(image).astype(np.uint16)
    if samples.bits == 12:  # to the full range, as 0 … 4095 to 0 … 65535
        grey = np.bitwise_or(grey << 4, grey >> 8, dtype=np.uint16)
    if samples.is_inverted:
        grey = ~grey
    return _keyed(grey[:, :, None], image, samples)


def _keyed(pixels: Any, image: Image.Image, samples: Samples) -> tuple[Pixels, Pixels | None]:
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
