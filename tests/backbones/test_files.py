"""Where backbones are looked for."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from gansdk.backbones.weights import find, read_tensors
from gansdk.errors import InputError, ModelError


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


def test_half_precision_is_read_as_fp32_and_counters_stay(tmp_path):
    save_file({"half": torch.tensor([0.5, 2.0]).half(), "count": torch.tensor(7)}, tmp_path / "x.safetensors")
    found = read_tensors(tmp_path / "x.safetensors")
    assert found["half"].dtype == torch.float32
    assert found["half"].tolist() == [0.5, 2.0]
    assert (found["count"].dtype, int(found["count"])) == (torch.int64, 7)


def test_a_pickle_is_not_opened(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(ModelError, match="pickle"):
        read_tensors(tmp_path / "x.safetensors")
