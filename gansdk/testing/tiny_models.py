"""Models of random weights for facts that the kit makes up, so that a task can be tried without anybody's plugin.

There is one of each kind that a task may ask for. The latent has the variables ``noise``, ``class`` and ``style``,
which the encoder gives too, with ``features``.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from gansdk.model.facts import (
    ClassifierFacts,
    DiscriminatorFacts,
    EncoderFacts,
    Facts,
    ImageGeneratorFacts,
    ImageOutput,
    ImageSource,
    ImageSpec,
    LatentGeneratorFacts,
    LatentSource,
    MaskedImageGeneratorFacts,
    MaskedImageSource,
)
from gansdk.model.protocols import Model
from gansdk.model.variables import Categorical, Code, Continuous, Features, Noise, Variable, width
from gansdk.models.writing import Export, write_model
from gansdk.options import Options
from gansdk.plugins.declarations import Method
from gansdk.testing.replay import TinyFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from gansdk.model.facts import GeneratorFacts


_SPEC = ImageSpec(channels=1, height=10, width=8)
_NOISE = Noise(n=4)
_CODES = (Categorical(name="class", k=3, labels=("zero", "one", "two")), Continuous(name="style", n=2))
_LATENT = LatentSource(variables=(_NOISE, *_CODES))


def _image_generator(scale: int, channels: int = 3) -> ImageGeneratorFacts:
    source, output = ImageSource(channels=channels), ImageOutput(channels=channels, scale=scale)
    return ImageGeneratorFacts(source=source, output=output, receptive_field=1)


GENERATORS: tuple[GeneratorFacts | None, ...] = (
    None,
    _image_generator(2),
    _image_generator(1),
    LatentGeneratorFacts(source=_LATENT, output=_SPEC),
    MaskedImageGeneratorFacts(source=MaskedImageSource(), output=ImageOutput(), receptive_field=1, outside="redrawn"),
    _image_generator(4, channels=1),
    LatentGeneratorFacts(source=LatentSource(variables=(_NOISE,)), output=_SPEC),
    LatentGeneratorFacts(
        source=LatentSource(variables=(Code(name="code", n=3),)), output=ImageSpec(height=8, width=16)
    ),
)
"""One of each kind, and of each kind those that tasks tell apart."""

ENCODERS: tuple[EncoderFacts | None, ...] = (
    None,
    EncoderFacts(data=_SPEC, variables=(_NOISE, *_CODES, Features(n=5))),
    EncoderFacts(data=ImageSpec(height=12, width=12), variables=(Features(n=5),)),
)


DISCRIMINATORS = (None, DiscriminatorFacts(data=_SPEC, given=_CODES[:1]))
CLASSIFIERS = (None, ClassifierFacts(data=_SPEC, labels=("zero", "one", "two")))


def made_facts() -> list[Facts]:
    """Facts of every kind of generator, with and without each of the other facets."""
    return [
        Facts(generator=generator, encoder=encoder, discriminator=discriminator, classifier=classifier)
        for generator, encoder, discriminator, classifier in product(GENERATORS, ENCODERS, DISCRIMINATORS, CLASSIFIERS)
    ]


class TinyNetworkOptions(Options):
    """What the networks are built for."""

    facts: Facts


def networks(options: TinyNetworkOptions) -> Mapping[str, nn.Module]:
    """One layer for each facet."""
    facts, built = options.facts, dict[str, nn.Module]()
    generator, encoder = facts.generator, facts.encoder
    discriminator, classifier = facts.discriminator, facts.classifier
    if isinstance(generator, LatentGeneratorFacts):
        built["generator"] = nn.Linear(_numbers(generator.source.variables), _pixels(generator.output))
    elif generator is not None:
        channels = generator.source.channels + isinstance(generator, MaskedImageGeneratorFacts)
        built["generator"] = nn.Conv2d(channels, generator.output.channels * generator.output.scale**2, 3, padding=1)
    if encoder is not None:
        built["encoder"] = nn.Linear(_pixels(encoder.data), _numbers(encoder.variables))
    if discriminator is not None:
        numbers = _pixels(discriminator.data) + _numbers(discriminator.given)
        built["discriminator"] = nn.Linear(numbers, len(discriminator.verdicts))
    if classifier is not None:
        built["classifier"] = nn.Linear(_pixels(classifier.data), len(classifier.labels))
    return built


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: Facts) -> Model:
    """The facets over those layers."""
    facets = _TinyFacets(call, facts)
    return Model(
        facts,
        generator=None if facts.generator is None else facets,
        encoder=None if facts.encoder is None else facets,
        discriminator=None if facts.discriminator is None else facets,
        classifier=None if facts.classifier is None else facets,
    )


METHOD = Method(
    name="kit",
    summary="random networks for any facts",
    paper="none",
    licence="Apache-2.0",
    requires="gansdk",
    network_options=f"{__name__}:TinyNetworkOptions",
    networks=f"{__name__}:networks",
    assemble=f"{__name__}:assemble",
)


def write_tiny_model(facts: Facts) -> TinyFolder:
    """A model folder with random weights."""
    folder = TinyFolder("model")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        built = networks(TinyNetworkOptions(facts=facts))
    write_model(folder.path, METHOD, Export(facts, {"facts": facts.model_dump(mode="json")}, built))
    return folder


class _TinyFacets:
    """All that a tiny model can do: each facet calls the layer of its name."""

    def __init__(self, call: Mapping[str, Callable[..., Tensor]], facts: Facts) -> None:
        self._call, self._facts = call, facts

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        facts, network = self._facts.generator, self._call["generator"]
        if isinstance(facts, LatentGeneratorFacts):
            pixels = network(_joined(facts.source.variables, source)).sigmoid()
            return pixels.reshape(-1, facts.output.channels, facts.output.height, facts.output.width)
        image = torch.cat([source[name] for name in ("image", "mask") if name in source], 1)
        scale = facts.output.scale if facts is not None else 1
        return functional.pixel_shuffle(network(image), scale).sigmoid()

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        variables = self._facts.require(EncoderFacts).variables
        numbers = torch.split(self._call["encoder"](data.flatten(1)), [width(variable) for variable in variables], 1)
        return {
            variable.name: values.softmax(1) if isinstance(variable, Categorical) else values.tanh()
            for variable, values in zip(variables, numbers, strict=True)
        }

    def discriminate(self, data: Tensor, /, given: Mapping[str, Tensor] | None = None) -> Tensor:
        variables = self._facts.require(DiscriminatorFacts).given
        return self._call["discriminator"](torch.cat([data.flatten(1), _joined(variables, given or {})], 1))

    def classify(self, data: Tensor, /) -> Tensor:
        return self._call["classifier"](data.flatten(1))


def _joined(variables: Sequence[Variable], values: Mapping[str, Tensor]) -> Tensor:
    """Values of variables side by side, categorical ones as weights."""
    found = []
    for variable in variables:
        value = values[variable.name]
        is_index = isinstance(variable, Categorical) and value.dim() == 1
        found.append(functional.one_hot(value, width(variable)).float() if is_index else value)
    return torch.cat(found, 1)


def _numbers(variables: Sequence[Variable]) -> int:
    return sum(width(variable) for variable in variables)


def _pixels(spec: ImageSpec) -> int:
    return spec.channels * spec.height * spec.width
