"""Latents as tensors: stored directions, free numbers for searches, and the images that a generator makes of them.

Directions are named in the facts, and their vectors are in the model folder's ``directions.safetensors``. The key of a
vector is ``NAME/VARIABLE``: the direction, and the variable of the latent that it moves. A direction has a vector [n]
for each variable that it moves, and moves at least one; a categorical variable cannot be moved. Directions do not count
in a generator's fingerprint: latents that were kept fit before and after.

A gradient step on a latent itself leaves the range of a uniform code, and cannot move a category at all. So a search
moves free numbers instead::

    free = unconstrain(source, latent)
    for tensor in free.values():
        tensor.requires_grad_()
    images = generator.generate(constrain(source, free))

Normal noise and codes are free as they are. A number in [low, high] becomes the logit of its place in the range, a
category the logits of its weights. Tensors keep their device and dtype.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import ValidationError
from safetensors.torch import save

from gansdk.errors import ModelError, NotApplicableError, OptionError, as_typed
from gansdk.files import sha256, write_whole
from gansdk.model.config import CONFIG, DIRECTIONS, ModelConfig, describe_errors, read_config
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.tensors import read_tensors, shape_text
from gansdk.model.variables import Categorical, Continuous, Noise, width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor

    from gansdk.model.facts import Direction, LatentSource
    from gansdk.model.protocols import Directions, Generator
    from gansdk.model.variables import Variable
    from gansdk.models.context import Context
    from gansdk.models.latents import Latent


def read_directions(folder: Path, config: ModelConfig) -> Directions:
    """The vectors of a model's directions, by direction and variable, float32 [n] on the CPU; empty if it has none.

    Args:
        folder: Where the model is; its files have been compared with their digests.
        config: What its ``config.json`` says.

    Raises:
        ModelError: If the file cannot be read, or its vectors are not exactly those that the facts want.
    """
    generator = config.facts.generator
    if not isinstance(generator, LatentGeneratorFacts) or not generator.directions:
        return {}
    return _by_direction(generator, read_tensors(folder / DIRECTIONS), str(folder / DIRECTIONS))


def write_directions(
    folder: str | PathLike[str], directions: Sequence[Direction], vectors: Mapping[str, Mapping[str, ArrayLike]]
) -> ModelConfig:
    """Replaces a model's directions.

    The config stops naming the old file before there is a new one: a killed process leaves a model that loads.

    Args:
        folder: A model folder.
        directions: What they are called; without any, the model has none afterwards.
        vectors: By direction, then by each variable of the latent that it moves: numbers [n].

    Returns:
        The config as written.

    Raises:
        NotApplicableError: If the model's generator does not start from a latent.
        ModelError: If the folder holds no model, two names are alike, or a vector is missing or does not fit its
            variable.
        OutputError: If the folder cannot be written to.
    """
    folder = Path(folder)
    config = read_config(folder)
    generator = config.facts.generator
    if not isinstance(generator, LatentGeneratorFacts):
        raise NotApplicableError(f"the generator of {folder} does not start from a latent", hint="name another model")
    try:
        generator = LatentGeneratorFacts(source=generator.source, output=generator.output, directions=tuple(directions))
    except ValidationError as error:
        raise ModelError(f"{folder} cannot have these directions: {describe_errors(error)}") from None
    tensors = {
        f"{name}/{variable}": torch.as_tensor(numbers).float().contiguous()
        for name, own in vectors.items()
        for variable, numbers in own.items()
    }
    _by_direction(generator, tensors, "what was given")
    written = _with(config, generator.model_copy(update={"directions": ()}), {})
    write_whole(folder / CONFIG, written.to_json())
    (folder / DIRECTIONS).unlink(missing_ok=True)
    if directions:
        write_whole(folder / DIRECTIONS, save(tensors, metadata={"format": "pt"}))
        written = _with(config, generator, {DIRECTIONS: sha256(folder / DIRECTIONS)})
        write_whole(folder / CONFIG, written.to_json())
    return written


def _with(config: ModelConfig, generator: LatentGeneratorFacts, digest: Mapping[str, str]) -> ModelConfig:
    facts = config.facts.model_copy(update={"generator": generator})
    others = {name: known for name, known in config.files.items() if name != DIRECTIONS}
    return config.model_copy(update={"facts": facts, "files": dict(sorted({**others, **digest}.items()))})


def _by_direction(generator: LatentGeneratorFacts, tensors: Mapping[str, Tensor], where: str) -> Directions:
    """Vectors by direction and variable, once they are known to be exactly those that the facts want."""
    found: dict[str, dict[str, Tensor]] = {direction.name: {} for direction in generator.directions}
    variables = {variable.name: variable for variable in generator.source.variables}
    problems = []
    for key, tensor in tensors.items():
        name, _, moved = key.partition("/")
        if name not in found or moved not in variables:
            problems.append(f"{key!r} does not name a direction and a variable of this model")
            continue
        found[name][moved] = tensor.float()
        variable = variables[moved]
        if isinstance(variable, Categorical):
            problems.append(f"{key!r} moves a category, which is one of several")
        elif tuple(tensor.shape) != (variable.n,) or not tensor.is_floating_point():
            shape = shape_text(tensor.shape)
            problems.append(f"{key!r} is {tensor.dtype} {shape}, {variable.name} has {variable.n} numbers")
        elif not torch.isfinite(tensor.float()).all():
            problems.append(f"{key!r} holds NaN or infinity")
    problems += [f"{name!r} has no vector" for name, own in found.items() if not own]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        what = f"the directions in {where} do not fit the model: {'; '.join(problems[:3])}{more}"
        raise ModelError(what, hint="the vectors and config.json belong to different models")
    return found


_RIM = 1e-6
"""How near to the end of its range, or to certainty of a category, a search starts at most: at the end itself the free
number would be infinite and its gradient 0."""


def unconstrain(source: LatentSource, latent: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The free numbers of a latent, the inverse of :func:`constrain`; numbers outside their range move to its rim.

    Args:
        source: What the latent consists of.
        latent: By variable: float [N, n]; a categorical int64 [N], or weights [N, k].

    Returns:
        By variable, float [N, n]; of a categorical one [N, k].

    Raises:
        OptionError: If a variable is missing or has another shape.
    """
    free = {}
    for variable in source.variables:
        tensor = _given(variable, latent)
        limits = _limits(variable)
        if isinstance(variable, Categorical):
            weights = tensor if tensor.ndim == 2 else torch.nn.functional.one_hot(tensor, variable.k).float()
            tensor = weights.clamp(min=_RIM).log()
        elif limits is not None:
            tensor = torch.logit((tensor - limits[0]) / (limits[1] - limits[0]), eps=_RIM)
        free[variable.name] = tensor
    return free


