"""The part of a card that says where a model fails, from the model's ``evaluation.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.cards.exhibits import DOUBTFUL, FAILED, MISTAKEN, TRIALS, TRIED, judged_by
from gansdk.cards.tables import plain, table
from gansdk.evaluation.restoration.trials import FACES, JPEG, JPEG_QUALITY, PHOTOGRAPHS, PREFIX, TEXT
from gansdk.evaluation.wording import number
from gansdk.model.facts import LatentGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gansdk.cards.card import Card
    from gansdk.evaluation.record import Figure, Measurement

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
    """What is known of where it fails; empty where nothing is."""
    lines = _sampling(card) if isinstance(card.config.facts.generator, LatentGeneratorFacts) else []
    lines += _reading(card)
    return "\n\n".join(["## Where it fails", *lines]) if lines else _restoring(card)


def _sampling(card: Card) -> list[str]:
    """How often a judge disagrees with what samples are called, and what such samples look like."""
    lines = [_unlike(one) for one in card.evaluation.measurements if one.metric == "code-fidelity"]
    data = judged_by(card.config)
    if MISTAKEN in card.pictures and data is not None:
        said = f"Of {TRIED} samples the first {FAILED} that the judge of {data.name} takes for something else"
        said += " than their category is called; where there are fewer, those follow that it almost does."
        lines += [f"![samples that a judge takes for something else]({MISTAKEN})", said]
    if DOUBTFUL in card.pictures:
        said = f"Of {TRIED} samples the {FAILED} of which its own encoder is least sure, with what it takes them for."
        lines += [f"![samples of which its encoder is unsure]({DOUBTFUL})", said]
    return lines


def _unlike(one: Measurement) -> str:
    twin = f", in {_missed(one.twin)} of its twin's" if one.twin is not None else ""
    said = f"In {_missed(one)} of its samples{twin}, a judge sees something else than their category is called"
    judge = one.protocol.get("judge")
    return f"{said}. The judge: {plain(str(judge))}." if judge else f"{said}."


def _reading(card: Card) -> list[str]:
    """How often its encoder is wrong about labelled images."""
    lines = []
    for one in card.evaluation.measurements:
        if one.metric == "code-accuracy":
            words = one.baselines.get("by its own words")
            by_words = f", and {1 - words:.1%} by its own words" if words is not None else ""
            said = f"Its encoder gets {_missed(one)} of the images of {plain(one.data)} wrong"
            lines += [f"{said} once each category is matched with a class{by_words}."]
    return lines


def _missed(figure: Figure) -> str:
    """What is left of a share."""
    ends = f" ({1 - figure.interval[1]:.1%} to {1 - figure.interval[0]:.1%})" if figure.interval is not None else ""
    return f"{1 - figure.value:.1%}{ends}"


def _restoring(card: Card) -> str:
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
