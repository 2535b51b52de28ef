"""The second stage, on tiny images: its content losses, its two players, what it starts from and what it keeps."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PILImage
from safetensors.torch import load_file, save_file
from torch import nn

import gansdk
import gansdk.training
from gansdk_srgan import METHOD
from gansdk_srgan.losses import content_loss
from gansdk_srgan.networks.srresnet import FrozenBatchNorm2d, SRGANDiscriminator, freeze_batch_norm
from gansdk_srgan.options import Stage2Options
from gansdk_srgan.recipe import Stage2

FIRST = {
    "features": 8,
    "blocks": 1,
    "up_features": 4,
    "head_kernel": 3,
    "tail_kernel": 3,
    "batch": 2,
    "patch": 8,
    "steps": 2,
}
SECOND = {"batch": 2, "patch": 8, "steps": 3, "discriminator_features": 4, "discriminator_hidden": 8}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """So little to compute that threads would spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(2):
        noise = np.random.default_rng(index).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        PILImage.fromarray(noise).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def first(tmp_path: Path, photos: Path) -> Path:
    """A finished first stage with batch-norm, as the paper has it."""
    train("paper", tmp_path / "first", photos, FIRST)
    return tmp_path / "first"


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    """A file with the keys of VGG16 and random weights."""
    torch.manual_seed(0)
    network = gansdk.VGG(layers=[(5, 3)])
    save_file(network.state_dict(), tmp_path / "vgg16.safetensors")
    return tmp_path / "vgg16.safetensors"


def train(config: str, run: Path, photos: Path, options: dict[str, object]) -> None:
    gansdk.training.train(METHOD, config, run, data={"": str(photos)}, options=options, device="cpu", threads=1)


def second(first: Path, **changes: object) -> Stage2Options:
    return Stage2Options(**{**SECOND, "init_from": str(first), "content_of": "pixel", **changes})


def test_the_loop_takes_it_from_a_first_stage_to_a_model_with_two_ends(
    first: Path, backbone: Path, photos: Path, tmp_path: Path
) -> None:
    faster = {"warmup": 0, "learning_rate": 1e-2}
    options = {**SECOND, **faster, "init_from": str(first), "backbone": str(backbone), "layers": "1,2+2,1"}
    train("small-gan", tmp_path / "second", photos, options)
    model = tmp_path / "second" / "model"
    config = json.loads((model / "config.json").read_text())
    assert config["checkpoints"] == {"0": "initial.safetensors", "1": "model.safetensors"}
    assert set(config["trained"]["dependencies"]) == {"init_from", "backbone"}
    before = load_file(first / "model" / "model.safetensors")
    start, finish = load_file(model / "initial.safetensors"), load_file(model / "model.safetensors")
    assert all(torch.equal(before[key], start[key]) for key in before)
    statistics = [key for key in before if "running" in key or "tracked" in key]
    assert statistics
    assert all(torch.equal(before[key], finish[key]) for key in statistics), "batch-norm is frozen"
    learnt = [key for key in before if key not in statistics]
    assert all(not torch.equal(before[key], finish[key]) for key in learnt)
    lines = [json.loads(line) for line in (tmp_path / "second" / "metrics.jsonl").read_text().splitlines()]
    terms = {"discriminator/real", "discriminator/fake", "generator/content", "generator/adversarial"}
    assert terms < set(lines[-1])
    photo = PILImage.open(photos / "0.png").crop((0, 0, 16, 12))
    sharpen, plain = (
        gansdk.pipeline("superres", tmp_path / "second", network_interpolation=network_interpolation)
        for network_interpolation in (None, 0.0)
    )
    assert sharpen(photo).pixels.shape == (48, 64, 3)
    was = gansdk.pipeline("superres", first, precision="fp32")(photo).pixels
    np.testing.assert_array_equal(plain(photo).pixels, was)


def test_frozen_batch_norm_uses_its_statistics_in_training_and_learns_its_scale() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    network(torch.randn(8, 3, 9, 9) * 3 + 1)
    image = torch.randn(2, 3, 9, 9)
    expected = network.eval()(image)
    statistics = network[1].running_mean.clone()
    freeze_batch_norm(network)
    network.train()
    assert isinstance(network[1], FrozenBatchNorm2d)
    torch.testing.assert_close(network(image), expected)
    assert torch.equal(network[1].running_mean, statistics)
    network(image).square().sum().backward()
    assert network[1].weight.grad is not None


