"""The part of a card that says where a model fails, from the model's ``evaluation.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.cards.card import TRIALS
from gansdk.cards.tables import table
from gansdk.evaluation.trials import FACES, JPEG, JPEG_QUALITY, PHOTOGRAPHS, PREFIX, TEXT
from gansdk.evaluation.wording import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gansdk.cards.card import Card
    from gansdk.evaluation.record import Measurement

_KINDS = {
    PHOTOGRAPHS: "photographs, for comparison",
    FACES: "a face, near and far",
    TEXT: "small text",
    JPEG: f"inputs from JPEG files of quality {JPEG_QUALITY}",
}


def columns(card: Card) -> str:
    """What the columns of its pictures show."""
    ours = ", ".join(card.ends) if card.config.ends else "this model"
    return f"input, bicubic, {ours}, truth"


def failures(card: Card) -> str:
    """What was measured on the trial pictures: kinds that are hard, against photographs and bicubic enlargement."""
    tried = {one.data: one for one in card.evaluation.measurements if one.data.startswith(PREFIX)}
    if not tried:
        return "\n".join(["## Where it fails", "", *_shown(card), "Not measured."]) if TRIALS in card.pictures else ""
    metrics = [
        metric
        for metric in ("psnr-y", "pd-lite0", "consistency")
        if any(one.metric == metric and one.data.startswith(PREFIX) for one in card.evaluation.measurements)
    ]
    found = {(one.data, one.metric): one for one in card.evaluation.measurements}
    ours, beside = card.ends[::-1] if card.config.ends else ("this model", "twin")
    header = ["kind of picture", *(part for metric in metrics for part in (f"{metric}: {ours}", beside, "bicubic"))]
    rows = [
        [words, *(part for metric in metrics for part in _beside(found.get((data, metric))))]
        for data, words in _KINDS.items()
        if data in tried
    ]
    lines = ["## Where it fails", "", table(header, rows), "", *(_shown(card) if TRIALS in card.pictures else [])]
    return "\n".join([*lines, *_worse(found, metrics), "Few pictures: for a comparison of kinds, not of models."])


def _shown(card: Card) -> list[str]:
    return [f"![{columns(card)}]({TRIALS})", "", f"From left to right: {columns(card)}.", ""]


def _beside(one: Measurement | None) -> tuple[str, str, str]:
    """A figure, its twin's and that of bicubic enlargement."""
    if one is None:
        return "", "", ""
    twin = number(one.twin.value, one.unit) if one.twin is not None else ""
    bicubic = one.baselines.get("bicubic")
    return number(one.value, one.unit), twin, number(bicubic, one.unit) if bicubic is not None else ""


def _worse(found: Mapping[tuple[str, str], Measurement], metrics: Sequence[str]) -> list[str]:
    """A sentence for each metric by which it is worse than bicubic enlargement on some kind."""
    lines = []
    for metric in metrics:
        worse = []
        for data, words in _KINDS.items():
            one = found.get((data, metric))
            if one is not None and "bicubic" in one.baselines:
                gain = one.value - one.baselines["bicubic"]
                if (gain < 0) == (one.better == "higher") and gain != 0:
                    worse.append(words)
        if worse:
            lines.append(f"By {metric} it is worse than bicubic enlargement on: {'; '.join(worse)}.")
    return lines
