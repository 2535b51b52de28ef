"""What a model makes of trial pictures, beside bicubic enlargement and the truth: parts of whole pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gansdk.cards.exhibits import STRIP, TRIALS
from gansdk.cards.sheets import Row, sheet
from gansdk.evaluation.restoration.trials import FACES, JPEG, PHOTOGRAPHS, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from gansdk.evaluation.assessing import Subject
    from gansdk.evaluation.restoration.restoring import Case

    Pixels = NDArray[np.uint8]

_SIDE = 192


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


def restored_pictures(subject: Subject, ends: tuple[str, str]) -> Iterator[tuple[str, Pixels]]:
    """Names and pixels, uint8 [H, W, 3], of the pictures of a model that restores pictures.

    Args:
        subject: The model, with its other end as its twin where it has one.
        ends: What the two are called.
    """
    cases = dict(_cases(subject))
    captions = ["input", "bicubic", *(ends if subject.twin is not None else ("this model",)), "truth"]
    for name, parts in _PARTS.items():
        rows = [_panels(cases[part.data, part.picture], part) for part in parts]
        yield name, sheet([Row(panels, captions if at == 0 else ()) for at, panels in enumerate(rows)])


def _cases(subject: Subject) -> Iterator[tuple[tuple[str, str], Case]]:
    from gansdk.evaluation.meters import Setting
    from gansdk.evaluation.restoration.restoring import Restoring
    from gansdk.evaluation.restoration.trials import trial_pictures

    trial = Restoring(subject.models, Setting(subject.model.facts, subject.device))
    wanted = {(part.data, part.picture) for parts in _PARTS.values() for part in parts}
    for name, pictures in trial_pictures().items():
        if any(data == name for data, _ in wanted):
            yield from (((name, case.name), case) for case in trial.cases(pictures))


def _panels(case: Case, part: _Part) -> list[Pixels]:
    """The part of each picture of a case, in the order of the columns."""
    from gansdk.evaluation.meters import MODEL, TWIN
    from gansdk.evaluation.restoration.restoring import BICUBIC

    scale = case.high.shape[0] // case.low.shape[0]
    enlarged = case.low.repeat(scale, axis=0).repeat(scale, axis=1)
    ways: Mapping[str, Pixels] = case.results
    pictures = [enlarged, ways[BICUBIC], *([ways[TWIN]] if TWIN in ways else []), ways[MODEL], case.high]
    return [one[part.top : part.top + _SIDE, part.left : part.left + _SIDE] for one in pictures]
