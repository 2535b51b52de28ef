"""How far two sets of features are apart. A pure function of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
