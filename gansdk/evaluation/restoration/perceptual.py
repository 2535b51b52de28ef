"""How near pictures are to real ones in the eyes of a trained network. Pure functions of arrays.

The judge is EfficientNet-Lite0 (:mod:`gansdk.trunks.lite0`), which is part of no loss. It looks at 64×64 patches, 48
pixels apart, as they are: nothing is resized. Two figures come of it. They are neither FID nor LPIPS, so they are
compared within one run only, and a Fréchet distance only between equal counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gansdk.trunks.lite0 import EfficientNetLite0

    Floats = NDArray[np.floating]

SIDE = 64
"""Pixels a side of a patch."""

STRIDE = 48
"""Pixels between patches; they overlap by a quarter of their side, so that 100 pictures give 5,400 of them."""

_BATCH = 64


class Seen(NamedTuple):
    """What the judge sees in patches.

    Attributes:
        levels: Features at the ends of strides 4, 8 and 16, of unit length at each position: float [N, C, h, w] each.
        pooled: float [N, 1280], averaged over positions.
    """

    levels: tuple[Floats, ...]
    pooled: Floats


def patches(picture: NDArray[np.uint8], side: int = SIDE, stride: int = STRIDE) -> NDArray[np.uint8]:
    """All square patches whose corners lie on a grid.

    Args:
        picture: uint8 [H, W, 3].
        side: Pixels a side.
        stride: Pixels between them.

    Returns:
        uint8 [N, side, side, 3], row by row; none of a picture smaller than that.
    """
    if min(picture.shape[:2]) < side:
        return np.empty((0, side, side, picture.shape[2]), picture.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(picture, (side, side), axis=(0, 1))[::stride, ::stride]
    return np.ascontiguousarray(windows.transpose(0, 1, 3, 4, 2).reshape(-1, side, side, picture.shape[2]))


def see(judge: EfficientNetLite0, seen: NDArray[np.uint8]) -> Seen:
    """Shows patches to the judge, on the device where it is.

    Args:
        judge: As :func:`~gansdk.trunks.lite0.load_lite0` gives it.
        seen: uint8 [N, H, W, 3], at least one.
    """
    import torch

    device = next(judge.parameters()).device
    looks = []
    with torch.inference_mode():
        for start in range(0, len(seen), _BATCH):
            part = np.array(seen[start : start + _BATCH])  # a copy: the pixels of an image may be read-only
            batch = torch.from_numpy(part.transpose(0, 3, 1, 2)).to(device)
            looks.append(judge.look(batch.float() / 255))
        levels = [
            torch.nn.functional.normalize(torch.cat(one), dim=1) for one in zip(*(x.levels for x in looks), strict=True)
        ]
        pooled = torch.cat([look.pooled for look in looks])
    return Seen(tuple(level.cpu().numpy() for level in levels), pooled.cpu().numpy())


def feature_distance(first: Seen, second: Seen) -> Floats:
    """PD-Lite0: how far pictures are from the true ones, patch by patch; 0 for equal ones, 4 at most.

    The squared distance of the two unit vectors at each position, summed over channels; the mean of that over
    positions, then over the three levels.

    Returns:
        float [N].
    """
    levels = zip(first.levels, second.levels, strict=True)
    each = [((one.astype(np.float64) - other) ** 2).sum(axis=1).mean(axis=(1, 2)) for one, other in levels]
    return np.asarray(np.mean(each, axis=0))
