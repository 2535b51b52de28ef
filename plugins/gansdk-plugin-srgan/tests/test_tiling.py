"""Tiled equals whole for every architecture, as far as its facts promise; sizes that a network does not take too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from published import trained

from gansdk.models.context import Context
from gansdk.models.runtime import Placement, prepare
from gansdk.models.tiling import upscale
from gansdk_srgan.architectures import Architecture, CompactOptions, MSRResNetOptions, RRDBOptions, SRResNetOptions
from gansdk_srgan.model import assemble, facts, networks

SMALL = {
    "srresnet": SRResNetOptions(features=8, blocks=2, up_features=8),
    "msrresnet-x2": MSRResNetOptions(scale=2, features=8, blocks=2),
    "msrresnet-x3": MSRResNetOptions(scale=3, features=8, blocks=2),
    "msrresnet-x4": MSRResNetOptions(features=8, blocks=2),
    "rrdb-x1": RRDBOptions(scale=1, features=8, growth=4, blocks=1),
    "rrdb-x4": RRDBOptions(features=8, growth=4, blocks=1),
    "rrdb-x2-unshuffled": RRDBOptions(scale=2, unshuffle=2, features=8, growth=4, blocks=1),
    "rrdb-x1-unshuffled": RRDBOptions(scale=1, unshuffle=4, features=8, growth=4, blocks=1),
    "compact-x2": CompactOptions(scale=2, features=8, convolutions=3),
    "compact-x3": CompactOptions(scale=3, features=8, convolutions=3),
}


class Counting:
    """A model's generator that remembers the windows it was given."""

    def __init__(self, options: Architecture) -> None:
        self.facts = facts(options)
        network = trained(networks(options)["generator"])
        spread(network)
        call = prepare(network, Placement(torch.device("cpu"), "fp32"))
        self._generator = assemble({"generator": call}, self.facts).generator
        self.windows: list[torch.Size] = []

    def generate(self, source):
        self.windows.append(source["image"].shape[2:])
        with torch.inference_mode():
            return self._generator.generate(source)

    def __call__(self, pixels, tile):
        self.windows = []
        return upscale(self, self.facts.generator, pixels, Context(), tile)


@torch.inference_mode()
def spread(network: torch.nn.Module) -> None:
    """Lets the last convolution give numbers all over [0, 1], so that clamping hides nothing."""
    *_, last = (module for module in network.modules() if isinstance(module, torch.nn.Conv2d))
    outputs = network(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)))
    last.weight *= 0.2 / outputs.std()
    last.bias += 0.5 - network(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))).mean()


def image(height: int, width: int, seed: int = 0):
    """Noise of 16 bits: what differs in the last bits of a float shows in some of its pixels."""
    return np.random.default_rng(seed).integers(0, 2**16, (height, width, 3), dtype=np.uint16)


@pytest.mark.parametrize("name", SMALL)
def test_tiled_is_bit_for_bit_the_whole(name: str) -> None:
    """Windows are so large that a network that unshuffles sees 64 pixels a side, too, whatever kernel is picked."""
    options = SMALL[name]
    shuffled = options.unshuffle if isinstance(options, RRDBOptions) else 1
    generator = Counting(options)
    pixels = image(150 * shuffled + 3, 170 * shuffled + 1)
    whole = generator(pixels, "off")
    tiled = generator(pixels, 110 * shuffled)
    assert len(generator.windows) > 1
    assert min(min(window) for window in generator.windows) >= 64 * shuffled
    assert all(side % shuffled == 0 for window in generator.windows for side in window)
    assert whole.std() > 2_000
    assert np.array_equal(tiled, whole)


@pytest.mark.parametrize("unshuffle", [2, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 7), (33, 66), (61, 30)])
def test_odd_sizes_are_padded_by_their_rims_and_cut(unshuffle: int, height: int, width: int) -> None:
    options = RRDBOptions(scale=4 // unshuffle, unshuffle=unshuffle, features=8, growth=4, blocks=1)
    generator, pixels = Counting(options), image(height, width)
    result = generator(pixels, "off")
    padded = np.pad(pixels, ((0, -height % unshuffle), (0, -width % unshuffle), (0, 0)), mode="edge")
    assert result.shape == (height * options.scale, width * options.scale, 3)
    expected = generator(padded, "off")[: height * options.scale, : width * options.scale]
    assert np.array_equal(result, expected)


@pytest.mark.parametrize("name", ["rrdb-x2-unshuffled", "rrdb-x1-unshuffled"])
def test_windows_that_are_not_aligned_would_show(name: str) -> None:
    """The test above can fail: a window that begins inside a square of pixels gives another image."""
    generator, pixels = Counting(SMALL[name]), image(160, 160)
    scale, rim = generator.facts.generator.output.scale, 64
    whole = generator(pixels, "off")[rim * scale : -rim * scale, rim * scale : -rim * scale]
    aligned = generator(pixels[8:, 8:], "off")[(rim - 8) * scale : -rim * scale, (rim - 8) * scale : -rim * scale]
    moved = generator(pixels[9:, 9:], "off")[(rim - 9) * scale : -rim * scale, (rim - 9) * scale : -rim * scale]
    assert np.array_equal(aligned, whole)
    assert np.abs(moved.astype(int) - whole).max() > 1_000
