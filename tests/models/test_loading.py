"""Model folders: round trip, and every way in which one can be wrong."""

from __future__ import annotations

import json
import os
import pickle
import struct

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file

from gansdk.errors import InputError, ModelError, NotApplicableError, PluginError
from gansdk.files import sha256
from gansdk.model.config import Trained, read_config
from gansdk.model.facts import Facts, ImageGeneratorFacts
from gansdk.models.loading import load_model
from gansdk.models.resolved import ResolvedModel
from gansdk.models.writing import Export, write_model


@pytest.fixture
def folder(tmp_path):
    tiny.write(tmp_path / "model")
    return tmp_path / "model"


def load(folder):
    return load_model(ResolvedModel.at(folder, tiny.METHOD)).networks


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def rewrite(folder, change):
    """Changes the tensors and the digest with them, so that only the change itself is wrong."""
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    edit(folder, files={"model.safetensors": sha256(folder / "model.safetensors")})


def test_round_trip(tmp_path):
    trained = Trained(recipe="r", config="small", seed=3, steps=7, options={"rate": 0.1})
    written = tiny.write(tmp_path / "model", trained=trained, summary="s", licence="CC0-1.0")
    assert read_config(tmp_path / "model") == written
    loaded, original = load(tmp_path / "model")["generator"], tiny.trained_networks()["generator"]
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    for key, value in original.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)


def test_the_same_weights_give_the_same_bytes(tmp_path):
    tiny.write(tmp_path / "one")
    tiny.write(tmp_path / "two")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_loading_leaves_the_random_state_alone(folder):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load(folder)
    assert torch.equal(torch.rand(3), expected)


def test_writing_replaces_the_folder_and_keeps_an_authors_readme(folder):
    (folder / "README.md").write_text("mine")
    (folder / "stray.txt").write_text("gone")
    tiny.write(folder, seed=1)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert (folder / "README.md").read_text() == "mine"
    load(folder)


def test_writing_refuses_options_that_do_not_rebuild_the_networks(tmp_path):
    with pytest.raises(PluginError, match="do not rebuild"):
        write_model(tmp_path / "m", tiny.METHOD, Export(Facts(), {"width": 9}, tiny.trained_networks(8)))
    assert not (tmp_path / "m").exists()


class Widened(ImageGeneratorFacts):
    depth: int = 3


def test_writing_refuses_facts_that_would_not_come_back(tmp_path):
    facts = Facts(generator=Widened(**dict(tiny.FACTS.generator)))
    with pytest.raises(PluginError, match=r"would not come back from config\.json: Widened is a class of a plugin"):
        tiny.write(tmp_path / "m", facts=facts)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "unknown field 'colour'"),
        ({"facts": {"generator": None, "halo": 3}}, r"unknown field 'facts\.halo'"),
        ({"method": 3}, "field 'method'"),
        ({"gansdk": 2}, "format version 2, this gansdk reads 1"),
        ({"gansdk": "1"}, "field 'gansdk'"),
        ({"files": {}}, "model.safetensors is not among them"),
        ({"files": {"../x.safetensors": "sha256:" + 64 * "0"}}, "not a plain name"),
        ({"network": {"width": 8, "depth": 1}}, "unknown field 'depth'"),
        ({"network": {"width": "wide"}}, "field 'width'"),
        ({"network": {"width": 9}}, "does not fit its network"),
    ],
)
def test_a_wrong_config_is_one_line_that_names_the_field(folder, change, message):
    edit(folder, **change)
    with pytest.raises(ModelError, match=message) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_config_that_is_no_json_or_no_config(folder, tmp_path):
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        load(folder)
    (folder / "config.json").write_text("[1]")
    with pytest.raises(ModelError, match="not a gansdk config"):
        load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"has no config\.json"):
        load(folder)
    with pytest.raises(InputError, match="there is no folder"):
        load(tmp_path / "absent")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("generator.0.weight"), r"missing 'generator\.0\.weight'"),
        (lambda t: t.update({"generator.9.weight": torch.zeros(1)}), r"unexpected 'generator\.9\.weight'"),
        (lambda t: t.update({"generator.0.bias": torch.zeros(9)}), r"'generator\.0\.bias' is 9, the network has 8"),
        (lambda t: t.update({"generator.0.bias": torch.zeros(8, dtype=torch.int32)}), "torch.int32"),
    ],
)
def test_tensors_that_do_not_fit_are_named(folder, change, message):
    rewrite(folder, change)
    with pytest.raises(ModelError, match=message):
        load(folder)


def test_half_precision_weights_load_as_fp32(folder):
    rewrite(folder, lambda t: t.update({k: v.half() for k, v in t.items() if v.is_floating_point()}))
    assert load(folder)["generator"][0].weight.dtype == torch.float32


