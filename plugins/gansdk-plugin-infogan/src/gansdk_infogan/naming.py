"""What the values of a categorical code turned out to be, in the words of labelled images.

InfoGAN finds its categories by itself, in an order of its own. A few labelled training images say afterwards which of
them is which: each category gets the class that it shares most images with, no two the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gansdk import match_classes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from gansdk import Labels

_BATCH = 500


def name_categories(recognise: Callable[[Tensor], Tensor], images: Tensor, labels: Labels) -> Sequence[str]:
    """A word for each category.

    Args:
        recognise: Images [N, C, H, W] to logits of the category [N, k].
        images: Labelled ones, float in [0, 1].
        labels: Of these images; as many classes as there are categories.
    """
    with torch.no_grad():
        logits = torch.cat([recognise(images[at : at + _BATCH]) for at in range(0, len(images), _BATCH)])
    chosen = logits.argmax(1).cpu().numpy()
    classes = match_classes(chosen, labels.indices[: len(images)], logits.shape[1])
    return [labels.classes[one] for one in classes]
