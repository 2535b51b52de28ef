"""The state of a run on disk: safetensors and JSON, no pickle, and always one whole checkpoint.

Each checkpoint is a folder ``<step>`` that appears in one rename; only then are other ones removed. So a reader finds
a whole one wherever a writer was killed, and resuming takes the newest that is whole.
"""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from gansdk.errors import TrainingError
from gansdk.files import dump_json, sha256, whole_folder, write_whole
from gansdk.model.config import describe_errors, read_json
from gansdk.model.variables import Frozen
from gansdk.models.context import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor

    from gansdk.training.players import PlayerState
    from gansdk.training.turns import Train

FORMAT = 1
TENSORS = "tensors.safetensors"
NUMBERS = "state.json"
_T = TypeVar("_T")
_LOST = "the run cannot continue; start a new one"


class Checkpoint(Frozen):
    """The content of ``state.json``."""

    gansdk: int
    step: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    numbers: dict[str, bool | int | float]
    averages: dict[str, tuple[float | None, int]]
    files: dict[str, str]


def save_checkpoint(folder: Path, train: Train, seconds: float) -> None:
    """Writes the whole state after ``train.step`` steps and removes what it replaces; if it fails, that stays."""
    for owner in train.states.values():
        for name, parameter in owner.parameters.items():
            if not bool(torch.isfinite(parameter.detach()).all()):
                hint = "the checkpoint before was kept; a smaller learning rate or fp32 may help"
                raise TrainingError(f"{name} is no longer finite after step {train.step}", hint=hint)
    tensors, numbers = capture(train)
    target = folder / f"{train.step:09d}"
    with whole_folder(target, replace=True) as new:  # one of this step that is there is damaged, or it was loaded
        # copies, for safetensors refuses tensors that share memory
        stored = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
        write_whole(new / TENSORS, save(stored))
        state = {
            "gansdk": FORMAT,
            "step": train.step,
            "seconds": seconds,
            "numbers": numbers,
            "averages": train.averages.as_state(),
            "files": {TENSORS: sha256(new / TENSORS)},
        }
        write_whole(new / NUMBERS, dump_json(state, indent=2) + "\n")
    for other in folder.iterdir():
        if other != target and (other.name.isdecimal() or other.name.startswith(".")):
            shutil.rmtree(other, ignore_errors=True)


def load_checkpoint(folder: Path, train: Train, note: Callable[[str], None] = silent) -> Checkpoint | None:
    """Brings ``train`` to where the newest whole checkpoint was written; None if there is none yet.

    Args:
        folder: Where checkpoints are.
        train: What is brought there.
        note: Is told of each newer checkpoint that is damaged.

    Raises:
        TrainingError: If all are damaged, or the newest is of a newer format or does not fit the recipe's players.
    """
    problems: list[_DamagedError] = []
    for path in sorted((path for path in folder.glob("[0-9]*") if path.name.isdecimal()), reverse=True):
        try:
            state, tensors = _read(path)
        except _DamagedError as damage:
            problems.append(damage)
            continue
        for problem in problems:
            note(f"{problem.message}; the run continues from the checkpoint of step {state.step}")
        restore(train, tensors, state.numbers)
        train.step = state.step
        # JSON has no NaN, which a sum may be
        sums = {name: [math.nan if total is None else total, count] for name, (total, count) in state.averages.items()}
        train.averages.restore(sums)
        return state
    if problems:
        raise problems[0]
    return None


class _DamagedError(TrainingError):
    """A checkpoint that is not whole; an older one may be."""


def _read(path: Path) -> tuple[Checkpoint, dict[str, Tensor]]:
    state = _read_numbers(path / NUMBERS)
    try:
        if not (path / TENSORS).is_file() or sha256(path / TENSORS) != state.files.get(TENSORS):
            raise _DamagedError(f"{path / TENSORS} is damaged", hint=_LOST)
        return state, load((path / TENSORS).read_bytes())
    except (OSError, SafetensorError) as error:
        raise _DamagedError(f"{path / TENSORS} cannot be read: {error}", hint=_LOST) from None


def _read_numbers(path: Path) -> Checkpoint:
    """The content of ``state.json``; one of a newer format is an error, since an older checkpoint would replace it."""
    raw = read_json(path, _DamagedError, _LOST)
    version = raw.get("gansdk") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > FORMAT:
        what = f"{path} has format version {version}, this gansdk reads {FORMAT}"
        raise TrainingError(what, hint="pip install --upgrade gansdk")
    try:
        return Checkpoint.model_validate(raw)
    except ValidationError as error:
        raise _DamagedError(f"{path} cannot be read: {describe_errors(error)}", hint=_LOST) from None


