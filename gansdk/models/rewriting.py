"""Exact rewrites that make a network faster: the same sums, in fewer or cheaper steps.

Each changes a network's modules in place and leaves its code alone. What feeds what is read off a symbolic trace. A
network that cannot be traced (its path depends on its data) stays as it is: this is for speed, and right results
come first.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any

from torch import fx, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


_KERNEL_CHANNELS = 16
"""Output channels that a CPU's convolution works on at one time; fewer cost as much."""


def fold_batch_norm(network: nn.Module) -> int:
    """Folds each batch-norm into the convolution that alone feeds it, in place.

    Returns:
        How many were folded.
    """
    folded = 0
    calls = _Calls(network)
    for node in calls.of(nn.BatchNorm1d | nn.BatchNorm2d):
        source = calls.alone_before(node)
        if source is None or not calls.calls(source, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d):
            continue
        convolution, norm = calls.module(source), calls.module(node)
        fused = fuse_conv_bn_eval(convolution, norm, isinstance(convolution, nn.ConvTranspose2d))
        network.set_submodule(str(source.target), fused)
        network.set_submodule(str(node.target), nn.Identity())
        folded += 1
    return folded


def convolve_before_shuffling(network: nn.Module) -> int:
    """Computes a convolution of few channels before the pixel shuffle that feeds it, in place.

    A kernel over shuffled pixels is a smaller kernel over the channels that they were shuffled from, with r² times
    the outputs. Three outputs leave most of a processor's vectors unused and twelve fill them: measured for 64
    channels into RGB, shuffle and convolution took 2.1 times as long with a kernel of 3×3, 3.5 times with 9×9.

    Returns:
        How many convolutions were moved.
    """
    moved = 0
    calls = _Calls(network)
    for node in calls.of(nn.Conv2d):
        source = calls.alone_before(node)
        while source is not None and _acts_alike_everywhere(calls.module(source)):
            source = calls.alone_before(source)
        if source is None or not calls.calls(source, nn.PixelShuffle):
            continue
        convolution, factor = calls.module(node), calls.module(source).upscale_factor
        if _can_move(convolution, factor):
            network.set_submodule(str(source.target), nn.Identity())
            network.set_submodule(str(node.target), _Moved(convolution, factor))
            moved += 1
    return moved


class _Calls:
    """What a network calls, as far as it can be traced."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        try:
            nodes = list(fx.Tracer().trace(network).nodes)
        except Exception:  # noqa: BLE001 - a tracer raises whatever the traced code raises
            nodes = []
        self._nodes = [node for node in nodes if node.op == "call_module"]
        self._counts = Counter(str(node.target) for node in self._nodes)

    def of(self, kind: Any) -> Iterator[fx.Node]:
        """Calls of modules of a kind, each the only one of its module."""
        return (node for node in self._nodes if self.calls(node, kind))

    def calls(self, node: fx.Node, kind: Any) -> bool:
        """Whether it is the only call of a module of a kind."""
        return self._counts[str(node.target)] == 1 and isinstance(self.module(node), kind)

    def module(self, node: fx.Node) -> Any:
        """What is called."""
        return self._network.get_submodule(str(node.target))

    def alone_before(self, node: fx.Node) -> fx.Node | None:
        """The call whose result goes here and nowhere else."""
        source = node.args[0]
        if isinstance(source, fx.Node) and source.op == "call_module" and len(source.users) == 1:
            return source
        return None


class _Moved(nn.Conv2d):
    """A convolution of shuffled pixels, as one of the channels before the shuffle.

    What it says of itself (its kernel's size, its channels) stays that of the convolution that it stands for: a
    network's code may ask.
    """

    def __init__(self, convolution: nn.Conv2d, factor: int) -> None:
        size = convolution.kernel_size[0]
        channels = (convolution.in_channels, convolution.out_channels)
        super().__init__(*channels, size, padding=size // 2, bias=False, device="meta")  # draws no random numbers
        self.radius = -(-(size // 2) // factor)
        self.factor = factor
        weight = _before_shuffling(convolution.weight, factor, self.radius)
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None
        if convolution.bias is not None:
            self.bias = nn.Parameter(convolution.bias.repeat_interleave(factor**2), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C·r², H, W] to [N, outputs, r·H, r·W]."""
        return F.pixel_shuffle(F.conv2d(x, self.weight, self.bias, padding=self.radius), self.factor)


def _before_shuffling(weight: Tensor, factor: int, radius: int) -> Tensor:
    """The kernel [outputs·r², C·r², 2·radius + 1, …] that gives every one of the r² output pixels of a position."""
    outputs, inputs, size, _ = weight.shape
    side = 2 * radius + 1
    kernel = weight.new_zeros(outputs, factor, factor, inputs, factor, factor, side, side)
    shifts = range(-(size // 2), size // 2 + 1)
    for down, right in product(range(factor), repeat=2):
        for (i, y), (j, x) in product(enumerate(shifts), repeat=2):
            row, in_row = divmod(down + y, factor)
            column, in_column = divmod(right + x, factor)
            kernel[:, down, right, :, in_row, in_column, row + radius, column + radius] = weight[:, :, i, j]
    return kernel.reshape(outputs * factor**2, inputs * factor**2, side, side)


def _can_move(convolution: nn.Conv2d, factor: int) -> bool:
    size = convolution.kernel_size[0]
    return (
        convolution.out_channels * factor**2 <= _KERNEL_CHANNELS
        and convolution.kernel_size == (size, size)
        and size % 2 == 1
        and convolution.padding == (size // 2, size // 2)
        and convolution.padding_mode == "zeros"
        and convolution.stride == convolution.dilation == (1, 1)
        and convolution.groups == 1
    )


def _acts_alike_everywhere(module: nn.Module | None) -> bool:
    """Whether it treats every number alike, so that it commutes with a shuffle."""
    if isinstance(module, nn.PReLU):
        return module.num_parameters == 1
    return isinstance(module, nn.ReLU | nn.LeakyReLU | nn.Identity)
