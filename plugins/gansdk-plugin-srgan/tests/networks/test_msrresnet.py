"""MSRResNet: BasicSR's counts, sizes, how far a pixel acts."""

import pytest
import torch
from reach import reach

from gansdk_srgan.networks import MSRResNet
from gansdk_srgan.networks.msrresnet import receptive_field


def test_the_defaults_are_basicsrs() -> None:
    """16 blocks of 64 and ×4: 1,517,571 parameters, counted by hand from its description."""
    trunk = 32 * (64 * 64 * 9 + 64)
    up = 2 * (64 * 256 * 9 + 256)
    checkpoints = (3 * 64 * 9 + 64) + (64 * 64 * 9 + 64) + (64 * 3 * 9 + 3)
    assert sum(p.numel() for p in MSRResNet().parameters()) == trunk + up + checkpoints == 1_517_571


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_any_size_grows_by_the_scale(scale: int) -> None:
    network = MSRResNet(scale=scale, features=4, blocks=1, channels=1)
    for height, width in [(1, 1), (1, 7), (5, 3)]:
        assert network(torch.rand(2, 1, height, width)).shape == (2, 1, scale * height, scale * width)


@pytest.mark.parametrize(("scale", "blocks"), [(2, 1), (3, 2), (4, 1), (4, 3)])
def test_the_radius_is_how_far_an_input_pixel_acts(scale: int, blocks: int) -> None:
    radius = receptive_field(scale=scale, blocks=blocks)
    assert reach(MSRResNet(scale=scale, features=4, blocks=blocks), scale=scale, radius=radius) == (radius, radius)


def test_the_published_models_reach_35_pixels() -> None:
    assert receptive_field(scale=4, blocks=16) == 35
