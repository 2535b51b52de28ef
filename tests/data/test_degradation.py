"""Degradations against closed forms, SciPy and Pillow's own encoder."""

import io

import numpy as np
import pytest
from PIL import Image as PILImage
from scipy import ndimage, stats

from gansdk.data.crops import (
    Degradation,
    DegradationOptions,
    blur,
    degrade,
    gaussian_kernel,
    gaussian_noise,
    jpeg,
    poisson_noise,
)
from gansdk.errors import OptionError
from gansdk.options import validate


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    from skimage import data

    return data.chelsea()[40:200, 100:292]


def sample_set(options: DegradationOptions, image: np.ndarray, count: int, scale: int = 4) -> list[np.ndarray]:
    degradation = Degradation(options, scale)
    return [degradation(image, np.random.default_rng((7, index))) for index in range(count)]


@pytest.mark.parametrize(
    "options", [DegradationOptions(), DegradationOptions(degradation="second-order", clean=1)], ids=["bicubic", "clean"]
)
def test_what_is_only_shrunk_is_the_degradation_of_the_literature(options, photograph):
    np.testing.assert_array_equal(sample_set(options, photograph, 1)[0], degrade(photograph, 4).low)


@pytest.mark.parametrize("order", ["first-order", "second-order"])
@pytest.mark.parametrize("scale", [2, 4])
def test_a_draw_has_the_small_size_and_still_shows_the_image(order, scale, photograph):
    options = DegradationOptions(degradation=order, clean=0)
    clean = degrade(photograph, scale).low
    for low in sample_set(options, photograph, 8, scale):
        assert low.shape == clean.shape
        assert low.dtype == np.uint8
        assert np.corrcoef(low.ravel(), clean.ravel())[0, 1] > 0.9


def test_the_same_random_state_gives_the_same_pixels(photograph):
    options = DegradationOptions(degradation="second-order", clean=0)
    first, second = sample_set(options, photograph, 6), sample_set(options, photograph, 6)
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert len({one.tobytes() for one in first}) == 6


def test_a_kernel_is_the_density_of_a_turned_gaussian():
    kernel = gaussian_kernel(2.0, 0.8, 0.6)
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    covariance = turn @ np.diag([4.0, 0.64]) @ turn.T
    radius = len(kernel) // 2
    grid = np.moveaxis(np.mgrid[-radius : radius + 1, -radius : radius + 1][::-1], 0, -1)
    expected = stats.multivariate_normal(cov=covariance).pdf(grid)
    np.testing.assert_allclose(kernel, expected / expected.sum(), atol=1e-6)


def test_an_isotropic_blur_is_that_of_scipy(photograph):
    expected = ndimage.gaussian_filter(photograph.astype(float), (1.5, 1.5, 0), mode="nearest", radius=(5, 5, 0))
    difference = blur(photograph, gaussian_kernel(1.5, 1.5, 0.3)) - expected
    assert np.abs(difference).max() < 0.51


@pytest.mark.parametrize("grey", [True, False])
def test_gaussian_noise_is_as_strong_at_every_level(grey):
    random = np.random.default_rng(0)
    for level in (60, 200):
        image = np.full((200, 200, 3), level, np.uint8)
        noise = gaussian_noise(image, 5.0, random, grey=grey) - float(level)
        assert noise.std() == pytest.approx(5.0, rel=0.03)
        assert bool(np.ptp(noise, axis=2).max() == 0) is grey


@pytest.mark.parametrize("grey", [True, False])
def test_the_variance_of_poisson_noise_is_proportional_to_the_level(grey):
    random = np.random.default_rng(0)
    for level in (60, 180):
        image = np.full((200, 200, 3), level, np.uint8)
        noise = poisson_noise(image, 8.0, random, grey=grey) - float(level)
        assert noise.var() == pytest.approx(64 * level / 255 + 1 / 12, rel=0.05)
        assert bool(np.ptp(noise, axis=2).max() == 0) is grey


def test_compression_is_one_quality_of_pillows_encoder_within_the_range(photograph):
    options = DegradationOptions(degradation="first-order", clean=0, blur=0, noise=0, jpeg=1, jpeg_quality=70)
    shrunk = {
        kernel: PILImage.fromarray(photograph).resize((48, 40), PILImage.Resampling[kernel])
        for kernel in ("BICUBIC", "BILINEAR", "BOX")
    }
    possible = {}
    for kernel, image in shrunk.items():
        for quality in range(70, 96):
            for subsampling in ("4:2:0", "4:4:4"):
                file = io.BytesIO()
                image.save(file, "JPEG", quality=quality, subsampling=subsampling)
                possible[np.asarray(PILImage.open(file)).tobytes()] = kernel, subsampling
    found = [possible[low.tobytes()] for low in sample_set(options, photograph, 60)]
    assert {kernel for kernel, _ in found} == set(shrunk)
    assert {subsampling for _, subsampling in found} == {"4:2:0", "4:4:4"}


def test_lower_qualities_lose_more(photograph):
    errors = [np.abs(jpeg(photograph, quality).astype(int) - photograph).mean() for quality in (90, 60, 30)]
    assert errors == sorted(errors)


def test_values_out_of_range_are_refused_by_name():
    with pytest.raises(OptionError, match="jpeg_quality"):
        validate(DegradationOptions, {"jpeg_quality": 96})
