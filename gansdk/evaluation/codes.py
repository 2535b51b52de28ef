"""The codes of a model as its facts have them, and what can be measured of them. Cheap: nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gansdk.errors import InputError
from gansdk.evaluation.protocol import Unsuitable
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.variables import Categorical, Continuous

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from gansdk.data.folders import Dataset
    from gansdk.data.stacked import StackedImages
    from gansdk.model.facts import Facts, ImageSpec
    from gansdk.model.variables import LatentVariable

    Grey = NDArray[np.float64]


class SweptCode(NamedTuple):
    """One number of a continuous code."""

    variable: Continuous
    at: int

    @property
    def name(self) -> str:
        """As in ``style.0``."""
        return f"{self.variable.name}.{self.at}"


def latent_variables(facts: Facts) -> tuple[LatentVariable, ...]:
    """What the generator's latent consists of; nothing where it starts from something else."""
    return facts.generator.source.variables if isinstance(facts.generator, LatentGeneratorFacts) else ()


def recovered_codes(facts: Facts) -> tuple[Categorical, ...]:
    """The categorical codes that the generator takes and the encoder reads."""
    read = {variable.name for variable in read_codes(facts)}
    return tuple(
        variable for variable in latent_variables(facts) if isinstance(variable, Categorical) and variable.name in read
    )


def read_codes(facts: Facts) -> tuple[Categorical, ...]:
    """The categorical codes that the encoder reads."""
    variables = facts.encoder.variables if facts.encoder is not None else ()
    return tuple(variable for variable in variables if isinstance(variable, Categorical))


def swept_codes(facts: Facts) -> tuple[SweptCode, ...]:
    """Every number of the continuous codes that the generator takes."""
    return tuple(
        SweptCode(variable, at)
        for variable in latent_variables(facts)
        if isinstance(variable, Continuous)
        for at in range(variable.n)
    )


def named_code(facts: Facts) -> Categorical | None:
    """The first categorical code that the generator takes whose values have words."""
    return next(
        (variable for variable in latent_variables(facts) if isinstance(variable, Categorical) and variable.labels),
        None,
    )


def sampling_unsupported_reason(facts: Facts) -> str | None:
    """Why a model's samples cannot be drawn; None if they can."""
    if not isinstance(facts.generator, LatentGeneratorFacts):
        return "it does not generate out of a latent"
    return None if facts.generator.source.is_sampleable else "a part of its latent has no distribution to draw from"


def fidelity_unsupported_reason(facts: Facts) -> str | None:
    """Why no categorical code can be read back off a model's samples; None if one can."""
    reason = sampling_unsupported_reason(facts)
    return reason or (None if recovered_codes(facts) else "its encoder reads no categorical code of its latent")


def traversal_unsupported_reason(facts: Facts) -> str | None:
    """Why no continuous code of a model can be swept; None if one can."""
    reason = sampling_unsupported_reason(facts)
    return reason or (None if swept_codes(facts) else "its latent has no continuous code")


def accuracy_unsupported_reason(facts: Facts) -> str | None:
    """Why nobody can say whether a model's samples are what its codes are called; None if an evaluator can."""
    reason = sampling_unsupported_reason(facts)
    return reason or (None if named_code(facts) else "no categorical code of its latent has words for its values")


def recovery_unsupported_reason(facts: Facts) -> str | None:
    """Why a model sorts no images into categories; None if it does."""
    return None if read_codes(facts) else "it has no encoder that reads a categorical code"


def suiting_images(data: Dataset, image: ImageSpec) -> StackedImages:
    """All images of a data set in one array.

    Args:
        data: What was given to measure on.
        image: The size and channels that they must have.

    Raises:
        Unsuitable: If they are not images, or of another size.
    """
    from gansdk.data.stacked import stack_images

    if image.channels not in (1, 3):
        raise Unsuitable(f"no data set has images of {image.channels} channels")
    try:
        return stack_images(data, size=(image.height, image.width), channels=1 if image.channels == 1 else 3)
    except InputError as error:
        raise Unsuitable(error.message) from None


INK = 0.5
"""Share of the brightest pixel's brightness from which on a pixel belongs to a stroke."""

_FAINTEST = 0.05


def slant(image: Grey) -> float:
    """How far it leans to the right: pixels to the side for each pixel up, by the second moments of its brightness.

    Args:
        image: [H, W], 0 is dark.
    """
    moments = _moments(image)
    return float("nan") if moments is None or moments[1] <= 0 else -moments[2] / moments[1]


def breadth(image: Grey) -> float:
    """The standard deviation of its brightness along the rows, in pixels."""
    import numpy as np

    moments = _moments(image)
    return float("nan") if moments is None else float(np.sqrt(moments[0]))


def brightness(image: Grey) -> float:
    """The mean over all pixels."""
    return float(image.mean())


def stroke_width(image: Grey) -> float:
    """The area of its strokes for each pixel of their skeleton (Zhang & Suen 1984), in pixels."""
    import numpy as np
    from skimage.morphology import skeletonize

    if image.max() < _FAINTEST:
        return float("nan")
    ink = image >= INK * image.max()
    skeleton = skeletonize(ink)  # type: ignore[no-untyped-call] # scikit-image types only some of its functions
    return float(ink.sum() / np.sum(skeleton))


PROPERTIES: Mapping[str, Callable[[Grey], float]] = {
    "slant": slant,
    "stroke width": stroke_width,
    "breadth": breadth,
    "brightness": brightness,
}


def _moments(image: Grey) -> tuple[float, float, float] | None:
    """Variances along the rows and the columns, and their covariance, weighted by brightness."""
    import numpy as np

    total = image.sum()
    if image.max() < _FAINTEST:
        return None
    down, along = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float64)
    down -= (down * image).sum() / total
    along -= (along * image).sum() / total
    each = (along * along, down * down, along * down)
    sideways, upright, both = (float((one * image).sum() / total) for one in each)
    return sideways, upright, both
