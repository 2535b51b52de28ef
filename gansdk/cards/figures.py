"""The parts of a card that hold figures: all of them from the model's ``evaluation.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.cards.tables import folded, plain, table
from gansdk.evaluation.restoration.trials import PREFIX
from gansdk.evaluation.wording import difference, interval, number, over_seeds, unjudged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gansdk.cards.card import Card
    from gansdk.evaluation.record import Measurement

_ARROWS = {"higher": "↑", "lower": "↓"}


def figures(card: Card) -> str:
    """What was measured on test sets, with the twin beside it."""
    measured = [one for one in card.evaluation.measurements if not one.data.startswith(PREFIX)]
    order = list(dict.fromkeys(one.data for one in measured))
    measured.sort(key=lambda one: order.index(one.data))
    if not measured:
        return "## Figures\n\nNot measured yet on a test set: `gansdk eval` does it."
    names = list(dict.fromkeys(name for one in measured for name in one.baselines))
    ours, beside = card.ends[::-1] if card.config.ends else ("this model", "twin")
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
            number(one.twin.value, one.unit) if one.twin is not None else "",
            difference(one),
            *(number(one.baselines[name], one.unit) if name in one.baselines else "" for name in names),
        ]
        for one in measured
    ]
    lines = ["## Figures", ""]
    if said := unjudged(card.config.facts, card.evaluation):
        lines += [f"**{said.capitalize()}**: no figure here says how good they are. `gansdk eval --data` does it.", ""]
    lines += [table(header, rows, left=2), ""]
    lines += [f"↑ higher is better, ↓ lower is better.{_intervals(measured)}"]
    lines += [_seeds(card)] if spread else []
    lines += ["", f"Twin: {plain(card.evaluation.twin)}."] if card.evaluation.twin else []
    if any(one.seen for one in measured):
        lines += ["", "Sets marked † are what it was trained on: these figures say nothing about other pictures."]
    return "\n".join([*lines, "", folded("How each was measured", _protocols(measured))])


def _intervals(measured: Iterable[Measurement]) -> str:
    """By what law they are: a record keeps single values where the bootstrap drew from them."""
    drawn = {bool(one.values) for one in measured if one.interval is not None}
    said = {
        True: "by bootstrap over the pictures",
        False: "of shares by Wilson's law, of other means by the normal one",
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
