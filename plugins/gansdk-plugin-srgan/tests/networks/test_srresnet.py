"""SRResNet: sizes, the paper's counts, how far a pixel acts."""

import pytest
import torch
from reach import reach
from torch import nn

from gansdk_srgan.architectures import SRResNetOptions
from gansdk_srgan.model import facts, networks
from gansdk_srgan.networks import SRResNet, enlarge
from gansdk_srgan.networks.srresnet import receptive_field


def tiny(**changed: object) -> SRResNet:
    sizes = {"features": 8, "blocks": 2, "up_features": 4, "head_kernel": 3, "tail_kernel": 3, "batch_norm": False}
    torch.manual_seed(0)
    return SRResNet(SRResNetOptions(**{**sizes, **changed}))  # type: ignore[arg-type]


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_defaults_are_the_papers_generator() -> None:
    network = SRResNet(SRResNetOptions())
    conv = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels, c.kernel_size[0]) for c in conv] == [
        (3, 64, 9),
        *[(64, 64, 3)] * 32,
        (64, 64, 3),
        (64, 256, 3),
        (64, 256, 3),
        (64, 3, 9),
    ]
    assert sum(isinstance(m, nn.BatchNorm2d) for m in network.modules()) == 33
    assert sum(isinstance(m, nn.PReLU) for m in network.modules()) == 1 + 16 + 2
    assert parameters(network) == 1_549_462


def test_options_build_the_network_that_they_describe() -> None:
    options = SRResNetOptions(up_features=32, tail_kernel=3, batch_norm=False, base="bilinear")
    (network,) = networks(options).values()
    assert isinstance(network, SRResNet)
    assert network.base == "bilinear"
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert parameters(network) == 1_345_974


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("base", ["none", "bilinear"])
def test_any_size_grows_by_the_scale(scale: int, base: str) -> None:
    network = tiny(scale=scale, base=base).eval()
    for height, width in [(1, 1), (1, 7), (5, 3)]:
        assert network(torch.rand(2, 3, height, width)).shape == (2, 3, scale * height, scale * width)


def test_the_radius_of_the_papers_network_is_39_and_a_half_rounded_up() -> None:
    assert receptive_field(SRResNetOptions()) == 40
    assert receptive_field(SRResNetOptions(tail_kernel=3)) == 39
    declared = facts(SRResNetOptions()).generator
    assert declared is not None
    assert declared.receptive_field == 40


@pytest.mark.parametrize(
    ("scale", "blocks", "head", "tail"), [(2, 1, 3, 3), (4, 1, 5, 9), (4, 2, 1, 1), (4, 1, 3, 3), (8, 1, 3, 9)]
)
def test_the_radius_is_how_far_an_input_pixel_acts(scale: int, blocks: int, head: int, tail: int) -> None:
    sizes = {"scale": scale, "blocks": blocks, "head_kernel": head, "tail_kernel": tail}
    radius = receptive_field(SRResNetOptions(**sizes))
    assert reach(tiny(**sizes, base="bilinear"), scale=scale, radius=radius) == (radius, radius)


def test_untrained_it_is_close_to_its_base() -> None:
    image = torch.rand(1, 3, 12, 12)
    difference = tiny(base="bilinear", features=32, blocks=16)(image) - enlarge(image, 4)
    assert difference.std() < 0.3