def capture(train: Train) -> tuple[dict[str, Tensor], dict[str, float]]:
    """All that a training is, but its step: parameters, buffers, averages, optimisers, kept tensors, random state.

    Returns:
        Tensors, which are the training's own and not copies, and numbers.
    """
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, float] = {}
    for state in train.states.values():
        for key, value in _player_entries(state).items():
            if isinstance(value, torch.Tensor):
                tensors[key] = value
            elif isinstance(value, bool | int | float):
                numbers[key] = value
            elif value is not None:
                what = f"the optimiser of player {state.player.name!r} keeps a {type(value).__name__} as {key}"
                raise TrainingError(what, hint="checkpoints hold tensors and numbers")
    tensors |= {f"kept/{name}": tensor for name, tensor in train.kept_tensors.items()}
    tensors |= {f"random/{name}": state for name, state in random_state(train.device).items()}
    return tensors, numbers


def _player_entries(state: PlayerState) -> dict[str, Any]:
    name = state.player.name
    entries: dict[str, Any] = {}
    for i, module in enumerate(state.modules):
        entries |= {f"module/{name}/{i}/{key}": value for key, value in module.state_dict().items()}
    if state.average is not None:
        pairs = zip(state.parameters, state.average, strict=True)
        entries |= {f"average/{name}/{key}": value for key, value in pairs}
    for index, values in state.optimiser.state_dict()["state"].items():
        entries |= {f"optimiser/{name}/{index}/{key}": value for key, value in values.items()}
    return entries


def restore(train: Train, tensors: Mapping[str, Tensor], numbers: Mapping[str, float]) -> None:
    """Brings a training to where :func:`capture` saw one; it may keep the tensors that it is given."""
    for state in train.states.values():
        _restore_player(state, tensors, numbers)
    kept = _under("kept/", tensors)
    train.kept_tensors = {name: tensor.to(train.device) for name, tensor in kept.items()}
    restore_random_state(train.device, _under("random/", tensors))


def _restore_player(state: PlayerState, tensors: Mapping[str, Tensor], numbers: Mapping[str, float]) -> None:
    name = state.player.name
    for i, module in enumerate(state.modules):
        try:
            module.load_state_dict(_under(f"module/{name}/{i}/", tensors), strict=True)
        except RuntimeError as error:
            raise _other_shape(name, str(error).splitlines()[-1].strip()) from None
    averages = _under(f"average/{name}/", tensors)
    if averages.keys() != (state.parameters.keys() if state.average is not None else set()):
        raise _other_shape(name, "the moving average has other parameters")
    for average, key in zip(state.average or (), state.parameters, strict=state.average is not None):
        average.copy_(averages[key])
    entries: dict[int, dict[str, Any]] = {}
    values: dict[str, Any] = {**_under(f"optimiser/{name}/", tensors), **_under(f"optimiser/{name}/", numbers)}
    for key, value in values.items():
        index, _, moment = key.partition("/")
        if int(index) >= len(state.tensors):
            raise _other_shape(name, "the optimiser has more parameters")
        entries.setdefault(int(index), {})[moment] = _laid_out(value, state.tensors[int(index)])
    groups = state.optimiser.state_dict()["param_groups"]
    state.optimiser.load_state_dict({"state": entries, "param_groups": groups})


def _laid_out(value: Any, parameter: Tensor) -> Any:
    """Moments in the memory order of their parameter, as the optimiser made them: other kernels round differently."""
    if not isinstance(value, torch.Tensor) or value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's generators that a run on ``device`` draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_random_state(device: torch.device, states: Mapping[str, Tensor]) -> None:
    """Puts the generators back to where :func:`random_state` saw them."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])


def _under(prefix: str, entries: Mapping[str, _T]) -> dict[str, _T]:
    return {key.removeprefix(prefix): value for key, value in entries.items() if key.startswith(prefix)}


def _other_shape(player: str, detail: str) -> TrainingError:
    what = f"the checkpoint does not fit player {player!r}: {detail}"
    return TrainingError(what, hint="the plugin's networks have changed since; install the version in train.json")
