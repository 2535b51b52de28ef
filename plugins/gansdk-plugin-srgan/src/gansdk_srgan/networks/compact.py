"""SRVGGNetCompact, the small generator of Real-ESRGAN: plain convolutions, and details on top of repeated pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from torch import Tensor


class SRVGGNetCompact(nn.Module):
    """All convolutions at the input's size; one sub-pixel step makes the output.

    Args:
        channels: Of input and output.
        scale: How many times as wide and high the output is.
        features: Channels inside.
        convolutions: Between the first and the last one.
    """

    def __init__(self, *, channels: int = 3, scale: int = 4, features: int = 64, convolutions: int = 16) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = []
        for before in [channels] + [features] * convolutions:
            layers += [nn.Conv2d(before, features, 3, padding=1), nn.PReLU(features)]
        self.body = nn.Sequential(*layers, nn.Conv2d(features, channels * scale**2, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        """Images [N, C, H, W] to [N, C, scale·H, scale·W]; values may leave [0, 1] a little."""
        detail: Tensor = self.body(image)
        # Each pixel, repeated for all that it becomes, is added before the shuffle, which only moves numbers.
        return F.pixel_shuffle(detail + image.repeat_interleave(self.scale**2, dim=1), self.scale)


def receptive_field(*, convolutions: int) -> int:
    """How far an input pixel can act, in input pixels: one per convolution."""
    return convolutions + 2