def test_a_discriminator_that_only_learns_tells_images_apart(first: Path, photos: Path) -> None:
    """With the generator's terms off, what the discriminator says of real and of restored patches parts."""
    torch.manual_seed(0)
    recipe = Stage2(second(first, learning_rate=1e-2, steps=80))
    train = gansdk.training.Train(
        recipe.players, ablated_terms=[("generator", "content"), ("generator", "adversarial")]
    )
    stream = recipe.streams({"photos": gansdk.open_images(photos)}, 0)["photos"]
    before = {key: value.clone() for key, value in recipe.networks["generator"].named_parameters()}
    for index in range(80):
        recipe.step({"photos": stream.batch(index)}, train)
        if index % 10 == 9:
            means = train.averages.means()
            train.averages.clear()
    chance = np.log(2)
    assert means["discriminator/real"] < 0.8 * chance
    assert means["discriminator/fake"] < 0.8 * chance
    assert all(torch.equal(before[key], value) for key, value in recipe.networks["generator"].named_parameters())


def test_vgg_content_is_the_share_of_the_features_power(backbone: Path) -> None:
    """Against the definition, with the features taken from the backbone's own sequential network by index."""
    options = Stage2Options(init_from="x", backbone=str(backbone), layers="1,2+2,1", backbone_input="mean-subtracted")
    content = content_loss(options, SRGANDiscriminator(features=4, hidden=8))
    torch.manual_seed(1)
    true, restored = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    content.calibrate([true])
    mean = torch.tensor([123.68, 116.779, 103.939]).view(1, 3, 1, 1)
    shares = []
    for depth in (4, 7):  # conv, ReLU, conv, ReLU = φ1,2; pool, conv, ReLU = φ2,1
        layer = content.fixed[0].features[:depth]
        of_true, of_restored = layer(true * 255 - mean), layer(restored * 255 - mean)
        shares.append((of_true - of_restored).square().mean() / of_true.square().mean())
    torch.testing.assert_close(content(restored, true), torch.stack(shares).mean())
    assert float(content(true, true)) == 0
    assert content.dependencies["backbone"].startswith("sha256:")


def test_vgg19s_deepest_layer_is_the_papers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = gansdk.VGG((2, 2, 4, 4, 4), [(5, 4)], "standardised")
    assert sum(isinstance(layer, nn.Conv2d) for layer in network.features) == 16
    save_file(network.state_dict(), tmp_path / "mine.safetensors")
    loaded = gansdk.load_vgg(str(tmp_path / "mine.safetensors"), [(5, 4)], "standardised")
    image = torch.rand(1, 3, 16, 16)
    mean, deviation = (torch.tensor(three).view(1, 3, 1, 1) for three in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    (features,) = loaded(image)
    torch.testing.assert_close(features, network.features((image - mean) / deviation))
    assert features.shape == (1, 512, 1, 1)


def test_the_other_contents_against_their_definitions() -> None:
    torch.manual_seed(0)
    true, restored = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    pixel, of_discriminator = (
        Stage2Options(init_from="x", content_of=kind) for kind in ("pixel", "discriminator-features")
    )
    torch.testing.assert_close(
        content_loss(pixel, SRGANDiscriminator(features=4, hidden=8))(restored, true), (true - restored).square().mean()
    )
    discriminator = SRGANDiscriminator(features=4, hidden=8).eval()
    content = content_loss(of_discriminator, discriminator)
    halfway = discriminator.features[:11]
    assert halfway(true).shape == (2, 8, 8, 8)
    share = (halfway(true) - halfway(restored)).square().mean() / halfway(true).square().mean()
    torch.testing.assert_close(content(restored, true), share)


@pytest.mark.parametrize("content", ["pixel", "discriminator-features"])
def test_each_content_trains_without_a_backbone(first: Path, photos: Path, tmp_path: Path, content: str) -> None:
    train("small-gan", tmp_path / "run", photos, {**SECOND, "init_from": str(first), "content_of": content})
    config = json.loads((tmp_path / "run" / "model" / "config.json").read_text())
    assert set(config["trained"]["dependencies"]) == {"init_from"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"content_of": "vgg", "backbone": "nowhere.safetensors"}, r"no file \S*nowhere\.safetensors"),
        ({"content_of": "vgg", "layers": "5,4"}, "no layer φ5,4"),
        ({"init_from": ""}, "continues from another model"),
    ],
)
def test_what_is_missing_is_one_line(first: Path, backbone: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(gansdk.GansdkError, match=message):
        Stage2(second(first, **{"backbone": str(backbone), "backbone_input": "mean-subtracted", **changes}))


@pytest.mark.parametrize("layers", ["", "5", "6,1", "2,2,3,3", "2,2+", "a,b"])
def test_layers_that_are_none_are_refused(layers: str) -> None:
    with pytest.raises(ValueError, match="no layers"):
        Stage2Options(init_from="x", layers=layers)
