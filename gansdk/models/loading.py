"""A model folder to networks and back: strict in both directions, whole or not at all."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from gansdk.errors import InputError, ModelError, PluginError
from gansdk.files import sha256, whole_folder, write_whole
from gansdk.model.config import (
    ATTRIBUTIONS,
    CARD_IMAGES,
    CONFIG,
    EVALUATION,
    FORMAT,
    INITIAL,
    README,
    WEIGHTS,
    ModelConfig,
    Origin,
    Trained,
    check_folder,
    check_network_interpolation,
    describe_errors,
    needed_files,
    read_config,
    read_header,
)
from gansdk.plugins.declarations import Method, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from gansdk.model.config import Attributions, Export
    from gansdk.model.facts import Facts
    from gansdk.models.resolved import ResolvedModel


def build_networks(method: Method, network: Mapping[str, Any]) -> dict[str, nn.Module]:
    """A method's networks for these options, with whatever weights they start from.

    Raises:
        ModelError: If the options do not validate.
        PluginError: If the method's import strings do not resolve.
    """
    try:
        options = TypeAdapter(resolve(method.network_options)).validate_python(dict(network))
    except ValidationError as error:
        raise ModelError(f"network options of {method.name}: {describe_errors(error)}") from None
    networks: Mapping[str, nn.Module] = resolve(method.networks)(options)
    return dict(networks)


def load_networks(
    resolved: ResolvedModel, method: Method, network_interpolation: float | None = None
) -> dict[str, nn.Module]:
    """The networks of a model, filled strictly, in eval mode, on the CPU, in fp32.

    Every file that a task needs is first brought here and held against its digest. The caller's random state is left
    as it was.

    Args:
        resolved: The model.
        method: Its method.
        network_interpolation: For a model with two ends, where between them: 0 is the start, 1 the end of its
        training. None is 1.

    Raises:
        NotApplicableError: If ``network_interpolation`` is given and the model has one end only.
        ModelError: If a file is missing, damaged or no safetensors file, or if keys or shapes differ from what the
            network has; the message names them.
        HubError: If a file of a model on the Hub cannot be had.
    """
    folder, config = resolved.folder, resolved.config
    check_network_interpolation(config, network_interpolation)
    resolved.ensure_files(needed_files(config, network_interpolation))
    start = (
        folder / config.checkpoints["0"] if network_interpolation is not None and network_interpolation < 1 else None
    )
    for path in (folder / WEIGHTS, *([start] if start is not None else [])):
        _check_shapes(path, method, config.network)
    with torch.random.fork_rng(devices=[]):
        networks = build_networks(method, config.network)
    _fill(networks, read_tensors(folder / WEIGHTS), folder / WEIGHTS)
    if start is not None and network_interpolation is not None:
        finish = {key: value.clone() for key, value in _flatten(networks).items()}
        _fill(networks, read_tensors(start), start)
        _interpolate(networks, finish, network_interpolation)
    return {name: network.eval().requires_grad_(False) for name, network in networks.items()}


def _check_shapes(path: Path, method: Method, network: Mapping[str, Any]) -> None:
    """Holds a file's header against networks that have shapes alone: options may ask for more memory than there is."""
    stored, _ = read_header(path)
    networks = build_shapes(method, network, len(stored))
    held = {key: torch.empty(entry.shape, dtype=_dtype(entry.dtype), device="meta") for key, entry in stored.items()}
    _check_fit(networks, held, path)


def build_shapes(method: Method, network: Mapping[str, Any], count: int) -> dict[str, nn.Module]:
    """A method's networks without numbers, which take no memory, for a file that has ``count`` tensors.

    Raises:
        ModelError: If the options do not validate, or ask for many more tensors: those take time even so.
    """
    here, left = threading.get_ident(), _SLACK * (count + _SLACK)

    def counted(_module: nn.Module, _name: str, _tensor: object) -> None:
        nonlocal left
        left -= threading.get_ident() == here  # the hooks are torch's own, for all threads
        if left < 0:
            raise ModelError(f"the network options ask for more than the {count} tensors that there are", hint=_OTHERS)

    hooks = [register_module_parameter_registration_hook(counted), register_module_buffer_registration_hook(counted)]
    try:
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            return build_networks(method, network)
    finally:
        for hook in hooks:
            hook.remove()


_SLACK = 16
"""A network may register a tensor several times, and some that are not stored."""


def _dtype(name: str) -> torch.dtype:
    """The type of number that safetensors calls so; of those without a namesake, whether it has fractions."""
    known = {"BOOL": torch.bool, "U8": torch.uint8, "BF16": torch.bfloat16, "C64": torch.complex64}
    named = {"F": "float", "I": "int"}.get(name[:1], "") + name[1:]
    found = known.get(name, getattr(torch, named, None))
    if isinstance(found, torch.dtype):
        return found
    return torch.float32 if name.startswith("F") else torch.int64


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file of a model folder.

    Raises:
        ModelError: If it cannot be read.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} cannot be read: {error}", hint="get the model again") from None


def _interpolate(networks: Mapping[str, nn.Module], finish: Mapping[str, Tensor], network_interpolation: float) -> None:
    """Moves networks at the start towards the finish, tensor by tensor; counters stay."""
    for key, tensor in _flatten(networks).items():
        if tensor.is_floating_point():
            tensor.lerp_(finish[key], network_interpolation)


def _fill(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor], path: Path) -> None:
    _check_fit(networks, tensors, path)
    fill(networks, tensors)


def _check_fit(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor], path: Path) -> None:
    problems = mismatches(networks, tensors)
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        what = f"{path} does not fit its network: {'; '.join(problems[:3])}{more}"
        raise ModelError(what, hint=_OTHERS)


