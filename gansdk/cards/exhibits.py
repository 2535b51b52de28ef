"""Which pictures stand beside a model's card, and what each shows. Cheap: nothing is drawn here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.evaluation.latents.codes import latent_parts, named_code, sampling_misfit, swept_codes, told_codes
from gansdk.evaluation.latents.judges import SHAPE, judged
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.parts import Categorical
from gansdk.tasks.superres import misfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gansdk.evaluation.latents.codes import SweptCode
    from gansdk.model.config import ModelConfig
    from gansdk.model.facts import Facts, Image
    from gansdk.plugins.datasets import NamedDataset

STRIP, TRIALS = "card-strip.webp", "card-trials.webp"
"""Restored pictures, and those of kinds that are hard."""

SAMPLES, MISTAKEN, DOUBTFUL = "card-samples.webp", "card-mistaken.webp", "card-doubtful.webp"
"""Samples; those that a judge takes for something else; those of which the model's own encoder is least sure."""

TRIED, FAILED = 2_000, 16
"""Of so many samples so many are shown that failed."""

_SWEEPS = 2


def applicable(config: ModelConfig) -> tuple[str, ...]:
    """The names of the pictures that can be made of a model."""
    facts = config.facts
    if misfit(facts) is None:
        return STRIP, TRIALS
    if sampling_misfit(facts) is not None or sampled(facts).channels not in (1, 3):
        return ()
    if judged_by(config) is not None:
        return SAMPLES, *sweeps(facts), MISTAKEN
    return (SAMPLES, *sweeps(facts), *((DOUBTFUL,) if doubted(facts) is not None else ()))


def sampled(facts: Facts) -> Image:
    """What a generator from a latent gives."""
    if not isinstance(facts.generator, LatentGeneratorFacts):
        raise TypeError("a model whose generator does not start from a latent was given")
    return facts.generator.output


def sorted_by(facts: Facts) -> Categorical | None:
    """The code by whose values samples stand in columns: one that has words for them before one that has none."""
    return named_code(facts) or next((part for part in latent_parts(facts) if isinstance(part, Categorical)), None)


def sweeps(facts: Facts) -> Mapping[str, SweptCode]:
    """By the names of their pictures, the numbers that are swept."""
    return {f"card-sweep-{one.part.name}-{one.at}.webp": one for one in swept_codes(facts)[:_SWEEPS]}


def judged_by(config: ModelConfig) -> NamedDataset | None:
    """The data set that the model was trained on whose judge can say what its samples are; None where none can."""
    code, image = named_code(config.facts), sampled(config.facts)
    if code is None or config.trained is None or (image.height, image.width, image.channels) != SHAPE:
        return None
    found = (judged(one.digest) for one in config.trained.data)
    return next((one for one in found if one is not None and set(code.labels) <= set(one.classes)), None)


def doubted(facts: Facts) -> Categorical | None:
    """The code that the model's encoder reads off the model's samples, more or less surely; None where it cannot."""
    takes_samples = facts.encoder is not None and facts.encoder.data == sampled(facts)
    return next(iter(told_codes(facts)), None) if takes_samples else None
