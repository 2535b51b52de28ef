"""From options to facts and networks, and from callables to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

import gansdk
from gansdk import Categorical, Continuous, EncoderFacts, LatentGeneratorFacts, LatentSource
from gansdk_infogan.networks import InfoGANGenerator, Recogniser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from gansdk_infogan.options import NetworkOptions

LOW, HIGH = -1.0, 1.0
"""Between these, noise and continuous codes are drawn uniformly."""

_SWEEP = (-2.0, 2.0)  # where the paper's figures go
_LEAST_LOG, _MOST_LOG = -4.0, 1.0  # of Q's deviation: without a bound the information grows for ever


def networks(options: NetworkOptions) -> Mapping[str, nn.Module]:
    """The generator, and the recogniser Q with what it shares with D."""
    codes = sum(options.category_sizes) + options.continuous
    deviations = options.continuous if options.deviation == "learnt" else 0
    return {
        "generator": InfoGANGenerator(options, latent=options.noise + codes),
        "recogniser": Recogniser(options, codes=codes + deviations),
    }


def codes(options: NetworkOptions, labels: Sequence[str] = ()) -> tuple[Categorical | Continuous, ...]:
    """The codes c, categorical ones first. One categorical code is called ``class``, several ``class_0`` and on.

    Args:
        options: What was chosen.
        labels: What the values of a single categorical code turned out to be.
    """
    sizes = options.category_sizes
    found: list[Categorical | Continuous] = (
        [Categorical(name="class", k=sizes[0], labels=tuple(labels))]
        if len(sizes) == 1
        else [Categorical(name=f"class_{index}", k=k) for index, k in enumerate(sizes)]
    )
    if options.continuous:
        found.append(Continuous(name="style", n=options.continuous, low=LOW, high=HIGH, sweep=_SWEEP))
    return tuple(found)


def noise(options: NetworkOptions) -> gansdk.Noise:
    """z, what no code says."""
    return gansdk.Noise(n=options.noise, distribution="uniform", low=LOW, high=HIGH)


def facts(
    options: NetworkOptions, labels: Sequence[str] = (), background: gansdk.Background | None = None
) -> gansdk.Facts:
    """What a model with these networks takes and gives."""
    image = gansdk.ImageSpec(
        channels=options.channels, height=options.height, width=options.width, background=background
    )
    variables = codes(options, labels)
    return gansdk.Facts(
        generator=LatentGeneratorFacts(source=LatentSource(variables=(noise(options), *variables)), output=image),
        encoder=EncoderFacts(data=image, variables=(*variables, gansdk.Features(n=options.hidden))),
    )


def latent(source: Mapping[str, Tensor], variables: Sequence[gansdk.Noise | Categorical | Continuous]) -> Tensor:
    """(z, c) as the generator takes it: variables beside each other, a categorical one as its weights."""
    found = []
    for variable in variables:
        tensor = source[variable.name]
        if isinstance(variable, Categorical) and tensor.dim() == 1:
            tensor = F.one_hot(tensor, variable.k)
        found.append(tensor.float())
    return torch.cat(found, 1)


def read(output: Tensor, codes: Sequence[Categorical | Continuous]) -> dict[str, Tensor]:
    """Q's numbers by code: logits [N, k], or means [N, n]; where Q gives them, log deviations too, as ``style.log``."""
    widths = [code.k if isinstance(code, Categorical) else code.n for code in codes]
    *parts, rest = torch.split(output, [*widths, output.shape[1] - sum(widths)], dim=1)
    found = dict(zip([code.name for code in codes], parts, strict=True))
    return {**found, "style.log": rest.clamp(_LEAST_LOG, _MOST_LOG)} if rest.shape[1] else found


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: gansdk.Facts) -> gansdk.Model:
    """A generator from noise and codes, and an encoder that reads the codes back."""
    generator = _InfoganGenerator(call["generator"], facts.require(gansdk.LatentGeneratorFacts).source)
    encoder = _InfoganEncoder(call["recogniser"], facts.require(gansdk.EncoderFacts))
    return gansdk.Model(facts=facts, generator=generator, encoder=encoder)


class _InfoganGenerator:
    def __init__(self, generator: Callable[..., Tensor], source: LatentSource) -> None:
        self._generator = generator
        kinds = gansdk.Noise | Categorical | Continuous
        self._variables = [variable for variable in source.variables if isinstance(variable, kinds)]

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        return self._generator(latent(source, self._variables)).sigmoid()


class _InfoganEncoder:
    def __init__(self, recogniser: Callable[..., Tensor], facts: EncoderFacts) -> None:
        self._recogniser = recogniser
        self._codes = [variable for variable in facts.variables if isinstance(variable, Categorical | Continuous)]

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        features, output = self._recogniser(data)
        numbers, found = read(output, self._codes), {"features": features}
        for code in self._codes:
            found[code.name] = numbers[code.name].softmax(1) if isinstance(code, Categorical) else numbers[code.name]
        return found
