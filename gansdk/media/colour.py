"""Colour profiles: which fit which pixels, and the way to sRGB."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Callable

_SPACES = {b"RGB ": "RGB", b"GRAY": "grey", b"CMYK": "CMYK", b"Lab ": "LAB"}


def profile_space(icc: bytes) -> str | None:
    """The colour model that a profile is for (``RGB``, ``grey``, ``CMYK``, ``LAB``); None if it is no profile."""
    if len(icc) < 128 or icc[36:40] != b"acsp":
        return None
    return _SPACES.get(icc[16:20], "other")


def to_srgb(image: Image.Image, icc: bytes | None, doubt: Callable[[str], None]) -> Image.Image:
    """An image of another colour model as RGB, through its profile where it has a fitting one.

    Args:
        image: ``CMYK``, ``LAB`` or ``L``.
        icc: Its profile, if any.
        doubt: Told, where the conversion is a guess.
    """
    space = {"L": "grey"}.get(image.mode, image.mode)
    if image.mode == "LAB":
        return _through(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if icc is not None and profile_space(icc) == space:
        try:
            return _through(image, ImageCms.ImageCmsProfile(io.BytesIO(icc)))
        except (ImageCms.PyCMSError, OSError, ValueError):
            doubt(f"its {space} profile is damaged; colours are converted by formula")
    elif image.mode == "CMYK":
        doubt("CMYK without a profile is converted by formula")
    return image.convert("RGB")


def _through(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image,
        profile,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if converted is None:
        raise ImageCms.PyCMSError("no conversion")
    return converted