def constrain(source: LatentSource, free: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The latent of free numbers, through which gradients flow.

    Args:
        source: What the latent consists of.
        free: By variable, float [N, n]; of a categorical one [N, k].

    Returns:
        By variable, what a generator takes; a categorical one as weights [N, k].

    Raises:
        OptionError: If a variable is missing or has another shape.
    """
    latent = {}
    for variable in source.variables:
        tensor = _given(variable, free)
        limits = _limits(variable)
        if isinstance(variable, Categorical):
            tensor = tensor.softmax(1)
        elif limits is not None:
            tensor = limits[0] + (limits[1] - limits[0]) * tensor.sigmoid()
        latent[variable.name] = tensor
    return latent


def _limits(variable: Variable) -> tuple[float, float] | None:
    """The range of its numbers; None if there is none."""
    if isinstance(variable, Continuous) or (isinstance(variable, Noise) and variable.distribution == "uniform"):
        return variable.low, variable.high
    return None


def _given(variable: Variable, tensors: Mapping[str, Tensor]) -> Tensor:
    if variable.name not in tensors:
        raise OptionError(f"{variable.name} is missing", hint="give a tensor for each variable of the latent")
    tensor = tensors[variable.name]
    is_index = isinstance(variable, Categorical) and tensor.ndim == 1 and not tensor.is_floating_point()
    if not is_index and (tensor.ndim != 2 or tensor.shape[1] != width(variable)):
        raise OptionError(f"{variable.name} is {shape_text(tensor.shape)}, not N×{width(variable)}")
    return tensor


_BATCH = 64
"""Latents at a time: a small network takes hardly longer for many than for one."""

_MOST_BYTES = 2**30
"""Of the images of one call."""


def render(generator: Generator, facts: LatentGeneratorFacts, latent: Latent, context: Context) -> NDArray[np.uint8]:
    """Images of latents.

    Args:
        generator: Takes the variables by name.
        facts: What it declares.
        latent: By variable; the first axis counts samples.
        context: Receives progress.

    Returns:
        uint8 [N, H, W, C].

    Raises:
        OptionError: If they are too many for one call.
    """
    count, output = len(next(iter(latent.values()))), facts.output
    shape = (count, output.height, output.width, output.channels)
    if np.prod(shape, dtype=np.float64) > _MOST_BYTES:
        hint = as_typed(
            "write single files with -o FOLDER/, which are made in pieces",
            "ask for fewer at a time; first= continues where the last call ended",
        )
        raise OptionError(f"{count} images of {output.width}×{output.height} are too many for one result", hint=hint)
    pixels = np.empty(shape, np.uint8)
    context.progress(0, count)
    for start in range(0, count, _BATCH):
        chosen = slice(start, start + _BATCH)
        source = {name: torch.from_numpy(array[chosen]) for name, array in latent.items()}
        images = generator.generate(source).permute(0, 2, 3, 1)
        pixels[chosen] = (images * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
        context.progress(min(start + _BATCH, count), count)
    return pixels
