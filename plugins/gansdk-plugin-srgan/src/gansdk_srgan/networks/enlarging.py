"""Enlarging without a network, and how that widens what a pixel can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def enlarge(image: Tensor, scale: int) -> Tensor:
    """Bilinear interpolation with the image's rim repeated outwards, as ``F.interpolate`` without aligned corners.

    Written as products and sums of whole images, because library kernels round differently by position and size:
    here any part of an image is enlarged to the very same numbers as the whole.
    """
    return _enlarge_along(3, _enlarge_along(2, image, scale), scale)


def _enlarge_along(dim: int, image: Tensor, scale: int) -> Tensor:
    size = image.shape[dim]
    before = torch.cat([image.narrow(dim, 0, 1), image.narrow(dim, 0, size - 1)], dim)
    after = torch.cat([image.narrow(dim, 1, size - 1), image.narrow(dim, size - 1, 1)], dim)
    offsets = [(index + 0.5) / scale - 0.5 for index in range(scale)]  # of output pixels from their input pixel
    phases = [image * (1 - abs(at)) + (before if at < 0 else after) * abs(at) for at in offsets]
    return torch.stack(phases, dim + 1).flatten(dim, dim + 1)


def doublings(scale: int) -> int:
    """How many times a size doubles on its way to ``scale``, a power of two."""
    return scale.bit_length() - 1


def radius_before(radius: int, factor: int) -> int:
    """A radius after enlarging by a whole factor, in pixels before it.

    All that belongs to one pixel before counts as one, so a radius of r becomes one of ⌈r / factor⌉.
    """
    return -(-radius // factor)
