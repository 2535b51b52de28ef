"""What a model can do, as four facets. A task asks for a facet and never for a method.

Tensors at this edge: ``image`` is float NCHW in [0, 1]. Ranges inside a network (tanh's and the like) are the
method's own affair and end in its ``assemble``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from gansdk.model.facts import Facts

    Directions = Mapping[str, Mapping[str, Tensor]]


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


@dataclass(frozen=True, repr=False)
class Model:
    """A method's facets over ready callables; a facet that is absent is None.

    Attributes:
        facts: What it declares.
        generator: Makes data.
        encoder: Reads it.
        discriminator: Evaluators it.
        classifier: Names it.
        directions: The vectors of the directions that its facts name, by direction and by each part of the latent that
            one moves, float32 [n]. Whoever loads a model fills it in; ``assemble`` does not.
    """

    facts: Facts
    generator: Generator | None = None
    encoder: Encoder | None = None
    discriminator: Discriminator | None = None
    classifier: Classifier | None = None
    directions: Directions = field(default_factory=dict)

    def __repr__(self) -> str:
        names = ("generator", "encoder", "discriminator", "classifier")
        facets = [name for name in names if getattr(self, name) is not None]
        facets += [f"direction {name}" for name in self.directions]
        return f"<Model with {', '.join(facets) or 'no facet'}>"
