"""Batch normalisation that stays as the first stage left it (Ledig et al., section 3.2)."""

from __future__ import annotations

from typing import Self

from torch import nn


class FrozenBatchNorm2d(nn.BatchNorm2d):
    """Normalises by its running statistics, in training too; its scale and shift still learn."""

    def train(self, mode: bool = True) -> Self:
        """Stays in eval mode."""
        return super().train(False)


def freeze_batch_norm(network: nn.Module) -> None:
    """Puts frozen layers in the place of all batch-norm layers, with their parameters and statistics."""
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.BatchNorm2d):
            frozen = FrozenBatchNorm2d(layer.num_features, layer.eps)
            frozen.load_state_dict(layer.state_dict())
            network.set_submodule(name, frozen.eval())
