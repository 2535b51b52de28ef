"""What a generator makes of latents: by category, along its codes, and where it fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from gansdk.cards.exhibits import (
    DOUBTFUL,
    FAILED,
    MISTAKEN,
    SAMPLES,
    TRIED,
    applicable,
    doubted,
    judged_by,
    sampled,
    sorted_by,
    sweeps,
)
from gansdk.cards.sheets import Row, enlarged, sheet
from gansdk.evaluation.draws import SEED
from gansdk.evaluation.latents import sampling
from gansdk.evaluation.latents.codes import named_code
from gansdk.evaluation.latents.judges import PRETRAINED, load_judge
from gansdk.inference.context import Context
from gansdk.inference.latents import draw
from gansdk.inference.rendering import latent_generator
from gansdk.tasks import generate, traverse
from gansdk.tasks.generate import GenerateOptions
from gansdk.tasks.traverse import TraverseOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gansdk.evaluation.assessing import Subject
    from gansdk.inference.latents import Latent
    from gansdk.media.gallery import Gallery
    from gansdk.model.config import ModelConfig
    from gansdk.model.facts import Image
    from gansdk.model.parts import Categorical
    from gansdk.model.protocols import Model
    from gansdk.plugins.datasets import NamedDataset

    Pixels = NDArray[np.uint8]

_CELL, _PANEL = 84, 168
"""Pixels: small pictures are enlarged to about this width in a grid, and in a sheet with captions."""

_MOST_COLUMNS, _SAMPLE_ROWS = 20, 8
_STEPS, _SWEEP_ROWS = 11, 6
_ACROSS = 4
_MOST_PIXELS = 2**17
"""Of all samples in one picture, before they are enlarged: without loss they are to stay below 300 KB or so."""


def latent_pictures(subject: Subject, config: ModelConfig) -> Iterator[tuple[str, Pixels]]:
    """Names and pixels, uint8 [H, W, C], of the pictures of a model whose generator starts from a latent."""
    model, image = subject.model, sampled(config.facts)
    yield SAMPLES, _samples(model, sorted_by(config.facts), image)
    for name, code in sweeps(config.facts).items():
        (start, stop), rows = code.part.swept, _rows(_SWEEP_ROWS, _STEPS, image)
        yield name, _swept(model, TraverseOptions(code=code.name, start=start, stop=stop, steps=_STEPS, rows=rows))
    names, data, told = applicable(config), judged_by(config), doubted(config.facts)
    if MISTAKEN in names and data is not None:
        yield MISTAKEN, _mistaken(model, data, subject.device)
    if DOUBTFUL in names and told is not None:
        yield DOUBTFUL, _doubtful(model, told)


def _samples(model: Model, code: Categorical | None, image: Image) -> Pixels:
    if code is not None:
        columns = min(code.k, _MOST_COLUMNS)
        return _swept(model, TraverseOptions(code=code.name, steps=columns, rows=_rows(_SAMPLE_ROWS, columns, image)))
    columns = _rows(_SAMPLE_ROWS, 1, image)
    options = GenerateOptions(n=columns * _rows(_SAMPLE_ROWS, columns, image), columns=columns)
    with torch.inference_mode():
        return _grid(generate.run(model, {}, options, Context()))


def _swept(model: Model, options: TraverseOptions) -> Pixels:
    with torch.inference_mode():
        return _grid(traverse.run(model, {}, options, Context()))


def _rows(most: int, columns: int, image: Image) -> int:
    return max(1, min(most, _MOST_PIXELS // (columns * image.height * image.width)))


def _grid(gallery: Gallery) -> Pixels:
    times = max(1, _CELL // gallery.pixels.shape[2])
    return replace(gallery, pixels=enlarged(gallery.pixels, times)).grid().pixels.astype(np.uint8)


def _mistaken(model: Model, data: NamedDataset, device: torch.device) -> Pixels:
    """The first samples that a judge takes for something else than they are called; then those that it almost does."""
    judge = load_judge(PRETRAINED / f"{data.name}.safetensors", data.classes, device)
    latent, pixels = _tried(model)
    rest = judge.look(pixels).probabilities.copy()
    code, each = named_code(model.facts), np.arange(len(rest))
    if code is None:
        raise TypeError("a model whose categories have no words was given")
    asked = np.array([judge.classes.index(word) for word in code.labels])[latent[code.name]]
    own = rest[each, asked]
    rest[each, asked] = -1
    rival = rest.argmax(1)
    ahead = own - rest[each, rival]
    nearest = [at for at in np.argsort(ahead, kind="stable") if ahead[at] >= 0]
    chosen = [*np.flatnonzero(ahead < 0), *nearest][:FAILED]
    how = ["taken for" if ahead[at] < 0 else "almost" for at in chosen]
    captions = [
        f"{judge.classes[asked[at]]}, {words} {judge.classes[rival[at]]}" for at, words in zip(chosen, how, strict=True)
    ]
    return _captioned(pixels[chosen], captions)


def _doubtful(model: Model, code: Categorical) -> Pixels:
    """The samples of which the model's own encoder is least sure."""
    latent, pixels = _tried(model)
    probabilities = sampling.encode(model, pixels)[code.name]
    chosen = np.argsort(probabilities.max(1), kind="stable")[:FAILED]
    read = probabilities.argmax(1)
    captions = [
        f"{code.label(int(latent[code.name][at]))}, read as {code.label(int(read[at]))} ({probabilities[at].max():.2f})"
        for at in chosen
    ]
    return _captioned(pixels[chosen], captions)


def _tried(model: Model) -> tuple[Latent, Pixels]:
    """The samples that metrics begin with, too."""
    _, facts = latent_generator(model)
    latent = draw(facts.source, SEED, range(TRIED))
    return latent, sampling.generate(model, latent)


def _captioned(pixels: Pixels, captions: Sequence[str]) -> Pixels:
    panels = enlarged(pixels, max(1, _PANEL // pixels.shape[2]))
    rows = range(0, len(panels), _ACROSS)
    return sheet([Row(list(panels[at : at + _ACROSS]), captions[at : at + _ACROSS]) for at in rows])
