"""A decoded image as a picture: upright, its colours in a model that its profile fits, stale metadata gone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gansdk.media import exif
from gansdk.media.colour import profile_space
from gansdk.media.modes import Samples, parted, to_arrays, turn
from gansdk.media.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image


def normalise(
    image: Image.Image,
    samples: Samples,
    name: str,
    doubt: Callable[[str], None],
    numbers: NDArray[np.uint16] | None = None,
) -> Picture:
    """Makes a picture of a loaded image.

    Args:
        image: Loaded, of any mode and format, or of none. With ``numbers``, a TIFF image need not be loaded.
        samples: What the file's header says about its numbers.
        name: What messages call it.
        doubt: Told what is lost or guessed; may raise.
        numbers: Its 16-bit numbers [H, W, 2 to 4] where Pillow has them in 8 bits only, as they lie in the file.

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
    if tags is None:
        block, orientation = _metadata(image, doubt)
    else:  # Pillow sets TIFF images upright when it loads them
        block, orientation = _from_tags(image, doubt), 1 if numbers is None else tags.get(274, 1)
    if orientation != 1:
        pixels = turn(pixels, orientation)
        alpha = None if alpha is None else turn(alpha, orientation)
    if icc is not None:
        icc = _fitting(icc, image.mode, pixels.shape[2], doubt)
    return Picture(pixels, alpha, exif=block, icc=icc, name=name)


def _fitting(icc: bytes, mode: str, channels: int, doubt: Callable[[str], None]) -> bytes | None:
    if mode in {"CMYK", "LAB"}:
        return None  # converted to sRGB
    space = profile_space(icc)
    if space == ("grey" if channels == 1 else "RGB"):
        return icc
    doubt(f"its colour profile is {'damaged' if space is None else f'for {space} pixels'} and is left out")
    return None


def _metadata(image: Image.Image, doubt: Callable[[str], None]) -> tuple[bytes | None, int]:
    """The cleaned EXIF data and the orientation, which XMP may tell where EXIF does not."""
    block, orientation = exif.cleaned(_raw_exif(image), doubt)
    return block, orientation or _xmp_orientation(image) or 1


def _raw_exif(image: Image.Image) -> bytes:
    block = image.info.get("exif")
    if isinstance(block, bytes):
        return block
    text = image.info.get("Raw profile type exif")  # how ImageMagick puts EXIF into a PNG
    if not isinstance(text, str | bytes):
        return b""
    lines = (text if isinstance(text, str) else text.decode("latin-1")).split("\n")[3:]
    try:
        return bytes.fromhex("".join(lines))
    except ValueError:
        return b"damaged"


def _xmp_orientation(image: Image.Image) -> int | None:
    for key in ("XML:com.adobe.xmp", "xmp"):
        packet = image.info.get(key)
        text = packet.decode("latin-1") if isinstance(packet, bytes) else packet
        if isinstance(text, str) and (found := re.search(r'tiff:Orientation(?:="|>)([1-8])\b', text)):
            return int(found[1])
    return None


def _from_tags(image: Image.Image, doubt: Callable[[str], None]) -> bytes | None:
    """EXIF data of a TIFF file, whose tags stand among those of its layout."""
    try:
        block = exif.descriptive(image.getexif()).tobytes()
    except Exception:  # noqa: BLE001 - Pillow's parser raises whatever damaged bytes make it stumble over
        block = b"damaged"
    return exif.cleaned(block, doubt)[0]
