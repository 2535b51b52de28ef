"""What the values of a categorical code turned out to be, in the words of labelled images.

InfoGAN finds its categories by default, in an order of its own. A few labelled training images say afterwards which of
them is which: each category gets the class that it shares most images with, no two the same one.

A matching can always be made, of an untrained network too. So there are words only where every category is right
clearly more often than chance: of the images that are read as it, those of its class are a share whose 99 % interval
(Wilson 1927) lies wholly above that class's share of all the images, which blind guesses reach. Otherwise all keep
their numbers, since numbers among words would be taken for words where classes are called by numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gansdk import match_classes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk import Labels

_BATCH = 500
_LEVEL = 0.99


def name_categories(recognise: Callable[[Tensor], Tensor], images: Tensor, labels: Labels) -> Sequence[str]:
    """A word for each category, or none where one of them is no better than chance.

    Args:
        recognise: Images [N, C, H, W] to logits of the category [N, k].
        images: Labelled ones, float in [0, 1].
        labels: Of these images; as many classes as there are categories.

    Returns:
        By category; empty where they stay without words.
    """
    with torch.no_grad():
        logits = torch.cat([recognise(images[at : at + _BATCH]) for at in range(0, len(images), _BATCH)])
    chosen, true = logits.argmax(1).cpu().numpy(), labels.indices[: len(images)]
    classes = match_classes(chosen, true, logits.shape[1])
    are_clear = all(_is_clear(chosen == category, true == one) for category, one in enumerate(classes))
    return [labels.classes[one] for one in classes] if are_clear else []


def _is_clear(read: NDArray[np.bool_], belongs: NDArray[np.bool_]) -> bool:
    """Whether images that are read as a category belong to its class clearly more often than images do at all."""
    from scipy.stats import binomtest

    if not read.any():
        return False
    found = binomtest(int((read & belongs).sum()), int(read.sum())).proportion_ci(_LEVEL, method="wilson")
    return bool(found.low > belongs.mean())
