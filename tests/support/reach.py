"""How far a pixel acts in a network, by gradients: what a declared receptive field is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn


def reach(network: nn.Module, *, scale: int, radius: int, multiple: int = 1, channels: int = 3) -> tuple[int, int]:
    """The farthest input pixels that all output pixels of one input pixel depend on, before and after it.

    Args:
        network: Takes [1, C, H, W]; its parameters are changed so that nothing cancels.
        scale: Of its output.
        radius: What is declared; the image is a little larger than that.
        multiple: Of the sizes that the network takes; each pixel of such a square is tried.
        channels: Of its input.
    """
    network = network.double().eval()
    for name, parameter in network.named_parameters():
        parameter.data.uniform_(0.1, 1)
        if name.endswith("weight") and parameter.dim() == 4:
            parameter.data /= parameter[0].numel()  # deep networks must not overflow
    middle = (radius // multiple + 2) * multiple
    side = 2 * middle + multiple
    image = torch.rand(1, channels, side, side, dtype=torch.double, requires_grad=True)
    output = network(image)
    before, after = 0, 0
    for at in range(middle, middle + multiple):
        block = output[..., scale * at : scale * (at + 1), scale * at : scale * (at + 1)]
        (gradient,) = torch.autograd.grad(block.sum(), image, retain_graph=True)
        rows = gradient.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
        before, after = max(before, at - int(rows.min())), max(after, int(rows.max()) - at)
    return before, after
