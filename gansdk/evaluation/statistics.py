"""How sure a mean is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gansdk.evaluation.record import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gansdk.evaluation.record import Interval


LEVEL = 0.95
FEWEST = 5
"""Items; of fewer, the values themselves say more than an interval."""

_RESAMPLES = 9_999
_NORMAL = 1.96  # standard deviations to either side, for that level


def mean_interval(values: Mapping[str, float]) -> Interval | None:
    """The interval in which the mean over all such items lies with 95 % confidence.

    By bias-corrected and accelerated bootstrap over the items (Efron 1987), from a fixed seed.

    Args:
        values: One per item.

    Returns:
        Low and high end; None for fewer than ``FEWEST`` items.
    """
    from scipy.stats import bootstrap

    numbers = np.array(list(values.values()), dtype=np.float64)
    if len(numbers) < FEWEST:
        return None
    if np.ptp(numbers) == 0:
        return float(numbers[0]), float(numbers[0])
    found = bootstrap((numbers,), np.mean, confidence_level=LEVEL, n_resamples=_RESAMPLES, rng=np.random.default_rng(0))
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def figure(values: Mapping[str, float]) -> Estimate:
    """The mean of one value per item, with its interval."""
    mean = float(np.mean(list(values.values())))
    return Estimate(value=mean, interval=mean_interval(values), values=dict(values))


def difference(ours: Estimate, other: Estimate) -> Estimate:
    """How much higher one figure is than another: item by item where both have them, which is surer than two means."""
    if not ours.values or ours.values.keys() != other.values.keys():
        return Estimate(value=ours.value - other.value)
    each = {name: value - other.values[name] for name, value in ours.values.items()}
    return Estimate(value=float(np.mean(list(each.values()))), interval=mean_interval(each))


def share(right: int, count: int) -> Estimate:
    """A share of a whole set, with Wilson's interval (1927).

    Args:
        right: How many of them.
        count: Of how many, at least one.
    """
    from scipy.stats import binomtest

    ends = binomtest(right, count).proportion_ci(LEVEL, method="wilson")
    return Estimate(value=right / count, interval=(float(ends.low), float(ends.high)))


def mean_of_many(values: NDArray[np.floating]) -> Estimate:
    """The mean over so many items that it is normally distributed, and that a record cannot keep each of them.

    Args:
        values: One per item, [N], N in the hundreds at least.
    """
    mean = float(values.mean(dtype=np.float64))
    reach = _NORMAL * float(values.std(ddof=1, dtype=np.float64)) / len(values) ** 0.5
    return Estimate(value=mean, interval=(mean - reach, mean + reach))


def frechet_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """How far two sets of features are apart as normal distributions (Heusel et al. 2017, eq. 6).

    ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2·(Σ₁Σ₂)^½). It has a bias that grows as the sets shrink.

    Args:
        first: float [N, D], N at least 2.
        second: float [M, D], M at least 2.
    """
    from scipy.linalg import eigh, eigvalsh

    first, second = first.astype(np.float64), second.astype(np.float64)
    means = float(((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum())
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    # The eigenvalues of Σ₁Σ₂ are those of Σ₁^½ Σ₂ Σ₁^½, which is symmetric, so that nothing complex can come up.
    values, vectors = eigh(one)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    shared = np.sqrt(np.clip(eigvalsh(root @ other @ root), 0, None)).sum()
    return means + float(np.trace(one) + np.trace(other) - 2 * shared)
