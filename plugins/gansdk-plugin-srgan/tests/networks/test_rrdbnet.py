"""RRDBNet: ESRGAN's counts, sizes, how far a pixel acts."""

import pytest
import torch
from reach import reach

from gansdk_srgan.networks import RRDBNet
from gansdk_srgan.networks.rrdbnet import receptive_field

SCALES = [(1, 1), (2, 1), (4, 1), (8, 1), (1, 2), (2, 2), (4, 2), (1, 4), (2, 4)]
"""Scale and unshuffle, all that there are."""


def test_the_defaults_are_the_papers_generator() -> None:
    """23 blocks of 64 growing by 32: 16,697,987 parameters, counted by hand from its description."""
    widths = [64, 96, 128, 160, 192]
    dense = sum(before * after * 9 + after for before, after in zip(widths, [32, 32, 32, 32, 64], strict=True))
    checkpoints = (3 * 64 * 9 + 64) + 4 * (64 * 64 * 9 + 64) + (64 * 3 * 9 + 3)
    with torch.device("meta"):
        network = RRDBNet()
    assert sum(p.numel() for p in network.parameters()) == 69 * dense + checkpoints == 16_697_987


@pytest.mark.parametrize(("scale", "unshuffle"), SCALES)
def test_sizes_grow_by_the_scale(scale: int, unshuffle: int) -> None:
    network = RRDBNet(scale=scale, unshuffle=unshuffle, features=4, growth=2, blocks=1)
    for height, width in [(1, 1), (1, 7), (5, 3)]:
        image = torch.rand(2, 3, unshuffle * height, unshuffle * width)
        assert network(image).shape == (2, 3, scale * unshuffle * height, scale * unshuffle * width)


@pytest.mark.parametrize(("scale", "unshuffle"), SCALES)
def test_the_radius_is_how_far_an_input_pixel_acts(scale: int, unshuffle: int) -> None:
    radius = receptive_field(scale=scale, unshuffle=unshuffle, blocks=1)
    network = RRDBNet(scale=scale, unshuffle=unshuffle, features=2, growth=1, blocks=1)
    assert reach(network, scale=scale, radius=radius, multiple=unshuffle) == (radius, radius)


def test_each_block_reaches_fifteen_pixels_further() -> None:
    assert receptive_field(scale=4, unshuffle=1, blocks=23) == 349
    assert receptive_field(scale=4, unshuffle=1, blocks=6) == 94
    assert receptive_field(scale=2, unshuffle=2, blocks=23) == 2 * 349
