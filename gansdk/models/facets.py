"""Facets held to their facts: each raises an error if it does not give what ``config.json`` says."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from gansdk.errors import ModelError
from gansdk.model.facts import LatentGeneratorFacts, MaskedImageGeneratorFacts
from gansdk.model.tensors import shape_text
from gansdk.model.variables import Categorical, width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from torch import Tensor

    from gansdk.model.facts import ClassifierFacts, DiscriminatorFacts, EncoderFacts, Facts, GeneratorFacts
    from gansdk.model.protocols import Classifier, Discriminator, Encoder, Generator, Model
    from gansdk.model.variables import Variable

_HINT = "config.json was changed, or belongs to other weights"

_HALF_A_STEP = 0.5 / 255
"""How far pixels outside a hole may move and still count as kept: the same 8-bit image."""


def held_to(facts: Facts, model: Model) -> Model:
    """The model with facets that raise a :class:`ModelError` where they do not do what the facts say."""
    held = {}
    for name, wrapper in _WRAPPERS.items():
        facet, declared = getattr(model, name), getattr(facts, name)
        if facet is not None and declared is not None:
            held[name] = wrapper(facet, declared)
    return replace(model, **held)


class _Generator:
    def __init__(self, generator: Generator, facts: GeneratorFacts) -> None:
        self._generator, self._facts = generator, facts

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        facts = self._facts
        if isinstance(facts, MaskedImageGeneratorFacts):
            source = _erased(source)
        with _explained("generator"):
            images = self._generator.generate(source)
        first = next(iter(source.values()))
        if isinstance(facts, LatentGeneratorFacts):
            size = [facts.output.height, facts.output.width]
        else:
            size = [side * facts.output.scale for side in source["image"].shape[2:]]
        _check_shape("the generator", images, (len(first), facts.output.channels, *size))
        if isinstance(facts, MaskedImageGeneratorFacts) and facts.outside == "kept":
            image, mask = source["image"].to(images), source["mask"].to(images)
            moved = ((images - image) * (1 - mask)).detach().abs().max()
            if moved > _HALF_A_STEP:
                what = f"the generator changed pixels outside the hole, by up to {float(moved):.3f}"
                raise ModelError(f"{what}, which the facts rule out", hint=_HINT)
        return images


def _erased(source: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A masked image without what its hole shows, which a network must not see."""
    image, mask = source["image"], source["mask"]
    if mask.shape != (len(image), 1, *image.shape[2:]):
        found, expected = shape_text(mask.shape), shape_text((len(image), 1, *image.shape[2:]))
        raise ModelError(f"the mask is {found}, and its image wants {expected}", hint="give one mask for each image")
    return {"image": image * (1 - mask.to(image)), "mask": mask}


class _Encoder:
    def __init__(self, encoder: Encoder, facts: EncoderFacts) -> None:
        self._encoder, self._facts = encoder, facts

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        with _explained("encoder"):
            encoded = self._encoder.encode(data)
        _check_variables("the encoder does not give", self._facts.variables, encoded, len(data))
        return encoded


class _Discriminator:
    def __init__(self, discriminator: Discriminator, facts: DiscriminatorFacts) -> None:
        self._discriminator, self._facts = discriminator, facts

    def discriminate(self, data: Tensor, /, given: Mapping[str, Tensor] | None = None) -> Tensor:
        _check_variables("the discriminator was not given", self._facts.given, given or {}, len(data))
        with _explained("discriminator"):
            verdicts = self._discriminator.discriminate(data, given)
        _check_shape("the discriminator", verdicts, (len(data), len(self._facts.verdicts)))
        return verdicts


class _Classifier:
    def __init__(self, classifier: Classifier, facts: ClassifierFacts) -> None:
        self._classifier, self._facts = classifier, facts

    def classify(self, data: Tensor, /) -> Tensor:
        with _explained("classifier"):
            logits = self._classifier.classify(data)
        _check_shape("the classifier", logits, (len(data), len(self._facts.labels)))
        return logits


_WRAPPERS: dict[str, Callable[[Any, Any], Any]] = {
    "generator": _Generator,
    "encoder": _Encoder,
    "discriminator": _Discriminator,
    "classifier": _Classifier,
}


def _check_variables(what: str, variables: Iterable[Variable], found: Mapping[str, Tensor], count: int) -> None:
    for variable in variables:
        if variable.name not in found:
            raise ModelError(f"{what} {variable.name}, which the facts name", hint=_HINT)
        tensor = found[variable.name]
        is_index = isinstance(variable, Categorical) and tensor.ndim == 1  # which value, instead of weights
        _check_shape(variable.name, tensor, (count,) if is_index else (count, width(variable)))


def _check_shape(what: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != shape:
        found, expected = shape_text(tensor.shape), shape_text(shape)
        raise ModelError(f"{what} gave {found} numbers where the facts say {expected}", hint=_HINT)


@contextmanager
def _explained(facet: str) -> Iterator[None]:
    """Turns what networks raise for inputs that they cannot take, which may be any error, into a :class:`ModelError`.

    A lack of memory is passed on: the caller tries again with less.
    """
    try:
        yield
    except (RuntimeError, ValueError, TypeError, LookupError) as error:
        is_memory = isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
        if is_memory or isinstance(error, getattr(torch, "AcceleratorError", ())):
            raise
        said = " ".join(str(error).split())[:200]
        raise ModelError(f"the {facet} cannot take what the facts say that it takes: {said}", hint=_HINT) from error
