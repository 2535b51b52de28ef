"""The generated parts of a card, each from the model's own records. None of them knows a method."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gansdk.cards.commands import ablating, importing, measuring, replicating, training, training_others
from gansdk.cards.examples import examples
from gansdk.cards.failures import failures
from gansdk.cards.figures import ablation, figures
from gansdk.cards.limits import limits
from gansdk.cards.showing import pictures
from gansdk.cards.tables import cell, folded, plain, sentence, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gansdk.cards.card import Card


def sections(card: Card) -> dict[str, str]:
    """All parts of a card by name, in their order; empty where there is nothing to say."""
    makers: Mapping[str, Callable[[Card], str]] = {
        "title": _title,
        "pictures": pictures,
        "run": _run,
        "figures": figures,
        "ablation": ablation,
        "training": _training,
        "failures": failures,
        "limits": limits,
        "reproducing": _reproducing,
    }
    return {name: make(card) for name, make in makers.items()}


def _title(card: Card) -> str:
    lines = [f"# {plain(card.name)}", "", sentence(card.config.summary) or f"A model of {card.config.method}."]
    if card.method is not None and card.config.origin is None:  # strangers' weights are of strangers' methods
        lines += ["", card.method.about.strip()] if card.method.about else []
        lines += ["", f"{card.method.paper}."]
    return "\n".join(lines)


def _run(card: Card) -> str:
    shown = [examples(task, card.config.facts) for task in card.tasks]
    lines = ["## How to run it", "", f"    pip install {shlex.quote(card.config.requires)}"]
    lines += [f"    {one.command(card.ref)}" for each in shown for one in each]
    if card.config.ends:
        lines += [f"    {each[0].command(card.ref)} --blend 0.5" for each in shown[:1]]
        lines += ["", f"It carries both ends of its training: `--blend 0` is {card.ends[0]}, `--blend 1`, the default,"]
        lines[-1] += f" is {card.ends[1]}, and what lies between is a mixture of their weights."
    if shown:
        program = "\n\n".join(["import gansdk", *(each[-1].python(card.ref) for each in shown)])
        lines += ["", "```python", program, "```"]
    return "\n".join(lines)


def _training(card: Card) -> str:
    if card.config.origin is not None:
        origin = card.config.origin
        return (
            "## What it was trained on\n\n"
            f"Others trained and published these weights ({cell(origin.layout)}); they were taken from "
            f"`{cell(origin.file)}` ({origin.digest}). On what they were trained is for their authors to say."
        )
    trained = card.config.trained
    if trained is None:
        return "## What it was trained on\n\nNothing is recorded."
    lines = ["## What it was trained on", ""]
    known = [plain(f"{one.items} items, {one.licence}; {one.digest}") for one in trained.data]
    lines += [f"- **{cell(one.name)}**: {said}" for one, said in zip(trained.data, known, strict=True)]
    if trained.relies_on:
        lines += ["", "It also stands on:", ""]
        lines += [f"- {cell(name)}: {plain(digest)}" for name, digest in trained.relies_on.items()]
    for name, credits_ in card.attributions.data.items():
        rows = [[one.item, one.author, one.licence, one.source] for one in credits_]
        lines += ["", folded(f"{cell(name)}, work by work", table(["work", "author", "licence", "from"], rows, left=4))]
    return "\n".join(lines)


def _reproducing(card: Card) -> str:
    trained, evaluation = card.config.trained, card.evaluation
    commands = [training(card.config.method, card.method, trained, card.config.licence)] if trained is not None else []
    commands += [importing(card.config.origin, card.config.licence)] if card.config.origin is not None else []
    named = {digest: one.name for digest, one in card.datasets.items()}
    commands += measuring(evaluation, named, was_trained=trained is not None)
    commands += [ablating(evaluation, named)] if evaluation.ablation else []
    commands += [replicating(evaluation, named)] if evaluation.replicates else []
    lines = ["## How to reproduce it", ""]
    lines += [f"    {command}" for command in commands]
    if trained is not None:
        others = training_others(evaluation, card.method, trained)
        if others:
            lines += ["", "The first command also trains what the others compare with, changed by:", ""]
            lines += [f"    {words}" for words in others]
        versions = ", ".join(plain(f"{name} {version}") for name, version in trained.versions.items())
        lines += ["", f"Trained in {_hours(trained.seconds)}, {trained.steps} steps, one seed, with {versions}."]
        lines += [f"Code: commit {plain(trained.commit)}."] if trained.commit else []
    return "\n".join([*lines, "", f"Weights: {card.config.files['model.safetensors']}."])


def _hours(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
