"""Where backbones are looked for."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from gansdk.backbones import fill, find
from gansdk.errors import InputError, ModelError
from gansdk.model.tensors import read_tensors


def test_a_path_or_a_name_in_the_data_folder(tmp_path, monkeypatch):
    (tmp_path / "trunks").mkdir()
    path = tmp_path / "trunks" / "vgg16_hed.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    monkeypatch.delenv("GANSDK_DATA", raising=False)
    assert find(str(path)) == path
    with pytest.raises(InputError, match="GANSDK_DATA"):
        find("vgg16_hed")
    monkeypatch.setenv("GANSDK_DATA", str(tmp_path))
    assert find("vgg16_hed") == find("vgg16_hed.safetensors") == path
    with pytest.raises(InputError, match="lite0"):
        find("lite0")


def test_half_precision_fills_a_network_in_fp32_and_counters_stay(tmp_path):
    stored = torch.nn.BatchNorm2d(2)
    stored.num_batches_tracked.fill_(7)
    stored.weight.data = torch.tensor([0.5, 2.0])
    save_file(stored.half().state_dict(), tmp_path / "x.safetensors")
    network = torch.nn.BatchNorm2d(2)
    fill(network, read_tensors(tmp_path / "x.safetensors"), tmp_path / "x.safetensors")
    assert network.weight.dtype == torch.float32
    assert network.weight.tolist() == [0.5, 2.0]
    assert (network.num_batches_tracked.dtype, int(network.num_batches_tracked)) == (torch.int64, 7)


def test_a_pickle_is_not_opened(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(ModelError, match="pickle"):
        read_tensors(tmp_path / "x.safetensors")
