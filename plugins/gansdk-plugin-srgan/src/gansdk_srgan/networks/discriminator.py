"""The discriminator of SRGAN (Ledig et al., CVPR 2017, figure 4)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class SRGANDiscriminator(nn.Module):
    """The paper's discriminator, with a mean over all positions before its dense layers, so that any size works.

    Args:
        channels: Of the images.
        features: Channels of the first layer; they double three times.
        hidden: Width of the dense layer.
    """

    def __init__(self, channels: int = 3, features: int = 64, hidden: int = 1024) -> None:
        super().__init__()
        widths = [features * factor for factor in (1, 1, 2, 2, 4, 4, 8, 8)]
        layers: list[nn.Module] = [nn.Conv2d(channels, features, 3, padding=1), nn.LeakyReLU(0.2)]
        for index, (before, after) in enumerate(pairwise(widths)):
            stride = 1 if index % 2 else 2
            layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers)
        self.logit = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(widths[-1], hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, 1),
        )

    def halfway(self, image: Tensor) -> Tensor:
        """Features after the first four convolutions, at a quarter of the size: [N, 2·features, ⌈H/4⌉, ⌈W/4⌉]."""
        features: Tensor = self.features[:11](image)
        return features

    def forward(self, image: Tensor) -> Tensor:
        """Images [N, C, H, W] to one logit each, [N, 1]: positive for a real one."""
        logit: Tensor = self.logit(self.features(image))
        return logit
