"""Models that use the model of another method."""

from __future__ import annotations

import json

import borrowed
import pytest
import sketch
import torch

from gansdk.cards.card import gather
from gansdk.cards.rendering import render
from gansdk.errors import MissingPluginError, ModelError, PluginError
from gansdk.files import sha256
from gansdk.model.bundles import read_bundle, write_bundle
from gansdk.model.config import read_config
from gansdk.models.catalog import Catalog
from gansdk.models.loading import fingerprint, load_model
from gansdk.models.pipelines import Pipeline
from gansdk.models.resolved import ResolvedModel
from gansdk.options import LoadOptions
from gansdk.publishing.contents import contents
from gansdk.tasks.encode import ENCODE
from gansdk.tasks.generate import GENERATE
from gansdk.testing.kit import Kit
from gansdk.testing.targets import ModelUnderTest

CPU = LoadOptions(device="cpu", precision="fp32")


@pytest.fixture
def base(tmp_path):
    sketch.write(tmp_path / "base", seed=3)
    return ResolvedModel.at(tmp_path / "base", sketch.METHOD)


@pytest.fixture
def model(tmp_path, base):
    borrowed.write(tmp_path / "model", load_model(base))
    return ResolvedModel.at(tmp_path / "model", borrowed.METHOD, sketch.METHOD)


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_it_makes_what_its_base_makes(model, base):
    ours, theirs = (Pipeline(GENERATE, resolved, CPU)(n=4, seed=1) for resolved in (model, base))
    assert (ours.pixels == theirs.pixels).all()
    assert ours.notes == theirs.notes


def test_it_encodes_with_a_network_of_its_own(model, base):
    image = Pipeline(GENERATE, base, CPU)(n=1).images[0]
    encoding = Pipeline(ENCODE, model, CPU)(image)
    network = load_model(model).networks["encoder"]
    pixels = torch.from_numpy(image.pixels).permute(2, 0, 1)[None].float() / 255
    torch.testing.assert_close(torch.from_numpy(encoding["noise"]), network(pixels.flatten(1))[0, :4])


def test_its_latents_are_those_of_its_base(model, base):
    assert fingerprint(load_model(model)) == fingerprint(load_model(base))


def test_the_config_names_the_base(model):
    config = read_config(model.folder)
    assert (config.base.method, config.base.requires) == ("sketch", sketch.METHOD.requires)
    assert config.base.facts == sketch.FACTS
    assert config.files["base.safetensors"] == sha256(model.folder / "base.safetensors")


def test_a_missing_plugin_of_the_base_is_named_before_weights_are_read(model, monkeypatch):
    monkeypatch.setattr("gansdk.models.loading.read_tensors", lambda path: pytest.fail(f"{path} was read"))
    resolved = ResolvedModel.at(model.folder, borrowed.METHOD)
    with pytest.raises(MissingPluginError, match=r"the base of .* needs the method 'sketch'") as error:
        load_model(resolved)
    assert error.value.hint == "pip install gansdk-plugin-sketch>=0.1"


def test_a_base_of_other_tensors_is_refused(model):
    (model.folder / "base.safetensors").write_bytes((model.folder / "model.safetensors").read_bytes())
    edit(model.folder, files={path.name: sha256(path) for path in model.folder.glob("*.safetensors")})
    with pytest.raises(ModelError, match=r"base\.safetensors does not fit its network"):
        load_model(ResolvedModel.at(model.folder, borrowed.METHOD, sketch.METHOD))


def test_base_and_its_tensors_come_together(model):
    edit(model.folder, base=None)
    with pytest.raises(ModelError, match=r"base\.safetensors is among the files, and it has no base"):
        read_config(model.folder)


def test_a_base_has_no_base(model, tmp_path):
    with pytest.raises(PluginError, match="has a base itself"):
        borrowed.write(tmp_path / "second", load_model(model))


def test_a_bundle_carries_it_whole(model, tmp_path):
    assert "base.safetensors" in write_bundle(model.folder, model.config, tmp_path / "m.tar")
    read_bundle(tmp_path / "m.tar", tmp_path / "copy")
    copy = ResolvedModel.at(tmp_path / "copy", borrowed.METHOD, sketch.METHOD)
    assert fingerprint(load_model(copy)) == fingerprint(load_model(model))


def test_it_passes_the_checks_of_a_model(model):
    kit = Kit([ModelUnderTest("borrowed", borrowed.METHOD, model.folder, sketch.METHOD)])
    assert [(result.check.id, result.message) for result in kit if result.outcome == "failed"] == []


def test_it_is_published_whole_and_has_a_card(model):
    assert "base.safetensors" in contents(model)
    assert "gansdk run encode" in render(gather(Catalog.installed_here(), model))
