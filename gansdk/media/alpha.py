"""What is under transparent pixels, and what is behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gansdk.media.picture import Picture

_BAND = 512
"""Rows at a time, so that intermediate numbers stay small beside the picture."""


def bleed(picture: Picture) -> Picture:
    """Gives fully transparent pixels the colours of their nearest visible neighbours.

    Nobody sees these pixels, but a network and a resize do: whatever an editor left there rings into the visible
    rim. Visible colours and alpha stay exactly as they are. Colours are averaged, weighted by alpha, over blocks of
    2×2, 4×4, 8×8 … pixels; each hidden pixel takes the smallest block that holds anything visible.
    """
    if picture.alpha is None or picture.alpha.min() > 0:
        return picture
    colours = _spread(*_halve_bands(picture.pixels, picture.alpha))
    filled = picture.pixels.copy()
    for top in range(0, picture.height, _BAND):
        rows = slice(top, top + _BAND)
        hidden = np.nonzero(picture.alpha[rows] == 0)
        found = colours[(hidden[0] + top) // 2, hidden[1] // 2]
        filled[rows][hidden] = np.rint(found).astype(filled.dtype)
    return picture.replace(pixels=filled)


def _halve_bands(pixels: NDArray[Any], alpha: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    bands = []
    for top in range(0, len(pixels), _BAND):
        weights = alpha[top : top + _BAND, :, None].astype(np.float32)
        bands.append((_halve(np.multiply(pixels[top : top + _BAND], weights, dtype=np.float32)), _halve(weights)))
    return np.concatenate([sums for sums, _ in bands]), np.concatenate([total for _, total in bands])


def _spread(sums: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours everywhere, from weighted sums that are empty in places."""
    known = np.divide(sums, np.maximum(weights, 1e-6, dtype=np.float32), dtype=np.float32)
    empty = weights[:, :, 0] == 0
    if not empty.any() or empty.size == 1:
        return known
    coarse = _spread(_halve(sums), _halve(weights))
    rows, columns = np.nonzero(empty)
    known[rows, columns] = coarse[rows // 2, columns // 2]
    return known


def _halve(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums over blocks of 2×2, zeros beyond the edge."""
    height, width = numbers.shape[:2]
    if height % 2 or width % 2:
        numbers = np.pad(numbers, ((0, height % 2), (0, width % 2), (0, 0)))
    rows = numbers[0::2] + numbers[1::2]
    return rows[:, 0::2] + rows[:, 1::2]


def flatten(picture: Picture, colour: str) -> Picture:
    """Puts a picture on a background and gives it without alpha.

    Args:
        picture: With alpha or without.
        colour: A name or ``#rrggbb``, in the picture's own colour space. A grey picture stays grey on a grey colour
            and becomes RGB on another.
    """
    if picture.alpha is None:
        return picture
    if picture.is_opaque:
        return picture.replace(alpha=None)
    from PIL import ImageColor

    behind = np.array(ImageColor.getrgb(colour)[:3], np.uint32)
    if picture.pixels.shape[2] == 1 and len(set(behind.tolist())) == 1:
        behind = behind[:1]
    behind *= 257 if picture.bits == 16 else 1
    peak = np.uint32(np.iinfo(picture.pixels.dtype).max)
    result = np.empty((picture.height, picture.width, len(behind)), picture.pixels.dtype)
    for top in range(0, picture.height, _BAND):
        rows = slice(top, top + _BAND)
        alpha = picture.alpha[rows, :, None].astype(np.uint32)
        result[rows] = (picture.pixels[rows] * alpha + behind * (peak - alpha) + peak // 2) // peak
    is_same_model = len(behind) == picture.pixels.shape[2]
    return picture.replace(pixels=result, alpha=None, icc=picture.icc if is_same_model else None)
