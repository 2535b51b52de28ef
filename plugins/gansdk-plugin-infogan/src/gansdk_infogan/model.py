"""From options to networks, and from callables to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from gansdk import (
    Categorical,
    Continuous,
    EncoderFacts,
    Facts,
    Features,
    ImageSpec,
    LatentGeneratorFacts,
    LatentSource,
    Model,
    Noise,
)
from gansdk_infogan.networks import InfoGANGenerator, Recogniser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from gansdk import Background
    from gansdk_infogan.options import NetworkOptions

Drawn = Noise | Categorical | Continuous
"""The kinds of part that a latent of InfoGAN has."""

LOW, HIGH = -1.0, 1.0
"""Between these, noise and continuous codes are drawn uniformly."""

_SWEEP = (-2.0, 2.0)  # where the paper's figures go
_LEAST_LOG, _MOST_LOG = -4.0, 1.0  # of Q's deviation: without a bound the information grows for ever


def networks(options: NetworkOptions) -> Mapping[str, nn.Module]:
    """The generator, and the recogniser Q with what it shares with D."""
    sizes = options.model_dump(include={"channels", "height", "width", "hidden", "features"})
    codes = sum(options.category_sizes) + options.continuous * (2 if options.deviation == "learnt" else 1)
    latent = options.noise + sum(options.category_sizes) + options.continuous
    return {
        "generator": InfoGANGenerator(latent=latent, **sizes),
        "recogniser": Recogniser(codes=codes, code_hidden=options.code_hidden, slope=options.slope, **sizes),
    }


def codes(options: NetworkOptions, labels: Sequence[str] = ()) -> tuple[Categorical | Continuous, ...]:
    """The codes, categorical ones first. One categorical code is called ``class``, several ``class_0`` and on.

    Args:
        options: What was chosen.
        labels: What the values of a single categorical code turned out to be.
    """
    sizes = options.category_sizes
    names = ["class"] if len(sizes) == 1 else [f"class_{at}" for at in range(len(sizes))]
    found: list[Categorical | Continuous] = [
        Categorical(name=name, k=k, labels=tuple(labels) if len(sizes) == 1 else ())
        for name, k in zip(names, sizes, strict=True)
    ]
    if options.continuous:
        found.append(Continuous(name="style", n=options.continuous, low=LOW, high=HIGH, sweep=_SWEEP))
    return tuple(found)


def facts(options: NetworkOptions, labels: Sequence[str] = (), background: Background | None = None) -> Facts:
    """What a model with these networks takes and gives."""
    image = ImageSpec(channels=options.channels, height=options.height, width=options.width, background=background)
    read = codes(options, labels)
    return Facts(
        generator=LatentGeneratorFacts(source=LatentSource(variables=(noise(options), *read)), output=image),
        encoder=EncoderFacts(data=image, variables=(*read, Features(n=options.hidden))),
    )


def noise(options: NetworkOptions) -> Noise:
    """What no code says."""
    return Noise(n=options.noise, distribution="uniform", low=LOW, high=HIGH)


def latent(source: Mapping[str, Tensor], variables: Sequence[Drawn]) -> Tensor:
    """Named parts side by side, as the generator takes them: a category as its weights."""
    return torch.cat([_numbers(source[variable.name], variable).float() for variable in variables], 1)


def _numbers(tensor: Tensor, variable: Drawn) -> Tensor:
    return F.one_hot(tensor, variable.k) if isinstance(variable, Categorical) and tensor.dim() == 1 else tensor


def read(said: Tensor, variables: Sequence[Categorical | Continuous]) -> dict[str, Tensor]:
    """Q's numbers by code: logits [N, k], or means [N, n] and, where Q gives them, log deviations as ``NAME.log``."""
    found: dict[str, Tensor] = {}
    at = 0
    for variable in variables:
        width = variable.k if isinstance(variable, Categorical) else variable.n
        found[variable.name] = said[:, at : at + width]
        at += width
    for variable in variables:
        if isinstance(variable, Continuous) and at < said.shape[1]:
            found[f"{variable.name}.log"] = said[:, at : at + variable.n].clamp(_LEAST_LOG, _MOST_LOG)
            at += variable.n
    return found


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: Facts) -> Model:
    """A generator from noise and codes, and an encoder that reads the codes back."""
    if not isinstance(facts.generator, LatentGeneratorFacts) or facts.encoder is None:
        raise TypeError("these are not the facts of InfoGAN")
    generator = _Generator(call["generator"], facts.generator.source)
    return Model(facts=facts, generator=generator, encoder=_Encoder(call["recogniser"], facts.encoder))


class _Generator:
    def __init__(self, generator: Callable[..., Tensor], source: LatentSource) -> None:
        self._generator = generator
        self._variables = [
            variable for variable in source.variables if isinstance(variable, Noise | Categorical | Continuous)
        ]

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        return self._generator(latent(source, self._variables)).sigmoid()


class _Encoder:
    def __init__(self, recogniser: Callable[..., Tensor], facts: EncoderFacts) -> None:
        self._recogniser = recogniser
        self._codes = [variable for variable in facts.variables if isinstance(variable, Categorical | Continuous)]

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        features, said = self._recogniser(data)
        numbers = read(said, self._codes)
        variables = {
            variable.name: numbers[variable.name].softmax(1)
            if isinstance(variable, Categorical)
            else numbers[variable.name]
            for variable in self._codes
        }
        return {**variables, "features": features}
