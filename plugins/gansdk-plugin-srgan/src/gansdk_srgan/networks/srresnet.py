"""SRResNet, the generator of SRGAN (Ledig et al., CVPR 2017, figure 4)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from torch import nn

from gansdk_srgan.networks.enlarging import doublings, enlarge, radius_before

if TYPE_CHECKING:
    from torch import Tensor


class ResidualBlock(nn.Module):
    """Two convolutions around a PReLU, added to what comes in."""

    def __init__(self, features: int, *, batch_norm: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(features, features, 3, batch_norm=batch_norm),
            nn.PReLU(),
            *_convolution(features, features, 3, batch_norm=batch_norm),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features [N, C, H, W] to the same shape."""
        branch: Tensor = self.body(x)
        return x + branch


class SRResNet(nn.Module):
    """The generator: a trunk of residual blocks at the input's size, then one sub-pixel convolution per doubling.

    Args:
        channels: Of input and output.
        scale: 2, 4 or 8.
        features: Channels of the trunk.
        blocks: Residual blocks.
        up_features: Channels after each doubling.
        head_kernel: Size of the first convolution.
        tail_kernel: Size of the last convolution.
        batch_norm: Whether the trunk has batch normalisation.
        base: What the output is added to: nothing, or the input enlarged bilinearly.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        scale: int = 4,
        features: int = 64,
        blocks: int = 16,
        up_features: int = 64,
        head_kernel: int = 9,
        tail_kernel: int = 9,
        batch_norm: bool = True,
        base: Literal["none", "bilinear"] = "none",
    ) -> None:
        super().__init__()
        self.scale, self.base = scale, base
        self.head = nn.Sequential(_same(channels, features, head_kernel), nn.PReLU())
        self.blocks = nn.Sequential(*[ResidualBlock(features, batch_norm=batch_norm) for _ in range(blocks)])
        self.fuse = nn.Sequential(*_convolution(features, features, 3, batch_norm=batch_norm))
        widths = [features] + [up_features] * doublings(scale)
        doubled = [_doubling(before, after) for before, after in pairwise(widths)]
        self.up = nn.Sequential(*[layer for layers in doubled for layer in layers])
        self.tail = _same(up_features, channels, tail_kernel)
        self._initialise(batch_norm=batch_norm)

    def forward(self, image: Tensor) -> Tensor:
        """Images [N, C, H, W] to [N, C, scale·H, scale·W]; values may leave [0, 1] a little."""
        features = self.head(image)
        features = features + self.fuse(self.blocks(features))
        detail: Tensor = self.tail(self.up(features))
        return detail if self.base == "none" else detail + enlarge(image, self.scale)

    def _initialise(self, *, batch_norm: bool) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        if (
            not batch_norm
        ):  # nothing else keeps the sum of all branches from growing (Lim et al. 2017; Wang et al. 2018)
            for name, parameter in self.blocks.named_parameters():
                if name.endswith("weight") and parameter.dim() == 4:
                    parameter.data.mul_(0.1)
        self.tail.weight.data.mul_(0.1)


def receptive_field(*, scale: int, blocks: int, head_kernel: int, tail_kernel: int) -> int:
    """How far an input pixel can act, in input pixels: the halo that makes tiles equal the whole.

    Counted from the output back.
    """
    radius = tail_kernel // 2
    for _ in range(doublings(scale)):
        radius = radius_before(radius, 2) + 1  # the doubling's own convolution of size 3
    trunk = 2 * blocks + 1
    return radius + trunk + head_kernel // 2


def _same(before: int, after: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel, padding=kernel // 2)


def _convolution(before: int, after: int, kernel: int, *, batch_norm: bool) -> list[nn.Module]:
    convolution = _same(before, after, kernel)
    return [convolution, nn.BatchNorm2d(after)] if batch_norm else [convolution]


def _doubling(before: int, after: int) -> list[nn.Module]:
    return [_same(before, 4 * after, 3), nn.PixelShuffle(2), nn.PReLU()]
