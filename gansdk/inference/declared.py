"""A model's facets held to its facts, which may be a stranger's: what a network gives has the shape that they say."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from gansdk.errors import ModelError
from gansdk.model.facts import ImageGeneratorFacts
from gansdk.model.parts import Categorical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from gansdk.model.facts import EncoderFacts, Facts, GeneratorFacts
    from gansdk.model.protocols import Encoder, Generator, Model

_HINT = "config.json was changed, or belongs to other weights"


def held_to(facts: Facts, model: Model) -> Model:
    """The model, whose facets raise a :class:`ModelError` where they cannot do what the facts say."""
    generator, encoder = model.generator, model.encoder
    if generator is not None and facts.generator is not None:
        generator = _Generator(generator, facts.generator)
    if encoder is not None and facts.encoder is not None:
        encoder = _Encoder(encoder, facts.encoder)
    return replace(model, generator=generator, encoder=encoder)


class _Generator:
    def __init__(self, generator: Generator, facts: GeneratorFacts) -> None:
        self._generator, self._facts = generator, facts

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        with _said_of("generator"):
            given = self._generator.generate(source)
        first = next(iter(source.values()))
        output = self._facts.output
        if isinstance(self._facts, ImageGeneratorFacts):
            size = tuple(side * self._facts.output.scale for side in first.shape[2:])
        else:
            size = (self._facts.output.height, self._facts.output.width)
        _check("the generator", given, (len(first), output.channels, *size))
        return given


class _Encoder:
    def __init__(self, encoder: Encoder, facts: EncoderFacts) -> None:
        self._encoder, self._facts = encoder, facts

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        with _said_of("encoder"):
            given = self._encoder.encode(data)
        for part in self._facts.parts:
            if part.name not in given:
                raise ModelError(f"the encoder does not give {part.name}, which the facts name", hint=_HINT)
            count = part.k if isinstance(part, Categorical) else part.n
            if not (isinstance(part, Categorical) and given[part.name].ndim == 1):  # one number each: which it is
                _check(part.name, given[part.name], (len(data), count))
        return given


def _check(what: str, given: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(given.shape) != shape:
        found, wanted = ("×".join(map(str, one)) for one in (given.shape, shape))
        raise ModelError(f"{what} gave {found} numbers where the facts say {wanted}", hint=_HINT)


@contextmanager
def _said_of(facet: str) -> Iterator[None]:
    """Networks that are given what they do not take raise all kinds of errors; a lack of memory is another matter."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError, LookupError) as error:
        is_memory = isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
        if is_memory or isinstance(error, getattr(torch, "AcceleratorError", ())):
            raise
        said = " ".join(str(error).split())[:200]
        raise ModelError(f"the {facet} cannot take what the facts say that it takes: {said}", hint=_HINT) from error
