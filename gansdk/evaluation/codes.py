"""Which codes a model has by its facts, and so by which metrics its samples can be measured. Nothing is computed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.variables import Categorical, Continuous

if TYPE_CHECKING:
    from collections.abc import Callable

    from gansdk.model.facts import Facts
    from gansdk.model.variables import LatentVariable


SMALLEST_SAMPLE = 32
"""Pixels a side: EfficientNet-Lite0 has a stride of 32, so smaller images leave less than one position."""


class SweptCode(NamedTuple):
    """One number of a continuous code."""

    variable: Continuous
    at: int

    @property
    def name(self) -> str:
        """As in ``style.0``."""
        return f"{self.variable.name}.{self.at}"


def latent_variables(facts: Facts) -> tuple[LatentVariable, ...]:
    """The variables of the generator's latent; none where the generator starts from something else."""
    return facts.generator.source.variables if isinstance(facts.generator, LatentGeneratorFacts) else ()


def read_codes(facts: Facts) -> tuple[Categorical, ...]:
    """The categorical codes that the encoder reads."""
    variables = facts.encoder.variables if facts.encoder is not None else ()
    return tuple(variable for variable in variables if isinstance(variable, Categorical))


def recovered_codes(facts: Facts) -> tuple[Categorical, ...]:
    """The categorical codes that the generator takes and the encoder reads."""
    read = {code.name for code in read_codes(facts)}
    return tuple(code for code in latent_variables(facts) if isinstance(code, Categorical) and code.name in read)


def swept_codes(facts: Facts) -> tuple[SweptCode, ...]:
    """Every number of the continuous codes that the generator takes."""
    continuous = (variable for variable in latent_variables(facts) if isinstance(variable, Continuous))
    return tuple(SweptCode(variable, at) for variable in continuous for at in range(variable.n))


def named_code(facts: Facts) -> Categorical | None:
    """The first categorical code of the generator that has labels for its values."""
    codes = (variable for variable in latent_variables(facts) if isinstance(variable, Categorical))
    return next((code for code in codes if code.labels), None)


def sampling_unsupported_reason(facts: Facts) -> str | None:
    """Why samples of a model cannot be drawn; None if they can."""
    if not isinstance(facts.generator, LatentGeneratorFacts):
        return "it does not generate from a latent"
    return None if facts.generator.source.is_sampleable else "a variable of its latent has no distribution to draw from"


def _lacking(codes: Callable[[Facts], object], reason: str, facts: Facts) -> str | None:
    """Why samples of a model cannot be drawn, or a reason if it has no such codes."""
    return sampling_unsupported_reason(facts) or (None if codes(facts) else reason)


recovery_unsupported_reason = partial(_lacking, recovered_codes, "its encoder reads no categorical code of its latent")
traversal_unsupported_reason = partial(_lacking, swept_codes, "its latent has no continuous code")
fidelity_unsupported_reason = partial(
    _lacking, named_code, "no categorical code of its latent has labels for its values"
)


def clustering_unsupported_reason(facts: Facts) -> str | None:
    """Why a model sorts no images into categories; None if it does."""
    return None if read_codes(facts) else "it has no encoder that reads a categorical code"


def features_unsupported_reason(facts: Facts) -> str | None:
    """Why samples cannot be compared with real images in the features of EfficientNet-Lite0; None if they can."""
    if (reason := sampling_unsupported_reason(facts)) or not isinstance(facts.generator, LatentGeneratorFacts):
        return reason
    image = facts.generator.output
    if image.channels not in (1, 3):
        return f"its samples have {image.channels} channels, not 1 or 3"
    if min(image.height, image.width) < SMALLEST_SAMPLE:
        return f"its samples are smaller than {SMALLEST_SAMPLE}x{SMALLEST_SAMPLE} pixels"
    return None
