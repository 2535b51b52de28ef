"""The losses of SRGAN, by the equations of Ledig et al. (CVPR 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

if TYPE_CHECKING:
    from torch import Tensor


def squared_error(restored: Tensor, true: Tensor) -> Tensor:
    """The pixel-wise MSE loss, equation 4: the mean of squared differences over all pixels and channels."""
    return F.mse_loss(restored.float(), true.float())


def absolute_error(restored: Tensor, true: Tensor) -> Tensor:
    """The mean of absolute differences, which later work found to give a higher PSNR (Lim et al. 2017, section 3)."""
    return F.l1_loss(restored.float(), true.float())


PIXEL_LOSSES = {"mse": squared_error, "l1": absolute_error}
"""By the name that the option ``loss`` has."""


def feature_error(restored: Tensor, true: Tensor, power: Tensor | float = 1.0) -> Tensor:
    """The content loss on features φ, equation 5, as a mean over positions and channels.

    Args:
        restored: φ(G(I^LR)).
        true: φ(I^HR), of the same shape.
        power: Mean of φ² over true images. Divided by it, the loss is a share: 0 for equal features, about 2 for
            unrelated ones, whatever the scale of the layer. (The paper divides VGG19's features by 12.75.)
    """
    return F.mse_loss(restored.float(), true.float()) / power


def adversarial(fake: Tensor) -> Tensor:
    """The generator's adversarial loss, equation 6: −log D(G(I^LR)), from the logits of generated images."""
    return F.softplus(-fake.float()).mean()


def real_as_real(real: Tensor) -> Tensor:
    """The discriminator's half of equation 2 for real images: −log D(I^HR), from their logits."""
    return F.softplus(-real.float()).mean()


def fake_as_fake(fake: Tensor) -> Tensor:
    """Its half for generated ones: −log(1 − D(G(I^LR))), from their logits."""
    return F.softplus(fake.float()).mean()
