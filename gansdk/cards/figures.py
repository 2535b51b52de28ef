"""The parts of a card that hold figures: all of them from the model's ``evaluation.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.evaluation.classifiers import SHAPE, evaluated
from gansdk.evaluation.codes import (
    latent_variables,
    named_code,
    recovered_codes,
    sampling_unsupported_reason,
    swept_codes,
)
from gansdk.evaluation.record import difference, interval, number, over_seeds, unevaluated
from gansdk.evaluation.restoration import FACES, JPEG, JPEG_QUALITY, PHOTOGRAPHS, PREFIX, TEXT
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.variables import Categorical
from gansdk.tasks.superres import unsupported_reason
from gansdk.tasks.traverse import TraverseOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gansdk.cards.card import Card
    from gansdk.evaluation.codes import SweptCode
    from gansdk.evaluation.record import Estimate, Measurement
    from gansdk.model.config import ModelConfig
    from gansdk.model.facts import Facts, ImageSpec
    from gansdk.plugins.declarations import NamedDataset


_ARROWS = {"higher": "↑", "lower": "↓"}


def figures(card: Card) -> str:
    """What was measured on test sets, with the baseline beside it."""
    measured = [one for one in card.evaluation.measurements if not one.data.startswith(PREFIX)]
    order = list(dict.fromkeys(one.data for one in measured))
    measured.sort(key=lambda one: order.index(one.data))
    if not measured:
        return "## Figures\n\nNot measured yet on a test set: `gansdk eval` does it."
    names = list(dict.fromkeys(name for one in measured for name in one.references))
    ours, beside = card.checkpoints[::-1] if card.config.checkpoints else ("this model", "baseline")
    seeds = len(card.evaluation.replicates) + 1
    spread = [f"mean ± sd of {seeds} seeds"] if seeds > 1 else []
    header = ["data", "metric", f"**{ours}**", "95 %", *spread, beside, "difference (95 %)", *names]
    rows = [
        [
            _data(one),
            f"{one.metric} {_ARROWS[one.better]}{f' [{one.unit}]' if one.unit else ''}",
            f"**{number(one.value, one.unit)}**",
            interval(one.interval, one.unit),
            *(over_seeds(card.evaluation.over_seeds(one), one.unit) for _ in spread),
            number(one.baseline.value, one.unit) if one.baseline is not None else "",
            difference(one),
            *(number(one.references[name], one.unit) if name in one.references else "" for name in names),
        ]
        for one in measured
    ]
    lines = ["## Figures", ""]
    if said := unevaluated(card.config.facts, card.evaluation):
        lines += [f"**{said.capitalize()}**: no figure here says how good they are. `gansdk eval --data` does it.", ""]
    lines += [table(header, rows, left=2), ""]
    lines += [f"↑ higher is better, ↓ lower is better.{_intervals(measured)}"]
    lines += [_seeds(card)] if spread else []
    lines += ["", f"Baseline: {plain(card.evaluation.baseline)}."] if card.evaluation.baseline else []
    if any(one.seen for one in measured):
        lines += ["", "Sets marked † are what it was trained on: these figures say nothing about other images."]
    return "\n".join([*lines, "", folded("How each was measured", _protocols(measured))])


def _intervals(measured: Iterable[Measurement]) -> str:
    """By what distribution they are: a record keeps single values where the bootstrap drew from them."""
    drawn = {bool(one.values) for one in measured if one.interval is not None}
    said = {
        True: "by bootstrap over the images",
        False: "of shares by Wilson's method, of other means by the normal one",
    }
    return f" Intervals {'; '.join(said[each] for each in sorted(drawn, reverse=True))}." if drawn else ""


def _seeds(card: Card) -> str:
    """Whose spread it is."""
    ours = card.config.trained.seed if card.config.trained is not None else "?"
    others = ", ".join(str(one.seed) for one in card.evaluation.replicates)
    return f"This model is seed {ours}; the others are {others}, trained and measured alike."


def _data(one: Measurement) -> str:
    return f"{one.data}{' †' if one.seen else ''}"


def _protocols(measured: Iterable[Measurement]) -> str:
    """One row per metric and way of measuring, with the sets that were measured so."""
    rows: dict[tuple[str, str], list[str]] = {}
    for one in measured:
        facts = {key: value for key, value in one.protocol.items() if key not in {"versions", "digest"}}
        versions = one.protocol.get("versions", {})
        said = "; ".join(f"{key}: {value}" for key, value in facts.items())
        said += "; " + ", ".join(f"{name} {version}" for name, version in versions.items()) if versions else ""
        rows.setdefault((f"{one.metric} v{one.version}", said), []).append(
            f"{one.data} ({one.count} items)" if one.count else one.data
        )
    return table(
        ["metric", "on", "protocol"], [[metric, ", ".join(on), said] for (metric, said), on in rows.items()], left=3
    )


def ablation(card: Card) -> str:
    """What other ways of training gave."""
    rows = card.evaluation.ablation
    if not rows:
        return ""
    columns = list(dict.fromkeys((one.data, one.metric) for row in rows for one in row.measurements))
    by_row = [{(one.data, one.metric): one for one in row.measurements} for row in rows]
    header = ["training", "steps", "options"]
    header += [f"{metric} {_arrow(by_row, (data, metric))} {data}" for data, metric in columns]
    body = [
        [
            row.name,
            str(row.steps),
            ", ".join(f"{name}={value}" for name, value in row.options.items()),
            *(number(found[at].value, found[at].unit) if at in found else "" for at in columns),
        ]
        for row, found in zip(rows, by_row, strict=True)
    ]
    text = "Other trainings, measured alike, with the options in which they differ. None of them is this model."
    return f"## Ablation\n\n{text}\n\n{table(header, body)}"


def _arrow(rows: Iterable[Mapping[tuple[str, str], Measurement]], at: tuple[str, str]) -> str:
    return next(_ARROWS[row[at].better] for row in rows if at in row)


_KINDS = {
    PHOTOGRAPHS: "photographs, for comparison",
    FACES: "a face, near and far",
    TEXT: "small text",
    JPEG: f"inputs from JPEG files of quality {JPEG_QUALITY}",
}


def columns(card: Card) -> str:
    """What the columns of its images show."""
    ours = ", ".join(card.checkpoints) if card.config.checkpoints else "this model"
    return f"input, bicubic, {ours}, truth"


def failures(card: Card) -> str:
    """What is known of where it fails; empty where nothing is."""
    lines = _sampling(card) if isinstance(card.config.facts.generator, LatentGeneratorFacts) else []
    lines += _reading(card)
    return "\n\n".join(["## Where it fails", *lines]) if lines else _restoring(card)


def _sampling(card: Card) -> list[str]:
    """How often an evaluator disagrees with what samples are called, and what such samples look like."""
    lines = [_unlike(one) for one in card.evaluation.measurements if one.metric == "code-fidelity"]
    data = evaluated_by(card.config)
    if MISTAKEN in card.images and data is not None:
        said = f"Of {TRIED} samples the first {FAILED} that the evaluator of {data.name} takes for something else"
        said += " than their category is called; where there are fewer, those follow that it almost does."
        lines += [f"![samples that an evaluator takes for something else]({MISTAKEN})", said]
    if DOUBTFUL in card.images:
        said = f"Of {TRIED} samples the {FAILED} of which its own encoder is least sure, with what it takes them for."
        lines += [f"![samples of which its encoder is unsure]({DOUBTFUL})", said]
    return lines


def _unlike(one: Measurement) -> str:
    baseline = f", in {_missed(one.baseline)} of its baseline's" if one.baseline is not None else ""
    said = f"In {_missed(one)} of its samples{baseline}, an evaluator sees something else than their category is called"
    evaluator = one.protocol.get("evaluator")
    return f"{said}. The evaluator: {plain(str(evaluator))}." if evaluator else f"{said}."


def _reading(card: Card) -> list[str]:
    """How often its encoder is wrong about labelled images."""
    lines = []
    for one in card.evaluation.measurements:
        if one.metric == "clustering-accuracy":
            words = one.references.get("by its own words")
            by_words = f", and {1 - words:.1%} by its own words" if words is not None else ""
            said = f"Its encoder gets {_missed(one)} of the images of {plain(one.data)} wrong"
            lines += [f"{said} once each category is matched with a class{by_words}."]
    return lines


def _missed(figure: Estimate) -> str:
    """What is left of a share."""
    ends = f" ({1 - figure.interval[1]:.1%} to {1 - figure.interval[0]:.1%})" if figure.interval is not None else ""
    return f"{1 - figure.value:.1%}{ends}"


def _restoring(card: Card) -> str:
    """What was measured on the trial images: kinds that are hard, against photographs and bicubic enlargement."""
    tried = {one.data: one for one in card.evaluation.measurements if one.data.startswith(PREFIX)}
    if not tried:
        return "\n".join(["## Where it fails", "", *_shown(card), "Not measured."]) if TRIALS in card.images else ""
    metrics = [
        metric
        for metric in ("psnr-y", "pd-lite0", "consistency")
        if any(one.metric == metric and one.data.startswith(PREFIX) for one in card.evaluation.measurements)
    ]
    found = {(one.data, one.metric): one for one in card.evaluation.measurements}
    ours, beside = card.checkpoints[::-1] if card.config.checkpoints else ("this model", "baseline")
    header = ["kind of image", *(part for metric in metrics for part in (f"{metric}: {ours}", beside, "bicubic"))]
    rows = [
        [words, *(part for metric in metrics for part in _beside(found.get((data, metric))))]
        for data, words in _KINDS.items()
        if data in tried
    ]
    lines = ["## Where it fails", "", table(header, rows), "", *(_shown(card) if TRIALS in card.images else [])]
    return "\n".join([*lines, *_worse(found, metrics), "Few images: for a comparison of kinds, not of models."])


def _shown(card: Card) -> list[str]:
    return [f"![{columns(card)}]({TRIALS})", "", f"From left to right: {columns(card)}.", ""]


def _beside(one: Measurement | None) -> tuple[str, str, str]:
    """A figure, its baseline's and that of bicubic enlargement."""
    if one is None:
        return "", "", ""
    baseline = number(one.baseline.value, one.unit) if one.baseline is not None else ""
    bicubic = one.references.get("bicubic")
    return number(one.value, one.unit), baseline, number(bicubic, one.unit) if bicubic is not None else ""


