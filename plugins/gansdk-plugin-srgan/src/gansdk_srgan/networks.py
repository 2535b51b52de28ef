"""The networks of SRGAN (Ledig et al., CVPR 2017, figure 4). Pictures are float NCHW in [0, 1] on both sides.

The paper lets the generator's output and the discriminator's input range over [−1, 1]. That differs from [0, 1] by the
scale and bias of one layer each, which training sets anyway, so one range serves throughout.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

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
        """Pictures [N, C, H, W] to [N, C, scale·H, scale·W]; values may leave [0, 1] a little."""
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


class Discriminator(nn.Module):
    """The paper's discriminator, with a mean over all positions before its dense layers, so that any size works.

    Args:
        channels: Of the pictures.
        features: Channels of the first layer; they double three times.
        hidden: Width of the dense layer.
    """

    def __init__(self, channels: int = 3, features: int = 64, hidden: int = 1024) -> None:
        super().__init__()
        widths = [features * factor for factor in (1, 1, 2, 2, 4, 4, 8, 8)]
        layers: list[nn.Module] = [_same(channels, features, 3), nn.LeakyReLU(0.2)]
        for index, (before, after) in enumerate(pairwise(widths)):
            stride = 1 if index % 2 else 2
            layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers)
        self.verdict = nn.Sequential(
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
        """Pictures [N, C, H, W] to one logit each, [N, 1]: positive for a real one."""
        verdict: Tensor = self.verdict(self.features(image))
        return verdict


def doublings(scale: int) -> int:
    """How many times a size doubles on its way to ``scale``."""
    return scale.bit_length() - 1


def enlarge(image: Tensor, scale: int) -> Tensor:
    """Bilinear interpolation with the picture's rim repeated outwards, as ``F.interpolate`` without aligned corners.

    Written as products and sums of whole pictures, because library kernels round differently by position and size:
    here any part of a picture is enlarged to the very same numbers as the whole.
    """
    return _enlarge_along(3, _enlarge_along(2, image, scale), scale)


def _enlarge_along(dim: int, image: Tensor, scale: int) -> Tensor:
    size = image.shape[dim]
    before = torch.cat([image.narrow(dim, 0, 1), image.narrow(dim, 0, size - 1)], dim)
    after = torch.cat([image.narrow(dim, 1, size - 1), image.narrow(dim, size - 1, 1)], dim)
    offsets = [(index + 0.5) / scale - 0.5 for index in range(scale)]  # of output pixels from their input pixel
    phases = [image * (1 - abs(at)) + (before if at < 0 else after) * abs(at) for at in offsets]
    return torch.stack(phases, dim + 1).flatten(dim, dim + 1)


def receptive_field(*, scale: int, blocks: int, head_kernel: int, tail_kernel: int) -> int:
    """How far an input pixel can act, in input pixels: the halo that makes tiles equal the whole.

    Counted from the output back; a radius r after a doubling is one of ⌈r / 2⌉ before it.
    """
    radius = tail_kernel // 2
    for _ in range(doublings(scale)):
        radius = -(-radius // 2) + 1  # the doubling's own convolution of size 3
    trunk = 2 * blocks + 1
    return radius + trunk + head_kernel // 2


def _same(before: int, after: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel, padding=kernel // 2)


def _convolution(before: int, after: int, kernel: int, *, batch_norm: bool) -> list[nn.Module]:
    convolution = _same(before, after, kernel)
    return [convolution, nn.BatchNorm2d(after)] if batch_norm else [convolution]


def _doubling(before: int, after: int) -> list[nn.Module]:
    return [_same(before, 4 * after, 3), nn.PixelShuffle(2), nn.PReLU()]
