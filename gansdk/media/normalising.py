"""A decoded image as a picture: upright, its colours in a model that its profile fits, stale metadata gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansdk.media import exif, metadata, spaces
from gansdk.media.colour import profile_space
from gansdk.media.modes import Samples, parted, to_arrays, turn
from gansdk.media.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from gansdk.media.spaces import Colour


def normalise(
    image: Image.Image,
    samples: Samples,
    name: str,
    doubt: Callable[[str], None],
    *,
    numbers: NDArray[np.uint16] | NDArray[np.uint8] | None = None,
    colour: Colour | None = None,
) -> Picture:
    """Makes a picture of a loaded image.

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
        icc = None if colour.is_srgb else spaces.profile(colour, pixels.shape[2])
    elif icc is not None:
        icc = _fitting(icc, image.mode, pixels.shape[2], doubt)
    return Picture(
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
    return spaces.of_gamma((wx, wy, rx, ry, gx, gy, bx, by), None)


def _metadata(image: Image.Image, packet: bytes | None, doubt: Callable[[str], None]) -> tuple[bytes | None, int]:
    """The cleaned EXIF data and the orientation, which XMP may tell where EXIF does not."""
    block, orientation = exif.cleaned(_raw_exif(image), doubt)
    return block, orientation or (metadata.xmp_orientation(packet) if packet else None) or 1


def _raw_exif(image: Image.Image) -> bytes:
    block = image.info.get("exif")
    if isinstance(block, bytes):
        return block
    is_text = "Raw profile type exif" in image.info
    return metadata.raw_profile(image, "exif") or (b"damaged" if is_text else b"")


def _from_tags(image: Image.Image, doubt: Callable[[str], None]) -> bytes | None:
    """EXIF data of a TIFF file, whose tags stand among those of its layout."""
    try:
        block = exif.descriptive(image.getexif()).tobytes()
    except Exception:  # noqa: BLE001 - Pillow's parser raises whatever damaged bytes make it stumble over
        block = b"damaged"
    return exif.cleaned(block, doubt)[0]
