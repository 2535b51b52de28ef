"""The degradation that super-resolution is trained and measured with, on 8-bit RGB pictures [H, W, 3].

It is *antialiased bicubic*: Keys' cubic convolution kernel with a = −0.5, widened by the scale when shrinking, as in
MATLAB's ``imresize`` and therefore in the literature's figures. Pillow's ``BICUBIC`` is that kernel. (A bicubic resize
without antialiasing, the default of several libraries, gives other pictures and other figures.) Results are rounded
to 8 bits, as a picture file would be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gansdk.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


class Pair(NamedTuple):
    """A picture and the small one that it is to be recovered from.

    Attributes:
        high: uint8 [scale·h, scale·w, 3].
        low: uint8 [h, w, 3].
    """

    high: Pixels
    low: Pixels


def degrade(picture: Pixels, scale: int) -> Pair:
    """Cuts right and bottom rims off until height and width are multiples of ``scale``, then shrinks by that.

    Args:
        picture: uint8 [H, W, 3].
        scale: A whole number from 1 up.

    Raises:
        InputError: If the picture is smaller than ``scale``.
    """
    height, width = (side // scale for side in picture.shape[:2])
    if not height or not width:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise InputError(f"a picture of {size} pixels is too small", hint=f"use pictures of {scale} pixels or more")
    high = np.ascontiguousarray(picture[: height * scale, : width * scale])
    return Pair(high, _resize(high, width, height))


def upscale(picture: Pixels, scale: int) -> Pixels:
    """The picture ``scale`` times as wide and high by bicubic interpolation: the baseline of super-resolution."""
    return _resize(picture, picture.shape[1] * scale, picture.shape[0] * scale)


def fit(picture: Pixels, longest: int) -> Pixels:
    """Shrinks a picture whose longer side exceeds ``longest`` pixels; leaves others alone."""
    height, width = picture.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return picture
    return _resize(picture, max(1, round(width * factor)), max(1, round(height * factor)))


def _resize(picture: Pixels, width: int, height: int) -> Pixels:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.array(image.resize((width, height), Image.Resampling.BICUBIC))
