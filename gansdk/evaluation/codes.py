"""The codes of a model as its facts have them, and what can be measured of them. Cheap: nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gansdk.data.stacked import stack_images
from gansdk.errors import InputError
from gansdk.evaluation.protocol import Unsuitable
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.variables import Categorical, Continuous

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gansdk.data.folders import Dataset
    from gansdk.data.stacked import StackedImages
    from gansdk.model.facts import Facts, Image
    from gansdk.model.variables import LatentPart

    Grey = NDArray[np.float64]


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


def suiting_images(data: Dataset, image: Image) -> StackedImages:
    """All images of a data set in one array.

    Args:
        data: What was given to measure on.
        image: The size and channels that they must have.

    Raises:
        Unsuitable: If they are no images, or of another size.
    """
    if image.channels not in (1, 3):
        raise Unsuitable(f"no data set has images of {image.channels} channels")
    try:
        return stack_images(data, size=(image.height, image.width), channels=1 if image.channels == 1 else 3)
    except InputError as error:
        raise Unsuitable(error.message) from None


INK = 0.5
"""Share of the brightest pixel's brightness from which on a pixel belongs to a stroke."""

_FAINTEST = 0.05


def slant(picture: Grey) -> float:
    """How far it leans to the right: pixels to the side for each pixel up, by the second moments of its brightness.

    Args:
        picture: [H, W], 0 is dark.
    """
    moments = _moments(picture)
    return float("nan") if moments is None or moments[1] <= 0 else -moments[2] / moments[1]


def breadth(picture: Grey) -> float:
    """The standard deviation of its brightness along the rows, in pixels."""
    moments = _moments(picture)
    return float("nan") if moments is None else float(np.sqrt(moments[0]))


def brightness(picture: Grey) -> float:
    """The mean over all pixels."""
    return float(picture.mean())


def stroke_width(picture: Grey) -> float:
    """The area of its strokes for each pixel of their skeleton (Zhang & Suen 1984), in pixels."""
    from skimage.morphology import skeletonize

    if picture.max() < _FAINTEST:
        return float("nan")
    ink = picture >= INK * picture.max()
    skeleton = skeletonize(ink)  # type: ignore[no-untyped-call] # scikit-image types only some of its functions
    return float(ink.sum() / np.sum(skeleton))


PROPERTIES: Mapping[str, Callable[[Grey], float]] = {
    "slant": slant,
    "stroke width": stroke_width,
    "breadth": breadth,
    "brightness": brightness,
}


def _moments(picture: Grey) -> tuple[float, float, float] | None:
    """Variances along the rows and the columns, and their covariance, weighted by brightness."""
    total = picture.sum()
    if picture.max() < _FAINTEST:
        return None
    down, along = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float64)
    down -= (down * picture).sum() / total
    along -= (along * picture).sum() / total
    each = (along * along, down * down, along * down)
    sideways, upright, both = (float((one * picture).sum() / total) for one in each)
    return sideways, upright, both
