"""RRDBNet, the generator of ESRGAN (Wang et al., ECCVW 2018, figure 4) and of Real-ESRGAN (Wang et al., ICCVW 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

from gansdk_srgan.networks.enlarging import doublings

if TYPE_CHECKING:
    from torch import Tensor

_SLOPE = 0.2
_DAMPING = 0.2
"""What each residual branch is multiplied by before it is added."""

_CONVOLUTIONS = 5
_DENSE_BLOCKS = 3


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees what comes in and all that those before it gave."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        widths = [growth] * (_CONVOLUTIONS - 1) + [features]
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(features + index * growth, after, 3, padding=1) for index, after in enumerate(widths)]
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features [N, C, H, W] to the same shape."""
        *inner, last = self.convolutions
        known = x
        for convolution in inner:
            known = torch.cat([known, F.leaky_relu(convolution(known), _SLOPE)], 1)
        return torch.add(x, last(known), alpha=_DAMPING)


class DenseTriple(nn.Module):
    """Three dense blocks, added to what comes in: the residual in residual dense block."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(*[DenseBlock(features, growth) for _ in range(_DENSE_BLOCKS)])

    def forward(self, x: Tensor) -> Tensor:
        """Features [N, C, H, W] to the same shape."""
        return torch.add(x, self.dense(x), alpha=_DAMPING)


class RRDBNet(nn.Module):
    """A deep trunk at one size, then a doubling of the size at a time, by repeating pixels before a convolution.

    Args:
        channels: Of input and output.
        scale: How many times as wide and high the output is: 1, 2, 4 or 8.
        unshuffle: Side of the squares of pixels that become channels first: 1, 2 or 4. The trunk then works at that
            fraction of the input's size, so heights and widths must be multiples of it. Together with the scale it
            says how often the size doubles: ``log2(scale · unshuffle)`` times.
        features: Channels of the trunk.
        growth: Channels that each convolution of a dense block adds.
        blocks: Blocks of three dense blocks.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        scale: int = 4,
        unshuffle: int = 1,
        features: int = 64,
        growth: int = 32,
        blocks: int = 23,
    ) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.head = nn.Conv2d(channels * unshuffle**2, features, 3, padding=1)
        self.blocks = nn.Sequential(*[DenseTriple(features, growth) for _ in range(blocks)])
        self.fuse = nn.Conv2d(features, features, 3, padding=1)
        count = doublings(scale * unshuffle)
        self.up = nn.ModuleList([nn.Conv2d(features, features, 3, padding=1) for _ in range(count)])
        self.refine = nn.Conv2d(features, features, 3, padding=1)
        self.tail = nn.Conv2d(features, channels, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Images [N, C, H, W] to [N, C, scale·H, scale·W]; values may leave [0, 1] a little."""
        features = self.head(F.pixel_unshuffle(image, self.unshuffle) if self.unshuffle > 1 else image)
        features = features + self.fuse(self.blocks(features))
        for convolution in self.up:
            # Twice is exact at any position: nothing is computed, pixels are repeated.
            features = F.leaky_relu(convolution(F.interpolate(features, scale_factor=2.0, mode="nearest")), _SLOPE)
        detail: Tensor = self.tail(F.leaky_relu(self.refine(features), _SLOPE))
        return detail


def receptive_field(*, scale: int, unshuffle: int, blocks: int) -> int:
    """How far an input pixel can act, in input pixels: the most that any pixel of an unshuffled square reaches."""
    return max(_reach(at, scale, unshuffle, blocks) for at in range(unshuffle))


def _reach(at: int, scale: int, unshuffle: int, blocks: int) -> int:
    """How far the output pixels of input pixel ``at`` look: the first and the last one, from the output back."""
    first, last = scale * at - 2, scale * (at + 1) - 1 + 2  # the two convolutions at the output's size
    for _ in range(doublings(scale * unshuffle)):
        first, last = (first - 1) // 2, (last + 1) // 2
    trunk = _DENSE_BLOCKS * _CONVOLUTIONS * blocks + 2
    first, last = unshuffle * (first - trunk), unshuffle * (last + trunk + 1) - 1
    return max(at - first, last - at)
