"""The pixel losses, against numpy."""

import numpy as np
import pytest
import torch

from gansdk_srgan.losses import PIXEL_LOSSES


@pytest.mark.parametrize(("name", "power"), [("mse", 2), ("l1", 1)])
def test_the_mean_over_all_pixels_and_channels(name: str, power: int) -> None:
    random = np.random.default_rng(0)
    restored, true = random.random((2, 3, 4, 5)), random.random((2, 3, 4, 5))
    expected = (np.abs(restored - true) ** power).mean()
    assert PIXEL_LOSSES[name](torch.tensor(restored), torch.tensor(true)).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", sorted(PIXEL_LOSSES))
def test_reduced_precision_is_summed_in_full(name: str) -> None:
    restored, true = torch.full((1, 3, 64, 64), 0.5, dtype=torch.bfloat16), torch.zeros(1, 3, 64, 64)
    loss = PIXEL_LOSSES[name](restored, true)
    assert loss.dtype == torch.float32
    assert loss.item() == {"mse": 0.25, "l1": 0.5}[name]
