"""How close a picture is to the true one, pixel by pixel. Pure functions of arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEIGHTS = np.array([65.481, 128.553, 24.966]) / 255


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The Y channel in which the super-resolution literature measures: ITU-R BT.601, studio swing.

    Args:
        rgb: uint8 [H, W, 3].

    Returns:
        float [H, W] in 16 … 235, not rounded.
    """
    return np.asarray(16 + rgb.astype(np.float64) @ _WEIGHTS)


def psnr(first: NDArray[np.generic], second: NDArray[np.generic], *, peak: float, border: int = 0) -> float:
    """Peak signal-to-noise ratio in decibels: 10 · log₁₀(peak² / mean squared error).

    Args:
        first: Any shape [H, W, …].
        second: The same shape.
        peak: The largest possible value, as 255 for 8 bits.
        border: So many pixels on each side are left out, as is usual for a super-resolution of that scale.

    Returns:
        Infinity for equal pictures.

    Raises:
        ValueError: If the shapes differ, or the border leaves nothing.
    """
    if first.shape != second.shape:
        raise ValueError(f"shapes differ: {first.shape} and {second.shape}")
    if min(first.shape[:2]) <= 2 * border:
        raise ValueError(f"a border of {border} leaves nothing of {first.shape}")
    inside = (slice(border, first.shape[0] - border), slice(border, first.shape[1] - border))
    error = float(np.mean((first[inside].astype(np.float64) - second[inside].astype(np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)
