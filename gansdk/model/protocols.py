"""What a model can do, as four facets. A task asks for a facet and never for a method.

Tensors at this edge: ``image`` is float NCHW in [0, 1]. Ranges inside a network (tanh's and the like) are the
method's own affair and end in its ``assemble``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from gansdk.model.facts import Facts


class Generator(Protocol):
    """Named inputs, as its source declares them, to data."""

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor: ...


class Encoder(Protocol):
    """Data to named parts, the ones that its facts declare."""

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]: ...


class Discriminator(Protocol):
    """Data, and what goes with it, to one logit or score per declared verdict."""

    def discriminate(self, data: Tensor, /, given: Mapping[str, Tensor] | None = None) -> Tensor: ...


class Classifier(Protocol):
    """Data to logits, one per declared label."""

    def classify(self, data: Tensor, /) -> Tensor: ...


@dataclass(frozen=True)
class Model:
    """A method's facets over ready callables; a facet that is absent is None."""

    facts: Facts
    generator: Generator | None = None
    encoder: Encoder | None = None
    discriminator: Discriminator | None = None
    classifier: Classifier | None = None
