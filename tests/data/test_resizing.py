"""The degradation, against Pillow's and torch's own resize and a closed form."""

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from gansdk.data.crops import degrade, fit, upscale
from gansdk.errors import InputError


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def keys(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def shrink_by_formula(line: np.ndarray, scale: int) -> np.ndarray:
    """One row, in floats: the kernel widened by the scale, its weights normalised."""
    centres = (np.arange(len(line) // scale) + 0.5) * scale - 0.5
    weights = keys((np.arange(len(line))[None] - centres[:, None]) / scale)
    return (weights / weights.sum(1, keepdims=True)) @ line


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_degradation_is_pillows_bicubic(scale: int) -> None:
    image = noise(12 * scale, 9 * scale)
    reference = PILImage.fromarray(image).resize((9, 12), PILImage.Resampling.BICUBIC)
    np.testing.assert_array_equal(degrade(image, scale).low, np.asarray(reference))


@pytest.mark.parametrize("scale", [2, 4])
def test_degradation_is_torchs_antialiased_bicubic_up_to_rounding(scale: int) -> None:
    image = noise(16 * scale, 10 * scale)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    reference = torch.nn.functional.interpolate(tensor, scale_factor=1 / scale, mode="bicubic", antialias=True)
    difference = degrade(image, scale).low - reference[0].permute(1, 2, 0).clamp(0, 255).numpy()
    assert np.abs(difference).max() <= 1.01  # two roundings, one per direction


def test_degradation_is_keys_kernel_with_a_half() -> None:
    line = noise(1, 64)[0, :, 0]
    image = np.broadcast_to(line[None, :, None], (4, 64, 3))
    expected = shrink_by_formula(line.astype(float), 4).clip(0, 255)
    np.testing.assert_allclose(degrade(image, 4).low[0, :, 0], expected, atol=0.51)


def test_degradation_does_not_alias() -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = 255
    low = degrade(stripes, 4).low
    assert np.abs(low[:, 2:-2].astype(int) - 127).max() <= 2


def test_the_rim_that_no_multiple_holds_is_cut_off() -> None:
    image = noise(11, 14)
    pair = degrade(image, 4)
    assert pair.low.shape == (2, 3, 3)
    np.testing.assert_array_equal(pair.high, image[:8, :12])


def test_a_image_below_the_scale_is_refused() -> None:
    with pytest.raises(InputError, match="30x3 pixels is too small"):
        degrade(noise(3, 30), 4)


def test_upscaling_is_pillows_bicubic() -> None:
    image = noise(5, 7)
    reference = PILImage.fromarray(image).resize((28, 20), PILImage.Resampling.BICUBIC)
    np.testing.assert_array_equal(upscale(image, 4), np.asarray(reference))


def test_fitting_shrinks_the_longer_side_and_never_enlarges() -> None:
    assert fit(noise(20, 40), 10).shape == (5, 10, 3)
    assert fit(noise(40, 20), 10).shape == (10, 5, 3)
    image = noise(8, 6)
    assert fit(image, 8) is image
