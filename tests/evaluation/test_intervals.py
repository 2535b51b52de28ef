"""Bootstrap intervals, against the normal one where that is right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from gansdk.evaluation.record import Estimate, mean_estimate, mean_interval, paired_difference


def named(numbers) -> dict[str, float]:
    return {str(index): float(number) for index, number in enumerate(numbers)}


def test_many_values_give_the_normal_interval():
    numbers = np.random.default_rng(0).normal(10, 2, 400)
    low, high = norm.interval(0.95, numbers.mean(), numbers.std(ddof=1) / 20)
    assert mean_interval(named(numbers)) == pytest.approx((low, high), abs=0.02)


def test_the_same_values_give_the_same_interval():
    values = named(np.random.default_rng(1).exponential(size=30))
    assert mean_interval(values) == mean_interval(dict(values))
    low, high = mean_interval(values)
    assert low < np.mean(list(values.values())) < high


def test_few_and_equal_values():
    assert mean_interval(named([1, 2, 3, 4])) is None
    assert mean_interval(named([2] * 5)) == (2.0, 2.0)


def test_a_difference_is_taken_item_by_item():
    spread = np.random.default_rng(2).normal(0, 100, 20)
    ours, theirs = mean_estimate(named(spread)), mean_estimate(named(spread - 1 + np.linspace(-0.1, 0.1, 20)))
    found = paired_difference(ours, theirs)
    assert found.value == pytest.approx(1)
    assert found.interval == pytest.approx((0.97, 1.03), abs=0.01)  # the two means alone are unsure by 40
    assert ours.interval[1] - ours.interval[0] > 40


def test_a_difference_of_whole_sets_has_no_interval():
    assert paired_difference(Estimate(value=5), Estimate(value=3)) == Estimate(value=2)