class Payload:
    def __reduce__(self):
        return os.mkdir, ("payload-ran",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(Payload()), "is a pickle"),
        (b"PK\x03\x04 rest of an archive", "is a pickle"),
        (b"", "not a safetensors file"),
        (struct.pack("<Q", 2**40) + b"{}", "not a safetensors file"),
        (struct.pack("<Q", 4) + b"nope", "not a safetensors file"),
        (struct.pack("<Q", 4) + b"{no}", "header is unreadable"),
        (struct.pack("<Q", 9) + b'{"a": {}}', "header is unreadable"),
    ],
)
def test_a_file_that_only_claims_to_be_safetensors_is_refused(folder, content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (folder / "model.safetensors").write_bytes(content)
    edit(folder, files={"model.safetensors": sha256(folder / "model.safetensors")})
    with pytest.raises(ModelError, match=message):
        load(folder)
    assert not (tmp_path / "payload-ran").exists()


def test_a_header_whose_length_looks_like_a_pickle_is_no_pickle(folder):
    for size in range(1, 300):
        save_file({"a" * size: torch.zeros(1)}, folder / "model.safetensors")
        if (folder / "model.safetensors").read_bytes()[0] == 0x80:
            break
    edit(folder, files={"model.safetensors": sha256(folder / "model.safetensors")})
    with pytest.raises(ModelError, match="does not fit its network"):
        load(folder)


def test_a_file_cut_short_is_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ModelError, match="cut short"):
        load(folder)


def test_a_flipped_bit_is_found_by_the_digest(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"is not the file that config\.json names"):
        load(folder)


def test_a_missing_file_is_named(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks model\.safetensors"):
        load(folder)


@pytest.fixture
def two_checkpoints(tmp_path):
    """A model whose start and finish are different networks."""
    start = tiny.trained_networks(seed=1)
    tiny.write(tmp_path / "both", seed=0, start=start)
    return tmp_path / "both"


def interpolated(folder, network_interpolation):
    return load_model(ResolvedModel.at(folder, tiny.METHOD), network_interpolation).networks["generator"].state_dict()


def test_a_model_with_two_ends_is_itself_at_its_finish(two_checkpoints):
    config = read_config(two_checkpoints)
    assert config.checkpoints == {"0": "initial.safetensors", "1": "model.safetensors"}
    assert set(config.files) == {"initial.safetensors", "model.safetensors"}
    finish = tiny.trained_networks(seed=0)["generator"].state_dict()
    for network_interpolation in (None, 1.0):
        assert all(
            torch.equal(value, finish[key])
            for key, value in interpolated(two_checkpoints, network_interpolation).items()
        )


def test_blend_goes_from_the_start_to_the_finish(two_checkpoints):
    start = tiny.trained_networks(seed=1)["generator"].state_dict()
    finish = tiny.trained_networks(seed=0)["generator"].state_dict()
    assert all(torch.equal(value, start[key]) for key, value in interpolated(two_checkpoints, 0.0).items())
    for key, value in interpolated(two_checkpoints, 0.25).items():
        expected = 0.75 * start[key] + 0.25 * finish[key] if value.is_floating_point() else start[key]
        torch.testing.assert_close(value, expected)


def test_a_blend_of_one_end_is_refused(folder):
    with pytest.raises(NotApplicableError, match="one checkpoint only"):
        load_model(ResolvedModel.at(folder, tiny.METHOD), 0.5)


def test_a_damaged_start_is_found_although_nobody_blends(two_checkpoints):
    (two_checkpoints / "initial.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"initial\.safetensors is not a safetensors file"):
        load(two_checkpoints)


@pytest.mark.parametrize(
    ("checkpoints", "message"),
    [
        ({"0": "initial.safetensors"}, "checkpoints are '0' and '1'"),
        ({"0": "model.safetensors", "1": "initial.safetensors"}, "checkpoints are '0' and '1'"),
        ({"0": "other.safetensors", "1": "model.safetensors"}, "'other.safetensors' is not among"),
        ({"2": "initial.safetensors"}, "checkpoints"),
    ],
)
def test_ends_that_do_not_add_up_are_refused(two_checkpoints, checkpoints, message):
    edit(two_checkpoints, checkpoints=checkpoints)
    with pytest.raises(ModelError, match=message):
        read_config(two_checkpoints)


def test_a_start_of_another_shape_is_not_written(tmp_path):
    with pytest.raises(PluginError, match="do not rebuild"):
        tiny.write(tmp_path / "both", start=tiny.trained_networks(width=4))
    assert not (tmp_path / "both").exists()