def _worse(found: Mapping[tuple[str, str], Measurement], metrics: Sequence[str]) -> list[str]:
    """A sentence for each metric by which it is worse than bicubic enlargement on some kind."""
    lines = []
    for metric in metrics:
        worse = []
        for data, words in _KINDS.items():
            one = found.get((data, metric))
            if one is not None and "bicubic" in one.references:
                gain = one.value - one.references["bicubic"]
                if (gain < 0) == (one.better == "higher") and gain != 0:
                    worse.append(words)
        if worse:
            lines.append(f"By {metric} it is worse than bicubic enlargement on: {'; '.join(worse)}.")
    return lines


_SEED = TraverseOptions.model_fields["seed"].default
_PHOTOGRAPHS = {"astronaut", "chelsea", "coffee", "rocket"}


def images(card: Card) -> str:
    """The images that stand beside the card, but for those of where it fails."""
    parts = [_restored(card)] if STRIP in card.images else []
    parts += [_samples(card)] if SAMPLES in card.images else []
    parts += [_sweep(name, code) for name, code in sweeps(card.config.facts).items() if name in card.images]
    return "\n\n".join(parts)


def _restored(card: Card) -> str:
    shown = columns(card)
    known = {one.item.rpartition(".")[0] for works in card.attributions.data.values() for one in works}
    unseen = ", none of them among the works below" if known and not known & _PHOTOGRAPHS else ""
    said = f"From left to right: {shown}. Photographs of scikit-image (public domain, CC0){unseen}."
    return f"![{shown}]({STRIP})\n\n{said}"


