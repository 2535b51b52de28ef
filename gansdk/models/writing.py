"""From networks in memory to a model folder, which is written whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save

from gansdk.errors import InputError, ModelError, PluginError
from gansdk.files import sha256, whole_folder, write_whole
from gansdk.model.config import (
    ATTRIBUTIONS,
    BASE,
    CARD_IMAGES,
    CONFIG,
    EVALUATION,
    FORMAT,
    INITIAL,
    README,
    WEIGHTS,
    Base,
    ModelConfig,
    Origin,
    Trained,
    check_folder,
    read_config,
)
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.tensors import flatten, read_tensors
from gansdk.models.loading import LoadedModel, build_networks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from gansdk.model.config import Attributions
    from gansdk.model.facts import Facts
    from gansdk.plugins.declarations import Method


@dataclass(frozen=True)
class Export:
    """A model as it would ship.

    Attributes:
        facts: What it declares.
        network: JSON-able options from which the method builds exactly these networks.
        networks: By name.
        initial: The same networks before this training, if the model carries two checkpoints. Users then choose
            between them with the load option ``network_interpolation``: 0 is this one, 1 the trained one.
        base: The model of another method that it uses, which is copied into its folder.
    """

    facts: Facts
    network: Mapping[str, object]
    networks: Mapping[str, nn.Module]
    initial: Mapping[str, nn.Module] | None = None
    base: LoadedModel | None = None

    def loaded(self, method: Method) -> LoadedModel:
        """The trained model, to be assembled."""
        return LoadedModel(method, self.facts, self.networks, self.network, self.base)

    def files(self) -> dict[str, Mapping[str, nn.Module]]:
        """The networks of each file of tensors."""
        more = {INITIAL: self.initial, BASE: self.base.networks if self.base is not None else None}
        return {WEIGHTS: self.networks, **{name: networks for name, networks in more.items() if networks is not None}}


def write_model(
    folder: Path,
    method: Method,
    export: Export,
    *,
    trained: Trained | None = None,
    origin: Origin | None = None,
    summary: str = "",
    licence: str = "",
    evaluation: Any = None,
    attributions: Attributions | None = None,
) -> ModelConfig:
    """Writes a whole model folder, replacing the one that is there in one step.

    Args:
        folder: Where to. An author's ``README.md`` in it is carried over, with the images of its card.
        method: The method that can build the networks again.
        export: The model; floating-point tensors are stored in fp32.
        trained: How it was trained, if it was trained here.
        origin: Where it came from, if it was not.
        summary: One line for listings.
        licence: SPDX expression for the weights.
        evaluation: What was measured, an :class:`~gansdk.evaluation.record.Evaluation`; None for nothing yet.
        attributions: Whose works it was trained on; nothing is written if nothing is known.

    Returns:
        The config as written.

    Raises:
        PluginError: If ``export.network`` does not build networks with the keys and shapes of its networks, or the
            facts do not survive ``config.json``.
    """
    if lost := export.facts.lost_in_json():
        what = f"the facts of this {method.name} model would not come back from {CONFIG}: {lost}"
        raise PluginError(what, hint="use the classes of facts that gansdk has, as they are")
    files = export.files()
    for name, networks in files.items():
        if name == BASE and export.base is not None:
            _check_rebuilds(export.base.method, export.base.network, networks)
        else:
            _check_rebuilds(method, export.network, networks)
    with whole_folder(folder, replace=True) as new:
        for name, networks in files.items():
            tensors = {key: _stored(tensor) for key, tensor in flatten(networks).items()}
            write_whole(new / name, save(tensors, metadata={"format": "pt"}))
        if evaluation is not None:
            write_whole(new / EVALUATION, evaluation.to_json())
        if attributions is not None and attributions.data:
            write_whole(new / ATTRIBUTIONS, attributions.to_json())
        config = ModelConfig(
            gansdk=FORMAT,
            method=method.name,
            requires=method.requires,
            summary=summary,
            licence=licence,
            facts=export.facts,
            network=dict(export.network),
            files={path.name: sha256(path) for path in sorted(new.iterdir())},
            base=None if export.base is None else _declared(export.base),
            checkpoints={"0": INITIAL, "1": WEIGHTS} if export.initial is not None else {},
            trained=trained,
            origin=origin,
        )
        write_whole(new / CONFIG, config.to_json())
        for path in (folder / README, *folder.glob(CARD_IMAGES)):
            if path.is_file():
                write_whole(new / path.name, path.read_bytes())
    return config


def is_model_of(folder: Path, export: Export) -> bool:
    """Whether a folder holds a whole model with exactly the weights of an export."""
    try:
        config = read_config(folder)
        check_folder(folder, config)
        stored = {name: read_tensors(folder / name) for name in config.files if name in {WEIGHTS, INITIAL, BASE}}
    except (ModelError, InputError):
        return False
    files = {name: flatten(networks) for name, networks in export.files().items()}
    return stored.keys() == files.keys() and all(
        ours.keys() == stored[name].keys()
        and all(torch.equal(_stored(tensor), stored[name][key]) for key, tensor in ours.items())
        for name, ours in files.items()
    )


def _check_rebuilds(method: Method, network: Mapping[str, Any], networks: Mapping[str, nn.Module]) -> None:
    with torch.random.fork_rng(devices=[]):
        rebuilt = flatten(build_networks(method, network))
    given = flatten(networks)
    differing = sorted(rebuilt.keys() ^ given.keys())
    differing += [key for key in rebuilt.keys() & given.keys() if rebuilt[key].shape != given[key].shape]
    if differing:
        raise PluginError(f"the network options of {method.name} do not rebuild its networks: {differing[0]!r} differs")


def _declared(base: LoadedModel) -> Base:
    """A base as ``config.json`` has it, without the directions, whose vectors are not copied."""
    if base.base is not None:
        hint = "build on the model that it builds on"
        raise PluginError(f"a model of {base.method.name} has a base itself, and cannot be one", hint=hint)
    facts = base.facts
    if isinstance(facts.generator, LatentGeneratorFacts):
        facts = facts.model_copy(update={"generator": facts.generator.model_copy(update={"directions": ()})})
    method = base.method
    return Base(method=method.name, requires=method.requires, facts=facts, network=dict(base.network))


def _stored(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().to("cpu", copy=True)
    return (tensor.float() if tensor.is_floating_point() else tensor).contiguous()