def mismatches(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]) -> list[str]:
    """What keeps tensors, by network and key, from being exactly those of the networks; empty if nothing does."""
    wanted = _flatten(networks)
    problems = [f"missing {key!r}" for key in wanted if key not in tensors]
    problems += [f"unexpected {key!r}" for key in tensors if key not in wanted]
    for key in wanted.keys() & tensors.keys():
        if wanted[key].shape != tensors[key].shape:
            problems.append(f"{key!r} is {_shape(tensors[key])}, the network has {_shape(wanted[key])}")
        elif wanted[key].is_floating_point() != tensors[key].is_floating_point():
            problems.append(f"{key!r} is {tensors[key].dtype}, the network has {wanted[key].dtype}")
    return problems


def fill(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]) -> None:
    """Puts tensors, by network and key, into networks that they fit."""
    for name, network in networks.items():
        network.load_state_dict({key: tensors[f"{name}.{key}"] for key in network.state_dict()}, strict=True)


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
        folder: Where it shall stand. An author's ``README.md`` in it is carried over, with the images of its card.
        method: The method that can build the networks again.
        export: The model; floating-point tensors are stored in fp32.
        trained: How it came to be, if it was trained here.
        origin: Where it came from, if it was not.
        summary: One line for listings.
        licence: SPDX expression for the weights.
        evaluation: What was measured, an :class:`~gansdk.evaluation.record.Evaluation`; None for nothing yet.
        attributions: Whose works it was trained on; nothing is written where nothing is known.

    Returns:
        The config as written.

    Raises:
        PluginError: If ``export.network`` does not build networks with the keys and shapes of its networks.
        OutputError: If the folder cannot be written.
    """
    weights = {WEIGHTS: export.networks} | ({INITIAL: export.initial} if export.initial is not None else {})
    for each in weights.values():
        _check_rebuilds(method, export.network, each)
    with whole_folder(folder, replace=True) as new:
        for name, each in weights.items():
            write_whole(new / name, _packed(each))
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
            checkpoints={"0": INITIAL, "1": WEIGHTS} if export.initial is not None else {},
            trained=trained,
            origin=origin,
        )
        write_whole(new / CONFIG, config.to_json())
        _carry_over(folder, new)
    return config


def is_model_of(folder: Path, export: Export) -> bool:
    """Whether a folder holds a whole model with exactly the weights of an export."""
    weights = {WEIGHTS: export.networks} | ({INITIAL: export.initial} if export.initial is not None else {})
    try:
        config = read_config(folder)
        check_folder(folder, config)
        stored = {name: read_tensors(folder / name) for name in config.files if name in {WEIGHTS, INITIAL}}
    except (ModelError, InputError):
        return False
    if stored.keys() != weights.keys():
        return False
    pairs = [(_flatten(networks), stored[name]) for name, networks in weights.items()]
    return all(
        ours.keys() == theirs.keys() and all(torch.equal(_stored(ours[key]), theirs[key]) for key in ours)
        for ours, theirs in pairs
    )


def _check_rebuilds(method: Method, network: Mapping[str, Any], networks: Mapping[str, nn.Module]) -> None:
    with torch.random.fork_rng(devices=[]):
        rebuilt = _flatten(build_networks(method, network))
    given = _flatten(networks)
    differing = sorted(rebuilt.keys() ^ given.keys())
    differing += [key for key in rebuilt.keys() & given.keys() if rebuilt[key].shape != given[key].shape]
    if differing:
        raise PluginError(f"the network options of {method.name} do not rebuild its networks: {differing[0]!r} differs")


def _carry_over(old: Path, new: Path) -> None:
    """What is an author's stays through a training."""
    for path in (old / README, *old.glob(CARD_IMAGES)):
        if path.is_file():
            write_whole(new / path.name, path.read_bytes())


def _packed(networks: Mapping[str, nn.Module]) -> bytes:
    return save({key: _stored(tensor) for key, tensor in _flatten(networks).items()}, metadata={"format": "pt"})


def _flatten(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {f"{name}.{key}": value for name, network in networks.items() for key, value in network.state_dict().items()}


def _stored(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().to("cpu", copy=True)
    return (tensor.float() if tensor.is_floating_point() else tensor).contiguous()


def _shape(tensor: Tensor) -> str:
    return "×".join(str(size) for size in tensor.shape) or "a single number"


_OTHERS = "the weights and config.json belong to different models"


GENERATOR = "generator"
"""The network that every generator's facet calls, by its name among a method's networks."""


def fingerprint(networks: Mapping[str, nn.Module], facts: Facts) -> str:
    """Identifies a generator: ``sha256:<hex>`` over its tensors, after blending, and what it starts from.

    What else a model can do does not count: a new encoder for the same generator leaves its latents as they are.

    Args:
        networks: The model's, loaded. All of them count where none is called ``generator``.
        facts: What the model declares.
    """
    chosen = {GENERATOR: networks[GENERATOR]} if GENERATOR in networks else networks
    source = "" if facts.generator is None else facts.generator.source.model_dump_json()
    return tensor_digest(chosen, source.encode())


def tensor_digest(networks: Mapping[str, nn.Module], before: bytes = b"") -> str:
    """Identifies tensors: ``sha256:<hex>`` over their names, types, shapes and values.

    Args:
        networks: Whose parameters and buffers, by name.
        before: What else counts.
    """
    total = hashlib.sha256(before)
    for name, network in sorted(networks.items()):
        for key, tensor in sorted(network.state_dict().items()):
            flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            total.update(f"{name}.{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode() + flat.numpy().tobytes())
    return "sha256:" + total.hexdigest()
