"""From options to networks, and from loaded networks to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansdk import Facts, ImageGeneratorFacts, ImageOutput, ImageSource, Model, SizeRule
from gansdk_srgan.architectures import Architecture, MSRResNetOptions, RRDBOptions, SRResNetSizes
from gansdk_srgan.networks import MSRResNet, RRDBNet, SRResNet, SRVGGNetCompact, compact, msrresnet, rrdbnet, srresnet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn


def networks(options: Architecture | SRResNetSizes) -> Mapping[str, nn.Module]:
    """The generator, built and not loaded."""
    return {"generator": _generator(options)}


def _generator(options: Architecture | SRResNetSizes) -> nn.Module:
    if isinstance(options, SRResNetSizes):
        return SRResNet(**_sizes(options.network()))
    if isinstance(options, MSRResNetOptions):
        return MSRResNet(**_sizes(options))
    if isinstance(options, RRDBOptions):
        return RRDBNet(**_sizes(options))
    return SRVGGNetCompact(**_sizes(options))


def _sizes(options: Architecture) -> dict[str, Any]:
    return options.model_dump(exclude={"architecture"})


def facts(options: Architecture | SRResNetSizes) -> Facts:
    """What a model with these networks takes and gives."""
    multiple = options.unshuffle if isinstance(options, RRDBOptions) else 1
    return Facts(
        generator=ImageGeneratorFacts(
            source=ImageSource(channels=options.channels, size=SizeRule(multiple=multiple)),
            output=ImageOutput(channels=options.channels, scale=options.scale),
            receptive_field=_receptive_field(options),
        )
    )


def _receptive_field(options: Architecture | SRResNetSizes) -> int:
    if isinstance(options, SRResNetSizes):
        return srresnet.receptive_field(
            scale=options.scale,
            blocks=options.blocks,
            head_kernel=options.head_kernel,
            tail_kernel=options.tail_kernel,
        )
    if isinstance(options, MSRResNetOptions):
        return msrresnet.receptive_field(scale=options.scale, blocks=options.blocks)
    if isinstance(options, RRDBOptions):
        return rrdbnet.receptive_field(scale=options.scale, unshuffle=options.unshuffle, blocks=options.blocks)
    return compact.receptive_field(convolutions=options.convolutions)


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: Facts) -> Model:
    """A model over a ready generator; its images are brought back into [0, 1]."""
    return Model(facts=facts, generator=_Upscaler(call["generator"]))


class _Upscaler:
    def __init__(self, generator: Callable[..., Tensor]) -> None:
        self._generator = generator

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        return self._generator(source["image"]).clamp(0, 1)
