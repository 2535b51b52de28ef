"""The part of a card that says what a model cannot do, from its facts and records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.cards.tables import plain
from gansdk.model.facts import ImageGeneratorFacts, LatentGeneratorFacts
from gansdk.model.parts import Categorical, Continuous

if TYPE_CHECKING:
    from gansdk.cards.card import Card
    from gansdk.model.facts import EncoderFacts, Image


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
        "- What it adds is what its training pictures make likely, not what was there: letters, faces, plates and "
        "medical or forensic detail must not be read off its results.",
        f"- It takes pictures of {generator.source.channels} channel(s) and gives them "
        f"{f'{scale} times as wide and high' if scale > 1 else 'in the same size'}.",
        "- It looks at the whole picture at once, so large ones need much memory."
        if reach == "global"
        else f"- A pixel of the result depends on {reach} input pixels around it, and on nothing farther away.",
    ]
    if any(one.protocol.get("kernel") for one in card.evaluation.measurements):
        lines += [
            "- It was measured on sharp pictures that were shrunk by antialiased bicubic interpolation; blur, "
            "noise and compression in an input are outside of that."
        ]
    return lines


def _sampling(card: Card, generator: LatentGeneratorFacts) -> list[str]:
    lines = [f"- It gives pictures of {_described(generator.output)}, and no others."]
    found = [part for part in generator.source.parts if isinstance(part, Categorical) and _was_found(card, part)]
    if found:
        lines += [
            f"- The categories of {' and '.join(f'`{part.name}`' for part in found)} were found without labels. Their "
            "words were matched with them afterwards, on labelled training images, and say what most of a category is."
        ]
    lines += [
        f"- In training `{part.name}` lay between {part.low:g} and {part.high:g}; what is farther out it never learnt."
        for part in generator.source.parts
        if isinstance(part, Continuous)
    ]
    return lines


def _was_found(card: Card, part: Categorical) -> bool:
    """Whether a code's words came after its categories: a training with labels has classes in their data's order."""
    digests = [one.digest for one in card.config.trained.data] if card.config.trained is not None else []
    known = [card.datasets[digest].classes for digest in digests if digest in card.datasets]
    return any(set(part.labels) == set(classes) and part.labels != classes for classes in known)


def _reading(encoder: EncoderFacts) -> str:
    names = ", ".join(f"`{part.name}`" for part in encoder.parts)
    line = (
        f"- Its encoder reads {names} off pictures of {_described(encoder.data)}; others are brought to that first. "
        "What it says of a picture that does not look like its training data means nothing, however sure it is."
    )
    sorts = any(isinstance(part, Categorical) for part in encoder.parts)
    return f"{line} It never says that a picture is of none of its categories." if sorts else line


def _described(image: Image) -> str:
    kinds = {1: "grey", 3: "RGB"}
    return f"{image.width}×{image.height} pixels, {kinds.get(image.channels, f'{image.channels} channels')}"
