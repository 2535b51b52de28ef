"""Properties of small pictures that a code may turn out to mean. Pure functions of arrays.

They are of bright shapes on dark ground. Each is NaN where there is too little to measure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Grey = NDArray[np.float64]

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
