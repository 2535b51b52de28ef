"""The tables of a card, all figures from the model's ``evaluation.json``, and what of a text Markdown would read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from gansdk.evaluation.record import difference, interval, number, over_seeds
from gansdk.evaluation.restoration import FACES, JPEG, JPEG_QUALITY, PHOTOGRAPHS, PREFIX, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gansdk.cards.card import Card
    from gansdk.evaluation.record import Interval, Measurement
    from gansdk.model.config import Credit
    from gansdk.model.facts import ImageSpec

_ARROWS = {"higher": "↑", "lower": "↓"}
_KINDS = {
    PHOTOGRAPHS: "photographs, for comparison",
    FACES: "a face, near and far",
    TEXT: "small text",
    JPEG: f"inputs from JPEG files of quality {JPEG_QUALITY}",
}
_TRIAL_METRICS = ("psnr-y", "pd-lite0", "consistency")
_BICUBIC = "bicubic"


def escaped(value: object) -> Markup:
    """A value as text and nothing else: on one line, without HTML, links, code, or the end of a table's cell.

    `Markup` is text of this project's own and stays as it is.
    """
    if isinstance(value, Markup):
        return value
    text = " ".join(str(value).split()).replace("<", "&lt;")
    return Markup(re.sub(r"([\\`*|\[\]])", r"\\\1", text))  # noqa: S704 - escaped here


def table(header: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> Markup:
    """A table without the columns that are empty.

    Args:
        header: The names of the columns.
        rows: Of the same length.
        words: How many columns hold words; the others hold figures, aligned to the right.
    """
    kept = [column for column in range(len(header)) if any(row[column] for row in rows)]
    rule = ["---" if column < words else "--:" for column in range(len(header))]
    lines = [Markup(" | ").join(escaped(row[column]) for column in kept) for row in (header, rule, *rows)]
    return Markup("\n").join(Markup("| {} |").format(line) for line in lines if rows)


def column_names(card: Card) -> tuple[str, str]:
    """What the columns of the model and of its baseline are called."""
    return card.checkpoints[::-1] if card.config.checkpoints else ("this model", "baseline")


def tested(card: Card) -> list[Measurement]:
    """What was measured on test sets, set by set."""
    measurements = [found for found in card.evaluation.measurements if not found.data.startswith(PREFIX)]
    order = list(dict.fromkeys(found.data for found in measurements))
    return sorted(measurements, key=lambda found: order.index(found.data))


def results(card: Card) -> Markup:
    """What was measured on test sets, with the baseline in a column."""
    measurements = tested(card)
    names = list(dict.fromkeys(name for found in measurements for name in found.references))
    ours, baseline = column_names(card)
    seeds = len(card.evaluation.replicates) + 1
    bold = Markup("**{}**").format
    header = [
        "data",
        "metric",
        bold(escaped(ours)),
        "95 %",
        f"mean ± sd of {seeds} seeds",
        baseline,
        "difference (95 %)",
    ]
    rows = [
        [
            f"{found.data}{' †' if found.seen else ''}",
            Markup("{} {}{}").format(
                escaped(found.metric),
                _ARROWS[found.better],
                Markup(" [{}]").format(escaped(found.unit)) if found.unit else "",
            ),
            _bold(number(found.value, found.unit)),
            interval(found.interval, found.unit),
            over_seeds(card.evaluation.over_seeds(found), found.unit),
            _figure(found.baseline.value if found.baseline else None, found.unit),
            difference(found),
            *(_figure(found.references.get(name), found.unit) for name in names),
        ]
        for found in measurements
    ]
    return table([*header, *names], rows, words=2)


def intervals(measurements: Iterable[Measurement]) -> str:
    """How the intervals were found: a record keeps single values where the bootstrap drew from them."""
    drawn = {bool(found.values) for found in measurements if found.interval is not None}
    ways = {
        True: "by bootstrap over the images",
        False: "of shares by Wilson's method, of other means by the normal one",
    }
    return "; ".join(ways[way] for way in sorted(drawn, reverse=True))


def protocols(measurements: Iterable[Measurement]) -> Markup:
    """A row for each metric and way of measuring, with the sets that were measured so."""
    rows: dict[tuple[str, str], list[str]] = {}
    for found in measurements:
        facts = [f"{key}: {value}" for key, value in found.protocol.items() if key not in {"versions", "digest"}]
        versions = found.protocol.get("versions", {})
        facts += [", ".join(f"{name} {version}" for name, version in versions.items())] if versions else []
        data = f"{found.data} ({found.count} items)" if found.count else found.data
        rows.setdefault((f"{found.metric} v{found.version}", "; ".join(facts)), []).append(data)
    lines = [[metric, ", ".join(data), protocol] for (metric, protocol), data in rows.items()]
    return table(["metric", "on", "protocol"], lines, words=3)


def ablation(card: Card) -> Markup:
    """What other trainings gave."""
    columns = {
        (found.data, found.metric): f"{found.metric} {_ARROWS[found.better]} {found.data}"
        for row in card.evaluation.ablation
        for found in row.measurements
    }
    rows = []
    for row in card.evaluation.ablation:
        figures = {(found.data, found.metric): number(found.value, found.unit) for found in row.measurements}
        options = ", ".join(f"{name}={value}" for name, value in row.options.items())
        rows.append([row.name, str(row.steps), options, *(figures.get(column, "") for column in columns)])
    return table(["training", "steps", "options", *columns.values()], rows)


def trials(card: Card) -> Markup:
    """What was measured on the trial images: kinds that are hard, and photographs."""
    found, metrics = _tried(card)
    ours, baseline = column_names(card)
    header = ["kind of image", *(name for metric in metrics for name in (f"{metric}: {ours}", baseline, _BICUBIC))]
    rows = []
    for data, words in _KINDS.items():
        figures = [found.get((data, metric)) for metric in metrics]
        if any(figures):
            rows.append([words, *(cell for figure in figures for cell in _compared(figure))])
    return table(header, rows)


def worse_than_bicubic(card: Card) -> Iterator[str]:
    """A sentence for each metric by which it is worse than bicubic enlargement on some kind of image."""
    found, metrics = _tried(card)
    for metric in metrics:
        worse = [words for data, words in _KINDS.items() if (data, metric) in found and _is_worse(found[data, metric])]
        if worse:
            yield f"By {metric} it is worse than bicubic enlargement on: {'; '.join(worse)}."


def _is_worse(found: Measurement) -> bool:
    gain = found.value - found.references.get(_BICUBIC, found.value)
    return gain != 0 and (gain < 0) == (found.better == "higher")


def missed(share: float, ends: Interval | None = None) -> str:
    """What is left of a share, with its interval."""
    return f"{1 - share:.1%}" + (f" ({1 - ends[1]:.1%} to {1 - ends[0]:.1%})" if ends is not None else "")


def works(credits_: Iterable[Credit]) -> Markup:
    """The works of a data set."""
    rows = [[credit.item, credit.author, credit.licence, credit.source] for credit in credits_]
    return table(["work", "author", "licence", "from"], rows, words=4)


def _bold(text: str) -> Markup:
    return Markup("**{}**").format(escaped(text))


def _figure(value: float | None, unit: str) -> str:
    return number(value, unit) if value is not None else ""


def _tried(card: Card) -> tuple[dict[tuple[str, str], Measurement], list[str]]:
    """The measurements on trial images by data and metric, and which metrics are shown."""
    measurements = card.evaluation.measurements
    found = {(found.data, found.metric): found for found in measurements if found.data.startswith(PREFIX)}
    return found, [metric for metric in _TRIAL_METRICS if any(name == metric for _, name in found)]


def _compared(found: Measurement | None) -> tuple[str, str, str]:
    """A figure, its baseline's and that of bicubic enlargement."""
    if found is None:
        return "", "", ""
    values = found.value, found.baseline.value if found.baseline else None, found.references.get(_BICUBIC)
    figure, baseline, bicubic = (_figure(value, found.unit) for value in values)
    return figure, baseline, bicubic


def described(image: ImageSpec) -> str:
    """Size and colours of the images of a model."""
    kinds = {1: "grey", 3: "RGB"}
    return f"{image.width}×{image.height} pixels, {kinds.get(image.channels, f'{image.channels} channels')}"


def duration(seconds: float) -> str:
    """Hours and minutes."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
