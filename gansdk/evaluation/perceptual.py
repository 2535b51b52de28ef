"""How near images are to real ones in the eyes of a trained network. Pure functions of arrays.

The evaluator is EfficientNet-Lite0 (:mod:`gansdk.backbones.lite0`), which is part of no loss. It looks at 64×64
patches, 48
pixels apart, as they are: nothing is resized. Two figures come of it. They are neither FID nor LPIPS, so they are
compared within one run only, and a Fréchet distance only between equal counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gansdk.backbones.lite0 import EfficientNetLite0

    Floats = NDArray[np.floating]
    from collections.abc import Mapping, Sequence

    import torch

    Patches = NDArray[np.uint8]


SIDE = 64
"""Pixels a side of a patch."""

STRIDE = 48
"""Pixels between patches; they overlap by a quarter of their side, so that 100 images give 5,400 of them."""

_BATCH = 64


class Seen(NamedTuple):
    """What the evaluator sees in patches.

    Attributes:
        levels: Features at the ends of strides 4, 8 and 16, of unit length at each position: float [N, C, h, w] each.
        pooled: float [N, 1280], averaged over positions.
    """

    levels: tuple[Floats, ...]
    pooled: Floats


def patches(image: NDArray[np.uint8], side: int = SIDE, stride: int = STRIDE) -> NDArray[np.uint8]:
    """All square patches whose corners lie on a grid.

    Args:
        image: uint8 [H, W, 3].
        side: Pixels a side.
        stride: Pixels between them.

    Returns:
        uint8 [N, side, side, 3], row by row; none of an image smaller than that.
    """
    if min(image.shape[:2]) < side:
        return np.empty((0, side, side, image.shape[2]), image.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(image, (side, side), axis=(0, 1))[::stride, ::stride]
    return np.ascontiguousarray(windows.transpose(0, 1, 3, 4, 2).reshape(-1, side, side, image.shape[2]))


def see(evaluator: EfficientNetLite0, seen: NDArray[np.uint8]) -> Seen:
    """Shows patches to the evaluator, on the device where it is.

    Args:
        evaluator: As :func:`~gansdk.backbones.lite0.load_lite0` gives it.
        seen: uint8 [N, H, W, 3], at least one.
    """
    import torch

    device = next(evaluator.parameters()).device
    looks = []
    with torch.inference_mode():
        for start in range(0, len(seen), _BATCH):
            part = np.array(seen[start : start + _BATCH])  # a copy: the pixels of an image may be read-only
            batch = torch.from_numpy(part.transpose(0, 3, 1, 2)).to(device)
            looks.append(evaluator.look(batch.float() / 255))
        levels = [
            torch.nn.functional.normalize(torch.cat(one), dim=1) for one in zip(*(x.levels for x in looks), strict=True)
        ]
        pooled = torch.cat([look.pooled for look in looks])
    return Seen(tuple(level.cpu().numpy() for level in levels), pooled.cpu().numpy())


def feature_distance(first: Seen, second: Seen) -> Floats:
    """PD-Lite0: how far images are from the true ones, patch by patch; 0 for equal ones, 4 at most.

    The squared distance of the two unit vectors at each position, summed over channels; the mean of that over
    positions, then over the three levels.

    Returns:
        float [N].
    """
    levels = zip(first.levels, second.levels, strict=True)
    each = [((one.astype(np.float64) - other) ** 2).sum(axis=1).mean(axis=(1, 2)) for one, other in levels]
    return np.asarray(np.mean(each, axis=0))


CLASSIFIER_SIDE = 48
"""Pixels a side of a patch; patches do not overlap."""

STEPS = 500
BATCH = 64
_WIDTHS = (32, 64, 64, 64)


def held_out_accuracy(
    real: Mapping[str, Patches], made: Mapping[str, Patches], *, seed: int, device: torch.device
) -> dict[str, float]:
    """Trains a fresh network on every other image's patches and asks it about those of the rest.

    Four 3×3 convolutions with stride 2, a mean over positions and one logit: 0.1 M parameters, 500 steps of Adam on
    64 patches, half of them real, all flipped at random.

    Args:
        real: By image, uint8 [N, 48, 48, 3].
        made: The same images' patches as the model makes them, alike in number.
        seed: Where its weights and batches start.
        device: Where to compute.

    Returns:
        By held-out image, the share of its patches, real and made, that were told right: 0.5 is chance.
    """
    import torch

    names = sorted(real)
    taught, asked = names[0::2], names[1::2]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), torch.inference_mode(False):
        torch.manual_seed(seed)
        network = _network().to(device=device, memory_format=torch.channels_last)
        _train(network, _joined(real, taught), _joined(made, taught), np.random.default_rng(seed), device)
        network.eval()
        with torch.no_grad():
            return {name: _accuracy(network, real[name], made[name], device) for name in asked}


def _network() -> Any:
    from torch import nn

    layers: list[nn.Module] = []
    before = 3
    for width in _WIDTHS:
        layers += [nn.Conv2d(before, width, 3, 2, 1), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
        before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1))


def _train(network: Any, real: Patches, made: Patches, random: np.random.Generator, device: torch.device) -> None:
    import torch
    from torch.nn.functional import softplus

    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-3, total_steps=STEPS)
    for _ in range(STEPS):
        drawn = [each[random.integers(len(each), size=BATCH // 2)] for each in (real, made)]
        patches = _flipped(np.concatenate(drawn), random)
        logits = network(_tensor(patches, device))[:, 0]
        loss = softplus(-logits[: BATCH // 2]).mean() + softplus(logits[BATCH // 2 :]).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()


def _flipped(patches: Patches, random: np.random.Generator) -> Patches:
    """Each patch mirrored or not, and turned by a quarter or not."""
    turned = [np.rot90(patch, int(random.integers(4))) for patch in patches]
    return np.stack([patch[:, ::-1] if random.integers(2) else patch for patch in turned])


def _accuracy(network: Any, real: Patches, made: Patches, device: torch.device) -> float:
    right = float((network(_tensor(real, device)) > 0).float().mean())
    return (right + float((network(_tensor(made, device)) <= 0).float().mean())) / 2


def _tensor(patches: Patches, device: torch.device) -> torch.Tensor:
    import torch

    numbers = torch.from_numpy(np.ascontiguousarray(patches.transpose(0, 3, 1, 2))).to(device)
    return numbers.float().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)


def _joined(patches: Mapping[str, Patches], names: Sequence[str]) -> Patches:
    return np.concatenate([patches[name] for name in names])