def _samples(card: Card) -> str:
    code = sorted_by(card.config.facts)
    if code is None:
        return f"![samples]({SAMPLES})\n\nIts first samples of seed {_SEED}; none was picked."
    said = f"A column for each value of `{code.name}`, a row for each sample, in which all else is the same."
    return f"![samples by {code.name}]({SAMPLES})\n\n{said} The first of seed {_SEED}; none was picked."


def _sweep(name: str, code: SweptCode) -> str:
    (start, stop), part = code.variable.swept, code.variable
    beyond = f" (in training from {part.low:g} to {part.high:g})" if (start, stop) != (part.low, part.high) else ""
    said = f"`{code.name}` from {start:g} to {stop:g}{beyond}, a row for each sample, in which all else is the same."
    return f"![{code.name} swept]({name})\n\n{said}"


STRIP, TRIALS = "card-strip.webp", "card-trials.webp"
"""Restored images, and those of kinds that are hard."""

SAMPLES, MISTAKEN, DOUBTFUL = "card-samples.webp", "card-mistaken.webp", "card-doubtful.webp"
"""Samples; those that an evaluator takes for something else; those of which the model's own encoder is least sure."""

TRIED, FAILED = 2_000, 16
"""Of so many samples so many are shown that failed."""

_SWEEPS = 2


