"""Data sets as the images that a model takes or gives, or why they are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.data.stacked import stack_images
from gansdk.errors import InputError
from gansdk.evaluation.meters import Unsuitable

if TYPE_CHECKING:
    from gansdk.data.pictures import Dataset
    from gansdk.data.stacked import StackedImages
    from gansdk.model.facts import Image


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
