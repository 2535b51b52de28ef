"""The losses of InfoGAN, by the equations of Chen et al. (NIPS 2016, arXiv:1606.03657).

The bound L_I of equation 5 is E[log Q(c|x)] + H(c), in nats, with every constant: for a code that Q reads off perfectly
it is H(c), ln k for one of k values; for a code that Q knows nothing of it is 0, or less where Q is wrong.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch.nn import functional as F

if TYPE_CHECKING:
    from torch import Tensor

_LOG_2_PI = math.log(2 * math.pi)


def real_as_real(logit: Tensor) -> Tensor:
    """Half of −V(D, G) of equation 1: −log D(x), from logits of real images, averaged."""
    return F.softplus(-logit.float()).mean()


def fake_as_fake(logit: Tensor) -> Tensor:
    """Its other half: −log(1 − D(G(z, c))), from logits of generated images, averaged."""
    return F.softplus(logit.float()).mean()


def adversarial(logit: Tensor) -> Tensor:
    """The generator's loss, non-saturating: −log D(G(z, c)), from logits, averaged."""
    return F.softplus(-logit.float()).mean()


def information_categorical(logits: Tensor, codes: Tensor) -> Tensor:
    """L_I of a categorical code, equation 5.

    Args:
        logits: Of Q(c|x), [N, k].
        codes: c, int64 [N].

    Returns:
        E[log Q(c|x)] + ln k, at most ln k.
    """
    return math.log(logits.shape[1]) - F.cross_entropy(logits.float(), codes)


def information_continuous(mean: Tensor, log_deviation: Tensor, codes: Tensor, *, low: float, high: float) -> Tensor:
    """L_I of a code drawn uniformly from [low, high], equation 5, with Q(c|x) a Gaussian in each dimension.

    Args:
        mean: μ of Q(c|x), [N, n].
        log_deviation: ln σ of it, [N, n] or a single number; 0 where σ is fixed at 1.
        codes: c, [N, n].
        low: Bound of the distribution that c is drawn from.
        high: Likewise.

    Returns:
        E[log Q(c|x)] + n·ln(high − low), summed over dimensions and averaged over images. With σ = 1 it stays below
        n·(ln(high − low) − ½ ln 2π), which is negative for [−1, 1]: a Gaussian as wide as the range tells nothing.
    """
    deviation = log_deviation.float()
    standardised = (codes - mean.float()) * (-deviation).exp()
    log_likelihood = -0.5 * standardised.square() - deviation - 0.5 * _LOG_2_PI
    return (log_likelihood + math.log(high - low)).sum(1).mean()
