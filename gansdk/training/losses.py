"""The adversarial losses that recipes share, in the symbols of their papers.

D(x) is what the discriminator gives for real data, D(G(z)) what it gives for generated data: ``real`` and ``fake``, of
any shape and alike. Larger means more real. Every loss is minimised, computed in fp32 and averaged over the batch, so a
recipe's step reads like the paper's algorithm box::

    loss = ADVERSARIAL_LOSSES["hinge"]
    with train.turn(self.discriminator) as turn:
        real, fake = D(x), D(G(z).detach())
        turn.minimise(loss.discriminator(real, fake), logits={"real": real, "fake": fake})
    with train.turn(self.generator) as turn:
        fake = D(G(z))
        turn.minimise({"adversarial": loss.generator(fake)}, logits={"fake": fake})
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import torch
from torch.nn import functional as F

from gansdk.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class AdversarialLoss(ABC):
    """What the two players of an adversarial pair minimise.

    Attributes:
        logits: What the loss makes of D's output: ``logits`` of being real, or ``scores`` of no fixed scale. It is the
            field of the same name of an :class:`~gansdk.training.AdversarialPair`.
    """

    logits: Literal["logits", "scores"] = "scores"

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """D's terms by name."""

    @abstractmethod
    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """G's loss. Only relativistic losses need ``real``."""


class NonSaturating(AdversarialLoss):
    """Goodfellow et al. 2014: for D equation 1, for G the loss of section 3 that does not saturate."""

    logits = "logits"

    def discriminator(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """−V(D, G), as −log D(x) and −log(1 − D(G(z))), where D is the sigmoid of the logits."""
        return {"real": F.softplus(-real.float()).mean(), "fake": F.softplus(fake.float()).mean()}

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """−log D(G(z))."""
        return F.softplus(-fake.float()).mean()


class Hinge(AdversarialLoss):
    """Lim and Ye 2017; equations 16 and 17 of Miyato et al. 2018, negated."""

    def discriminator(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """max(0, 1 − D(x)) and max(0, 1 + D(G(z)))."""
        return {"real": F.relu(1 - real.float()).mean(), "fake": F.relu(1 + fake.float()).mean()}

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """−D(G(z))."""
        return -fake.float().mean()


class LeastSquares(AdversarialLoss):
    """Mao et al. 2017, equation 9: equation 2 with a = 0 and b = c = 1."""

    def discriminator(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """½(D(x) − 1)² and ½D(G(z))²."""
        return {"real": (real.float() - 1).square().mean() / 2, "fake": fake.float().square().mean() / 2}

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """½(D(G(z)) − 1)²."""
        return (fake.float() - 1).square().mean() / 2


class RelativisticPairing(AdversarialLoss):
    """RpGAN with R1 and R2, as in R3GAN: Huang et al. 2024, equation 2 with f(t) = −log(1 + e⁻ᵗ).

    D learns to rank each real item above the generated one beside it. The loss alone does not converge; add the
    :meth:`penalties` to D's terms.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """−f(D(x) − D(G(z)))."""
        return {"relativistic": F.softplus(fake.float() - real.float()).mean()}

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """−f(D(G(z)) − D(x)); ``real`` must be given."""
        if real is None:
            raise TrainingError("a relativistic loss compares with real data", hint="give generator(fake, real) both")
        return F.softplus(real.float() - fake.float()).mean()

    def penalties(self, real: Tensor, x: Tensor, fake: Tensor, generated: Tensor) -> dict[str, Tensor]:
        """R1 and R2 without their weight γ.

        Args:
            real: D(x).
            x: Real data, of which ``requires_grad`` was set before D saw them.
            fake: D of ``generated``.
            generated: G(z), detached, with ``requires_grad`` likewise.
        """
        return {"r1": zero_centred_penalty(real, x), "r2": zero_centred_penalty(fake, generated)}


def zero_centred_penalty(logits: Tensor, x: Tensor) -> Tensor:
    """½‖∇ₓD(x)‖², averaged over the batch: R1 of Mescheder et al. 2018 (equation 9) for real x, R2 for generated x.

    Args:
        logits: D(x). Each must depend on its own item alone, so D has no batch normalisation.
        x: What D was given, [N, …], with ``requires_grad``.
    """
    (gradient,) = torch.autograd.grad(logits.float().sum(), x, create_graph=True)
    return gradient.float().flatten(1).square().sum(1).mean() / 2


def phase_weight(step: int, begins: int, ramp: int = 0) -> float:
    """The factor on a term that begins at a step: 0 before it, then up to 1 within ``ramp`` steps.

    Multiply the term by it, as in ``options.cycle * phase_weight(train.step, options.cycle_from) * cycle``.
    """
    return min(1.0, max(0.0, (step - begins + 1) / (ramp + 1)))


ADVERSARIAL_LOSSES: Mapping[str, AdversarialLoss] = MappingProxyType(
    {
        "non-saturating": NonSaturating(),
        "hinge": Hinge(),
        "least-squares": LeastSquares(),
        "rpgan-r1r2": RelativisticPairing(),
    }
)
"""The losses by the names that options have for them."""
