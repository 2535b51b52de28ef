"""The part of a card that shows pictures and says what is seen in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.cards.exhibits import SAMPLES, STRIP, sorted_by, sweeps
from gansdk.cards.failures import columns
from gansdk.tasks.traverse import TraverseOptions

if TYPE_CHECKING:
    from gansdk.cards.card import Card
    from gansdk.evaluation.latents.codes import SweptCode

_SEED = TraverseOptions.model_fields["seed"].default
_PHOTOGRAPHS = {"astronaut", "chelsea", "coffee", "rocket"}


def pictures(card: Card) -> str:
    """The pictures that stand beside the card, but for those of where it fails."""
    parts = [_restored(card)] if STRIP in card.pictures else []
    parts += [_samples(card)] if SAMPLES in card.pictures else []
    parts += [_sweep(name, code) for name, code in sweeps(card.config.facts).items() if name in card.pictures]
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
    (start, stop), part = code.part.swept, code.part
    beyond = f" (in training from {part.low:g} to {part.high:g})" if (start, stop) != (part.low, part.high) else ""
    said = f"`{code.name}` from {start:g} to {stop:g}{beyond}, a row for each sample, in which all else is the same."
    return f"![{code.name} swept]({name})\n\n{said}"
