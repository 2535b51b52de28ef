"""MSRResNet, the SRResNet of BasicSR: no batch normalisation, no long skip, on top of a bilinear image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional as F

from gansdk_srgan.networks.enlarging import enlarge, radius_before

if TYPE_CHECKING:
    from torch import Tensor

_SLOPE = 0.1


class PlainBlock(nn.Module):
    """Two convolutions around a ReLU, added to what comes in."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 3, padding=1)
        self.second = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Features [N, C, H, W] to the same shape."""
        branch: Tensor = self.second(F.relu(self.first(x)))
        return x + branch


class MSRResNet(nn.Module):
    """A trunk of residual blocks at the input's size, sub-pixel convolutions, and two convolutions at the output's.

    Args:
        channels: Of input and output.
        scale: 2, 3 or 4; 4 is two doublings.
        features: Channels everywhere inside.
        blocks: Residual blocks.
    """

    def __init__(self, *, channels: int = 3, scale: int = 4, features: int = 64, blocks: int = 16) -> None:
        super().__init__()
        self.scale = scale
        self.head = nn.Conv2d(channels, features, 3, padding=1)
        self.blocks = nn.Sequential(*[PlainBlock(features) for _ in range(blocks)])
        self.up = nn.ModuleList([nn.Conv2d(features, factor**2 * features, 3, padding=1) for factor in _steps(scale)])
        self.refine = nn.Conv2d(features, features, 3, padding=1)
        self.tail = nn.Conv2d(features, channels, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Images [N, C, H, W] to [N, C, scale·H, scale·W]; values may leave [0, 1] a little."""
        features = self.blocks(F.leaky_relu(self.head(image), _SLOPE))
        for factor, convolution in zip(_steps(self.scale), self.up, strict=True):
            features = F.leaky_relu(F.pixel_shuffle(convolution(features), factor), _SLOPE)
        detail: Tensor = self.tail(F.leaky_relu(self.refine(features), _SLOPE))
        return detail + enlarge(image, self.scale)


def receptive_field(*, scale: int, blocks: int) -> int:
    """How far an input pixel can act, in input pixels. Counted from the output back."""
    radius = 2  # the two convolutions at the output's size
    for factor in reversed(_steps(scale)):
        radius = radius_before(radius, factor) + 1
    return radius + 2 * blocks + 1


def _steps(scale: int) -> tuple[int, ...]:
    """By how much each sub-pixel convolution enlarges."""
    return (2, 2) if scale == 4 else (scale,)
