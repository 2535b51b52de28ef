"""SRResNet and the discriminator: sizes, the paper's counts, how far a pixel acts."""

import pytest
import torch
from torch import nn

from gansdk_srgan.architectures import NetworkOptions
from gansdk_srgan.model import facts, networks
from gansdk_srgan.networks import Discriminator, SRResNet, enlarge, receptive_field


def tiny(**changed: object) -> SRResNet:
    sizes = {"features": 8, "blocks": 2, "up_features": 4, "head_kernel": 3, "tail_kernel": 3, "batch_norm": False}
    torch.manual_seed(0)
    return SRResNet(**{**sizes, **changed})  # type: ignore[arg-type]


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_defaults_are_the_papers_generator() -> None:
    network = SRResNet()
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
    options = NetworkOptions(up_features=32, tail_kernel=3, batch_norm=False, base="bilinear")
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
    assert receptive_field(scale=4, blocks=16, head_kernel=9, tail_kernel=9) == 40
    assert receptive_field(scale=4, blocks=16, head_kernel=9, tail_kernel=3) == 39
    declared = facts(NetworkOptions()).generator
    assert declared is not None
    assert declared.receptive_field == 40


@pytest.mark.parametrize(
    ("scale", "blocks", "head", "tail"), [(2, 1, 3, 3), (4, 1, 5, 9), (4, 2, 1, 1), (4, 1, 3, 3), (8, 1, 3, 9)]
)
def test_the_radius_is_how_far_an_input_pixel_acts(scale: int, blocks: int, head: int, tail: int) -> None:
    """Gradients of every output pixel that belongs to one input pixel, by all input pixels."""
    network = tiny(scale=scale, blocks=blocks, head_kernel=head, tail_kernel=tail, base="bilinear").double()
    for parameter in network.parameters():
        parameter.data.uniform_(0.1, 1)  # nothing cancels
    radius = receptive_field(scale=scale, blocks=blocks, head_kernel=head, tail_kernel=tail)
    middle = radius + 2
    image = torch.rand(1, 3, 2 * middle + 1, 2 * middle + 1, dtype=torch.double, requires_grad=True)
    block = network(image)[..., scale * middle : scale * (middle + 1), scale * middle : scale * (middle + 1)]
    (gradient,) = torch.autograd.grad(block.sum(), image)
    rows = gradient.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert (rows.min().item(), rows.max().item()) == (middle - radius, middle + radius)


def test_enlarging_is_bilinear_interpolation() -> None:
    image = torch.rand(2, 3, 5, 9)
    for scale in (2, 4, 8):
        reference = nn.functional.interpolate(image, scale_factor=scale, mode="bilinear", align_corners=False)
        torch.testing.assert_close(enlarge(image, scale), reference, rtol=0, atol=1e-6)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_part_is_enlarged_to_the_same_numbers_as_the_whole(layout: torch.memory_format) -> None:
    image = torch.rand(1, 3, 61, 83).contiguous(memory_format=layout)
    whole = enlarge(image, 4)
    for top, left, height, width in [(0, 0, 9, 8), (13, 5, 30, 31), (3, 60, 50, 23)]:
        part = image[..., top : top + height, left : left + width].contiguous(memory_format=layout)
        inside = enlarge(part, 4)[..., 4:-4, 4:-4]
        bottom, right = 4 * (top + height) - 4, 4 * (left + width) - 4
        assert torch.equal(inside, whole[..., 4 * top + 4 : bottom, 4 * left + 4 : right])


def test_untrained_it_is_close_to_its_base() -> None:
    image = torch.rand(1, 3, 12, 12)
    difference = tiny(base="bilinear", features=32, blocks=16)(image) - enlarge(image, 4)
    assert difference.std() < 0.3


def test_the_discriminator_is_the_papers_and_takes_any_size() -> None:
    network = Discriminator()
    conv = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in conv] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert [c.stride[0] for c in conv] == [1, 2] * 4
    assert sum(isinstance(m, nn.BatchNorm2d) for m in network.modules()) == 7  # none after the first
    assert [m.out_features for m in network.modules() if isinstance(m, nn.Linear)] == [1024, 1]
    small = Discriminator(features=4, hidden=8).eval()
    for size in [(16, 16), (33, 50)]:
        assert small(torch.rand(2, 3, *size)).shape == (2, 1)
