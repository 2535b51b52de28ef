"""The convolutions of VGG (Simonyan & Zisserman 2015): features in which images that look alike are near.

φᵢ,ⱼ are the features after the j-th convolution, with its ReLU, before the i-th maximum pool, as Ledig et al. (2017)
name them. VGG16 has thirteen convolutions, VGG19 sixteen; which of them a file holds shows from its keys,
``features.N.weight`` and ``features.N.bias`` with N as in the usual sequential network.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from gansdk.backbones import fill, find
from gansdk.errors import InputError, ModelError
from gansdk.files import sha256
from gansdk.model.tensors import read_tensors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


_WIDTHS = (64, 128, 256, 512, 512)
_CONVOLUTIONS = {13: (2, 2, 3, 3, 3), 16: (2, 2, 4, 4, 4)}
_KEY = re.compile(r"features\.(\d+)\.(weight|bias)")

Input = Literal["mean-subtracted", "standardised"]
"""What a backbone was trained on: RGB in 0 … 255 minus its mean, or (RGB in 0 … 1 − mean) / standard deviation."""


class VGG(nn.Module):
    """The first convolutions of VGG16 or VGG19, up to the deepest layer that is asked for.

    Args:
        convolutions: How many in each of the five blocks.
        layers: Which features to give, as (i, j) of φᵢ,ⱼ.
        trained_on: The range of its inputs.

    Attributes:
        digest: Of the file that it was filled from; empty before.

    Raises:
        InputError: If there is no such layer.
    """

    digest: str = ""
    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        convolutions: Sequence[int] = _CONVOLUTIONS[13],
        layers: Sequence[tuple[int, int]] = ((5, 3),),
        trained_on: Input = "mean-subtracted",
    ) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        self._at: dict[tuple[int, int], int] = {}
        before = 3
        for block, (count, width) in enumerate(zip(convolutions, _WIDTHS, strict=True), start=1):
            for index in range(1, count + 1):
                steps += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
                self._at[block, index] = len(steps)
                before = width
            steps.append(nn.MaxPool2d(2))
        for block, index in layers:
            if (block, index) not in self._at:
                known = ", ".join(f"{i},{j}" for i, j in self._at)
                raise InputError(f"this VGG has no layer φ{block},{index}", hint=f"it has {known}")
        self.layers = tuple(layers)
        self.features = nn.Sequential(*steps[: max(self._at[layer] for layer in layers)])
        is_plain = trained_on == "mean-subtracted"
        mean = torch.tensor([123.68, 116.779, 103.939] if is_plain else [0.485, 0.456, 0.406])
        deviation = torch.tensor([1.0, 1.0, 1.0] if is_plain else [0.229, 0.224, 0.225])
        self._peak = 255.0 if is_plain else 1.0
        self.register_buffer("mean", mean.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", deviation.view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Images, float [N, 3, H, W] in [0, 1], to the features of each layer, in the order of ``layers``."""
        x = (image * self._peak - self.mean) / self.deviation
        found: dict[int, Tensor] = {}
        wanted = {self._at[layer] for layer in self.layers}
        for count, step in enumerate(self.features, start=1):
            x = step(x)
            if count in wanted:
                found[count] = x
        return [found[self._at[layer]] for layer in self.layers]


def load_vgg(
    name: str | os.PathLike[str], layers: Sequence[tuple[int, int]], trained_on: Input = "mean-subtracted"
) -> VGG:
    """A fixed VGG16 or VGG19 from a file.

    Args:
        name: A safetensors file, or the name of one in ``$GANSDK_DATA/trunks``.
        layers: As for :class:`VGG`.
        trained_on: As for :class:`VGG`.

    Raises:
        InputError: If there is no such file or layer.
        ModelError: If the file holds no VGG16 or VGG19.
    """
    path = find(os.fspath(name))
    tensors = {key: tensor for key, tensor in read_tensors(path).items() if not key.startswith("classifier.")}
    count = sum(key.endswith(".weight") for key in tensors)
    if count not in _CONVOLUTIONS or not all(_KEY.fullmatch(key) for key in tensors):
        raise ModelError(f"{path} holds no VGG16 or VGG19", hint="its keys are features.N.weight and features.N.bias")
    network = VGG(_CONVOLUTIONS[count], layers, trained_on)
    kept = {key: tensor for key, tensor in tensors.items() if int(key.split(".")[1]) < len(network.features)}
    fill(network, kept, path)
    network.digest = sha256(path)
    return network
