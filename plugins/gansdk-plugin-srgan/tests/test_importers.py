"""Public weights: what they compute is the same here, and nothing is taken that does not fit entirely."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import published
import pytest
import torch
from command import Gansdk
from PIL import Image as PILImage

import gansdk
from gansdk_srgan import IMPORTER
from gansdk_srgan.importers import LAYOUTS, recognise
from gansdk_srgan.model import networks

if TYPE_CHECKING:
    from pathlib import Path

OLD_NAMES = ("conv_block1", "conv_block2", "conv_block3")

PUBLISHED = {
    "srresnet-2022-x4": lambda: published.SRGANGenerator(names=OLD_NAMES),
    "srresnet-2022-x2": lambda: published.SRGANGenerator(doublings=1, names=OLD_NAMES, blocks=1),
    "srresnet-later-x8": lambda: published.SRGANGenerator(doublings=3, blocks=2),
    "srresnet-grey": lambda: published.SRGANGenerator(channels=1),
    "msrresnet-x2": lambda: published.MSRResNet(scale=2),
    "msrresnet-x3": lambda: published.MSRResNet(scale=3, blocks=1),
    "msrresnet-x4": lambda: published.MSRResNet(width=12),
    "esrgan-first-x1": lambda: published.FirstRRDBNet(ups=0),
    "esrgan-first-x2": lambda: published.FirstRRDBNet(ups=1),
    "esrgan-first-x4": published.FirstRRDBNet,
    "esrgan-first-x8": lambda: published.FirstRRDBNet(ups=3, blocks=1),
    "esrgan-x4": lambda: published.RRDBNet(esrgan=True, blocks=3),
    "esrgan-x2": lambda: published.RRDBNet(esrgan=True, ups=1),  # BSRGAN's
    "real-esrgan-x4-6": lambda: published.RRDBNet(width=6, growth=3, blocks=6),
    "real-esrgan-x4-23": lambda: published.RRDBNet(width=4, growth=2, blocks=23),
    "real-esrgan-x2-23": lambda: published.RRDBNet(width=4, growth=2, blocks=23, unshuffle=2),
    "real-esrgan-x1-6": lambda: published.RRDBNet(width=4, growth=2, blocks=6, unshuffle=4),
    "real-esrgan-grey-x2": lambda: published.RRDBNet(channels=1, unshuffle=2),
    "compact-x4": published.SRVGGNetCompact,
    "compact-x2": lambda: published.SRVGGNetCompact(scale=2, convs=0),
    "compact-x3": lambda: published.SRVGGNetCompact(scale=3, width=5),
    "compact-x1": lambda: published.SRVGGNetCompact(scale=1),
}


def options_of(recognised: gansdk.Recognised):
    from pydantic import TypeAdapter

    from gansdk_srgan.architectures import NetworkOptions

    return TypeAdapter(NetworkOptions).validate_python(recognised.network)


def converted(recognised: gansdk.Recognised) -> torch.nn.Module:
    """Our network, filled strictly."""
    (network,) = networks(options_of(recognised)).values()
    network.load_state_dict({key.removeprefix("generator."): value for key, value in recognised.tensors.items()})
    return network.eval()


@pytest.mark.parametrize("name", PUBLISHED)
@torch.inference_mode()
def test_a_converted_network_computes_what_the_published_one_does(name: str) -> None:
    theirs = published.trained(PUBLISHED[name]())
    recognised = recognise(theirs.state_dict())
    assert recognised is not None
    generator = recognised.facts.generator
    assert generator is not None
    image = torch.rand(2, generator.source.channels, 12, 16)
    expected, got = theirs(image), converted(recognised)(image)
    assert expected.std() > 0.01
    assert got.shape == (2, generator.output.channels, 12 * generator.output.scale, 16 * generator.output.scale)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
    if name[-3:-1] == "-x":
        assert generator.output.scale == int(name[-1])


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("srresnet-2022-x4", "SRResNet of SRGAN-PyTorch, 2022"),
        ("srresnet-later-x8", "SRResNet of SRGAN-PyTorch"),
        ("msrresnet-x4", "MSRResNet of BasicSR"),
        ("esrgan-first-x4", "RRDBNet of ESRGAN, first naming"),
        ("esrgan-x4", "RRDBNet of ESRGAN"),
        ("real-esrgan-x2-23", "RRDBNet of BasicSR and Real-ESRGAN"),
        ("compact-x4", "SRVGGNetCompact of Real-ESRGAN"),
    ],
)
def test_each_layout_is_told_from_the_others(name: str, layout: str) -> None:
    recognised = recognise(PUBLISHED[name]().state_dict())
    assert recognised is not None
    assert recognised.layout == layout
    marked = [one.name for one in LAYOUTS if all(mark in PUBLISHED[name]().state_dict() for mark in one.marks)]
    assert marked == [layout]


def test_what_the_plugin_says_it_knows_is_what_it_knows() -> None:
    assert IMPORTER.layouts == tuple(layout.name for layout in LAYOUTS)


def test_sizes_come_from_shapes() -> None:
    recognised = recognise(published.RRDBNet(width=10, growth=6, blocks=4, unshuffle=2).state_dict())
    assert recognised is not None
    assert recognised.network == {
        "architecture": "rrdb",
        "channels": 3,
        "scale": 2,
        "unshuffle": 2,
        "features": 10,
        "growth": 6,
        "blocks": 4,
    }
    assert recognised.facts.generator is not None
    assert recognised.facts.generator.source.size.multiple == 2


def test_the_three_names_of_rrdbnet_are_names_of_one_network() -> None:
    """From the newest naming to the first and back, by the table of methods: the same tensors at the same places."""
    new = published.trained(published.RRDBNet(blocks=2)).state_dict()
    old = {_first_name(key, blocks=2): value for key, value in new.items()}
    assert set(old) == set(published.FirstRRDBNet(blocks=2).state_dict())
    middle = {_middle_name(key): value for key, value in new.items()}
    assert set(middle) == set(published.RRDBNet(blocks=2, esrgan=True).state_dict())
    results = [recognise(tensors) for tensors in (new, old, middle)]
    for one in results:
        assert one is not None
        assert one.network == results[0].network  # type: ignore[union-attr]
        for key, value in one.tensors.items():
            assert value is results[0].tensors[key]  # type: ignore[union-attr]


def _first_name(key: str, blocks: int) -> str:
    key = re.sub(r"body\.(\d+)\.rdb(\d)\.conv(\d)", r"model.1.sub.\1.RDB\2.conv\3.0", key)
    numbers = {
        "conv_first": "model.0",
        "conv_body": f"model.1.sub.{blocks}",
        "conv_up1": "model.3",
        "conv_up2": "model.6",
        "conv_hr": "model.8",
        "conv_last": "model.10",
    }
    for name, number in numbers.items():
        key = key.replace(name + ".", number + ".")
    return key


def _middle_name(key: str) -> str:
    key = re.sub(r"body\.(\d+)\.rdb(\d)", r"RRDB_trunk.\1.RDB\2", key)
    return key.replace("conv_body", "trunk_conv").replace("conv_up", "upconv").replace("conv_hr", "HRconv")


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - {"real-esrgan-x4-23", "real-esrgan-x2-23"}))
def test_a_missing_tensor_and_one_too_many_are_refused_by_name(name: str) -> None:
    whole = PUBLISHED[name]().state_dict()
    marks = {mark for layout in LAYOUTS for mark in layout.marks}
    needed = [key for key in whole if not key.endswith("num_batches_tracked")]
    for key in (needed[1], needed[len(needed) // 2], needed[-2], needed[-1]):
        refused = _refusal({other: value for other, value in whole.items() if other != key})
        # Without a mark it is not this layout at all, which the core then says.
        assert key in marks if refused is None else "lacks" in refused
    assert "has 'extra.weight' beyond it" in str(_refusal({**whole, "extra.weight": torch.zeros(1)}))


def _refusal(tensors: dict[str, torch.Tensor]) -> str | None:
    try:
        assert recognise(tensors) is None
    except gansdk.InputError as error:
        return error.message
    return None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conv_last.weight": torch.zeros(2, 8, 3, 3)}, "3 channels come in and 2 go out"),
        ({"conv_first.weight": torch.zeros(600, 3, 3, 3)}, "features 600: Input should be less than or equal to 512"),
        ({"conv_first.weight": torch.zeros(8)}, "'conv_first.weight' is not a convolution"),
        ({"body.70.rdb1.conv1.weight": torch.zeros(1)}, "blocks 71"),
    ],
)
def test_sizes_that_no_network_has_are_refused(change: dict[str, torch.Tensor], said: str) -> None:
    tensors = {**published.RRDBNet().state_dict(), **change}
    with pytest.raises(gansdk.InputError, match=re.escape(said)):
        recognise(tensors)


def test_a_compact_network_whose_last_layer_is_no_square_is_refused() -> None:
    tensors = published.SRVGGNetCompact(scale=1).state_dict()
    last = max(tensors)
    tensors = {**tensors, last.replace("bias", "weight"): torch.zeros(24, 8, 3, 3)}
    with pytest.raises(gansdk.InputError, match="24 channels, not 3 times a square"):
        recognise(tensors)


def test_other_networks_are_not_taken_for_one_of_these() -> None:
    assert recognise({}) is None
    assert recognise({"body.0.weight": torch.zeros(4, 4), "body.1.weight": torch.zeros(4)}) is None
    edsr = {"conv_first.weight": torch.zeros(8, 3, 3, 3), "body.0.conv1.weight": torch.zeros(8, 8, 3, 3)}
    assert recognise(edsr) is None


def test_batch_normalisation_without_a_counter_is_whole() -> None:
    theirs = published.trained(published.SRGANGenerator())
    tensors = {key: value for key, value in theirs.state_dict().items() if "num_batches" not in key}
    recognised = recognise(tensors)
    assert recognised is not None
    image = torch.rand(1, 3, 9, 9)
    torch.testing.assert_close(converted(recognised)(image), theirs(image), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["esrgan-first-x1", "real-esrgan-x1-6", "compact-x1"])
def test_a_model_that_keeps_the_size_is_imported_and_used(name: str, tmp_path: Path) -> None:
    theirs = published.trained(PUBLISHED[name]())
    torch.save({"params_ema": theirs.state_dict()}, tmp_path / "1x.pth")
    command = Gansdk(home=tmp_path / "home", cwd=tmp_path)
    done = command("import", "1x.pth", "-o", "model", "--licence", "MIT", "--no-measure")
    assert done.code == 0, done.err
    assert "for restore" in done.err
    pixels = np.random.default_rng(0).integers(0, 256, (20, 28, 3), dtype=np.uint8)
    PILImage.fromarray(pixels).save(tmp_path / "photo.png")
    done = command("run", "restore", "photo.png", "--model", "model/", "-o", "clean.png")
    assert done.code == 0, done.err
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255).clamp(0, 1)
    with PILImage.open(tmp_path / "clean.png") as clean:
        got = np.asarray(clean).astype(int)
    assert np.abs(got - (expected[0].permute(1, 2, 0) * 255).round().numpy()).max() <= 1
    refused = command("run", "superres", "photo.png", "--model", "model/", "-o", "large.png")
    assert refused.code == 2
    assert "its generator gives no larger image" in refused.err
