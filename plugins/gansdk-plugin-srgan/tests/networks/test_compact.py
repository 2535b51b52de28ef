"""SRVGGNetCompact: Real-ESRGAN's counts, sizes, how far a pixel acts."""

import pytest
import torch
from reach import reach
from torch import nn

from gansdk_srgan.networks import SRVGGNetCompact
from gansdk_srgan.networks.compact import receptive_field


def test_the_defaults_are_real_esrgans() -> None:
    """16 inner convolutions of 64 and ×4: 621,424 parameters, as the published file has."""
    assert sum(p.numel() for p in SRVGGNetCompact().parameters()) == 621_424


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_any_size_grows_by_the_scale(scale: int) -> None:
    network = SRVGGNetCompact(scale=scale, features=4, convolutions=0, channels=1)
    for height, width in [(1, 1), (1, 7), (5, 3)]:
        assert network(torch.rand(2, 1, height, width)).shape == (2, 1, scale * height, scale * width)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_without_details_pixels_are_repeated(scale: int) -> None:
    network = SRVGGNetCompact(scale=scale, features=4, convolutions=1)
    for parameter in network.parameters():
        parameter.data.zero_()
    image = torch.rand(1, 3, 5, 7)
    assert torch.equal(network(image), nn.functional.interpolate(image, scale_factor=scale, mode="nearest"))


@pytest.mark.parametrize(("scale", "convolutions"), [(1, 0), (2, 3), (4, 5)])
def test_the_radius_is_how_far_an_input_pixel_acts(scale: int, convolutions: int) -> None:
    radius = receptive_field(convolutions=convolutions)
    network = SRVGGNetCompact(scale=scale, features=4, convolutions=convolutions)
    assert reach(network, scale=scale, radius=radius) == (radius, radius)
