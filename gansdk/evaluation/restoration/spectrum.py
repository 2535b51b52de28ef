"""How fast a picture's detail fades towards fine structures. Pure functions of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

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

    Natural pictures have about −2 to −3; a blurred one falls faster, noise has 0.

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
