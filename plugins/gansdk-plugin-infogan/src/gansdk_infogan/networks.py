"""InfoGAN's networks for small images (Chen et al. 2016, appendix C.1, as the authors' code has them).

Where they deviate from the paper: images are in [0, 1], of any size that 4 divides; every width is an option. D's last
layer is the recipe's, because a model that is used has no need of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

    from gansdk_infogan.options import NetworkOptions


class InfoGANGenerator(nn.Module):
    """A latent [N, latent] to logits of pixels [N, channels, height, width]: their sigmoid is in [0, 1]."""

    def __init__(self, options: NetworkOptions, *, latent: int) -> None:
        super().__init__()
        hidden, features = options.hidden, options.features
        self._coarse = (2 * features, options.height // 4, options.width // 4)
        area = math.prod(self._coarse)
        self.dense = nn.Sequential(
            nn.Linear(latent, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, area, bias=False),
            nn.BatchNorm1d(area),
            nn.ReLU(),
        )
        self.enlarge = nn.Sequential(
            nn.ConvTranspose2d(2 * features, features, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(features),
            nn.ReLU(),
            nn.ConvTranspose2d(features, options.channels, 4, stride=2, padding=1),
        )

    def forward(self, latent: Tensor) -> Tensor:
        """The logits."""
        logits: Tensor = self.enlarge(self.dense(latent).unflatten(1, self._coarse))
        return logits


class Recogniser(nn.Module):
    """What D and Q share, and Q's own layers: images to features and to what the codes probably were."""

    def __init__(self, options: NetworkOptions, *, codes: int) -> None:
        super().__init__()
        hidden, features, slope = options.hidden, options.features, options.slope
        self.trunk = nn.Sequential(
            nn.Conv2d(options.channels, features, 4, stride=2, padding=1),
            nn.LeakyReLU(slope),
            nn.Conv2d(features, 2 * features, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * features),
            nn.LeakyReLU(slope),
            nn.Flatten(),
            nn.Linear(2 * features * (options.height // 4) * (options.width // 4), hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.LeakyReLU(slope),
        )
        self.codes = nn.Sequential(
            nn.Linear(hidden, options.code_hidden, bias=False),
            nn.BatchNorm1d(options.code_hidden),
            nn.LeakyReLU(slope),
            nn.Linear(options.code_hidden, codes),
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, W] to features [N, hidden] and Q's numbers [N, codes]."""
        features = self.trunk(images)
        return features, self.codes(features)


def initialise(network: nn.Module, deviation: float) -> None:
    """Weights from a normal distribution of mean 0 with that deviation, biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, deviation)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
