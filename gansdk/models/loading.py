"""From a model folder to networks in memory: strict in both directions, whole or not at all."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from gansdk.errors import ModelError
from gansdk.model.config import check_network_interpolation, describe_errors, needed_files
from gansdk.model.tensors import check_fit, fill, flatten, read_header, read_tensors
from gansdk.models.directions import read_directions
from gansdk.plugins.declarations import Method, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from gansdk.model.facts import Facts
    from gansdk.model.protocols import Directions
    from gansdk.models.resolved import ResolvedModel


@dataclass(frozen=True)
class LoadedModel:
    """Networks in memory, with what it takes to assemble a model from them.

    Attributes:
        method: Whose networks they are.
        facts: What the model declares.
        networks: By name: filled, in eval mode, without gradients of their weights, on the CPU in fp32.
        network: The options that the method builds them from.
        base: The model of another method that it uses.
        directions: The vectors of the directions in its facts.
    """

    method: Method
    facts: Facts
    networks: Mapping[str, nn.Module]
    network: Mapping[str, object] = field(default_factory=dict)
    base: LoadedModel | None = None
    directions: Directions = field(default_factory=dict)


def load_model(resolved: ResolvedModel, network_interpolation: float | None = None) -> LoadedModel:
    """The networks of a model and of its base, filled strictly.

    Every file that a task needs is downloaded first and compared with its digest. The caller's random state is kept.

    Args:
        resolved: The model.
        network_interpolation: For a model that carries two checkpoints, where between them: 0 is the one that training
            started from, 1 the trained one. None is 1.

    Raises:
        MissingPluginError: If the plugin of the model or of its base is not here; no weights are read then.
        NotApplicableError: If ``network_interpolation`` is given and the model carries one checkpoint only.
        ModelError: If a file is missing or damaged, or keys or shapes differ from the network's.
        HubError: If a file of a model on the Hub cannot be downloaded.
    """
    method, config = resolved.method, resolved.config
    check_network_interpolation(config, network_interpolation)
    resolved.ensure_files(needed_files(config, network_interpolation))
    base = None if resolved.base is None else _load(resolved.base, resolved.base.method, None, None)
    return _load(resolved, method, network_interpolation, base)


def _load(
    resolved: ResolvedModel, method: Method, network_interpolation: float | None, base: LoadedModel | None
) -> LoadedModel:
    config, trained = resolved.config, resolved.folder / resolved.weights
    is_between = network_interpolation is not None and network_interpolation < 1
    initial = resolved.folder / config.checkpoints["0"] if is_between else None
    for path in filter(None, (trained, initial)):
        # Compare with networks that have shapes alone: a stranger's options may ask for more memory than there is.
        stored, _ = read_header(path)
        shapes = build_shapes(method, config.network, len(stored))
        held = {
            key: torch.empty(entry.shape, dtype=_dtype(entry.dtype), device="meta") for key, entry in stored.items()
        }
        check_fit(shapes, held, path)
    with torch.random.fork_rng(devices=[]):
        networks = build_networks(method, config.network)
    fill(networks, read_tensors(trained), trained)
    if initial is not None and network_interpolation is not None:
        last = {key: value.clone() for key, value in flatten(networks).items()}
        fill(networks, read_tensors(initial), initial)
        for key, tensor in flatten(networks).items():
            if tensor.is_floating_point():  # counters keep their value
                tensor.lerp_(last[key], network_interpolation)
    directions = read_directions(resolved.folder, config)
    return LoadedModel(method, config.facts, networks, config.network, base, directions)


def build_networks(method: Method, network: Mapping[str, Any]) -> dict[str, nn.Module]:
    """A method's networks for these options, with the weights that they start from.

    Raises:
        ModelError: If the options do not validate.
    """
    try:
        options = TypeAdapter(resolve(method.network_options)).validate_python(dict(network))
    except ValidationError as error:
        raise ModelError(f"network options of {method.name}: {describe_errors(error)}") from None
    networks: Mapping[str, nn.Module] = resolve(method.networks)(options)
    return dict(networks)


_SLACK = 16
"""A network may register a tensor several times, and some that are not stored."""


def build_shapes(method: Method, network: Mapping[str, Any], count: int) -> dict[str, nn.Module]:
    """A method's networks without numbers, which take no memory, for a file that has ``count`` tensors.

    Raises:
        ModelError: If the options do not validate, or ask for many more tensors, which would take time.
    """
    here, left = threading.get_ident(), _SLACK * (count + _SLACK)

    def counted(_module: nn.Module, _name: str, _tensor: object) -> None:
        nonlocal left
        left -= threading.get_ident() == here  # the hooks are torch's own, for all threads
        if left < 0:
            what = f"the network options ask for more than the {count} tensors that there are"
            raise ModelError(what, hint="the weights and config.json belong to different models")

    hooks = [register_module_parameter_registration_hook(counted), register_module_buffer_registration_hook(counted)]
    try:
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            return build_networks(method, network)
    finally:
        for hook in hooks:
            hook.remove()


def _dtype(name: str) -> torch.dtype:
    """The torch type of a safetensors type; for one that torch lacks, a type that is floating-point if it is."""
    known = {"BOOL": torch.bool, "U8": torch.uint8, "BF16": torch.bfloat16, "C64": torch.complex64}
    named = {"F": "float", "I": "int"}.get(name[:1], "") + name[1:]
    found = known.get(name, getattr(torch, named, None))
    if isinstance(found, torch.dtype):
        return found
    return torch.float32 if name.startswith("F") else torch.int64


GENERATOR = "generator"
"""The network that every generator's facet calls, by its name among a method's networks."""


def fingerprint(model: LoadedModel) -> str:
    """Identifies a generator: ``sha256:<hex>`` over its tensors, after interpolation, and its source.

    What else a model can do does not count: a new encoder for the same generator leaves its latents valid. A model
    whose generator is its base's has the base's fingerprint.
    """
    source = _source(model)
    if GENERATOR not in model.networks and model.base is not None and _source(model.base) == source:
        return fingerprint(model.base)
    networks = {GENERATOR: model.networks[GENERATOR]} if GENERATOR in model.networks else model.networks
    return tensor_digest(networks, source.encode())


def _source(model: LoadedModel) -> str:
    return "" if model.facts.generator is None else model.facts.generator.source.model_dump_json()


def tensor_digest(networks: Mapping[str, nn.Module], before: bytes = b"") -> str:
    """Identifies tensors: ``sha256:<hex>`` over their names, types, shapes and values.

    Args:
        networks: Whose parameters and buffers, by name.
        before: What else counts.
    """
    total = hashlib.sha256(before)
    for name, network in sorted(networks.items()):
        for key, tensor in sorted(network.state_dict().items()):
            flat: Tensor = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            total.update(f"{name}.{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode() + flat.numpy().tobytes())
    return "sha256:" + total.hexdigest()
