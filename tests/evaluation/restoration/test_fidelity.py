"""PSNR, SSIM and luma, against scikit-image and the papers' formulas."""

import math

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gansdk.evaluation.restoration_metrics import luma, psnr, ssim


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    first = random.integers(0, 256, (23, 31, 3), dtype=np.uint8)
    second = np.clip(first + random.normal(0, 12, first.shape), 0, 255).astype(np.uint8)
    return first, second


def test_luma_is_the_y_of_ycbcr(pair: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_allclose(luma(pair[0]), rgb2ycbcr(pair[0])[..., 0], rtol=0, atol=1e-6)


def test_luma_spans_the_studio_swing() -> None:
    checkpoints = luma(np.array([[[0, 0, 0], [255, 255, 255]]], dtype=np.uint8))
    np.testing.assert_allclose(checkpoints, [[16, 235]], rtol=0, atol=1e-9)


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


def windowed(plane: np.ndarray) -> np.ndarray:
    """The mean in every 11×11 Gaussian window that fits, σ 1.5, as the paper writes it."""
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights = np.outer(line, line) / line.sum() ** 2
    windows = np.lib.stride_tricks.sliding_window_view(plane, (11, 11))
    return (windows * weights).sum(axis=(2, 3))


def test_ssim_is_that_of_the_paper_and_of_scikit_image(pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = luma(pair[0]), luma(pair[1])
    mean, other = windowed(first), windowed(second)
    variance, another = windowed(first**2) - mean**2, windowed(second**2) - other**2
    together = windowed(first * second) - mean * other
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    each = (2 * mean * other + c1) * (2 * together + c2) / ((mean**2 + other**2 + c1) * (variance + another + c2))
    assert ssim(first, second, peak=255) == pytest.approx(each.mean(), abs=1e-6)
    theirs = structural_similarity(
        first, second, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(first, second, peak=255) == pytest.approx(theirs, abs=1e-6)


def test_ssim_leaves_the_border_out(pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = luma(pair[0]), luma(pair[1])
    assert ssim(first, second, peak=255, border=4) == ssim(first[4:-4, 4:-4], second[4:-4, 4:-4], peak=255)
    assert ssim(first, first, peak=255) == pytest.approx(1)


def test_ssim_refuses_what_is_smaller_than_its_window(pair: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="no window of 11"):
        ssim(luma(pair[0]), luma(pair[1]), peak=255, border=7)
