"""Can a network be taught to tell a model's pictures from real ones? The judge that no training has ever seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from numpy.typing import NDArray

    Patches = NDArray[np.uint8]

SIDE = 48
"""Pixels a side of a patch; patches do not overlap."""

STEPS = 500
BATCH = 64
_WIDTHS = (32, 64, 64, 64)


def held_out_accuracy(
    real: Mapping[str, Patches], made: Mapping[str, Patches], *, seed: int, device: torch.device
) -> dict[str, float]:
    """Trains a fresh network on every other picture's patches and asks it about those of the rest.

    Four 3×3 convolutions with stride 2, a mean over positions and one logit: 0.1 M parameters, 500 steps of Adam on
    64 patches, half of them real, all flipped at random.

    Args:
        real: By picture, uint8 [N, 48, 48, 3].
        made: The same pictures' patches as the model makes them, alike in number.
        seed: Where its weights and batches start.
        device: Where to compute.

    Returns:
        By held-out picture, the share of its patches, real and made, that were told right: 0.5 is chance.
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
