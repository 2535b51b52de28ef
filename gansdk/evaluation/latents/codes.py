"""The codes of a model as its facts have them, and what can be measured of them. Cheap: nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.parts import Categorical, Continuous

if TYPE_CHECKING:
    from gansdk.model.facts import Facts
    from gansdk.model.parts import LatentPart


class SweptCode(NamedTuple):
    """One number of a continuous code."""

    part: Continuous
    at: int

    @property
    def name(self) -> str:
        """As in ``style.0``."""
        return f"{self.part.name}.{self.at}"


def latent_parts(facts: Facts) -> tuple[LatentPart, ...]:
    """What the generator's latent consists of; nothing where it starts from something else."""
    return facts.generator.source.parts if isinstance(facts.generator, LatentGeneratorFacts) else ()


def told_codes(facts: Facts) -> tuple[Categorical, ...]:
    """The categorical codes that the generator takes and the encoder reads."""
    read = {part.name for part in read_codes(facts)}
    return tuple(part for part in latent_parts(facts) if isinstance(part, Categorical) and part.name in read)


def read_codes(facts: Facts) -> tuple[Categorical, ...]:
    """The categorical codes that the encoder reads."""
    parts = facts.encoder.parts if facts.encoder is not None else ()
    return tuple(part for part in parts if isinstance(part, Categorical))


def swept_codes(facts: Facts) -> tuple[SweptCode, ...]:
    """Every number of the continuous codes that the generator takes."""
    return tuple(
        SweptCode(part, at) for part in latent_parts(facts) if isinstance(part, Continuous) for at in range(part.n)
    )


def named_code(facts: Facts) -> Categorical | None:
    """The first categorical code that the generator takes whose values have words."""
    return next((part for part in latent_parts(facts) if isinstance(part, Categorical) and part.labels), None)


def sampling_misfit(facts: Facts) -> str | None:
    """Why a model's samples cannot be drawn; None if they can."""
    if not isinstance(facts.generator, LatentGeneratorFacts):
        return "it does not generate out of a latent"
    return None if facts.generator.source.is_sampleable else "a part of its latent has no law to draw from"


def telling_misfit(facts: Facts) -> str | None:
    """Why no categorical code can be read back off a model's samples; None if one can."""
    reason = sampling_misfit(facts)
    return reason or (None if told_codes(facts) else "its encoder reads no categorical code of its latent")


def sweeping_misfit(facts: Facts) -> str | None:
    """Why no continuous code of a model can be swept; None if one can."""
    reason = sampling_misfit(facts)
    return reason or (None if swept_codes(facts) else "its latent has no continuous code")


def naming_misfit(facts: Facts) -> str | None:
    """Why nobody can say whether a model's samples are what its codes are called; None if a judge can."""
    reason = sampling_misfit(facts)
    return reason or (None if named_code(facts) else "no categorical code of its latent has words for its values")


def reading_misfit(facts: Facts) -> str | None:
    """Why a model sorts no images into categories; None if it does."""
    return None if read_codes(facts) else "it has no encoder that reads a categorical code"
