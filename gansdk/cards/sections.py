"""The generated parts of a card, each from the model's own records. None of them knows a method."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gansdk.cards.commands import ablating, examples, importing, measuring, replicating, training, training_others
from gansdk.cards.figures import ablation, cell, failures, figures, folded, images, plain, sentence, table
from gansdk.model.facts import ImageGeneratorFacts, LatentGeneratorFacts
from gansdk.model.variables import Categorical, Continuous

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gansdk.cards.card import Card
    from gansdk.model.facts import EncoderFacts, ImageSpec


def sections(card: Card) -> dict[str, str]:
    """All parts of a card by name, in their order; empty where there is nothing to say."""
    makers: Mapping[str, Callable[[Card], str]] = {
        "title": _title,
        "images": images,
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
    if card.config.checkpoints:
        lines += [f"    {each[0].command(card.ref)} --network-interpolation 0.5" for each in shown[:1]]
        lines += [
            "",
            f"It carries both ends of its training: `--network-interpolation 0` is {card.checkpoints[0]}, "
            f"`--network-interpolation 1`, the default,",
        ]
        lines[-1] += f" is {card.checkpoints[1]}, and what lies between is a mixture of their weights."
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
    if trained.dependencies:
        lines += ["", "It also stands on:", ""]
        lines += [f"- {cell(name)}: {plain(digest)}" for name, digest in trained.dependencies.items()]
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


def limits(card: Card) -> str:
    """All of them, a line each."""
    facts, lines = card.config.facts, ["## Limits", ""]
    if card.config.trained is not None and card.config.trained.unfinished:
        lines += [f"- Its training is unfinished: these are the weights of {card.config.trained.unfinished}."]
    if isinstance(facts.generator, ImageGeneratorFacts):
        lines += _restoring(card, facts.generator)
    if isinstance(facts.generator, LatentGeneratorFacts):
        lines += _sampling(card, facts.generator)
    if facts.encoder is not None:
        lines += [_reading(facts.encoder)]
    lines += [f"- Reduced precision measured to be safe: {', '.join(facts.safe_precisions) or 'none'}."]
    return "\n".join([*lines, f"- Licence of the weights: {plain(card.config.licence) or 'not stated'}."])


def _restoring(card: Card, generator: ImageGeneratorFacts) -> list[str]:
    reach, scale = generator.receptive_field, generator.output.scale
    lines = [
        "- What it adds is what its training images make likely, not what was there: letters, faces, plates and "
        "medical or forensic detail must not be read off its results.",
        f"- It takes images of {generator.source.channels} channel(s) and gives them "
        f"{f'{scale} times as wide and high' if scale > 1 else 'in the same size'}.",
        "- It looks at the whole image at once, so large ones need much memory."
        if reach == "global"
        else f"- A pixel of the result depends on {reach} input pixels around it, and on nothing farther away.",
    ]
    if any(one.protocol.get("kernel") for one in card.evaluation.measurements):
        lines += [
            "- It was measured on sharp images that were shrunk by antialiased bicubic interpolation; blur, "
            "noise and compression in an input are outside of that."
        ]
    return lines


def _sampling(card: Card, generator: LatentGeneratorFacts) -> list[str]:
    lines = [f"- It gives images of {_described(generator.output)}, and no others."]
    found = [
        variable
        for variable in generator.source.variables
        if isinstance(variable, Categorical) and _was_found(card, variable)
    ]
    if found:
        lines += [
            f"- The categories of {' and '.join(f'`{variable.name}`' for variable in found)} were found without "
            f"labels. Their "
            "words were matched with them afterwards, on labelled training images, and say what most of a category is."
        ]
    lines += [
        f"- In training `{variable.name}` lay between {variable.low:g} and {variable.high:g}; what is farther "
        f"out it never learnt."
        for variable in generator.source.variables
        if isinstance(variable, Continuous)
    ]
    return lines


def _was_found(card: Card, variable: Categorical) -> bool:
    """Whether a code's words came after its categories: a training with labels has classes in their data's order."""
    digests = [one.digest for one in card.config.trained.data] if card.config.trained is not None else []
    known = [card.datasets[digest].classes for digest in digests if digest in card.datasets]
    return any(set(variable.labels) == set(classes) and variable.labels != classes for classes in known)


def _reading(encoder: EncoderFacts) -> str:
    names = ", ".join(f"`{variable.name}`" for variable in encoder.variables)
    line = (
        f"- Its encoder reads {names} off images of {_described(encoder.data)}; others are brought to that first. "
        "What it says of an image that does not look like its training data means nothing, however sure it is."
    )
    sorts = any(isinstance(variable, Categorical) for variable in encoder.variables)
    return f"{line} It never says that an image is of none of its categories." if sorts else line


def _described(image: ImageSpec) -> str:
    kinds = {1: "grey", 3: "RGB"}
    return f"{image.width}×{image.height} pixels, {kinds.get(image.channels, f'{image.channels} channels')}"