def applicable(config: ModelConfig) -> tuple[str, ...]:
    """The names of the images that can be made of a model."""
    facts = config.facts
    if unsupported_reason(facts) is None:
        return STRIP, TRIALS
    if sampling_unsupported_reason(facts) is not None or sampled(facts).channels not in (1, 3):
        return ()
    if evaluated_by(config) is not None:
        return SAMPLES, *sweeps(facts), MISTAKEN
    return (SAMPLES, *sweeps(facts), *((DOUBTFUL,) if doubted(facts) is not None else ()))


def sampled(facts: Facts) -> ImageSpec:
    """What a generator from a latent gives."""
    if not isinstance(facts.generator, LatentGeneratorFacts):
        raise TypeError("a model whose generator does not start from a latent was given")
    return facts.generator.output


def sorted_by(facts: Facts) -> Categorical | None:
    """The code by whose values samples stand in columns: one that has words for them before one that has none."""
    return named_code(facts) or next((part for part in latent_variables(facts) if isinstance(part, Categorical)), None)


def sweeps(facts: Facts) -> Mapping[str, SweptCode]:
    """By the names of their images, the numbers that are swept."""
    return {f"card-sweep-{one.variable.name}-{one.at}.webp": one for one in swept_codes(facts)[:_SWEEPS]}


def evaluated_by(config: ModelConfig) -> NamedDataset | None:
    """The data set that the model was trained on whose evaluator can say what its samples are; None where none can."""
    code, image = named_code(config.facts), sampled(config.facts)
    if code is None or config.trained is None or (image.height, image.width, image.channels) != SHAPE:
        return None
    found = (evaluated(one.digest) for one in config.trained.data)
    return next((one for one in found if one is not None and set(code.labels) <= set(one.classes)), None)


def doubted(facts: Facts) -> Categorical | None:
    """The code that the model's encoder reads off the model's samples, more or less surely; None where it cannot."""
    takes_samples = facts.encoder is not None and facts.encoder.data == sampled(facts)
    return next(iter(recovered_codes(facts)), None) if takes_samples else None


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """A table without the columns in which nothing stands.

    Args:
        header: What stands above the columns.
        rows: Of the same length.
        left: So many columns hold words; the others hold figures, to the right.
    """
    kept = [at for at in range(len(header)) if any(row[at] for row in rows)]
    rule = ["---" if at < left else "--:" for at in kept]
    lines = [[cell(header[at]) for at in kept], rule, *([cell(row[at]) for at in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """A text that cannot end its cell, its row or its page."""
    return plain(text).replace("|", "\\|")


def plain(text: str) -> str:
    """A text of a record among words: on one line, and no HTML, so that it cannot look like what was made here."""
    return " ".join(text.split()).replace("<", "&lt;")


def folded(summary: str, text: str) -> str:
    """Something that is there for who wants to see it."""
    return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"


def sentence(text: str) -> str:
    """A summary as a sentence."""
    text = plain(text)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""
