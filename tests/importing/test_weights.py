"""From a stranger's file to a model folder."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import foreign
import pytest
import tiny
import torch
from hostile import saved
from safetensors.torch import save_file
from torch.optim.swa_utils import AveragedModel

from gansdk.errors import InputError, MissingPluginError, ModelError, OptionError, OutputExistsError, PluginError
from gansdk.evaluation.precision import photographs
from gansdk.files import sha256
from gansdk.importing.weights import import_weights
from gansdk.model.config import read_config
from gansdk.models.loading import load_model
from gansdk.models.resolved import ResolvedModel
from gansdk.plugins.registry import Contributions, PluginSource, Registry

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = PluginSource("gansdk-plugin-tiny", "0.3", "tiny")
REGISTRY = Registry().add(Contributions(SOURCE, (tiny.METHOD,), (), (foreign.IMPORTER,)))


def registry_of(**changed) -> Registry:
    return Registry().add(
        Contributions(SOURCE, (tiny.METHOD,), (), (dataclasses.replace(foreign.IMPORTER, **changed),))
    )


def write(path: Path, content) -> Path:
    path.write_bytes(saved(content))
    return path


def into(path: Path, folder: Path, **options):
    return import_weights(path, folder, registry=REGISTRY, **{"measure": False, **options})


def test_it_loads_strictly_as_the_network_that_it_was(tmp_path):
    imported = into(write(tmp_path / "w.pth", {"params": foreign.published(6)}), tmp_path / "m")
    networks = load_model(ResolvedModel.at(imported.folder, tiny.METHOD)).networks
    expected = tiny.trained_networks(6)["generator"]
    image = torch.rand(1, 3, 9, 11)
    assert torch.equal(networks["generator"](image), expected(image))


def test_its_config_says_where_it_came_from(tmp_path):
    tensors = {key: value.half() if value.is_floating_point() else value for key, value in foreign.published().items()}
    path = write(tmp_path / "theirs.pth.tar", {"params_ema": tensors, "params": foreign.published(4), "epoch": 3})
    imported = into(path, tmp_path / "m", licence="CC-BY-4.0", summary="from a stranger")
    config = read_config(tmp_path / "m")
    assert config == imported.config
    assert (config.method, config.requires) == ("tiny", tiny.METHOD.requires)
    assert (config.licence, config.summary) == ("CC-BY-4.0", "from a stranger")
    assert config.trained is None
    assert config.network == {"width": 8}
    origin = config.origin
    assert (origin.file, origin.digest) == ("theirs.pth.tar", sha256(path))
    assert (origin.layout, origin.table, origin.left_out) == ("Tiny of strangers", "params_ema", ("params",))
    assert origin.numbers == ("float16", "int64")
    assert origin.importer == "tiny"
    assert origin.versions["gansdk-plugin-tiny"] == "0.3"
    assert config.facts.safe_precisions == ()  # nothing was measured, whatever the importer says
    json.loads((tmp_path / "m" / "config.json").read_text())


def test_half_precision_becomes_fp32(tmp_path):
    tensors = {key: value.half() if value.is_floating_point() else value for key, value in foreign.published().items()}
    into(write(tmp_path / "w.pth", tensors), tmp_path / "m")
    (network,) = load_model(ResolvedModel.at(tmp_path / "m", tiny.METHOD)).networks.values()
    assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float32, torch.int64}
    assert torch.equal(network[0].weight, tensors["first.weight"].float())


def test_safetensors_and_torch_give_the_same_weights(tmp_path):
    save_file(foreign.published(), tmp_path / "a.safetensors")
    one = into(tmp_path / "a.safetensors", tmp_path / "a")
    two = into(write(tmp_path / "b.pth", {"model": foreign.published()}), tmp_path / "b")
    assert one.config.files == two.config.files


@pytest.mark.parametrize("name", ["generator", "netG"])
def test_the_generator_is_found_among_several_networks(name, tmp_path):
    discriminator = {"conv.weight": torch.zeros(1, 3, 3, 3)}
    apart = {name: foreign.published(), "discriminator": discriminator, "epoch": 1}
    imported = into(write(tmp_path / "apart.pth", apart), tmp_path / "apart")
    assert (imported.config.origin.table, imported.config.origin.left_out) == (name, ("discriminator",))
    flat = {f"{name}.{key}": value for key, value in foreign.published().items()}
    flat |= {f"discriminator.{key}": value for key, value in discriminator.items()}
    imported = into(write(tmp_path / "flat.ckpt", {"state_dict": flat}), tmp_path / "flat")
    origin = imported.config.origin
    assert (origin.table, origin.left_out) == (f"state_dict.{name}", ("state_dict.discriminator",))


def averaged_by_torch() -> dict[str, torch.Tensor]:
    """What torch's own AveragedModel saves; its keys are not ours to choose."""

    class Theirs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for key, value in foreign.published(6).items():
                layer, name = key.split(".")
                if not hasattr(self, layer):
                    self.add_module(layer, torch.nn.Module())
                getattr(self, layer).register_buffer(name, value)

    return AveragedModel(Theirs()).state_dict()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (averaged_by_torch, ""),
        (lambda: {"state_dict": averaged_by_torch()}, "state_dict"),
        (lambda: {"ema": averaged_by_torch(), "model": foreign.published(4)}, "ema"),
        (lambda: prefixed("ema_model.", averaged_by_torch()), "ema_model"),
        (lambda: {"state_dict": prefixed("generator.", averaged_by_torch())}, "state_dict.generator"),
        (
            lambda: (
                prefixed("ema_model.", foreign.published(6))
                | prefixed("online_model.", foreign.published(4))
                | {"initted": torch.ones(1), "step": torch.zeros(1)}
            ),
            "ema_model",
        ),
        (lambda: prefixed("model.", foreign.published(4)) | prefixed("ema_model.", foreign.published(6)), "ema_model"),
    ],
)
def test_averaged_weights_are_found_and_come_first(content, place, tmp_path):
    imported = into(write(tmp_path / "w.pth", content()), tmp_path / "m")
    assert imported.config.origin.table == place
    assert imported.config.network == {"width": 6}
    networks = load_model(ResolvedModel.at(imported.folder, tiny.METHOD)).networks
    image = torch.rand(1, 3, 9, 11)
    assert torch.equal(networks["generator"](image), tiny.trained_networks(6)["generator"](image))


