"""The losses of InfoGAN, by the equations of Chen et al. (NIPS 2016, arXiv:1606.03657).

Equation 1 is the minimax game V(D, G) of a plain GAN, played with the non-saturating loss of
:mod:`gansdk.training.losses`. Equation 6 adds −λ·L_I(G, Q) for G and Q. L_I, the bound of equation 5 on the mutual
information I(c; G(z, c)), is E[log Q(c|x)] + H(c), in nats, with every constant. For a code that Q reads off perfectly
it is H(c), which is ln k for one of k values. For a code that Q knows nothing of it is 0, or less where Q is wrong.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch.nn import functional as F

if TYPE_CHECKING:
    from torch import Tensor


def information_categorical(logits: Tensor, c: Tensor) -> Tensor:
    """L_I of a categorical code, equation 5: E[log Q(c|x)] + ln k.

    Args:
        logits: Of Q(c|x), [N, k].
        c: The code, int64 [N].
    """
    return math.log(logits.shape[1]) - F.cross_entropy(logits.float(), c)


def information_continuous(mean: Tensor, log_deviation: Tensor, c: Tensor, *, low: float, high: float) -> Tensor:
    """L_I of a code drawn uniformly from [low, high], equation 5, with Q(c|x) a Gaussian in each dimension.

    Args:
        mean: μ of Q(c|x), [N, n].
        log_deviation: ln σ of it, [N, n] or a single number; 0 where σ is fixed at 1.
        c: The code, [N, n].
        low: The lower bound.
        high: The upper bound.

    Returns:
        E[log Q(c|x)] + n·ln(high − low), summed over dimensions and averaged over images. With σ = 1 it stays below
        n·(ln(high − low) − ½ ln 2π), which is negative for [−1, 1]: a Gaussian as wide as the range tells nothing.
    """
    log_sigma = log_deviation.float()
    standardised = (c - mean.float()) * (-log_sigma).exp()
    log_q = -0.5 * standardised.square() - log_sigma - 0.5 * math.log(2 * math.pi)
    return (log_q + math.log(high - low)).sum(1).mean()
