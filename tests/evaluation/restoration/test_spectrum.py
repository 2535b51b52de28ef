"""The slope of the power spectrum, on planes whose spectrum is known."""

from __future__ import annotations

import numpy as np
import pytest

from gansdk.evaluation.restoration_metrics import radial_power, slope


def coloured(exponent: float, side: int = 256) -> np.ndarray:
    """Noise whose power goes with that power of the frequency."""
    white = np.fft.fft2(np.random.default_rng(0).normal(size=(side, side)))
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    radius[0, 0] = 1
    return np.fft.ifft2(white * radius ** (exponent / 2)).real


@pytest.mark.parametrize("exponent", [0, -1, -2, -3])
def test_noise_of_a_known_slope(exponent):
    assert slope(coloured(exponent), 0.125) == pytest.approx(exponent, abs=0.1)


def test_a_wave_is_at_its_frequency():
    rows, columns = np.mgrid[0:64, 0:96]
    frequencies, power = radial_power(np.sin(2 * np.pi * 0.25 * columns) + 0 * rows)
    assert frequencies[power.argmax()] == pytest.approx(0.25, abs=1 / 64)
    assert (frequencies[0], frequencies[-1]) == (1 / 64, 0.5)


def test_the_same_image_brighter_or_stronger_has_the_same_slope():
    plane = coloured(-2)
    assert slope(3 * plane + 100, 0.125) == pytest.approx(slope(plane, 0.125), abs=1e-9)


def test_too_small_and_flat_planes_are_refused():
    with pytest.raises(ValueError, match="32 pixels"):
        slope(np.ones((31, 64)), 0.1)
    with pytest.raises(ValueError, match="flat"):
        slope(np.ones((64, 64)), 0.1)
