"""Makes the images of a card with the model itself, in 8 bits and without loss."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

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
from gansdk.evaluation.evaluated_model import load_evaluated_model
from gansdk.evaluation.evaluators import PRETRAINED, load_evaluator
from gansdk.evaluation.protocol import BASELINE, MODEL, SEED, EvaluationSettings
from gansdk.evaluation.restoration import BICUBIC, FACES, JPEG, PHOTOGRAPHS, TEXT, RestorationProtocol, trial_images
from gansdk.files import write_whole
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.models.context import Context
from gansdk.models.latents import draw
from gansdk.tasks import generate, traverse
from gansdk.tasks.generate import GenerateOptions
from gansdk.tasks.traverse import TraverseOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gansdk.evaluation.evaluated_model import EvaluatedModel
    from gansdk.evaluation.restoration import RestorationExample
    from gansdk.media.gallery import Gallery
    from gansdk.model.config import ModelConfig
    from gansdk.model.facts import ImageSpec
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Categorical
    from gansdk.models.latents import Latent
    from gansdk.models.resolved import ResolvedModel
    from gansdk.options import LoadOptions, Options
    from gansdk.plugins.declarations import NamedDataset

    Pixels = NDArray[np.uint8]


def make_images(folder: Path, resolved: ResolvedModel, load: LoadOptions) -> list[Path]:
    """Runs the model and writes the images of its card, each whole or not at all.

    Args:
        folder: Where they go.
        resolved: The model.
        load: Where and in what numbers it computes.

    Raises:
        GansdkError: If the model does not load or gives no usable result, or the folder cannot be written to.
    """
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
        buffer = io.BytesIO()
        image = PILImage.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        image.save(buffer, "WEBP", lossless=True, quality=50, method=4)  # more effort takes half a minute
        write_whole(folder / name, buffer.getvalue())
        written.append(folder / name)
    return written


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
        options = TraverseOptions(code=code.name, start=start, stop=stop, steps=_STEPS, rows=rows)
        yield name, _grid(traverse.run, model, options)
    names, data, doubted_code = applicable(config), evaluated_by(config), doubted(config.facts)
    if MISTAKEN in names and data is not None:
        yield MISTAKEN, _mistaken(model, data, evaluated_model.device)
    if DOUBTFUL in names and doubted_code is not None:
        yield DOUBTFUL, _doubtful(model, doubted_code)


def _samples(model: Model, code: Categorical | None, image: ImageSpec) -> Pixels:
    if code is not None:
        columns = min(code.k, _MOST_COLUMNS)
        rows = _rows(_SAMPLE_ROWS, columns, image)
        return _grid(traverse.run, model, TraverseOptions(code=code.name, steps=columns, rows=rows))
    columns = _rows(_SAMPLE_ROWS, 1, image)
    options = GenerateOptions(n=columns * _rows(_SAMPLE_ROWS, columns, image), columns=columns)
    return _grid(generate.run, model, options)


def _rows(most: int, columns: int, image: ImageSpec) -> int:
    return max(1, min(most, _MOST_PIXELS // (columns * image.height * image.width)))


def _grid(run: Callable[..., Gallery], model: Model, options: Options) -> Pixels:
    """What a task makes, with small images enlarged."""
    with torch.inference_mode():
        gallery = run(model, {}, options, Context())
        return replace(gallery, pixels=_enlarged(gallery.pixels, _CELL)).grid().pixels.astype(np.uint8)


def _mistaken(model: Model, data: NamedDataset, device: torch.device) -> Pixels:
    """The first samples that the evaluator takes for another class; then those that it nearly does."""
    evaluator = load_evaluator(PRETRAINED / f"{data.name}.safetensors", data.classes, device)
    latent, pixels = _tried(model)
    rest = evaluator.predict(pixels).probabilities.copy()
    code, samples = named_code(model.facts), np.arange(len(rest))
    if code is None:
        raise TypeError("a model whose categories have no words was given")
    asked = np.array([evaluator.classes.index(word) for word in code.labels])[latent[code.name]]
    own = rest[samples, asked]
    rest[samples, asked] = -1
    rival = rest.argmax(1)
    ahead = own - rest[samples, rival]
    nearest = [at for at in np.argsort(ahead, kind="stable") if ahead[at] >= 0]
    chosen = [*np.flatnonzero(ahead < 0), *nearest][:FAILED]
    captions = [
        f"{evaluator.classes[asked[at]]}, {'taken for' if ahead[at] < 0 else 'almost'} {evaluator.classes[rival[at]]}"
        for at in chosen
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
    latent = draw(model.require(LatentGeneratorFacts)[1].source, SEED, range(TRIED))
    return latent, sample_metrics.generate(model, latent)


def _captioned(pixels: Pixels, captions: Sequence[str]) -> Pixels:
    panels, starts = _enlarged(pixels, _PANEL), range(0, len(pixels), _ACROSS)
    return _sheet([(list(panels[at : at + _ACROSS]), captions[at : at + _ACROSS]) for at in starts])


def _enlarged(pixels: Pixels, side: int) -> Pixels:
    """Images, uint8 [N, H, W, C]; each pixel becomes a square, so that small images are about this wide."""
    times = max(1, side // pixels.shape[2])
    return pixels.repeat(times, axis=1).repeat(times, axis=2)


_SIDE = 192


class _Detail(NamedTuple):
    """A square of a trial image, by its left and top edge in pixels of the truth."""

    data: str
    image: str
    left: int
    top: int


_DETAILS = {
    STRIP: (
        _Detail(PHOTOGRAPHS, "chelsea", 72, 48),
        _Detail(PHOTOGRAPHS, "coffee", 312, 192),
        _Detail(PHOTOGRAPHS, "rocket", 240, 232),
    ),
    TRIALS: (
        _Detail(TEXT, "text, 24 pixels", 0, 0),
        _Detail(FACES, "face, near", 0, 0),
        _Detail(JPEG, "coffee", 312, 192),
    ),
}


def restored_images(evaluated_model: EvaluatedModel, checkpoints: tuple[str, str]) -> Iterator[tuple[str, Pixels]]:
    """Names and pixels, uint8 [H, W, 3], of the images of a model that restores images.

    Args:
        evaluated_model: The model, with its first checkpoint as its baseline if it has one.
        checkpoints: What the two are called.
    """
    settings = EvaluationSettings(evaluated_model.model.facts, evaluated_model.device)
    protocol = RestorationProtocol(evaluated_model.models, settings)
    shown = {detail.data for details in _DETAILS.values() for detail in details}
    examples = {
        (name, example.name): example
        for name, images in trial_images().items()
        if name in shown
        for example in protocol.examples(images)
    }
    ours = checkpoints if evaluated_model.baseline is not None else ("this model",)
    captions = ["input", "bicubic", *ours, "truth"]
    for name, details in _DETAILS.items():
        rows = [_panels(examples[detail.data, detail.image], detail) for detail in details]
        yield name, _sheet([(panels, captions if at == 0 else ()) for at, panels in enumerate(rows)])


def _panels(example: RestorationExample, detail: _Detail) -> list[Pixels]:
    """The detail in each image of an example, in the order of the columns."""
    scale = example.high.shape[0] // example.low.shape[0]
    enlarged = example.low.repeat(scale, axis=0).repeat(scale, axis=1)
    results = [example.results[way] for way in (BICUBIC, BASELINE, MODEL) if way in example.results]
    rows, columns = slice(detail.top, detail.top + _SIDE), slice(detail.left, detail.left + _SIDE)
    return [image[rows, columns] for image in (enlarged, *results, example.high)]


_GAP, _HEADER = 6, 26
_LARGEST, _SMALLEST = 15, 9


def _sheet(rows: Sequence[tuple[Sequence[Pixels], Sequence[str]]]) -> Pixels:
    """Rows below each other on white, uint8 [H, W, 3]: panels of one size, grey or RGB, and captions above or none."""
    height, width = rows[0][0][0].shape[:2]
    step, columns = width + _GAP, max(len(panels) for panels, _ in rows)
    headers = sum(_HEADER for _, captions in rows if captions)
    image = PILImage.new("RGB", (step * columns - _GAP, headers + (height + _GAP) * len(rows) - _GAP), "white")
    draw, font = ImageDraw.Draw(image), _font([caption for _, captions in rows for caption in captions], width)
    top = 0
    for panels, captions in rows:
        for column, caption in enumerate(captions):
            draw.text((column * step + width / 2, top + _HEADER / 2), caption, "black", font, "mm")
        top += _HEADER if captions else 0
        for column, panel in enumerate(panels):
            coloured = np.ascontiguousarray(np.broadcast_to(panel, (height, width, 3)))
            image.paste(PILImage.fromarray(coloured), (column * step, top))
        top += height + _GAP
    return np.asarray(image)


def _font(captions: Sequence[str], width: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """The largest that keeps captions apart, or the smallest that can be read."""
    sizes = range(_LARGEST, _SMALLEST, -1)
    fonts = (ImageFont.load_default(size) for size in sizes)
    fitting = (font for font in fonts if all(font.getlength(text) <= width for text in captions))
    return next(fitting, ImageFont.load_default(_SMALLEST))
