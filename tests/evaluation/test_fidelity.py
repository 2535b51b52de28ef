"""PSNR and luma, against scikit-image."""

import math

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio

from gansdk.evaluation.fidelity import luma, psnr


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    first = random.integers(0, 256, (23, 31, 3), dtype=np.uint8)
    second = np.clip(first + random.normal(0, 12, first.shape), 0, 255).astype(np.uint8)
    return first, second


def test_luma_is_the_y_of_ycbcr(pair: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_allclose(luma(pair[0]), rgb2ycbcr(pair[0])[..., 0], rtol=0, atol=1e-6)


def test_luma_spans_the_studio_swing() -> None:
    ends = luma(np.array([[[0, 0, 0], [255, 255, 255]]], dtype=np.uint8))
    np.testing.assert_allclose(ends, [[16, 235]], rtol=0, atol=1e-9)


def test_psnr_of_colour_and_luma(pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = pair
    expected = peak_signal_noise_ratio(first, second, data_range=255)
    assert psnr(first, second, peak=255) == pytest.approx(expected, abs=1e-6)
    grey = luma(first), luma(second)
    assert psnr(*grey, peak=255) == pytest.approx(peak_signal_noise_ratio(*grey, data_range=255), abs=1e-6)
    unit = first / 255, second / 255
    assert psnr(*unit, peak=1) == pytest.approx(expected, abs=1e-6)


def test_psnr_leaves_the_border_out(pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = pair
    expected = peak_signal_noise_ratio(first[4:-4, 4:-4], second[4:-4, 4:-4], data_range=255)
    assert psnr(first, second, peak=255, border=4) == pytest.approx(expected, abs=1e-6)
    rimmed = first.copy()
    rimmed[:4], rimmed[-4:], rimmed[:, :4], rimmed[:, -4:] = 0, 0, 0, 0
    assert psnr(first, rimmed, peak=255, border=4) == math.inf
    assert psnr(first, rimmed, peak=255, border=3) < 40


def test_psnr_refuses_what_cannot_be_compared(pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = pair
    with pytest.raises(ValueError, match="shapes differ"):
        psnr(first, second[1:], peak=255)
    with pytest.raises(ValueError, match="leaves nothing"):
        psnr(first, second, peak=255, border=12)
