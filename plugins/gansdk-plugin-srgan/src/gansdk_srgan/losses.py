"""The losses of SRGAN, by the equations of Ledig et al. (CVPR 2017).

The perceptual loss l^SR of equation 3 is the content loss l^SR_X and 10⁻³ times the adversarial loss l^SR_Gen. That is
equation 6, −log D(G(I^LR)), and D minimises the negative of equation 2: the non-saturating loss of
:mod:`gansdk.training.losses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from gansdk import load_vgg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor

    from gansdk import VGG
    from gansdk_srgan.networks import SRGANDiscriminator
    from gansdk_srgan.options import Stage2Options


def squared_error(restored: Tensor, true: Tensor) -> Tensor:
    """l^SR_MSE, equation 4: the mean of squared differences over all pixels and channels."""
    return F.mse_loss(restored.float(), true.float())


def absolute_error(restored: Tensor, true: Tensor) -> Tensor:
    """The mean of absolute differences, which later work found to give a higher PSNR (Lim et al. 2017, section 3)."""
    return F.l1_loss(restored.float(), true.float())


PIXEL_LOSSES = {"mse": squared_error, "l1": absolute_error}


class ContentLoss:
    """l^SR_VGG/i,j, equation 5: squared differences of features φ, as a mean over positions, channels and layers.

    Each layer's difference is divided by its power, the mean of φ² over true patches. So it is a share: 0 for equal
    features, about 2 for unrelated ones, whatever the scale of the layer. (The paper divides VGG19's by 12.75.)

    Args:
        phi: Images to features, a tensor for each layer.
        powers: Of each layer; that of the batch if None.
        vgg: The network that φ is, if it is one that never changes.
    """

    def __init__(
        self,
        phi: Callable[[Tensor], Sequence[Tensor]],
        powers: Sequence[Tensor | float] | None = None,
        vgg: VGG | None = None,
    ) -> None:
        self.phi, self.powers = phi, powers
        self.fixed = () if vgg is None else (vgg,)
        self.dependencies = {} if vgg is None else {"backbone": vgg.digest}

    @torch.no_grad()
    def calibrate(self, true: Iterable[Tensor]) -> None:
        """Measures each layer's power on batches of true images, where φ is a fixed network."""
        if self.fixed:
            device = next(self.fixed[0].parameters()).device
            found = [torch.stack([layer.square().mean() for layer in self.phi(x.to(device))]) for x in true]
            self.powers = list(torch.stack(found).mean(0))

    def __call__(self, restored: Tensor, true: Tensor) -> Tensor:
        """The loss: one number, for float [N, 3, H, W] in [0, 1]."""
        with torch.no_grad():
            wanted = self.phi(true)
        powers = self.powers or [layer.float().square().mean() for layer in wanted]
        layers = zip(self.phi(restored), wanted, powers, strict=True)
        return torch.stack([squared_error(mine, theirs) / power for mine, theirs, power in layers]).mean()


def content_loss(options: Stage2Options, discriminator: SRGANDiscriminator) -> ContentLoss:
    """The content loss that the options ask for."""
    if options.content_of == "pixel":  # the paper's ablation SRGAN-MSE
        return ContentLoss(lambda image: [image], powers=[1.0])
    if options.content_of == "discriminator-features":  # as VAE-GAN compares images (Larsen et al. 2016)
        return ContentLoss(lambda image: [discriminator.halfway(image)])
    vgg = load_vgg(options.backbone, options.pairs(), options.backbone_input)
    return ContentLoss(vgg, vgg=vgg)
