"""Antialiased resizing, band by band.

The kernel is bicubic (a = −0.5), widened by the factor of reduction, which is Pillow's ``BICUBIC``. It was chosen over
Lanczos because its step response overshoots once and then is exact: a picture that is opaque up to an edge is exactly
opaque beyond the kernel's reach, and colours have no second ripple.

Numbers are floats on the way: Pillow clips 8-bit ones between the two directions, and picks the direction that comes
first by the shape, so that bands would differ from the whole by up to 20 of 255.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gansdk.media.picture import Picture, Pixels

_NUMBERS = 2**23
"""How many source numbers a band takes: 32 MiB as floats."""


def resize(picture: Picture, width: int, height: int) -> Picture:
    """A picture in another size; what is fully opaque stays so exactly.

    Colours are multiplied by alpha for it, so that hidden ones do not count, and alpha is resized on its own.

    Args:
        picture: Of any kind.
        width: Pixels of the result, at least 1.
        height: Pixels of the result, at least 1.
    """
    if (width, height) == (picture.width, picture.height):
        return picture
    if picture.alpha is None or picture.is_opaque:
        alpha = None if picture.alpha is None else resize_alpha(picture.alpha, width, height)
        return picture.replace(pixels=_resize(picture.pixels, width, height), alpha=alpha)
    pixels, alpha = _resize_transparent(picture.pixels, picture.alpha, width, height)
    return picture.replace(pixels=pixels, alpha=alpha)


def resize_alpha(alpha: Pixels, width: int, height: int) -> Pixels:
    """Opacity [H, W] in another size, of the same dtype; one value everywhere stays that value."""
    if (width, height) == (alpha.shape[1], alpha.shape[0]):
        return alpha
    if alpha.min() == alpha.max():
        return np.full((height, width), alpha.flat[0], alpha.dtype)
    return _resize(alpha[:, :, None], width, height)[:, :, 0]


def _resize(pixels: Pixels, width: int, height: int) -> Pixels:
    result = np.empty((height, width, pixels.shape[2]), pixels.dtype)
    for rows, source, box in _bands(pixels.shape, width, height):
        for channel in range(pixels.shape[2]):
            plane = pixels[source, :, channel].astype(np.float32)
            result[rows, :, channel] = _whole(_plane(plane, width, rows, box), pixels.dtype)
    return result


def _resize_transparent(pixels: Pixels, alpha: Pixels, width: int, height: int) -> tuple[Pixels, Pixels]:
    result = np.empty((height, width, pixels.shape[2]), pixels.dtype)
    opacity = np.empty((height, width), alpha.dtype)
    for rows, source, box in _bands(pixels.shape, width, height):
        weight = alpha[source].astype(np.float32)
        total = _plane(weight, width, rows, box)
        opacity[rows] = _whole(total, alpha.dtype)
        hidden = opacity[rows] == 0
        divisor = np.maximum(total, 1, where=hidden, out=total.copy())
        for channel in range(pixels.shape[2]):
            plane = pixels[source, :, channel].astype(np.float32)
            colours = np.divide(_plane(plane * weight, width, rows, box), divisor, dtype=np.float32)
            if hidden.any():
                np.copyto(colours, _plane(plane, width, rows, box), where=hidden)
            result[rows, :, channel] = _whole(colours, pixels.dtype)
    return result, opacity


def _plane(
    plane: NDArray[np.float32], width: int, rows: slice, box: tuple[float, float, float, float]
) -> NDArray[np.float32]:
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((width, rows.stop - rows.start), Image.Resampling.BICUBIC, box))


def _whole(numbers: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.rint(np.clip(numbers, 0, np.iinfo(dtype).max)).astype(dtype)


def _bands(
    shape: tuple[int, ...], width: int, height: int
) -> Iterator[tuple[slice, slice, tuple[float, float, float, float]]]:
    """Rows of the result, the source rows that the kernel reaches from them, and the box that they come from."""
    scale = shape[0] / height
    reach = math.ceil(2 * max(1.0, scale)) + 1
    step = max(1, int(_NUMBERS / max(shape[1] * scale, width)))
    for top in range(0, height, step):
        bottom = min(top + step, height)
        low, high = top * scale, min(bottom * scale, float(shape[0]))
        first, last = max(0, math.floor(low) - reach), min(shape[0], math.ceil(high) + reach)
        box = (0.0, low - first, float(shape[1]), min(high - first, float(last - first)))
        yield slice(top, bottom), slice(first, last), box
