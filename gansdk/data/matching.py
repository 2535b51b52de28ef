"""Categories that something found by itself, and the classes that people have words for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def match_classes(chosen: NDArray[np.int64], true: NDArray[np.int64], k: int) -> list[int]:
    """The class that each category is matched with, no two the same one, such that most items agree.

    By the Hungarian method (Kuhn 1955).

    Args:
        chosen: Category of each item, int [N], from 0 to k − 1.
        true: Its class, likewise.
        k: How many there are of either.

    Returns:
        By category.
    """
    from scipy.optimize import linear_sum_assignment

    together = np.zeros((k, k), np.int64)
    np.add.at(together, (chosen, true), 1)
    _, classes = linear_sum_assignment(together, maximize=True)
    return [int(one) for one in classes]
