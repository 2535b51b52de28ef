"""What a model can do, as four facets. A task asks for a facet and never for a method.

Images are float NCHW in [0, 1], masks float N1HW with 1 for the hole. The range inside a network, as tanh's, is the
method's own affair and ends in its ``assemble``.

Devices: what goes into a facet may be on any device and is moved to the model's. What comes out is fp32 **on the
model's device**, which is ``pipeline.placement.device``. So before arithmetic with what comes out, move the other side
to it, as in ``images = generator.generate(z); images - target.to(images.device)``, and call ``.cpu()`` before
``.numpy()``. Gradients flow through a facet to its inputs, across devices too, in a task with ``needs_gradients``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from gansdk.model.facts import (
    FACETS,
    ClassifierFacts,
    DiscriminatorFacts,
    EncoderFacts,
    ImageGeneratorFacts,
    LatentGeneratorFacts,
    MaskedImageGeneratorFacts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from gansdk.model.facts import Facts

    Directions = Mapping[str, Mapping[str, Tensor]]

_Source = TypeVar("_Source", bound=ImageGeneratorFacts | MaskedImageGeneratorFacts | LatentGeneratorFacts)


class Generator(Protocol):
    """Named inputs, as its source declares them, to data.

    ``image`` of an image; ``image`` and ``mask`` of a masked image; each variable by its name of a latent.
    """

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor: ...


class Encoder(Protocol):
    """Data to named variables, the ones that its facts declare; a categorical one as weights."""

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]: ...


class Discriminator(Protocol):
    """Data, and the variables that its facts say are given with it, to a number per verdict: float [N, verdicts]."""

    def discriminate(self, data: Tensor, /, given: Mapping[str, Tensor] | None = None) -> Tensor: ...


class Classifier(Protocol):
    """Data to a logit per label: float [N, labels]."""

    def classify(self, data: Tensor, /) -> Tensor: ...


@dataclass(frozen=True, repr=False)
class Model:
    """A method's facets over ready callables; a facet that is absent is None.

    Attributes:
        facts: What it declares.
        generator: Makes data.
        encoder: Gives the variables of data.
        discriminator: Tells real data from fake.
        classifier: Labels data.
        directions: The vectors of the directions in its facts, by direction and by variable of the latent, float32
            [n] on the CPU. They are filled in when a model is loaded; ``assemble`` leaves them empty.
    """

    facts: Facts
    generator: Generator | None = None
    encoder: Encoder | None = None
    discriminator: Discriminator | None = None
    classifier: Classifier | None = None
    directions: Directions = field(default_factory=dict)

    def __repr__(self) -> str:
        facets = [name for name in FACETS if getattr(self, name) is not None]
        facets += [f"direction {name}" for name in self.directions]
        return f"<Model with {', '.join(facets) or 'no facet'}>"

    @overload
    def require(self, kind: type[_Source]) -> tuple[Generator, _Source]: ...
    @overload
    def require(self, kind: type[EncoderFacts]) -> tuple[Encoder, EncoderFacts]: ...
    @overload
    def require(self, kind: type[DiscriminatorFacts]) -> tuple[Discriminator, DiscriminatorFacts]: ...
    @overload
    def require(self, kind: type[ClassifierFacts]) -> tuple[Classifier, ClassifierFacts]: ...
    def require(self, kind: type[Any]) -> tuple[Any, Any]:
        """A facet and its facts, as in ``generator, facts = model.require(LatentGeneratorFacts)``.

        Raises a ``TypeError`` if the model has none, or the facts declare one that ``assemble`` did not give.
        """
        facts = self.facts.require(kind)
        name = next(name for name in FACETS if getattr(self.facts, name) is facts)
        facet = getattr(self, name)
        if facet is None:
            raise TypeError(f"assemble() gave no {name} although the facts declare one")
        return facet, facts
