"""Makes the images of a card with the model itself, in 8 bits and without loss."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gansdk.cards.card import (
    DOUBTFUL,
    FAILED,
    MISTAKEN,
    SAMPLES,
    STRIP,
    TRIALS,
    TRIED,
    applicable,
    doubted,
    evaluated_by,
    sampled,
    sorted_by,
    sweeps,
)
from gansdk.evaluation import sample_metrics
from gansdk.evaluation.codes import named_code
from gansdk.evaluation.evaluators import PRETRAINED, load_evaluator
from gansdk.evaluation.protocol import SEED
from gansdk.evaluation.restoration import FACES, JPEG, PHOTOGRAPHS, TEXT
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.models.context import Context
from gansdk.models.latents import draw
from gansdk.tasks import generate, traverse
from gansdk.tasks.generate import GenerateOptions
from gansdk.tasks.traverse import TraverseOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import ImageFont

    from gansdk.evaluation.evaluated_model import EvaluatedModel
    from gansdk.media.gallery import Gallery
    from gansdk.model.config import ModelConfig
    from gansdk.model.facts import ImageSpec
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Categorical
    from gansdk.models.latents import Latent
    from gansdk.models.resolved import ResolvedModel
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import NamedDataset

    Pixels = NDArray[np.uint8]

    from gansdk.evaluation.restoration import RestorationExample


def make_images(folder: Path, resolved: ResolvedModel, load: LoadOptions) -> list[Path]:
    """Runs the model and writes the images of its card, each whole or not at all.

    Args:
        folder: Where they go.
        resolved: The model.
        load: Where and in what numbers it computes.

    Raises:
        GansdkError: If the model does not load or gives no usable result, or the folder cannot be written to.
    """
    from gansdk.evaluation.evaluated_model import load_evaluated_model
    from gansdk.files import write_whole

    names = applicable(resolved.config)
    if not names:
        return []
    evaluated_model = load_evaluated_model(resolved, load)
    made = (
        restored_images(evaluated_model, resolved.method.checkpoints)
        if STRIP in names
        else latent_images(evaluated_model, resolved.config)
    )
    written = []
    for name, pixels in made:
        write_whole(folder / name, _encoded(pixels))
        written.append(folder / name)
    return written


def _encoded(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image as PILImage

    buffer = io.BytesIO()
    image = PILImage.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.save(buffer, "WEBP", lossless=True, quality=50, method=4)  # more effort takes half a minute
    return buffer.getvalue()


_CELL, _PANEL = 84, 168
"""Pixels: small images are enlarged to about this width in a grid, and in a sheet with captions."""

_MOST_COLUMNS, _SAMPLE_ROWS = 20, 8
_STEPS, _SWEEP_ROWS = 11, 6
_ACROSS = 4
_MOST_PIXELS = 2**17
"""Of all samples in one image, before they are enlarged: without loss they are to stay below 300 KB or so."""


def latent_images(evaluated_model: EvaluatedModel, config: ModelConfig) -> Iterator[tuple[str, Pixels]]:
    """Names and pixels, uint8 [H, W, C], of the images of a model whose generator starts from a latent."""
    model, image = evaluated_model.model, sampled(config.facts)
    yield SAMPLES, _samples(model, sorted_by(config.facts), image)
    for name, code in sweeps(config.facts).items():
        (start, stop), rows = code.variable.swept, _rows(_SWEEP_ROWS, _STEPS, image)
        yield name, _swept(model, TraverseOptions(code=code.name, start=start, stop=stop, steps=_STEPS, rows=rows))
    names, data, told = applicable(config), evaluated_by(config), doubted(config.facts)
    if MISTAKEN in names and data is not None:
        yield MISTAKEN, _mistaken(model, data, evaluated_model.device)
    if DOUBTFUL in names and told is not None:
        yield DOUBTFUL, _doubtful(model, told)


def _samples(model: Model, code: Categorical | None, image: ImageSpec) -> Pixels:
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


def _rows(most: int, columns: int, image: ImageSpec) -> int:
    return max(1, min(most, _MOST_PIXELS // (columns * image.height * image.width)))


def _grid(gallery: Gallery) -> Pixels:
    times = max(1, _CELL // gallery.pixels.shape[2])
    return replace(gallery, pixels=enlarged(gallery.pixels, times)).grid().pixels.astype(np.uint8)


def _mistaken(model: Model, data: NamedDataset, device: torch.device) -> Pixels:
    """The first samples that the evaluator takes for another class; then those that it nearly does."""
    evaluator = load_evaluator(PRETRAINED / f"{data.name}.safetensors", data.classes, device)
    latent, pixels = _tried(model)
    rest = evaluator.predict(pixels).probabilities.copy()
    code, each = named_code(model.facts), np.arange(len(rest))
    if code is None:
        raise TypeError("a model whose categories have no words was given")
    asked = np.array([evaluator.classes.index(word) for word in code.labels])[latent[code.name]]
    own = rest[each, asked]
    rest[each, asked] = -1
    rival = rest.argmax(1)
    ahead = own - rest[each, rival]
    nearest = [at for at in np.argsort(ahead, kind="stable") if ahead[at] >= 0]
    chosen = [*np.flatnonzero(ahead < 0), *nearest][:FAILED]
    how = ["taken for" if ahead[at] < 0 else "almost" for at in chosen]
    captions = [
        f"{evaluator.classes[asked[at]]}, {words} {evaluator.classes[rival[at]]}"
        for at, words in zip(chosen, how, strict=True)
    ]
    return _captioned(pixels[chosen], captions)


def _doubtful(model: Model, code: Categorical) -> Pixels:
    """The samples of which the model's own encoder is least sure."""
    latent, pixels = _tried(model)
    probabilities = sample_metrics.encode(model, pixels)[code.name]
    chosen = np.argsort(probabilities.max(1), kind="stable")[:FAILED]
    read = probabilities.argmax(1)
    captions = [
        f"{code.label(int(latent[code.name][at]))}, read as {code.label(int(read[at]))} ({probabilities[at].max():.2f})"
        for at in chosen
    ]
    return _captioned(pixels[chosen], captions)


