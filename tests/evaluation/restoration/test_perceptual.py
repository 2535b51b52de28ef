"""The perceptual evaluator's arithmetic, against closed forms and the definition."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm

from gansdk.backbones.lite0 import EfficientNetLite0, load_lite0
from gansdk.evaluation.evaluators import (
    SIDE,
    STRIDE,
    PatchFeatures,
    frechet_distance,
    patch_features,
    patches,
    perceptual_distance,
)

BACKBONE = Path(os.environ.get("GANSDK_DATA", "")) / "trunks" / "efficientnet_lite0.safetensors"


def test_patches_lie_on_a_grid():
    image = np.random.default_rng(0).integers(0, 256, (7, 10, 3), dtype=np.uint8)
    found = patches(image, side=4, stride=3)
    assert found.shape == (2 * 3, 4, 4, 3)
    np.testing.assert_array_equal(found[0], image[:4, :4])
    np.testing.assert_array_equal(found[4], image[3:7, 3:7])
    assert patches(image, side=8, stride=3).shape == (0, 8, 8, 3)


def test_a_hundred_images_of_bsd_have_5400_patches():
    assert len(patches(np.zeros((320, 480, 3), np.uint8), SIDE, STRIDE)) == 54
    assert len(patches(np.zeros((480, 320, 3), np.uint8), SIDE, STRIDE)) == 54


def test_frechet_distance_between_sets_of_known_moments():
    random = np.random.default_rng(0)
    white = random.normal(size=(400, 3))
    white = (white - white.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T)).T)  # exactly 0 and the identity
    # Diagonal covariances commute: the distance is that of means and of standard deviations.
    assert frechet_distance(white, white * [1, 2, 3] + [1, 0, -2]) == pytest.approx(5 + 0 + 1 + 4, abs=1e-8)
    assert frechet_distance(white, white) == pytest.approx(0, abs=1e-8)


def test_frechet_distance_is_its_definition():
    random = np.random.default_rng(1)
    first = random.normal(size=(60, 5)) @ random.normal(size=(5, 5))
    second = random.normal(size=(80, 5)) @ random.normal(size=(5, 5)) + 1
    one, other = np.cov(first.T), np.cov(second.T)
    means = ((first.mean(0) - second.mean(0)) ** 2).sum()
    expected = means + np.trace(one + other - 2 * sqrtm(one @ other).real)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_fewer_patches_than_features_is_finite():
    random = np.random.default_rng(2)
    first, second = random.normal(size=(5, 20)), random.normal(size=(4, 20)) + 3
    assert frechet_distance(first, second) > 20 * 3


def test_feature_distance_by_hand():
    first = PatchFeatures((np.array([[[[1.0]], [[0.0]]]]), np.array([[[[1.0, 0.6]], [[0.0, 0.8]]]])), np.zeros((1, 1)))
    second = PatchFeatures((np.array([[[[0.0]], [[1.0]]]]), np.array([[[[1.0, 1.0]], [[0.0, 0.0]]]])), np.zeros((1, 1)))
    # Level one: 1² + 1² at its one position. Level two: 0 and 0.4² + 0.8², two positions.
    assert perceptual_distance(first, second) == pytest.approx([(2 + 0.8 / 2) / 2])


def test_what_is_seen_does_not_depend_on_the_batch():
    evaluator = EfficientNetLite0().eval().requires_grad_(False)
    many = np.random.default_rng(0).integers(0, 256, (66, SIDE, SIDE, 3), dtype=np.uint8)
    seen = patch_features(evaluator, many)
    assert [level.shape[0] for level in seen.levels] == [66, 66, 66]
    assert seen.pooled.shape == (66, 1280)
    last = patch_features(evaluator, many[65:])
    np.testing.assert_allclose(seen.pooled[65:], last.pooled, atol=1e-5)
    for level in seen.levels:
        np.testing.assert_allclose(np.linalg.norm(level, axis=1), 1, atol=1e-5)


@pytest.mark.skipif(not BACKBONE.is_file(), reason="needs $GANSDK_DATA/trunks/efficientnet_lite0.safetensors")
def test_blur_and_noise_are_farther_from_a_photograph_the_stronger_they_are():
    from PIL import Image as PILImage
    from PIL import ImageFilter
    from skimage.data import coffee

    evaluator, true = load_lite0(str(BACKBONE)), PILImage.fromarray(coffee()[:192, :192])
    noise = np.random.default_rng(0).normal(size=(192, 192, 3))
    blurred = [np.asarray(true.filter(ImageFilter.GaussianBlur(radius))) for radius in (1, 3)]
    noisy = [np.clip(np.asarray(true) + sigma * noise, 0, 255).astype(np.uint8) for sigma in (5, 40)]
    real = patch_features(evaluator, patches(np.asarray(true)))
    for mild, strong in (blurred, noisy):
        near, far = (
            perceptual_distance(patch_features(evaluator, patches(one)), real).mean() for one in (mild, strong)
        )
        assert 0 < near < far < 2
