"""The discriminator: the paper's layers, any size."""

import torch
from torch import nn

from gansdk_srgan.networks import SRGANDiscriminator


def test_the_discriminator_is_the_papers_and_takes_any_size() -> None:
    network = SRGANDiscriminator()
    conv = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in conv] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert [c.stride[0] for c in conv] == [1, 2] * 4
    assert sum(isinstance(m, nn.BatchNorm2d) for m in network.modules()) == 7  # none after the first
    assert [m.out_features for m in network.modules() if isinstance(m, nn.Linear)] == [1024, 1]
    small = SRGANDiscriminator(features=4, hidden=8).eval()
    for size in [(16, 16), (33, 50)]:
        assert small(torch.rand(2, 3, *size)).shape == (2, 1)
