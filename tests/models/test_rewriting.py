"""Rewrites give what the network gave, and leave alone what they cannot keep exact."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gansdk.models.rewriting import convolve_before_shuffling, fold_batch_norm


class Residual(nn.Module):
    """Batch-norm before a sum, a convolution used twice, and one whose output is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.first_norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.shared, self.shared_norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.forked, self.forked_norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.up, self.up_norm = nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.BatchNorm2d(3)

    def forward(self, x):
        x = self.first_norm(self.first(x)) + 1
        x = self.shared_norm(self.shared(x)) + self.shared(x)
        forked = self.forked(x)
        return self.up_norm(self.up(self.forked_norm(forked) + forked))


def with_statistics(network):
    torch.manual_seed(1)
    network.train()
    for _ in range(3):
        network(torch.rand(2, 3, 12, 12))
    return network.eval()


def test_folding_keeps_the_result_and_takes_only_what_is_safe():
    network = with_statistics(Residual())
    x = torch.rand(2, 3, 20, 20)
    expected = network(x)
    assert fold_batch_norm(network) == 2  # first and up; not the shared one, not the forked one
    assert isinstance(network.first_norm, nn.Identity)
    assert isinstance(network.shared_norm, nn.BatchNorm2d)
    assert torch.allclose(network(x), expected, atol=1e-5)


def test_a_network_that_cannot_be_traced_stays_as_it_is():
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x):
            return self.norm(self.conv(x)) if x.sum() > 0 else x

    network = with_statistics(Branching())
    assert fold_batch_norm(network) == 0
    assert isinstance(network.norm, nn.BatchNorm2d)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("size", "factor", "outputs"), [(1, 2, 3), (3, 2, 3), (5, 2, 3), (7, 2, 1), (9, 2, 3), (3, 3, 1), (5, 4, 1)]
)
def test_a_convolution_moved_before_the_shuffle_gives_the_same(size, factor, outputs, bias):
    torch.manual_seed(2)
    tail = nn.Conv2d(5, outputs, size, padding=size // 2, bias=bias)
    network = nn.Sequential(nn.Conv2d(2, 5 * factor**2, 1), nn.PixelShuffle(factor), nn.PReLU(), nn.ReLU(), tail).eval()
    x = torch.rand(2, 2, 9, 12)
    expected = network(x)
    state = torch.get_rng_state()
    assert convolve_before_shuffling(network) == 1
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.allclose(network(x), expected, atol=1e-6)
    moved = network[4]
    assert (moved.in_channels, moved.out_channels, moved.kernel_size) == (5, outputs, (size, size))
    assert not any(parameter.requires_grad for parameter in moved.parameters())


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([nn.PixelShuffle(2), nn.Conv2d(5, 5, 3, padding=1)], id="twenty channels fill the vectors anyway"),
        pytest.param([nn.PixelShuffle(2), nn.PReLU(5), nn.Conv2d(5, 3, 3, padding=1)], id="a slope per channel"),
        pytest.param([nn.PixelShuffle(2), nn.Dropout(), nn.Conv2d(5, 3, 3, padding=1)], id="something else between"),
        pytest.param([nn.PixelShuffle(2), nn.Conv2d(5, 3, 3)], id="no padding"),
        pytest.param([nn.PixelShuffle(2), nn.Conv2d(5, 3, 3, padding=1, stride=2)], id="strided"),
        pytest.param([nn.PixelShuffle(2), nn.Conv2d(5, 3, 3, padding=2, dilation=2)], id="dilated"),
        pytest.param([nn.PixelShuffle(2), nn.Conv2d(5, 3, (3, 1), padding=(1, 0))], id="not square"),
        pytest.param([nn.PixelShuffle(2), nn.Conv2d(5, 3, 3, padding=1, padding_mode="reflect")], id="reflecting"),
        pytest.param([nn.PixelShuffle(2), nn.Conv2d(5, 5, 3, padding=1, groups=5)], id="in groups"),
        pytest.param([nn.Conv2d(20, 3, 3, padding=1)], id="no shuffle"),
    ],
)
def test_a_convolution_that_cannot_move_or_gains_nothing_stays(layers):
    network = nn.Sequential(nn.Conv2d(2, 20, 1), *layers).eval()
    x = torch.rand(1, 2, 8, 8)
    expected = network(x)
    assert convolve_before_shuffling(network) == 0
    assert torch.equal(network(x), expected)


def test_a_shuffle_whose_pixels_go_elsewhere_too_stays():
    class Forked(nn.Module):
        def __init__(self):
            super().__init__()
            self.shuffle, self.tail = nn.PixelShuffle(2), nn.Conv2d(1, 3, 3, padding=1)

        def forward(self, x):
            pixels = self.shuffle(x)
            return self.tail(pixels) + pixels

    assert convolve_before_shuffling(Forked()) == 0


def test_a_layer_that_is_called_twice_stays():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.shuffle, self.tail = nn.PixelShuffle(2), nn.Conv2d(1, 3, 3, padding=1)

        def forward(self, x):
            return self.tail(self.shuffle(x)) + self.tail(F.interpolate(x[:, :1], scale_factor=2.0))

    assert convolve_before_shuffling(Shared()) == 0
