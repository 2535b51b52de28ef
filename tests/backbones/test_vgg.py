"""VGG against what was measured with other code, and its layers against the paper's naming."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gansdk.backbones.vgg import VGG, load_vgg
from gansdk.errors import InputError, ModelError
from gansdk.files import sha256

VGG19 = (2, 2, 4, 4, 4)


def test_its_features_are_those_that_were_measured(expected, backbone):
    network = load_vgg(backbone("vgg16_hed"), ((3, 3), (4, 3), (5, 3)))
    image = torch.from_numpy(expected["input"]).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        means = [float(features.mean()) for features in network(image)]
    names = ("vgg_relu3_3_mean", "vgg_relu4_3", "vgg_relu5_3_mean")
    assert means == pytest.approx([float(expected[name]) for name in names], rel=1e-3)


def plain(convolutions) -> nn.Sequential:
    """The usual sequential network, written out."""
    steps, before = [], 3
    for count, width in zip(convolutions, (64, 128, 256, 512, 512), strict=True):
        for _ in range(count):
            steps += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        steps.append(nn.MaxPool2d(2))
    return nn.Sequential(*steps)


@pytest.mark.parametrize(("convolutions", "layer", "index"), [((2, 2, 3, 3, 3), (5, 3), 29), (VGG19, (5, 4), 35)])
def test_a_file_is_recognised_by_its_keys_and_cut_after_the_layer(tmp_path, convolutions, layer, index):
    torch.manual_seed(0)
    whole = plain(convolutions)
    path = tmp_path / "vgg.safetensors"
    tensors = {f"features.{key}": tensor for key, tensor in whole.state_dict().items()}
    save_file({**tensors, "classifier.0.weight": torch.zeros(2)}, path)
    network = load_vgg(str(path), ((2, 2), layer), "standardised")
    image = torch.rand(1, 3, 32, 32)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (image - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1)
    with torch.inference_mode():
        shallow, deep = network(image)
        torch.testing.assert_close(shallow, whole[:9](x))
        torch.testing.assert_close(deep, whole[: index + 1](x))
    assert len(network.features) == index + 1
    assert network.digest == sha256(path)


def test_the_mean_is_taken_off_in_the_range_that_it_was_trained_in():
    network = VGG(layers=((1, 1),))
    with torch.no_grad():
        network.features[0].weight.zero_()
        network.features[0].bias.zero_()
        for channel in range(3):
            network.features[0].weight[channel, channel, 1, 1] = 1
    given = torch.ones(1, 3, 4, 4)
    (features,) = network(given)
    np.testing.assert_allclose(features[0, :3, 1, 1].detach(), [131.32, 138.221, 151.061], rtol=1e-5)


def test_gradients_go_through_it_and_not_into_it(tmp_path):
    path = tmp_path / "vgg.safetensors"
    save_file({f"features.{key}": tensor for key, tensor in plain((2, 2, 3, 3, 3)).state_dict().items()}, path)
    network = load_vgg(path, ((1, 2),))
    image = torch.rand(1, 3, 8, 8, requires_grad=True)
    network(image)[0].sum().backward()
    assert image.grad is not None
    assert all(parameter.grad is None for parameter in network.parameters())


def test_what_it_lacks_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match="no layer φ3,4") as caught:
        VGG(layers=((3, 4),))
    assert "it has 1,1" in str(caught.value)
    save_file({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "few.safetensors")
    with pytest.raises(ModelError, match="no VGG16 or VGG19"):
        load_vgg(str(tmp_path / "few.safetensors"), ((1, 1),))
