"""Categories matched with classes, against all ways there are."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from gansdk.data.stacked import match_classes


def test_no_other_matching_agrees_with_more_items():
    random = np.random.default_rng(0)
    for _ in range(20):
        chosen, true = random.integers(4, size=50), random.integers(4, size=50)
        found = match_classes(chosen, true, 4)
        assert sorted(found) == [0, 1, 2, 3]
        best = max((np.array(way)[chosen] == true).sum() for way in permutations(range(4)))
        assert (np.array(found)[chosen] == true).sum() == best


def test_a_category_that_nothing_is_of_gets_the_class_that_is_left():
    assert match_classes(np.array([2, 2, 0]), np.array([1, 1, 0]), 3) == [0, 2, 1]


def test_the_commonest_pair_may_have_to_yield():
    """Category 0 sees mostly class 2, category 1 class 2 a little more often than class 0, category 2 class 1."""
    chosen = np.array([0] * 10 + [1] * 9 + [2] * 5)
    true = np.array([2] * 10 + [2] * 5 + [0] * 4 + [1] * 5)
    assert match_classes(chosen, true, 3) == [2, 0, 1]