def _tried(model: Model) -> tuple[Latent, Pixels]:
    """The samples that metrics begin with, too."""
    _, facts = model.require(LatentGeneratorFacts)
    latent = draw(facts.source, SEED, range(TRIED))
    return latent, sample_metrics.generate(model, latent)


def _captioned(pixels: Pixels, captions: Sequence[str]) -> Pixels:
    panels = enlarged(pixels, max(1, _PANEL // pixels.shape[2]))
    rows = range(0, len(panels), _ACROSS)
    return sheet([Row(list(panels[at : at + _ACROSS]), captions[at : at + _ACROSS]) for at in rows])


_SIDE = 192


class _Part(NamedTuple):
    """A square of a trial image, by its left and top edge in pixels of the truth."""

    data: str
    image: str
    left: int
    top: int


_PARTS = {
    STRIP: (
        _Part(PHOTOGRAPHS, "chelsea", 72, 48),
        _Part(PHOTOGRAPHS, "coffee", 312, 192),
        _Part(PHOTOGRAPHS, "rocket", 240, 232),
    ),
    TRIALS: (
        _Part(TEXT, "text, 24 pixels", 0, 0),
        _Part(FACES, "face, near", 0, 0),
        _Part(JPEG, "coffee", 312, 192),
    ),
}


def restored_images(evaluated_model: EvaluatedModel, checkpoints: tuple[str, str]) -> Iterator[tuple[str, Pixels]]:
    """Names and pixels, uint8 [H, W, 3], of the images of a model that restores images.

    Args:
        evaluated_model: The model, with its first checkpoint as its baseline if it has one.
        checkpoints: What the two are called.
    """
    cases = dict(_cases(evaluated_model))
    captions = [
        "input",
        "bicubic",
        *(checkpoints if evaluated_model.baseline is not None else ("this model",)),
        "truth",
    ]
    for name, variables in _PARTS.items():
        rows = [_panels(cases[variable.data, variable.image], variable) for variable in variables]
        yield name, sheet([Row(panels, captions if at == 0 else ()) for at, panels in enumerate(rows)])


def _cases(evaluated_model: EvaluatedModel) -> Iterator[tuple[tuple[str, str], RestorationExample]]:
    from gansdk.evaluation.protocol import EvaluationSettings
    from gansdk.evaluation.restoration import RestorationProtocol, trial_images

    trial = RestorationProtocol(
        evaluated_model.models, EvaluationSettings(evaluated_model.model.facts, evaluated_model.device)
    )
    wanted = {(variable.data, variable.image) for variables in _PARTS.values() for variable in variables}
    for name, images in trial_images().items():
        if any(data == name for data, _ in wanted):
            yield from (((name, case.name), case) for case in trial.examples(images))


def _panels(case: RestorationExample, variable: _Part) -> list[Pixels]:
    """The part of each image of a case, in the order of the columns."""
    from gansdk.evaluation.protocol import BASELINE, MODEL
    from gansdk.evaluation.restoration import BICUBIC

    scale = case.high.shape[0] // case.low.shape[0]
    enlarged = case.low.repeat(scale, axis=0).repeat(scale, axis=1)
    ways: Mapping[str, Pixels] = case.results
    images = [enlarged, ways[BICUBIC], *([ways[BASELINE]] if BASELINE in ways else []), ways[MODEL], case.high]
    return [one[variable.top : variable.top + _SIDE, variable.left : variable.left + _SIDE] for one in images]


_GAP, _HEADER = 6, 26
_LARGEST, _SMALLEST = 15, 9


class Row(NamedTuple):
    """Images side by side.

    Attributes:
        panels: uint8 [H, W, C], all of a sheet of one size; C is 1 or 3.
        captions: One above each, or none at all.
    """

    panels: Sequence[Pixels]
    captions: Sequence[str] = ()


def sheet(rows: Sequence[Row]) -> Pixels:
    """Rows below each other on white, uint8 [H, W, 3]."""
    from PIL import Image as PILImage
    from PIL import ImageDraw

    height, width = rows[0].panels[0].shape[:2]
    step, columns = width + _GAP, max(len(row.panels) for row in rows)
    headers = sum(_HEADER for row in rows if row.captions)
    image = PILImage.new("RGB", (step * columns - _GAP, headers + (height + _GAP) * len(rows) - _GAP), "white")
    draw, font = ImageDraw.Draw(image), _font([text for row in rows for text in row.captions], width)
    top = 0
    for row in rows:
        for column, caption in enumerate(row.captions):
            draw.text((column * step + width / 2, top + _HEADER / 2), caption, "black", font, "mm")
        top += _HEADER if row.captions else 0
        for column, panel in enumerate(row.panels):
            image.paste(PILImage.fromarray(_coloured(panel)), (column * step, top))
        top += height + _GAP
    return np.asarray(image)


def enlarged(pixels: Pixels, times: int) -> Pixels:
    """Images, uint8 [N, H, W, C], each pixel a square."""
    return pixels.repeat(times, axis=1).repeat(times, axis=2)


def _coloured(panel: Pixels) -> Pixels:
    return np.ascontiguousarray(np.broadcast_to(panel, (*panel.shape[:2], 3)))


def _font(captions: Sequence[str], width: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """The largest that keeps captions apart, or the smallest that can be read."""
    from PIL import ImageFont

    sizes = range(_LARGEST, _SMALLEST, -1)
    fonts = (ImageFont.load_default(size) for size in sizes)
    fitting = (font for font in fonts if all(font.getlength(text) <= width for text in captions))
    return next(fitting, ImageFont.load_default(_SMALLEST))
