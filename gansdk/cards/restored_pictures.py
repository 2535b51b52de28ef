"""The pictures of a card: what the model makes of trial pictures, beside bicubic enlargement and the truth.

They are parts of whole pictures that went through the model, in 8 bits and without loss.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gansdk.cards.card import STRIP, TRIALS
from gansdk.evaluation.trials import FACES, JPEG, PHOTOGRAPHS, TEXT
from gansdk.tasks.superres import misfit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from gansdk.evaluation.assessing import Subject
    from gansdk.evaluation.restoring import Case
    from gansdk.inference.catalog import Located
    from gansdk.model.facts import Facts
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Method

    Pixels = NDArray[np.uint8]

_SIDE = 192
_GAP, _HEADER = 6, 26


class _Part(NamedTuple):
    """A square of a trial picture, by its left and top edge in pixels of the truth."""

    data: str
    picture: str
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


def applicable(facts: Facts) -> tuple[str, ...]:
    """The pictures that can be made of a model with these facts."""
    return (STRIP, TRIALS) if misfit(facts) is None else ()


def make_pictures(folder: Path, located: Located, method: Method, load: LoadOptions) -> list[Path]:
    """Runs the model and writes the pictures of its card, each whole or not at all.

    Args:
        folder: Where they shall stand.
        located: The model.
        method: Its method.
        load: Where and in what numbers it computes.

    Raises:
        GansdkError: If the model does not load or gives no usable result, or the folder cannot be written to.
    """
    from gansdk.evaluation.subjects import load_subject
    from gansdk.files import write_whole

    names = applicable(located.config.facts)
    if not names:
        return []
    subject = load_subject(located, method, load)
    cases = dict(_cases(subject))
    captions = ["input", "bicubic", *(method.ends if subject.twin is not None else ("this model",)), "truth"]
    written = []
    for name in names:
        rows = [_panels(cases[part.data, part.picture], part) for part in _PARTS[name]]
        write_whole(folder / name, _encoded(_sheet(captions, rows)))
        written.append(folder / name)
    return written


def _cases(subject: Subject) -> Iterator[tuple[tuple[str, str], Case]]:
    from gansdk.evaluation.meters import Setting
    from gansdk.evaluation.restoring import Restoring
    from gansdk.evaluation.trials import trial_pictures

    trial = Restoring(subject.models, Setting(subject.model.facts, subject.device))
    wanted = {(part.data, part.picture) for parts in _PARTS.values() for part in parts}
    for name, pictures in trial_pictures().items():
        if any(data == name for data, _ in wanted):
            yield from (((name, case.name), case) for case in trial.cases(pictures))


def _panels(case: Case, part: _Part) -> list[Pixels]:
    """The part of each picture of a case, in the order of the columns."""
    from gansdk.evaluation.meters import MODEL, TWIN
    from gansdk.evaluation.restoring import BICUBIC

    scale = case.high.shape[0] // case.low.shape[0]
    enlarged = case.low.repeat(scale, axis=0).repeat(scale, axis=1)
    ways: Mapping[str, Pixels] = case.results
    pictures = [enlarged, ways[BICUBIC], *([ways[TWIN]] if TWIN in ways else []), ways[MODEL], case.high]
    return [one[part.top : part.top + _SIDE, part.left : part.left + _SIDE] for one in pictures]


def _sheet(captions: list[str], rows: list[list[Pixels]]) -> Image.Image:
    from PIL import Image, ImageDraw, ImageFont

    step = _SIDE + _GAP
    sheet = Image.new("RGB", (step * len(captions) - _GAP, _HEADER + step * len(rows) - _GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for column, caption in enumerate(captions):
        draw.text((column * step + _SIDE / 2, _HEADER / 2), caption, "black", font, "mm")
    for index, panels in enumerate(rows):
        for column, panel in enumerate(panels):
            sheet.paste(Image.fromarray(np.ascontiguousarray(panel)), (column * step, _HEADER + index * step))
    return sheet


def _encoded(sheet: Image.Image) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, "WEBP", lossless=True, quality=50, method=4)  # more effort takes half a minute
    return buffer.getvalue()
