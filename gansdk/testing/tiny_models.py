"""Models of random weights for facts that the kit makes up, so that a task can be tried without anybody's plugin.

There is one of each kind that a task may ask for. The latent has the variables ``noise``, ``class`` and ``style``; the
encoder gives the latter two, and features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional

from gansdk.model.facts import (
    EncoderFacts,
    Facts,
    ImageGeneratorFacts,
    ImageOutput,
    ImageSource,
    ImageSpec,
    LatentGeneratorFacts,
    LatentSource,
)
from gansdk.model.protocols import Model
from gansdk.model.variables import Categorical, Code, Continuous, Features, Noise, Variable
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


def made_facts() -> list[Facts]:
    """Facts of every kind of generator, with and without each of the other facets."""
    return [Facts(generator=generator, encoder=encoder) for generator in GENERATORS for encoder in ENCODERS]


class NetworkOptions(Options):
    """What the networks are built for."""

    facts: Facts


def networks(options: NetworkOptions) -> Mapping[str, nn.Module]:
    """One layer for each facet."""
    facts, built = options.facts, dict[str, nn.Module]()
    if isinstance(facts.generator, ImageGeneratorFacts):
        output = facts.generator.output
        channels = output.channels * output.scale**2
        built["generator"] = nn.Conv2d(facts.generator.source.channels, channels, 3, padding=1)
    if isinstance(facts.generator, LatentGeneratorFacts):
        built["generator"] = nn.Linear(_numbers(facts.generator.source.variables), _pixels(facts.generator.output))
    if facts.encoder is not None:
        built["encoder"] = nn.Linear(_pixels(facts.encoder.data), _numbers(facts.encoder.variables))
    return built


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: Facts) -> Model:
    """The facets over those layers."""
    return Model(
        facts,
        generator=None if facts.generator is None else _Generator(call["generator"], facts.generator),
        encoder=None if facts.encoder is None else _Encoder(call["encoder"], facts.encoder),
    )


METHOD = Method(
    name="kit",
    summary="random networks for any facts",
    paper="none",
    licence="Apache-2.0",
    requires="gansdk",
    network_options=f"{__name__}:NetworkOptions",
    networks=f"{__name__}:networks",
    assemble=f"{__name__}:assemble",
)


def write_tiny_model(facts: Facts) -> TinyFolder:
    """A model folder with random weights."""
    folder = TinyFolder("model")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        built = networks(NetworkOptions(facts=facts))
    write_model(folder.path, METHOD, Export(facts, {"facts": facts.model_dump(mode="json")}, built))
    return folder


class _Generator:
    def __init__(self, network: Callable[..., Tensor], facts: GeneratorFacts) -> None:
        self._network, self._facts = network, facts

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        output = self._facts.output
        if isinstance(output, ImageOutput):
            return functional.pixel_shuffle(self._network(source["image"]), output.scale).sigmoid()
        latent = [_floats(source[variable.name], variable) for variable in self._latent.variables]
        return self._network(torch.cat(latent, 1)).sigmoid().reshape(-1, output.channels, output.height, output.width)

    @property
    def _latent(self) -> LatentSource:
        return cast("LatentSource", self._facts.source)


class _Encoder:
    def __init__(self, network: Callable[..., Tensor], facts: EncoderFacts) -> None:
        self._network, self._facts = network, facts

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        variables = self._facts.variables
        sizes = [_numbers([variable]) for variable in variables]
        numbers = torch.split(self._network(data.flatten(1)), sizes, 1)
        return {
            variable.name: values.softmax(1) if isinstance(variable, Categorical) else values.tanh()
            for variable, values in zip(variables, numbers, strict=True)
        }


def _floats(values: Tensor, variable: Variable) -> Tensor:
    """A categorical variable's numbers become weights."""
    if isinstance(variable, Categorical) and values.dim() == 1:
        return functional.one_hot(values, variable.k).float()
    return values


def _numbers(variables: Sequence[Variable]) -> int:
    return sum(variable.k if isinstance(variable, Categorical) else variable.n for variable in variables)


def _pixels(spec: ImageSpec) -> int:
    return spec.channels * spec.height * spec.width
