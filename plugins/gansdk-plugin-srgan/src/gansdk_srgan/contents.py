"""The content loss of the second stage: by what a restored patch is held against the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch

from gansdk import load_vgg
from gansdk_srgan.losses import feature_error, squared_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torch import Tensor, nn

    from gansdk_srgan.networks import SRGANDiscriminator
    from gansdk_srgan.options import Stage2Options


class Content(Protocol):
    """How far restored images are from the true ones."""

    @property
    def fixed(self) -> Sequence[nn.Module]:
        """Networks that it looks through and that never change."""
        ...

    @property
    def dependencies(self) -> Mapping[str, str]:
        """Files that it read, with their digests."""
        ...

    def calibrate(self, true: Iterable[Tensor], /) -> None:
        """Sets its scale from batches of true images."""
        ...

    def __call__(self, restored: Tensor, true: Tensor, /) -> Tensor:
        """The loss: one number, for float [N, 3, H, W] in [0, 1]."""
        ...


class PixelContent:
    """Squared differences of pixels: the paper's ablation SRGAN-MSE."""

    fixed: Sequence[nn.Module] = ()
    dependencies: Mapping[str, str] = {}

    def calibrate(self, true: Iterable[Tensor], /) -> None:
        """Pixels have the scale that they have."""

    def __call__(self, restored: Tensor, true: Tensor, /) -> Tensor:
        """Equation 4."""
        return squared_error(restored, true)


class VGGContent:
    """Features of VGG, each layer in the unit of its own power over true patches."""

    def __init__(self, options: Stage2Options) -> None:
        self.backbone = load_vgg(options.backbone, options.pairs(), options.backbone_input)
        self.fixed: Sequence[nn.Module] = (self.backbone,)
        self.dependencies: Mapping[str, str] = {"backbone": self.backbone.digest}
        self._powers: list[Tensor] = []

    @torch.no_grad()
    def calibrate(self, true: Iterable[Tensor], /) -> None:
        """Measures each layer's power, the mean of its squares."""
        device = next(self.backbone.parameters()).device
        powers = [torch.stack([layer.square().mean() for layer in self.backbone(batch.to(device))]) for batch in true]
        self._powers = list(torch.stack(powers).mean(0))

    def __call__(self, restored: Tensor, true: Tensor, /) -> Tensor:
        """Equation 5, averaged over the layers."""
        with torch.no_grad():
            wanted = self.backbone(true)
        each = zip(self.backbone(restored), wanted, self._powers, strict=True)
        return torch.stack([feature_error(*one) for one in each]).mean()


class DiscriminatorContent:
    """Features of the discriminator, half-way through it, as VAE-GAN compares images (Larsen et al. 2016)."""

    fixed: Sequence[nn.Module] = ()
    dependencies: Mapping[str, str] = {}

    def __init__(self, discriminator: SRGANDiscriminator) -> None:
        self._discriminator = discriminator

    def calibrate(self, true: Iterable[Tensor], /) -> None:
        """Batch-norm gives its features a power of their own."""

    def __call__(self, restored: Tensor, true: Tensor, /) -> Tensor:
        """Equation 5 with the discriminator's features for φ."""
        with torch.no_grad():
            wanted = self._discriminator.halfway(true)
        return feature_error(self._discriminator.halfway(restored), wanted, wanted.float().square().mean())


def content(options: Stage2Options, discriminator: SRGANDiscriminator) -> Content:
    """The content loss that the options ask for.

    Raises:
        InputError: If VGG's file or layer is not there.
        ModelError: If the file holds no VGG.
    """
    generators: dict[str, Callable[[], Content]] = {
        "pixel": PixelContent,
        "vgg": lambda: VGGContent(options),
        "discriminator-features": lambda: DiscriminatorContent(discriminator),
    }
    return generators[options.content_of]()
