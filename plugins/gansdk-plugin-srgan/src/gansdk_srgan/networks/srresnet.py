"""The generator SRResNet and the discriminator of SRGAN (Ledig et al., CVPR 2017, figure 4).

Where they deviate from the paper: images are in [0, 1] on both sides; the discriminator takes a mean over all positions
before its dense layers, so that any size works; weights begin by He et al. 2015, the last convolution's a tenth as
large. Options leave batch normalisation out, add a bilinear base, and set every width and kernel.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Self

from torch import nn

from gansdk_srgan.networks.enlarging import doublings, enlarge, radius_before

if TYPE_CHECKING:
    from torch import Tensor

    from gansdk_srgan.architectures import SRResNetSizes


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
    """The generator: a backbone of residual blocks at the input's size, then a sub-pixel convolution per doubling."""

    def __init__(self, options: SRResNetSizes) -> None:
        super().__init__()
        self.scale, self.base = options.scale, options.base
        channels, features, up_features = options.channels, options.features, options.up_features
        batch_norm = options.batch_norm
        self.head = nn.Sequential(_same(channels, features, options.head_kernel), nn.PReLU())
        self.blocks = nn.Sequential(*[ResidualBlock(features, batch_norm=batch_norm) for _ in range(options.blocks)])
        self.fuse = nn.Sequential(*_convolution(features, features, 3, batch_norm=batch_norm))
        widths = [features] + [up_features] * doublings(options.scale)
        self.up = nn.Sequential()
        for before, after in pairwise(widths):
            self.up.extend([_same(before, 4 * after, 3), nn.PixelShuffle(2), nn.PReLU()])
        self.tail = _same(up_features, channels, options.tail_kernel)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        if not batch_norm:
            # Nothing else keeps the sum of all branches from growing (Lim et al. 2017; Wang et al. 2018).
            for name, parameter in self.blocks.named_parameters():
                if name.endswith("weight") and parameter.dim() == 4:
                    parameter.data.mul_(0.1)
        self.tail.weight.data.mul_(0.1)

    def forward(self, image: Tensor) -> Tensor:
        """Images [N, C, H, W] to [N, C, scale·H, scale·W]; values may leave [0, 1] a little."""
        features = self.head(image)
        features = features + self.fuse(self.blocks(features))
        detail: Tensor = self.tail(self.up(features))
        return detail if self.base == "none" else detail + enlarge(image, self.scale)


def receptive_field(options: SRResNetSizes) -> int:
    """How far an input pixel can act, in input pixels: the halo that makes tiles equal the whole."""
    radius = options.tail_kernel // 2  # from the output back
    for _ in range(doublings(options.scale)):
        radius = radius_before(radius, 2) + 1  # the doubling's own convolution of size 3
    return radius + 2 * options.blocks + 1 + options.head_kernel // 2


class SRGANDiscriminator(nn.Module):
    """The paper's discriminator: ``features`` channels, doubled three times, and a dense layer of width ``hidden``."""

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


class FrozenBatchNorm2d(nn.BatchNorm2d):
    """Normalises by its running statistics, in training too; its scale and shift still learn."""

    def train(self, mode: bool = True) -> Self:
        """Stays in eval mode."""
        return super().train(False)


def freeze_batch_norm(network: nn.Module) -> None:
    """Puts frozen layers in the place of all batch-norm layers, with their parameters and statistics."""
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.BatchNorm2d):
            frozen = FrozenBatchNorm2d(layer.num_features, layer.eps)
            frozen.load_state_dict(layer.state_dict())
            network.set_submodule(name, frozen.eval())


def _same(before: int, after: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel, padding=kernel // 2)


def _convolution(before: int, after: int, kernel: int, *, batch_norm: bool) -> list[nn.Module]:
    convolution = _same(before, after, kernel)
    return [convolution, nn.BatchNorm2d(after)] if batch_norm else [convolution]
