"""How close an image is to the true one, pixel by pixel. Pure functions of arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


_WEIGHTS = np.array([65.481, 128.553, 24.966]) / 255

SSIM_WINDOW = 11
"""Pixels a side."""


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
        Infinity for equal images.

    Raises:
        ValueError: If the shapes differ, or the border leaves nothing.
    """
    inside = _inside(first, second, border)
    error = float(np.mean((first[inside].astype(np.float64) - second[inside].astype(np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)


def ssim(first: NDArray[np.generic], second: NDArray[np.generic], *, peak: float, border: int = 0) -> float:
    """Structural similarity (Wang et al. 2004) as published: an 11×11 Gaussian window, σ 1.5, biased covariances.

    Args:
        first: [H, W].
        second: The same shape.
        peak: The largest possible value, as 255 for 8 bits.
        border: So many pixels on each side are left out.

    Returns:
        The mean over all positions where the window fits; 1 for equal images.

    Raises:
        ValueError: If the shapes differ, or the border leaves less than the window.
    """
    from skimage.metrics import structural_similarity

    inside = _inside(first, second, border)
    planes = [plane[inside].astype(np.float64) for plane in (first, second)]
    if min(planes[0].shape) < SSIM_WINDOW:
        raise ValueError(f"a border of {border} leaves no window of {SSIM_WINDOW} of {first.shape}")
    found = structural_similarity(  # type: ignore[no-untyped-call] # scikit-image has no types
        *planes, data_range=peak, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    return float(found)


def _inside(first: NDArray[np.generic], second: NDArray[np.generic], border: int) -> tuple[slice, slice]:
    if first.shape != second.shape:
        raise ValueError(f"shapes differ: {first.shape} and {second.shape}")
    if min(first.shape[:2]) <= 2 * border:
        raise ValueError(f"a border of {border} leaves nothing of {first.shape}")
    return slice(border, first.shape[0] - border), slice(border, first.shape[1] - border)


HIGHEST = 0.5
"""Cycles per pixel: what a row of pixels can hold at most."""

SMALLEST = 32
"""Pixels a side: of less, too few frequencies remain to fit a line."""


def radial_power(plane: Floats) -> tuple[Floats, Floats]:
    """A plane's power at each frequency, averaged over all directions.

    The mean is taken off and a Hann window laid over it, so that opposite edges, which the transform joins, make no
    structure of their own.

    Args:
        plane: float [H, W].

    Returns:
        Frequencies in cycles per pixel, from 1/S up to 0.5 in steps of 1/S with S the shorter side; their powers.
    """
    height, width = plane.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.fft2((plane - plane.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    side = min(height, width)
    rings = np.rint(radius * side).astype(int).ravel()
    count = side // 2 + 1
    total = np.bincount(rings, power.ravel())[1:count]
    return np.arange(1, count) / side, total / np.bincount(rings)[1:count]


def slope(plane: Floats, low: float, high: float = HIGHEST) -> float:
    """The slope of the radially averaged power over a band of frequencies, both as logarithms: α of power ∝ fᵅ.

    Natural images have about −2 to −3; a blurred one falls faster, noise has 0.

    Args:
        plane: float [H, W], no side shorter than ``SMALLEST``.
        low: Where the band begins, in cycles per pixel.
        high: Where it ends.

    Raises:
        ValueError: If the plane is too small, or flat.
    """
    if min(plane.shape) < SMALLEST:
        raise ValueError(f"a side is shorter than {SMALLEST} pixels")
    frequencies, power = radial_power(plane)
    inside = (frequencies >= low) & (frequencies <= high)
    if not power[inside].all():
        raise ValueError("it is flat")
    return float(np.polyfit(np.log(frequencies[inside]), np.log(power[inside]), 1)[0])
