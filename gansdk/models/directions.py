"""Stored directions of a latent: names in the facts, vectors in the model folder's ``directions.safetensors``.

The key of a vector is ``NAME/PART``: the direction, and the part of the latent that it moves. A direction has one for
each part that it moves, of the part's shape [n], and moves at least one; a categorical part cannot be moved. They are
no part of what a generator is: a latent that was kept fits before and after.
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
from gansdk.model.variables import Categorical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor

    from gansdk.model.facts import Direction
    from gansdk.model.protocols import Directions, Generator
    from gansdk.model.variables import LatentVariable
    from gansdk.models.context import Context
    from gansdk.models.latents import Latent


def read_directions(folder: Path, config: ModelConfig) -> Directions:
    """The vectors of a model's directions, by direction and part, float32 [n] on the CPU; empty where it has none.

    Args:
        folder: Where the model is; its files have been held against their digests.
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
    """Gives a model these directions in place of those that it had.

    The config stops naming the old file before there is a new one: a killed process leaves a model that loads.

    Args:
        folder: A model folder.
        directions: What they are called; none takes all away.
        vectors: By direction, then by each part of the latent that it moves: numbers [n].

    Returns:
        The config as written.

    Raises:
        NotApplicableError: If the model's generator does not start from a latent.
        ModelError: If the folder holds no model, two names are alike, or a vector is missing or does not fit its part.
        OutputError: If the folder cannot be written to.
    """
    folder = Path(folder)
    config = read_config(folder)
    generator = _naming(config, directions, folder)
    flat = {f"{name}/{variable}": one for name, own in vectors.items() for variable, one in own.items()}
    tensors = {key: torch.as_tensor(one).float().contiguous() for key, one in flat.items()}
    _by_direction(generator, tensors, "what was given")
    written = _with(config, generator.model_copy(update={"directions": ()}), {})
    write_whole(folder / CONFIG, written.to_json())
    (folder / DIRECTIONS).unlink(missing_ok=True)
    if directions:
        write_whole(folder / DIRECTIONS, save(tensors, metadata={"format": "pt"}))
        written = _with(config, generator, {DIRECTIONS: sha256(folder / DIRECTIONS)})
        write_whole(folder / CONFIG, written.to_json())
    return written


def _naming(config: ModelConfig, directions: Sequence[Direction], folder: Path) -> LatentGeneratorFacts:
    """The facts of the generator, with these directions and no others."""
    generator = config.facts.generator
    if not isinstance(generator, LatentGeneratorFacts):
        raise NotApplicableError(f"the generator of {folder} does not start from a latent", hint="name another model")
    try:
        return LatentGeneratorFacts(source=generator.source, output=generator.output, directions=tuple(directions))
    except ValidationError as error:
        raise ModelError(f"{folder} cannot have these directions: {describe_errors(error)}") from None


def _with(config: ModelConfig, generator: LatentGeneratorFacts, digest: Mapping[str, str]) -> ModelConfig:
    facts = config.facts.model_copy(update={"generator": generator})
    others = {name: known for name, known in config.files.items() if name != DIRECTIONS}
    return config.model_copy(update={"facts": facts, "files": dict(sorted({**others, **digest}.items()))})


def _by_direction(generator: LatentGeneratorFacts, tensors: Mapping[str, Tensor], where: str) -> Directions:
    """Vectors by direction and part, once they are known to be exactly those that the facts want."""
    found: dict[str, dict[str, Tensor]] = {one.name: {} for one in generator.directions}
    variables = {variable.name: variable for variable in generator.source.variables}
    problems = []
    for key, tensor in tensors.items():
        name, _, variable = key.partition("/")
        if name not in found or variable not in variables:
            problems.append(f"{key!r} is no direction and part of this model")
            continue
        problems += [f"{key!r} {wrong}" for wrong in _wrong(variables[variable], tensor)]
        found[name][variable] = tensor.float()
    problems += [f"{name!r} has no vector" for name, own in found.items() if not own]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        what = f"the directions in {where} do not fit the model: {'; '.join(problems[:3])}{more}"
        raise ModelError(what, hint="the vectors and config.json belong to different models")
    return found


def _wrong(variable: LatentVariable, tensor: Tensor) -> list[str]:
    """What keeps a tensor from being a way to go in a part."""
    if isinstance(variable, Categorical):
        return ["moves a category, which is one of several"]
    if tuple(tensor.shape) != (variable.n,) or not tensor.is_floating_point():
        return [f"is {tensor.dtype} {shape_text(tensor.shape)}, {variable.name} has {variable.n} numbers"]
    return [] if torch.isfinite(tensor.float()).all() else ["holds NaN or infinity"]


_BATCH = 64
"""Latents at a time: small networks spend most of a single one's time on being called."""

_MOST_BYTES = 2**30
"""Of the images of one call."""


def render(generator: Generator, facts: LatentGeneratorFacts, latent: Latent, context: Context) -> NDArray[np.uint8]:
    """Images of latents.

    Args:
        generator: Takes the parts by name.
        facts: What it declares.
        latent: By part; the first axis counts samples.
        context: Told progress.

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
            "ask for fewer at a time; first= goes on where the last call ended",
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
