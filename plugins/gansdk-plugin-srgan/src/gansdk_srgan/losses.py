"""The losses of SRGAN's first stage."""

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