def prefixed(prefix, tensors):
    return {prefix + key: value for key, value in tensors.items()}


def test_two_that_are_recognised_are_for_the_user_to_tell_apart(tmp_path):
    path = write(tmp_path / "w.pth", {"one": foreign.published(), "two": foreign.published(4)})
    with pytest.raises(InputError, match="several networks: one and two; save the one"):
        into(path, tmp_path / "m")


def test_what_is_not_recognised_is_described(tmp_path):
    tensors = {f"layer{index}.weight": torch.zeros(2, 3) for index in range(6)}
    with pytest.raises(InputError) as caught:
        into(write(tmp_path / "w.pth", {"params": tensors}), tmp_path / "m")
    assert caught.value.message.endswith(
        "w.pth is in no known layout; it has 6 tensors under 'params': "
        "layer0.weight 2×3, layer1.weight 2×3, layer2.weight 2×3, layer3.weight 2×3 …"
    )
    assert caught.value.hint == "what can be imported: Tiny of strangers"
    with pytest.raises(InputError, match="holds no table of tensors"):
        into(write(tmp_path / "v.pth", {"epoch": 3}), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_what_is_recognised_but_not_whole_is_refused(tmp_path):
    tensors = foreign.published()
    del tensors["norm1.running_mean"]
    with pytest.raises(InputError, match=r"w\.pth: looks like Tiny of strangers but lacks 'norm1.running_mean'"):
        into(write(tmp_path / "w.pth", tensors), tmp_path / "m")


@pytest.mark.parametrize(
    ("key", "tensor", "said"),
    [
        ("last.bias", None, r"missing 'generator\.5\.bias'"),
        ("last.other", torch.zeros(1), r"unexpected 'generator\.5\.other'"),
        ("last.bias", torch.zeros(7), r"'generator\.5\.bias' is 7, the network has 12"),
        ("last.bias", torch.zeros(12, dtype=torch.int64), r"torch\.int64, the network has torch\.float32"),
        ("last.bias", torch.full((12,), torch.nan), r"NaN or infinity in generator\.5\.bias"),
        ("last.bias", torch.full((12,), 1e300, dtype=torch.float64), r"NaN or infinity in generator\.5\.bias"),
    ],
)
def test_tensors_that_do_not_fit_are_named(key, tensor, said, tmp_path):
    tensors = foreign.published()
    del tensors["last.bias"]
    if tensor is not None:
        tensors = {**tensors, "last.bias": torch.zeros(12), key: tensor}
    with pytest.raises(InputError, match=said) as caught:
        into(write(tmp_path / "w.pth", tensors), tmp_path / "m")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "m").exists()


