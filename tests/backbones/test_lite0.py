"""EfficientNet-Lite0 against what its author's own code gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gansdk.backbones.lite0 import EfficientNetLite0, load_lite0
from gansdk.errors import InputError, ModelError

EGYPTIAN_CAT, TIGER_CAT, ESPRESSO = 285, 282, 967


def seen(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def test_it_sees_what_its_authors_code_sees(expected, backbone):
    network = load_lite0(backbone("efficientnet_lite0"))
    with torch.inference_mode():
        pooled = network.features(seen(expected["input"])).pooled[0].numpy()
        logits = network(seen(expected["input"]))[0].numpy()
    np.testing.assert_allclose(pooled, expected["lite0_pooled"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(logits, expected["lite0_logits"], rtol=1e-3, atol=1e-3)


def test_it_knows_cats_and_coffee(expected, backbone):
    from PIL import Image as PILImage
    from skimage.data import coffee

    network = load_lite0(backbone("efficientnet_lite0"))
    cup = np.asarray(PILImage.fromarray(coffee()[:, 100:500]).resize((224, 224), PILImage.Resampling.BICUBIC))
    with torch.inference_mode():
        cat, drink = (network(seen(one))[0].softmax(0) for one in (expected["input"], cup))
    assert cat[[EGYPTIAN_CAT, TIGER_CAT]].tolist() == pytest.approx([0.38, 0.33], abs=0.02)
    assert drink.argmax() == ESPRESSO


def test_its_levels_lie_at_strides_4_8_and_16():
    network = EfficientNetLite0().eval()
    with torch.inference_mode():
        found = network.features(torch.rand(2, 3, 64, 96))
    shapes = [tuple(level.shape) for level in found.levels]
    assert shapes == [(2, 24, 16, 24), (2, 40, 8, 12), (2, 112, 4, 6)]
    assert found.pooled.shape == (2, 1280)


@pytest.mark.parametrize("side", [1, 7, 33, 64])
def test_it_takes_any_size(side):
    network = EfficientNetLite0().eval()
    with torch.inference_mode():
        found = network.features(torch.rand(1, 3, side, side + 3))
    assert [level.shape[2] for level in found.levels] == [-(-side // stride) for stride in (4, 8, 16)]


def test_it_is_fixed(backbone):
    network = load_lite0(backbone("efficientnet_lite0"))
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_another_file_is_refused_in_one_line(tmp_path, monkeypatch):
    save_file({"features.0.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="does not fit EfficientNetLite0") as caught:
        load_lite0(str(tmp_path / "other.safetensors"))
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("GANSDK_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"fetch_backbones"):
        load_lite0()
