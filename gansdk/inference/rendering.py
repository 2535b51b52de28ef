"""Latents through a generator, many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gansdk.errors import OptionError, as_typed
from gansdk.inference.latents import latent_facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gansdk.inference.context import Context
    from gansdk.inference.latents import Latent
    from gansdk.model.facts import LatentGeneratorFacts
    from gansdk.model.protocols import Generator, Model

_BATCH = 64
"""Latents at a time: small networks spend most of a single one's time on being called."""

_MOST_BYTES = 2**30
"""Of the pictures of one call."""


def latent_generator(model: Model) -> tuple[Generator, LatentGeneratorFacts]:
    """A model's generator from a latent, with its facts; a model without one is a fault of whoever gave it."""
    if model.generator is None:
        raise TypeError("a model without a generator was given")
    return model.generator, latent_facts(model.facts)


def render(generator: Generator, facts: LatentGeneratorFacts, latent: Latent, context: Context) -> NDArray[np.uint8]:
    """Pictures of latents.

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
        raise OptionError(f"{count} pictures of {output.width}×{output.height} are too many for one result", hint=hint)
    pixels = np.empty(shape, np.uint8)
    context.progress(0, count)
    for start in range(0, count, _BATCH):
        chosen = slice(start, start + _BATCH)
        source = {name: torch.from_numpy(array[chosen]) for name, array in latent.items()}
        images = generator.generate(source).permute(0, 2, 3, 1)
        pixels[chosen] = (images * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
        context.progress(min(start + _BATCH, count), count)
    return pixels