def test_sizes_beyond_the_bounds_allocate_nothing(tmp_path):
    """A small file whose views claim a large network, and one that is too large for the options."""
    claimed = {**foreign.published(), "first.weight": torch.zeros(10**5).expand(64, 10**5)}
    with pytest.raises(InputError, match="more bytes than"):
        into(write(tmp_path / "w.pth", claimed), tmp_path / "m")
    wide = {**foreign.published(), "first.weight": torch.zeros(65, 3, 5, 5)}
    with pytest.raises(InputError, match="field 'width'"):
        into(write(tmp_path / "v.pth", wide), tmp_path / "m")


def test_an_existing_model_is_dealt_with_as_asked(tmp_path):
    first, second = (write(tmp_path / f"{width}.pth", foreign.published(width)) for width in (4, 6))
    into(first, tmp_path / "m")
    with pytest.raises(OutputExistsError):
        into(second, tmp_path / "m")
    skipped = into(second, tmp_path / "m", on_exists="skip")
    assert skipped.skipped
    assert skipped.config.network == {"width": 4}
    renamed = into(second, tmp_path / "m", on_exists="rename")
    assert renamed.folder == tmp_path / "m-2"
    assert into(second, tmp_path / "m", on_exists="overwrite").config.network == {"width": 6}
    with pytest.raises(OptionError, match="on_exists 'perhaps'"):
        into(second, tmp_path / "m", on_exists="perhaps")


def test_without_a_folder_the_model_is_beside_the_file(tmp_path):
    imported = import_weights(write(tmp_path / "w.pth", foreign.published()), registry=REGISTRY, measure=False)
    assert imported.folder == tmp_path / "w"


def test_bf16_is_measured_by_the_gate_where_the_hardware_has_it(tmp_path):
    from gansdk.models.runtime import has_native

    notes: list[str] = []
    imported = into(write(tmp_path / "w.pth", foreign.published()), tmp_path / "m", measure=True, note=notes.append)
    if not has_native(torch.device("cpu"), "bf16"):
        assert imported.losses == ()
        assert "bf16 was not tried" in notes[0]
        return
    assert [loss.photograph for loss in imported.losses] == list(photographs())
    passed = all(loss.passes for loss in imported.losses)
    assert imported.config.facts.safe_precisions == (("bf16",) if passed else ())


def test_without_an_importer_or_its_method_the_error_says_so(tmp_path):
    path = write(tmp_path / "w.pth", foreign.published())
    with pytest.raises(MissingPluginError, match="no plugin here can import weights"):
        import_weights(path, tmp_path / "m", registry=Registry())
    alone = Registry().add(Contributions(SOURCE, importers=(foreign.IMPORTER,)))
    with pytest.raises(MissingPluginError, match="fills networks of 'tiny', a method that no plugin here brings"):
        import_weights(path, tmp_path / "m", registry=alone)


def test_an_importer_that_breaks_the_rules_is_named(tmp_path):
    path = write(tmp_path / "w.pth", foreign.published())
    with pytest.raises(PluginError, match="importer tiny gave str, not Recognised or None"):
        import_weights(path, tmp_path / "m", registry=registry_of(function="foreign:misbehave"))
    with pytest.raises(PluginError, match="cannot be imported"):
        import_weights(path, tmp_path / "m", registry=registry_of(function="foreign:absent"))


def test_an_altered_folder_is_noticed_as_with_any_model(tmp_path):
    into(write(tmp_path / "w.pth", foreign.published()), tmp_path / "m")
    weights = tmp_path / "m" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(ModelError, match="is not the file that"):
        load_model(ResolvedModel.at(tmp_path / "m", tiny.METHOD))
